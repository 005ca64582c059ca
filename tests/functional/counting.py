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

"""Threads that use a quota of 30 in a real MariaDB, all at the same time.

A separate program, run by its path with the socket of the server, so that
eventlet does not patch its threads. It prints as JSON which requests were
accepted and what is counted.
"""

from collections.abc import Callable
import json
import sys
import threading
from typing import Any
import uuid

from trove.common import cfg
from trove.common import exception
from trove.db import get_db_api
from trove.db.sqlalchemy import session
from trove.quota import models
from trove.quota import quota

from trove_pxc import quotas

CONF = cfg.CONF
LIMIT = 30
PROJECT = 'demo'
MEMBER = {'instances': 1, 'ram': 512, 'volumes': 1}
CLUSTERS = 14


def connect(socket: str) -> None:
    CONF([], project='trove', default_config_files=[])
    CONF.set_override(
        'connection', f'mysql+pymysql://root@/trove?unix_socket={socket}',
        'database')
    CONF.set_override('max_pool_size', 2 * CLUSTERS, 'database')
    CONF.set_override('max_instances_per_tenant', LIMIT)
    for name in ('max_ram_per_tenant', 'max_volumes_per_tenant'):
        CONF.set_override(name, -1)
    get_db_api().db_sync(CONF)
    session.configure_db()
    quotas.install()


def create(made: list[int]) -> None:
    """Create a cluster of three, as trove-api does."""
    cluster_id = str(uuid.uuid4())
    numbers = (1, 2, 3)
    quotas.reserve_members(PROJECT, cluster_id,
                           dict.fromkeys(numbers, MEMBER))
    for number in numbers:
        with quotas.handed_out(PROJECT, cluster_id, number, MEMBER):
            quota.run_with_quotas(
                PROJECT, MEMBER, lambda: made.append(1))


def replace(made: list[int]) -> None:
    """Delete a single instance and create one, as Trove's own code does."""
    quota.run_with_quotas(PROJECT, {
        name: -amount for name, amount in MEMBER.items()},
        lambda: made.append(-1))
    quota.run_with_quotas(PROJECT, MEMBER, lambda: made.append(1))


def in_parallel(number: int,
                act: Callable[[list[int]], None]) -> dict[str, Any]:
    """Return what the threads got, and what is counted afterwards."""
    made: list[int] = []
    ended: list[str] = []
    all_there = threading.Barrier(number)

    def one() -> None:
        all_there.wait()
        try:
            act(made)
        except exception.TroveError as refusal:
            ended.append(type(refusal).__name__)
        else:
            ended.append('made')
    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {'made': sum(made),
            'ended': {one: ended.count(one) for one in set(ended)},
            'counts': {row.resource: [row.in_use, row.reserved] for row in
                       models.QuotaUsage.find_all(tenant_id=PROJECT).all()}}


if __name__ == '__main__':
    connect(sys.argv[1])
    print(json.dumps({'creates': in_parallel(CLUSTERS, create),
                      'replaced': in_parallel(CLUSTERS, replace)}))
