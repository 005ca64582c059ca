# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""State transfers and commits of a cluster, counted by the clock.

Imported by the encryption program.
"""

from collections.abc import Iterator
import contextlib
import threading
import time

from lab.guest import control
from lab import home as lab_home
from lab import waiting
from tests.e2e import laboratory
from tests.faults import cluster as fault_clusters
from tests.faults import filling
from tests.faults import member as members
from tests import threads

VOLUME_GB = 4
MEMBERS = 3
SCHEMA = 'commits'
#: seconds, until a member asks for its copy; of a copy of some gigabytes
BEGIN_TIMEOUT, TRANSFER_TIMEOUT = 60, 600
POLL = 0.1
CLEAR_TEXT = '[mariadb]\nencrypt_cluster_traffic = False\n'


@contextlib.contextmanager
def clusters(home: lab_home.Home,
             size: int) -> Iterator[dict[str, fault_clusters.Cluster]]:
    """A cluster that is encrypted and one that is not, with rows.

    :param size: bytes of rows in each
    """
    made = {}
    try:
        made['encrypted'] = _create(home, 'bench-encrypted', size)
        with laboratory.own_options('clear-text', CLEAR_TEXT):
            made['clear'] = _create(home, 'bench-clear', size)
        yield made
    finally:
        for cluster in made.values():
            laboratory.delete_cluster(cluster.cluster_id)


def _create(home: lab_home.Home, name: str,
            size: int) -> fault_clusters.Cluster:
    cluster_id = laboratory.create_cluster(
        name, [laboratory.member_option(volume=VOLUME_GB)] * MEMBERS)
    laboratory.wait_ready(cluster_id)
    cluster = fault_clusters.Cluster(home, cluster_id)
    filling.fill(cluster.members[0], size)
    cluster.members[0].ask(f'CREATE DATABASE {SCHEMA}')
    return cluster


def transfer_rate(cluster: fault_clusters.Cluster) -> float:
    """MiB of rows a second that reach a member which has lost its data."""
    joiner = cluster.members[-1]
    size = filling.arrived(joiner)
    before = cluster.mark()
    filling.spoil(joiner)
    control.kill_database(cluster.home, joiner.instance_id)
    waiting.until('a member to be the donor',
                  lambda: _donor(cluster), BEGIN_TIMEOUT, POLL)
    began = time.monotonic()
    waiting.until('the joiner to be Synced',
                  lambda: joiner.place().state == 'Synced',
                  TRANSFER_TIMEOUT, POLL)
    seconds = time.monotonic() - began
    transfer = members.Transfer.of(joiner.server_log(before))
    if not transfer.by_sst:
        raise AssertionError(f'{joiner.name} took no copy: {transfer.lines}')
    cluster.wait_healthy()
    return (size >> 20) / seconds


def _donor(cluster: fault_clusters.Cluster) -> bool:
    return any(member.place().state == 'Donor/Desynced'
               for member in cluster.members)


def commit_rate(member: members.Member, clients: int,
                seconds: float) -> float:
    """Commits a second, of clients that write into tables of their own."""
    over = threading.Event()
    counts = [0] * clients

    def client(number: int) -> None:
        table = f'{SCHEMA}.of_{number}'
        with contextlib.closing(member.connect(autocommit=True)) as open_one:
            with open_one.cursor() as cursor:
                while not over.is_set():
                    cursor.execute(f'INSERT INTO {table} (text) '
                                   f"VALUES (REPEAT('x', 100))")
                    counts[number] += 1

    for number in range(clients):
        member.ask(f'CREATE OR REPLACE TABLE {SCHEMA}.of_{number} '
                   f'(id SERIAL, text VARCHAR(100))')
    began = time.monotonic()
    with threads.running(
            [lambda each=number: client(each) for number in range(clients)],
            over):
        waiting.pause(seconds)
    return sum(counts) / (time.monotonic() - began)
