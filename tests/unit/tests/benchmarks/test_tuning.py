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

"""Settings of all members, with servers in memory; outages of one."""

import contextlib
import pathlib
import re
from typing import Any

import fixtures
import mock
import pymysql
import testtools

from lab.guest import control
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import candidates
from tests.benchmarks import loads
from tests.benchmarks import program
from tests.benchmarks import tuning
from tests.faults import cluster as fault_clusters
from tests.faults import filling
from tests.faults import member as members
from trove_pxc.galera import dialect
from trove_pxc.galera.secret import Secret
from trove_pxc.galera import settings

VARIABLES = {
    'wsrep_slave_threads': '16', 'innodb_flush_method': 'O_DIRECT',
    'wsrep_provider_options': 'gcs.fc_limit = 16; gcs.fc_factor = 1.0; '}
SET = re.compile(r"SET GLOBAL (\w+) = '?([^']*)'?")
THREADS, FLUSH, LIMIT = (
    'wsrep_slave_threads=2', 'innodb_flush_method=fsync', 'gcs.fc_limit=64')
RENDERED = settings.cluster_config(
    dialect.for_version('mariadb', '10.11'), settings.MemberFacts(
        'c', 'c' * 32, 'a-1', '10.88.0.11', (('a-1', '10.88.0.11'),), 'i',
        2048, 4),
    settings.ClusterSecrets(*map(Secret, 'abc')), '/lib.so')


class Server:
    """A member whose server has variables and reads its option file."""

    def __init__(self, root: pathlib.Path, name: str) -> None:
        self.variables = dict(VARIABLES)
        self.deaf = False
        self.error: Exception | None = None
        self.file = root / tuning.OPTION_FILE[1:]
        self.file.parent.mkdir(parents=True)
        (root / tuning.CLUSTER_FILE[1:]).write_text(RENDERED)
        self.member = mock.create_autospec(members.Member, instance=True)
        self.member.name = self.member.instance_id = name
        self.member.root = root
        self.member.home = None
        self.member.ask.side_effect = self.ask

    def ask(self, statement: str) -> list[tuple[str, ...]]:
        if statement == tuning.READ_ONLY:
            return [('innodb_flush_method',), ('port',)]
        if statement == 'SHOW GLOBAL VARIABLES':
            return list(self.variables.items())
        found = SET.fullmatch(statement)
        assert found is not None, statement
        name, value = found.groups()
        if self.error is not None:
            raise self.error
        if name == candidates.PROVIDER:
            value = self.variables[name] + value.replace('=', ' = ') + '; '
        if not self.deaf:
            self.variables[name] = value
        return []

    def restart(self) -> None:
        text = self.file.read_text()
        for line in text.splitlines()[1:]:
            name, _, value = line.partition(' = ')
            self.variables[name] = value.strip('"')


class Base(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.servers = {name: Server(folder / name, name)
                        for name in ('a-1', 'a-2', 'a-3')}
        self.cluster = mock.create_autospec(
            fault_clusters.Cluster, instance=True)
        self.cluster.members = [each.member for each in self.servers.values()]
        self.cluster.uuid, self.cluster.home = 'u', None
        self.actions: list[str] = []
        for name, act in (('stop_database', self.stop),
                          ('start_database', self.start),
                          ('cut', self.note('cut')),
                          ('heal', self.note('heal')),
                          ('kill_database', self.note('kill'))):
            self.useFixture(fixtures.MonkeyPatch(
                f'lab.guest.control.{name}', mock.create_autospec(
                    getattr(control, name), side_effect=act)))

    def note(self, what: str) -> Any:
        return lambda home, who: self.actions.append(f'{what} {who}')

    def stop(self, home: object, who: str) -> None:
        self.actions.append(f'stop {who}')

    def start(self, home: object, who: str) -> None:
        self.actions.append(f'start {who}')
        self.servers[who].restart()


class TunedTest(Base):

    def tuned(self, *words: str) -> tuning.Tuned:
        self.wanted = candidates.of_words(words)
        return tuning.Tuned(self.cluster, self.wanted,
                            lab_report.Report(quiet=True))

    def values(self, name: str) -> list[str]:
        return [tuning.known(member)[name] for member in self.cluster.members]

    def test_running_servers_take_a_dynamic_setting(self) -> None:
        tuned = self.tuned(THREADS, LIMIT)
        tuned.apply(self.wanted[0])
        self.assertEqual((['2'] * 3, ['16'] * 3), (
            self.values('wsrep_slave_threads'), self.values('gcs.fc_limit')))
        tuned.apply(self.wanted[1])
        self.assertEqual((['16'] * 3, ['64'] * 3), (
            self.values('wsrep_slave_threads'), self.values('gcs.fc_limit')))
        self.assertEqual([], self.actions)

    def test_members_restart_one_after_another_for_others(self) -> None:
        tuned = self.tuned(FLUSH, 'rendered')
        tuned.apply(self.wanted[0])
        restarts = [f'{what} {who}' for who in self.servers
                    for what in ('stop', 'start')]
        self.assertEqual(restarts, self.actions)
        self.assertEqual(['fsync'] * 3, self.values('innodb_flush_method'))
        tuned.apply(self.wanted[0])
        self.assertEqual(restarts, self.actions)
        tuned.apply(self.wanted[1])
        self.assertEqual(['O_DIRECT'] * 3, self.values('innodb_flush_method'))

    def test_rendered_settings_need_no_restart(self) -> None:
        tuned = self.tuned('rendered', FLUSH)
        tuned.apply(self.wanted[0])
        self.assertEqual([], self.actions)

    def test_server_that_starts_meanwhile_has_the_settings(self) -> None:
        """As a member that gets a full copy of the data."""
        tuned = self.tuned(THREADS, LIMIT)
        tuned.apply(self.wanted[1])
        text = self.servers['a-3'].file.read_text()
        self.assertIn('\nwsrep_slave_threads = 16\n', text)
        self.assertIn('gcache.recover=yes; gcs.fc_limit=64"\n', text)

    def test_setting_that_a_server_does_not_take(self) -> None:
        tuned = self.tuned(THREADS, 'rendered')
        self.servers['a-2'].deaf = True
        error = self.assertRaises(
            AssertionError, tuned.apply, self.wanted[0])
        self.assertIn("a-2 does not take", str(error))

    def test_refusal_of_a_server_names_the_statement(self) -> None:
        tuned = self.tuned(THREADS, 'rendered')
        self.servers['a-2'].error = pymysql.err.OperationalError(
            1231, 'cannot be set')
        error = self.assertRaises(
            AssertionError, tuned.apply, self.wanted[0])
        self.assertIn('a-2 refuses "SET GLOBAL wsrep_slave_threads = 2"',
                      str(error))

    def test_unknown_setting_is_refused(self) -> None:
        error = self.assertRaises(
            program.Refused, self.tuned, 'wsrep_slave_thread=2', 'rendered')
        self.assertIn('no setting wsrep_slave_thread;', str(error))


class AbsenceTest(Base):

    def setUp(self) -> None:
        super().setUp()
        every = mock.create_autospec(loads.Clients, instance=True)
        every.running.return_value = contextlib.nullcontext()
        every.figures.return_value = {loads.COMMITS: 1000.0}
        # Of the whole absence first, then from the end of the outage on.
        every.longest_stall.side_effect = [6.0, 0.5]
        self.useFixture(fixtures.MonkeyPatch(
            'tests.benchmarks.loads.Clients',
            mock.create_autospec(loads.Clients, return_value=every)))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.waiting.pause', lambda seconds: self.actions.append(
                f'pause {seconds:g}')))
        self.useFixture(fixtures.MonkeyPatch(
            'tests.faults.filling.spoil', mock.create_autospec(
                filling.spoil, side_effect=lambda member:
                self.actions.append(f'spoil {member.name}'))))
        for member in self.cluster.members:
            member.place.return_value = members.Place(
                state='Synced', component='Primary', size=2, ready=True)
        self.victim = self.cluster.members[-1]
        self.victim.place.return_value = members.Place(
            state='Synced', component='Primary', size=3, ready=True)
        self.victim.server_log.return_value = ['IST received: u:7']

    def test_outage(self) -> None:
        figures, notes = tuning.outage(self.cluster, 20, 60)
        self.assertEqual(['pause 2', 'cut a-3', 'pause 20', 'heal a-3'],
                         self.actions)
        self.assertEqual(
            (6.0, 0.5, 1000.0, 'came back by IST'),
            (figures[tuning.STALL], figures[tuning.LATER_STALL],
             figures[loads.COMMITS], notes))
        self.assertLess(figures[tuning.SYNCED], 5)

    def test_outage_that_nobody_noticed(self) -> None:
        self.cluster.members[0].place.return_value = members.Place(size=3)
        self.assertRaises(AssertionError, tuning.outage, self.cluster, 10, 60)
        self.assertEqual('heal a-3', self.actions[-1])

    def test_member_that_does_not_catch_up(self) -> None:
        self.victim.place.return_value = members.Place(
            state='Joined', component='Primary', size=3, ready=True)
        self.useFixture(fixtures.MonkeyPatch(
            'lab.waiting.until', mock.create_autospec(
                waiting.until, side_effect=waiting.WaitTimeout('late'))))
        figures, _ = tuning.outage(self.cluster, 20, 60)
        self.assertEqual(float('inf'), figures[tuning.SYNCED])
        self.cluster.wait_healthy.assert_called_once_with(
            60 + fault_clusters.RECOVERY_SECONDS, uuid='u')

    def test_full_copy(self) -> None:
        self.victim.server_log.return_value = ['SST: SST completed on joiner']
        _, notes = tuning.transfer(self.cluster, 60)
        self.assertEqual(['pause 2', 'spoil a-3', 'kill a-3'], self.actions)
        self.assertEqual('came back by SST', notes)

    def test_room_for_the_rows_and_their_copy(self) -> None:
        self.assertEqual((4, 6, 8), (
            tuning.volume_gb(0), tuning.volume_gb(tuning.GIB),
            tuning.volume_gb(tuning.GIB + 1)))
        self.assertEqual(12 << 30, tuning.room(0))
