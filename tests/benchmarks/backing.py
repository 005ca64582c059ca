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

"""Measures a backup: what it costs the other members, and its rate.

Imported by the backup program, by the lab's Python.
"""

from collections.abc import Iterator
import contextlib
import os
import statistics
import subprocess
import sys
import time
import uuid

from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import netns
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import loads
from tests.benchmarks import removal
from tests.benchmarks import sink as sinks
from tests.e2e import guest_backups
from tests.e2e import laboratory
from tests.faults import cluster as fault_clusters
from trove_pxc.galera import backups

CLUSTER = 'bench-backup'
MEMBERS = 3
MIB, GIB = 1 << 20, 1 << 30
#: Bytes of a row. Its text has half a byte of information in each byte.
ROW = 4 * MIB
TABLE = 'filling.blocks'
CREATE_TIMEOUT, BACKUP_TIMEOUT = 600, 1200
CLIENTS = 4
MEAN, LONGEST = 'mean commit, ms', 'longest commit, ms'
OURS, ALONE, BARE = 'to Swift', 'to nothing', 'tool | zstd'
PAUSED = 'flow control, ms in a second'
#: The member that is backed up; the clients use the first one.
BACKED_UP = 1
#: The tool in the container of the server, as its user.
BARE_BACKUP = r"""
set -eu
umask 077
login=/run/trove-pxc/bench.cnf
log=$(mktemp)
server=$(pgrep -o mariadbd)
user=$(stat -c %u "/proc/$server") group=$(stat -c %g "/proc/$server")
trap 'rm -rf "$login" "$log"' EXIT
{ echo '!include /etc/mysql/my.cnf'
  sed 's/\[client\]/[xtrabackup]/' /var/lib/mysql/conf.d/os_admin.cnf
  echo 'socket=/var/run/mysqld/mysqld.sock'
} > "$login"
chown "$user:$group" "$login"
nsenter --target="$server" --all --setuid="$user" --setgid="$group" -- \
    mariadb-backup --defaults-file="$login" --backup --stream=xbstream \
    --galera-info --target-dir=/tmp/bench 2> "$log" |
    zstd -3 > /dev/null || { tail -n 5 "$log" >&2; exit 1; }
"""


@contextlib.contextmanager
def cluster(home: lab_home.Home, size: int, report: lab_report.Report,
            ) -> Iterator[fault_clusters.Cluster]:
    """A cluster with so many bytes of rows, for the block."""
    with removal.removed(home, CLUSTER, report):
        with report.step(f'creating the cluster {CLUSTER}'):
            cluster_id = laboratory.create_cluster(
                CLUSTER, [laboratory.member_option(
                    volume=2 + 2 * -(-size // GIB))] * MEMBERS)
            laboratory.wait_ready(cluster_id, CREATE_TIMEOUT)
        made = fault_clusters.Cluster(home, cluster_id)
        with report.step(f'filling it with {size // MIB} MiB of rows'):
            _fill(made, size // ROW)
        yield made


def _fill(made: fault_clusters.Cluster, rows: int) -> None:
    database = TABLE.partition('.')[0]
    with contextlib.closing(made.members[0].connect(60)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE {database}')
            cursor.execute(f'CREATE TABLE {TABLE} (id INT PRIMARY KEY '
                           f'AUTO_INCREMENT, block LONGTEXT NOT NULL)')
            for _ in range(rows):
                cursor.execute(f'INSERT INTO {TABLE} (block) VALUES (%s)',
                               (os.urandom(ROW // 2).hex(),))
                connection.commit()


@contextlib.contextmanager
def sink(home: lab_home.Home) -> Iterator[str]:
    """A store that keeps nothing, for the block; its URL."""
    address = lab_home.CONTROLLER_ADDRESSES[0]
    with subprocess.Popen(netns.inside(home.controller, [
            sys.executable, sinks.__file__, address])) as program:
        try:
            yield f'http://{address}:{sinks.PORT}/v1/AUTH_nobody'
        finally:
            program.terminate()


def ours(made: fault_clusters.Cluster, guests: guest_backups.Guests,
         url: str | None = None) -> backups.Progress:
    """One backup of the guest agent, to the end.

    :param url: of an account of another store than the lab's Swift
    """
    instance = made.members[BACKED_UP].instance_id
    backup = str(uuid.uuid4())
    guests.ask(instance, 'start', backup, None, url)
    ended = guests.wait_ended(instance, backup, BACKUP_TIMEOUT)
    if ended.result is None:
        raise AssertionError(f'it cannot {ended.step.value}: '
                             f'{ended.failed_because}')
    if url is None:
        laboratory.lab('swift', 'client', 'delete', guest_backups.CONTAINER,
                       '--prefix', backup)
    return ended


def bare(made: fault_clusters.Cluster) -> None:
    """The tool alone, and zstd, on the same guest.

    :raises LabError: it failed
    """
    done = control.run(made.home, made.members[BACKED_UP].name,
                       ['bash', '-o', 'pipefail', '-c', BARE_BACKUP],
                       timeout=BACKUP_TIMEOUT)
    if done.returncode:
        raise errors.LabError(f'mariadb-backup | zstd: {done.stderr}')


def rates(made: fault_clusters.Cluster, guests: guest_backups.Guests,
          number: int) -> dict[str, float]:
    """MiB/s of each way, one after the other, without other writes.

    :param number: of the round; the order alternates
    """
    took: dict[str, float] = {}
    size = 0
    ways = (OURS, ALONE, BARE)
    with sink(made.home) as nothing:
        for way in ways if number % 2 else ways[::-1]:
            began = time.monotonic()
            if way == BARE:
                bare(made)
            else:
                size = ours(made, guests,
                            nothing if way == ALONE else None).data_bytes
            took[way] = time.monotonic() - began
    return {way: size / MIB / seconds for way, seconds in took.items()}


def stalls(made: fault_clusters.Cluster, guests: guest_backups.Guests,
           ) -> dict[str, dict[str, float]]:
    """How long commits take on another member: in a backup, and after it."""
    clients = loads.Clients(loads.INSERTS, made.members[:1], CLIENTS)
    clients.prepare()
    with clients.running():
        waiting.pause(loads.WARM_SECONDS)
        begin, paused = time.monotonic(), [_paused(made)]
        ours(made, guests)
        middle = time.monotonic()
        paused.append(_paused(made))
        waiting.pause(middle - begin)
        end = time.monotonic()
        paused.append(_paused(made))
    clients.figures(begin, end)
    seconds = middle - begin
    return {'backup': {**_commits(clients, begin, middle),
                       PAUSED: (paused[1] - paused[0]) / seconds},
            'none': {**_commits(clients, middle, end),
                     PAUSED: (paused[2] - paused[1]) / seconds}}


def _paused(made: fault_clusters.Cluster) -> float:
    """Milliseconds in which flow control paused the clients' member."""
    (row,) = made.members[0].ask(
        "SHOW GLOBAL STATUS LIKE 'wsrep_flow_control_paused_ns'")
    return float(row[1]) / 1e6


def _commits(clients: loads.Clients, begin: float,
             end: float) -> dict[str, float]:
    took = [seconds * 1000 for each in clients.commits
            for at, seconds in each if begin <= at <= end]
    return {MEAN: statistics.mean(took), LONGEST: max(took)}
