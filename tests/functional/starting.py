# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Parallel requests, casts and resumptions on a MariaDB server.

A separate program, run by its path with the socket of the server, so that
eventlet does not patch its threads. It prints as JSON what each of them got.
"""

from collections.abc import Callable
import datetime
import json
import sys
import threading
from typing import Any

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.datastore import models as datastore_models

from tests.functional import counting
from trove_pxc import pending
from trove_pxc import starts

NUMBER = 12
ROUNDS = 10
RESTART = ClusterTasks.RESTARTING_CLUSTER
SECOND = datetime.timedelta(seconds=1)


def add_cluster(version_id: str, number: int) -> Any:
    return cluster_models.DBCluster.create(
        name=f'c-{number}', tenant_id=counting.PROJECT,
        datastore_version_id=version_id, task_status=ClusterTasks.NONE)


def add_version() -> str:
    datastore = datastore_models.DBDatastore.create(name='mariadb')
    return str(datastore_models.DBDatastoreVersion.create(
        datastore_id=datastore.id, name='10.11', version='10.11',
        manager='mariadb', image_id='i', image_tags='', packages='',
        active=True, registry_ext='', repl_strategy='').id)


def claim(cluster_id: str, number: int) -> bool:
    return pending.claim(cluster_id, RESTART, [], None,
                         request_id=f'req-{number}')


def cast(cluster_id: str, number: int) -> bool:
    """Start the operation as the cast of a request does."""
    seen = cluster_models.DBCluster.get_by(id=cluster_id).updated
    return starts.begin(cluster_id, RESTART, seen, seen + SECOND,
                        f'req-{number}')


def in_parallel(act: Callable[[int], object]) -> dict[str, int]:
    """Return how many threads got which result or error."""
    ended: list[str] = []
    all_there = threading.Barrier(NUMBER)

    def one(number: int) -> None:
        all_there.wait()
        try:
            ended.append(str(act(number)))
        except exception.TroveError as refusal:
            ended.append(type(refusal).__name__)
    threads = [threading.Thread(target=one, args=(number,))
               for number in range(NUMBER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {one: ended.count(one) for one in sorted(set(ended))}


def rounds(version_id: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        'claims': [], 'casts': [], 'started': [], 'ends': []}
    clusters = [add_cluster(version_id, number) for number in range(NUMBER)]
    for _ in range(ROUNDS):
        # Each cluster has its own request, at the same time.
        found['claims'].append(in_parallel(
            lambda number: claim(clusters[number].id, number)))
        # The cast of the first cluster, twelve times.
        found['casts'].append(in_parallel(
            lambda number: cast(clusters[0].id, 0)))
        found['started'].append(sorted(
            start.number for start in starts.of(
                {one.id: RESTART.code for one in clusters}).values()))
        found['ends'].append(in_parallel(
            lambda number: pending.end(clusters[number].id, RESTART)))
    return found


if __name__ == '__main__':
    counting.connect(sys.argv[1])
    print(json.dumps(rounds(add_version())))
