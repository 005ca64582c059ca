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

"""Faults of servers and of Galera that the start program works around.

Pure. Every module of trove_pxc may import it. program.py writes the names of
the workarounds that are on for a server series to galera-start.conf; watch.sh,
recover.sh and transfer.sh implement them. In the other series, the fault is
fixed or was never observed.

The server series decides, because the agent has no other facts before the
server runs: the version of Galera's library (wsrep_provider_version) depends
on the image. If a fault shows only in a line of the log, the workaround also
needs that line: a library without it never triggers the workaround. The two
faults of Galera itself are not fixed in the newest source that could be read,
26.4.27 (Debian sid).

Sources that were read: codership/galera, tags release_25.3.37, 26.4.1 and
26.4.18; MariaDB/galera, 26.4.20; Debian's galera-4 26.4.23 and 26.4.27;
percona/galera, branches 3.x-5.7 (25.3.51) and 4.x-8.0 (26.4.7, 2021). The
Galera of the published PXC 8.0 and 8.4 is newer than that, and was not read;
Percona merges upstream's releases ("Galera 26.4.21 merge", pull request 293
of percona/galera).
"""

import dataclasses
from typing import NamedTuple

from trove_pxc.galera.series import Dialect
from trove_pxc.galera.serverlog import Event


class Seen(NamedTuple):
    """The series that have the fault, and the evidence.

    :ivar how: 'measured' with a version, or the source that was read.
    """

    manager: str
    series: tuple[tuple[int, int], ...]
    how: str


@dataclasses.dataclass(frozen=True, slots=True)
class Workaround:
    """A fault, and the workaround of the start program.

    :ivar name: its name in galera-start.conf.
    :ivar fault: what the server does wrong.
    :ivar shown_by: the events in the server's log that show it; () if it is
        detected in another way.
    :ivar action: the action of the start program.
    :ivar seen: the series in which the workaround is on.
    :ivar elsewhere: the facts about all other series, in which it is off.
    :ivar upstream: the report of the fault, or how it was reproduced.
    :ivar test: the unit test with the workaround on and off.
    :ivar fixed: the version that fixes the fault; '' if none is known.
    """

    name: str
    fault: str
    shown_by: tuple[Event, ...]
    action: str
    seen: tuple[Seen, ...]
    elsewhere: str
    upstream: str
    test: str
    fixed: str = ''

    def is_on(self, dialect: Dialect) -> bool:
        """Whether the workaround is on for this series."""
        return any(seen.manager == dialect.manager
                   and dialect.version in seen.series
                   for seen in self.seen)


_MARIADB = ((10, 6), (10, 11), (11, 4), (11, 8))
_PXC_5 = ((5, 6), (5, 7))
_PXC_8 = ((8, 0), (8, 4))

WORKAROUNDS = (
    Workaround(
        name='stalled-state-exchange',
        fault='The first member of a new component has to send the id of the '
              'exchange of states. If it has more than 1 MB to send already, '
              'the call fails, and it is not repeated (core_handle_comp_msg '
              'in gcs/src/gcs_core.cpp). All members are Primary, Synced and '
              'ready, and take no write until the component changes again. '
              'The server does not react to SIGTERM.',
        shown_by=(Event.SILENT, Event.COMPONENT),
        action='Kill the server of that member 10 s later, unless the '
               'component has changed by then. The others form a new one.',
        seen=(
            Seen('mariadb', _MARIADB,
                 'measured with MariaDB 10.11.19 and Galera 26.4.23; the code '
                 'is the same in 26.4.20 and 26.4.27. Older libraries of '
                 'these series write another line'),
            Seen('pxc', _PXC_8,
                 'not measured: Percona merges the upstream code, since '
                 '26.4.21 with this line')),
        elsewhere='Galera 3 ignores the failed call, too (25.3.37), but '
                  'writes a warning, "Failed to send state UUID"; the fault '
                  'was never seen there.',
        upstream='No report was found. Reproduced: under transactions of 8 MB '
                 'at the eighth kill -9 of a third member.',
        test='test_program_watch.StalledExchangeTest'),
    Workaround(
        name='commit-after-vote',
        fault='A member that was voted out as inconsistent skips the write '
              'sets that follow (GcsActionSource::process in galera/src/'
              'gcs_action_source.cpp). It then certifies what its own clients '
              'still wait for without them, commits it, and tells the clients '
              'so, though the other members refused it.',
        shown_by=(Event.VOTED_OUT, Event.LEFT),
        action='Kill the server as soon as it has left the component, which '
               'is at least 10 ms before it answers its clients, and ask for '
               'a full state transfer.',
        seen=(
            Seen('mariadb', _MARIADB,
                 'measured with MariaDB 10.11.19 and Galera 26.4.23; the code '
                 'is the same in 26.4.1, 26.4.18 and 26.4.27'),
            Seen('pxc', _PXC_8,
                 'not measured: the same code in percona/galera, branch '
                 '4.x-8.0')),
        elsewhere='Galera 3 has no vote on inconsistencies, nor these lines '
                  '(25.3.37, and 3.x-5.7 of percona/galera).',
        upstream='No report was found. Reproduced: in 5 of 12 lost votes '
                 'under conflicting writes; in 0 of 65 with the workaround.',
        test='test_program_watch.CommitAfterVoteTest'),
    Workaround(
        name='hang-after-shutdown',
        fault='After a start that failed, the server closes its data, writes '
              '"Shutdown complete", and its process stays. Docker does not '
              'start it again.',
        shown_by=(Event.SHUT_DOWN,),
        action='Kill the process 10 s after that line.',
        seen=(Seen('pxc', ((5, 6),), 'measured with PXC 5.6.21-70.1'),),
        elsewhere='Never seen with MariaDB 10.11 and 11.8; PXC 5.7 and 8.x '
                  'were not run.',
        upstream='No report was found. Reproduced: a start that failed.',
        test='test_program_watch.HangAfterShutdownTest'),
    Workaround(
        name='prepared-transactions',
        fault='A server without a binary log that was killed in a commit '
              'refuses to start, and to recover its position: "Found 1 '
              'prepared transactions!".',
        shown_by=(),
        action='Start it once with --tc-heuristic-recover. The reasons stand '
               'at ROLLBACK in trove_pxc/galera/catalogue.py.',
        seen=(
            Seen('pxc', _PXC_5, 'measured with PXC 5.6.21-70.1; 5.7 not '
                                'measured: the source of MySQL 5.7'),
            Seen('pxc', _PXC_8, 'not measured: sql/xa/recovery.cc'),
            Seen('mariadb', _MARIADB, 'not measured: xarecover_handlerton in '
                                      'sql/handler.cc, MDEV-15740')),
        elsewhere='It is on for all.',
        upstream='Pull request 748 of ClusterLabs/resource-agents.',
        test='test_program_prepared.PreparedTest'),
    Workaround(
        name='unsynced-transfer',
        fault='The script of a state transfer leaves the data to the page '
              'cache. A loss of power in the next half a minute tears files '
              'of a member that was Synced already.',
        shown_by=(),
        action='Keep a mark on the volume until the data is synced, and ask '
               'for another full state transfer if it is there after a boot.',
        seen=(
            Seen('mariadb', _MARIADB, 'measured with rsync and MariaDB '
                                      '10.11.19; not checked for mariabackup'),
            Seen('pxc', _PXC_5, 'not checked: the same script for rsync'),
            Seen('pxc', _PXC_8, 'not checked whether xtrabackup syncs')),
        elsewhere='It is on for all: it costs a sync.',
        upstream='No report was found. Reproduced: a loss of power within '
                 'half a minute after a joiner was Synced left torn tables.',
        test='test_program_transfer.UnsyncedTest'),
    Workaround(
        name='slow-joiner-script',
        fault='The script of a joiner by rsync looks once in a second whether '
              'the transfer has ended, and waits half a second for the end '
              'of its daemon. A join of a new cluster, which copies for 1 to '
              '2 s, takes up to 1.5 s longer.',
        shown_by=(),
        action='Let this script sleep for 0.1 s in place of 1 s and of '
               '0.5 s, if its server joins a new cluster.',
        seen=(
            Seen('mariadb', _MARIADB,
                 'measured with MariaDB 10.11.19; the other series were not '
                 'checked, and nothing changes if their script does not sleep '
                 'for 1 s or 0.5 s'),),
        elsewhere='PXC 8 does not copy by rsync. PXC 5.6 and 5.7 were not '
                  'measured.',
        upstream='No report was found: the loop for MAGIC_FILE in '
                 'scripts/wsrep_sst_rsync.sh of MariaDB.',
        test='test_program_sleep.JoinerSleepTest'),
)


def names_for(dialect: Dialect) -> tuple[str, ...]:
    """The names of the workarounds that are on for this series."""
    return tuple(known.name for known in WORKAROUNDS if known.is_on(dialect))
