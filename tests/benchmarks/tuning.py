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

"""A cluster with changing settings, and an outage of one of its members.

Imported by the settings program, by the lab's Python.
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import math
from pathlib import Path
import re
import time

import pymysql

from lab.guest import control
from lab import home as lab_home
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import candidates
from tests.benchmarks import loads
from tests.benchmarks import program
from tests.benchmarks import removal
from tests.e2e import laboratory
from tests.e2e import transfers
from tests.faults import cluster as fault_clusters
from tests.faults import filling
from tests.faults import member as members

NAME = 'bench-settings'
MEMBERS = 3
#: Of each member, for the loads.
VOLUME_GB = 4
CREATE_TIMEOUT = 300
#: It sorts after all other option files.
OPTION_FILE = '/etc/mysql/conf.d/95-benchmark.cnf'
CLUSTER_FILE = '/etc/mysql/conf.d/90-galera.cnf'
OPTIONS = re.compile(rf'^{candidates.PROVIDER} = "(.*)"$', re.MULTILINE)
POLL = 0.2
SYNCED = 'Synced after, s'
#: The longest time without an answer: during the whole absence, and in the
#: part of it whose length is measured.
STALL, LATER_STALL = 'stall, s', 'later stall, s'
READ_ONLY = ('SELECT LOWER(VARIABLE_NAME) FROM '
             "information_schema.SYSTEM_VARIABLES WHERE READ_ONLY = 'YES'")
GIB = 1 << 30
MIB, GIB = 1 << 20, 1 << 30


def volume_gb(size: int) -> int:
    """The volume of a member with so many bytes of rows, as by ``fill``."""
    # As many again for the copy that a joiner replaces, and for gcache.
    return VOLUME_GB + 2 * -(-size // GIB)


def room(size: int) -> int:
    """Bytes of disk that the members need."""
    return MEMBERS * volume_gb(size) * GIB


@contextlib.contextmanager
def cluster(home: lab_home.Home, flavor: str, size: int,
            report: lab_report.Report) -> Iterator[fault_clusters.Cluster]:
    """Create a cluster with so many bytes of rows; remove it at the end."""
    with removal.removed(home, NAME, report):
        with report.step(f'creating the cluster {NAME}'):
            cluster_id = laboratory.create_cluster(
                NAME, [laboratory.member_option(
                    flavor=flavor, volume=volume_gb(size))] * MEMBERS)
            laboratory.wait_ready(cluster_id, CREATE_TIMEOUT)
            found = fault_clusters.Cluster(home, cluster_id)
        if size:
            with report.step(f'filling it with {size // MIB} MiB of rows'):
                filling.fill(found.members[0], size)
        yield found


class Tuned:
    """Applies candidates to all members.

    :param wanted: the candidates of the run
    :raises Refused: a server does not have one of their settings
    """

    def __init__(self, tuned: fault_clusters.Cluster,
                 wanted: Sequence[candidates.Candidate],
                 report: lab_report.Report) -> None:
        self._cluster = tuned
        self._report = report
        self._names = candidates.names(wanted)
        self._rendered = known(tuned.members[0])
        missing = [name for name in self._names
                   if name not in self._rendered]
        if missing:
            raise program.Refused(
                f'the server has no setting {missing[0]}; remove it from '
                f'the candidates')
        self._read_only = {str(name) for (name,) in
                           tuned.members[0].ask(READ_ONLY)}
        self._fixed = candidates.fixed(self.rendered, self._read_only)

    @property
    def rendered(self) -> candidates.Settings:
        """The values that this project has rendered."""
        return {name: self._rendered[name] for name in self._names}

    def apply(self, candidate: candidates.Candidate) -> None:
        """Give all members these settings, and check that they have them.

        Their option file has them as well, for servers that start meanwhile.

        :raises AssertionError: a member has another value
        """
        wanted = candidate.completed(self._names, self._rendered).settings
        fixed = candidates.fixed(wanted, self._read_only)
        for member in self._cluster.members:
            path = Path(f'{member.root}{OPTION_FILE}')
            path.write_text(candidates.file_text(
                wanted, rendered_options(member)))
            path.chmod(0o644)
        if fixed != self._fixed:
            self._restart()
            self._fixed = fixed
        for member in self._cluster.members:
            for statement in candidates.statements(wanted, self._read_only):
                _change(member, statement)
            wrong = candidates.differing(wanted, known(member))
            if wrong:
                raise AssertionError(
                    f'{member.name} does not take the settings of '
                    f'{candidate.name}; it has {wrong}')

    def _restart(self) -> None:
        """Restart one member after another."""
        for member in self._cluster.members:
            with self._report.step(f'restarting {member.name}'):
                control.stop_database(member.home, member.instance_id)
                control.start_database(member.home, member.instance_id)
                self._cluster.wait_healthy(uuid=self._cluster.uuid)


def _change(member: members.Member, statement: str) -> None:
    try:
        member.ask(statement)
    except pymysql.MySQLError as error:
        raise AssertionError(
            f'{member.name} refuses "{statement}": {error}') from error


def rendered_options(member: members.Member) -> str:
    """The options of Galera in the file of this project's agent."""
    found = OPTIONS.search(Path(f'{member.root}{CLUSTER_FILE}').read_text())
    if found is None:
        raise AssertionError(f'{CLUSTER_FILE} of {member.name} has no '
                             f'{candidates.PROVIDER}')
    return found[1]


def known(member: members.Member) -> dict[str, str]:
    """The variables of a server and the options of Galera."""
    variables = {str(name).lower(): str(value) for name, value in
                 member.ask('SHOW GLOBAL VARIABLES')}
    return {**candidates.provider(variables[candidates.PROVIDER]),
            **variables}


def outage(struck: fault_clusters.Cluster, seconds: float,
           limit: float) -> tuple[dict[str, float], str]:
    """Cut one member off under full write load, and let it come back.

    The clients insert through the other members. The time until the member
    is Synced begins when the network is restored.

    :param limit: seconds after which the load ends, so that the member can
        catch up; its time is then infinite
    :returns: the figures, and how the member got the missing writes
    :raises AssertionError: the others did not notice the outage
    """
    *others, victim = struck.members

    def cut() -> float:
        control.cut(struck.home, victim.instance_id)
        try:
            waiting.pause(seconds)
            size = others[0].place().size
        finally:
            control.heal(struck.home, victim.instance_id)
        if size != len(others):
            raise AssertionError(
                f'after {seconds:g} s without {victim.name} the component '
                f'still had {size} members; give a longer --outage')
        return time.monotonic()

    return _absence(struck, cut, limit)


def transfer(struck: fault_clusters.Cluster,
             limit: float) -> tuple[dict[str, float], str]:
    """Let one member lose its data under full write load, and get a copy.

    The same as ``outage``, but the time begins when its server is killed.
    """
    victim = struck.members[-1]

    def spoil() -> float:
        filling.spoil(victim)
        began = time.monotonic()
        control.kill_database(struck.home, victim.instance_id)
        return began

    return _absence(struck, spoil, limit)


def _absence(struck: fault_clusters.Cluster, fault: Callable[[], float],
             limit: float) -> tuple[dict[str, float], str]:
    """Cause a fault of the last member under load, until it is Synced.

    :param fault: returns the time from which its return is measured
    """
    *others, victim = struck.members
    since = struck.mark()
    every = loads.Clients(loads.INSERTS, others)
    every.prepare()
    with every.running():
        waiting.pause(loads.WARM_SECONDS)
        begin = time.monotonic()
        ended = fault()
        took = _synced(victim, ended, limit)
        end = time.monotonic()
    struck.wait_healthy(limit + fault_clusters.RECOVERY_SECONDS,
                        uuid=struck.uuid)
    told = transfers.Transfer.of(victim.server_log(since))
    way = 'SST' if told.by_sst else 'IST' if told.by_ist else 'no transfer'
    return {SYNCED: took, STALL: every.longest_stall(begin, end),
            LATER_STALL: every.longest_stall(ended, end),
            loads.COMMITS: every.figures(begin, end)[loads.COMMITS],
            }, f'came back by {way}'


def _synced(victim: members.Member, since: float, limit: float) -> float:
    """Seconds until a member is Synced in the whole cluster."""
    def synced() -> bool:
        place = victim.place()
        return (place.serves and place.state == 'Synced'
                and place.size == MEMBERS)

    try:
        waiting.until(f'{victim.name} to be Synced', synced, limit, POLL)
    except waiting.WaitTimeout:
        return math.inf
    return time.monotonic() - since
