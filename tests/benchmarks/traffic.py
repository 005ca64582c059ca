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

"""Measures the state transfers and commits of a cluster.

Imported by the encryption program.
"""

from collections.abc import Iterator
import contextlib
import threading
import time

from lab.guest import control
from lab import home as lab_home
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import removal
from tests.e2e import laboratory
from tests.e2e import transfers
from tests.faults import cluster as fault_clusters
from tests.faults import filling
from tests.faults import member as members
from tests import threads

MEMBERS = 3
SCHEMA = 'commits'
#: Seconds until a member requests its copy; for a copy of some gigabytes.
BEGIN_TIMEOUT, TRANSFER_TIMEOUT = 60, 600
#: Seconds for a cluster, while two others run.
CREATE_TIMEOUT = 600
POLL = 0.1
#: The names of the two clusters.
NAMES = {'encrypted': 'bench-encrypted', 'clear': 'bench-clear'}
CLEAR_TEXT = '[mariadb]\nencrypt_cluster_traffic = False\n'
OPTIONS = 'benchmark-clear-text'
#: Bytes that are written between two progress messages.
PORTION = 256 << 20
MIB, GIB = 1 << 20, 1 << 30


def room(size: int) -> int:
    """Bytes of disk that both clusters need for this number of row bytes."""
    return len(NAMES) * MEMBERS * (size + GIB // 2)


def forget_options(home: lab_home.Home, report: lab_report.Report) -> None:
    """Switch encryption on again after a run that was killed.

    Every new cluster of this lab would be created without it.
    """
    if (home.own_options / f'{OPTIONS}.conf').exists():
        with report.step('switching encryption on again, which an earlier '
                         'run has left off'):
            with laboratory.own_options(OPTIONS, ''):
                report.say('  (the taskmanager is restarted)')


@contextlib.contextmanager
def clusters(home: lab_home.Home, size: int, report: lab_report.Report,
             ) -> Iterator[dict[str, fault_clusters.Cluster]]:
    """An encrypted cluster and one in clear text, with rows.

    :param size: bytes of rows in each
    """
    with contextlib.ExitStack() as stack:
        for name in NAMES.values():
            stack.enter_context(removal.removed(home, name, report))
        made = {'encrypted': _create(home, 'encrypted', size, report)}
        report.say('restarting the taskmanager with encryption off, for the '
                   'next cluster alone')
        with laboratory.own_options(OPTIONS, CLEAR_TEXT):
            made['clear'] = _create(home, 'clear', size, report)
        for way, cluster in made.items():
            _check(cluster, way)
        yield made


def _create(home: lab_home.Home, way: str, size: int,
            report: lab_report.Report) -> fault_clusters.Cluster:
    name = NAMES[way]
    # Room for the rows, and for as many in the logs and in gcache.
    volume = 2 + 2 * -(-size // GIB)
    with report.step(f'creating the cluster {name}'):
        cluster_id = laboratory.create_cluster(
            name, [laboratory.member_option(volume=volume)] * MEMBERS)
        laboratory.wait_ready(cluster_id, CREATE_TIMEOUT)
        cluster = fault_clusters.Cluster(home, cluster_id)
    with report.step(f'filling it with {size // MIB} MiB of rows'):
        done = 0
        while done < size:
            done = min(size, done + PORTION)
            filling.fill(cluster.members[0], done)
            report.say(f'  {done // MIB} MiB')
    cluster.members[0].ask(f'CREATE DATABASE {SCHEMA}')
    return cluster


def _check(cluster: fault_clusters.Cluster, way: str) -> None:
    """Check that a cluster has the requested encryption."""
    for member in cluster.members:
        (row,) = member.ask(
            "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_options'")
        encrypted = 'socket.ssl = YES' in str(row[1])
        if encrypted != (way == 'encrypted'):
            raise AssertionError(
                f'{member.name} is {"" if encrypted else "not "}encrypted')


def transfer_rate(cluster: fault_clusters.Cluster,
                  report: lab_report.Report) -> float:
    """MiB of rows per second that a member without data receives."""
    joiner = cluster.members[-1]
    report.say(f'  {joiner.name} loses its data and gets a copy')
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
    transfer = transfers.Transfer.of(joiner.server_log(before))
    if not transfer.by_sst:
        raise AssertionError(f'{joiner.name} took no copy: {transfer.lines}')
    cluster.wait_healthy()
    report.say(f'  {size // MIB} MiB in {seconds:.1f} s')
    return size / MIB / seconds


def _donor(cluster: fault_clusters.Cluster) -> bool:
    return any(member.place().state == 'Donor/Desynced'
               for member in cluster.members)


def commit_rate(member: members.Member, clients: int, seconds: float,
                report: lab_report.Report) -> float:
    """Commits per second of clients that write into separate tables."""
    report.say(f'  clients that commit through {member.name} for '
               f'{seconds:g} s: {clients}')
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
        lasted = time.monotonic() - began
        done = sum(counts)
    report.say(f'  {done / lasted:.1f} commits/s')
    return done / lasted
