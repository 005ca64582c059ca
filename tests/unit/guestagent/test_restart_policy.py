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

"""The actions of a member during a recovery: halt, promote, continue."""

import pathlib
from typing import Any

import fixtures
import mock
from oslo_concurrency import processutils

from trove_pxc import exceptions
from trove_pxc.galera.progress import Progress
from trove_pxc.guestagent import arrival
from trove_pxc.guestagent import database

from tests.unit.galera import samples
from tests.unit.guestagent import fakes
from tests.unit import specs

UUID = samples.UUID


class RestartPolicyTestCase(fakes.MemberTestCase):
    """A member that was started before, and whose data is at seqno 7."""

    def setUp(self) -> None:
        super().setUp()
        self.configured()
        self.member.start()
        self.database_files(grastate__dat=samples.GRASTATE)
        self.engine.helper_prints(f'x Recovered position: {UUID}:7\n')
        self.admin = specs.spec(database.Database)
        self.useFixture(fixtures.MockPatchObject(
            database, 'Database', autospec=True, return_value=self.admin))
        self.container = self.engine.known['database']
        self.container.start.reset_mock()
        self.nobody_listens()

    def nobody_listens(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('nobody')

    def runs(self, node: Any = None) -> None:
        """Make the server run, with a view or searching for the others."""
        self.container.attrs = fakes.Container(status='running').spec.attrs
        if node is not None:
            self.admin.view.side_effect = None
            self.admin.view.return_value = node

    def stopped(self) -> None:
        self.container.attrs = fakes.Container(status='exited').spec.attrs
        self.nobody_listens()


class VariablesTest(RestartPolicyTestCase):

    def test_what_is_set_for_it_and_is_asked_for(self) -> None:
        self.admin.variables.return_value = {
            'datadir': '/d', 'max_connections': '64', 'uptime': '5',
            'wsrep_cluster_name': 'c', 'wsrep_sst_auth': 'os_sst:x',
            'sort_buffer_size': '1'}
        self.assertEqual(
            {'datadir': '/d', 'max_connections': '64',
             'sort_buffer_size': '1', 'wsrep_cluster_name': 'c'},
            self.member.variables(['sort_buffer_size', 'wsrep_sst_auth']))

    def test_a_server_that_is_down(self) -> None:
        self.admin.variables.side_effect = database.NobodyListens('nobody')
        self.assertRaises(database.NobodyListens,
                          self.member.variables, [])


class HaltTest(RestartPolicyTestCase):

    def seconds(self) -> int:
        return int(self.container.stop.call_args.kwargs['timeout'])

    def test_one_that_looks_for_its_cluster_hears_no_signal(self) -> None:
        self.runs()
        self.assertTrue(self.member.stop_for_recovery())
        self.assertLess(self.seconds(), 10)

    def test_one_that_runs_is_stopped_cleanly(self) -> None:
        self.runs(samples.outside(7).view)
        self.assertTrue(self.member.stop_for_recovery())
        self.assertEqual(120, self.seconds())

    def test_one_that_serves_is_not_touched(self) -> None:
        self.runs(samples.node_view())
        self.assertFalse(self.member.stop_for_recovery())
        self.container.stop.assert_not_called()
        self.stopped()
        self.member.resume()
        self.container.start.assert_called_once_with()

    def test_it_stays_stopped(self) -> None:
        self.runs()
        self.member.stop_for_recovery()
        self.stopped()
        self.member.resume()
        self.container.start.assert_not_called()
        self.member.start()
        self.container.start.assert_called_once_with()

    def test_one_that_would_be_resumed_was_to_run(self) -> None:
        self.stopped()
        self.assertTrue(self.member.stop_for_recovery())
        self.assertFalse(self.member.stop_for_recovery())


class ContinueTest(RestartPolicyTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.stopped()

    def order(self) -> str:
        return self.text(self.where.order_file)

    def refused(self, words: str, uuid: str = UUID, seqno: int = 7) -> None:
        failure = self.assertRaises(
            exceptions.BootstrapRefused, self.member.bootstrap_from, uuid,
            seqno)
        self.assertIn(words, str(failure))
        self.container.start.assert_not_called()
        self.assertFalse(pathlib.Path(self.where.order_file).exists())

    def test_from_where_it_stands(self) -> None:
        self.member.bootstrap_from(UUID, 7)
        self.assertEqual(f'continue {UUID}:7\n', self.order())
        self.container.start.assert_called_once_with()

    def test_not_from_anywhere_else(self) -> None:
        for seqno in (-1, 6, 8):
            self.refused(f'is at position {UUID}:7', seqno=seqno)
        self.refused('c-1 is at position', uuid=samples.OTHER_UUID)

    def test_not_over_a_running_server(self) -> None:
        for node in (None, samples.outside(7).view, samples.node_view()):
            self.runs(node)
            self.refused('the server of c-1 is running')

    def test_not_from_spoiled_data(self) -> None:
        self.database_files(sst_in_progress='')
        self.refused('is not complete')

    def test_not_from_what_was_evicted(self) -> None:
        note = pathlib.Path(self.where.evicted_file)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
        self.refused('is not complete')

    def test_not_without_grastate(self) -> None:
        (pathlib.Path(self.where.data_dir) / 'grastate.dat').unlink()
        self.refused('is not complete')

    def test_the_same_order_again_does_nothing(self) -> None:
        self.test_from_where_it_stands()
        self.runs()
        self.member.bootstrap_from(UUID, 7)
        self.container.start.assert_called_once_with()

    def test_an_order_for_elsewhere_is_another(self) -> None:
        self.test_from_where_it_stands()
        pathlib.Path(self.where.order_file).unlink()
        self.container.start.reset_mock()
        self.runs()
        self.refused('is running', seqno=8)

    def test_it_tells_that_it_was_told(self) -> None:
        self.assertFalse(self.member.position().ordered)
        self.member.bootstrap_from(UUID, 7)
        self.assertTrue(self.new_agent().position().ordered)
        self.member.start()
        self.assertFalse(self.member.position().ordered)


class PromoteTest(RestartPolicyTestCase):

    def test_where_it_stands(self) -> None:
        self.runs(samples.outside(7).view)
        for taken in (False, True):
            self.admin.promote.return_value = taken
            self.assertIs(taken, self.member.promote(UUID, 7))
        self.assertEqual(2, self.admin.promote.call_count)

    def test_not_elsewhere(self) -> None:
        self.runs(samples.outside(8).view)
        self.assertRaises(exceptions.BootstrapRefused, self.member.promote,
                          UUID, 7)
        self.admin.promote.assert_not_called()

    def test_one_that_is_primary_already(self) -> None:
        self.runs(samples.node_view(last_committed=9))
        self.assertIs(True, self.member.promote(UUID, 7))
        self.admin.promote.assert_not_called()

    def test_one_that_does_not_answer(self) -> None:
        self.assertRaises(database.NobodyListens, self.member.promote,
                          UUID, 7)


class MemoryTest(RestartPolicyTestCase):

    def test_position_tells_where_it_was_last_seen(self) -> None:
        self.assertEqual((None, -1), self.seen())
        pathlib.Path(self.where.memory_file).write_text(
            f'{{"uuid": "{UUID}", "seqno": 9}}')
        self.assertEqual((UUID, 9), self.seen())

    def seen(self) -> tuple[str | None, int]:
        found = self.member.position()
        return found.seen_uuid, found.seen_seqno

    def test_reports_are_looked_at(self) -> None:
        self.runs(samples.node_view(last_committed=9))
        with mock.patch('time.monotonic') as clock:
            clock.return_value = 0.0
            self.member.report()
            clock.return_value = 60.0
            self.member.report()
        self.assertEqual((UUID, 9), self.seen())


class CredentialsTest(RestartPolicyTestCase):
    """When the accounts of the agent are checked."""

    def setUp(self) -> None:
        super().setUp()
        self.credentials = self.useFixture(fixtures.MockPatchObject(
            self.member, '_credentials', autospec=True)).mock

    def looks(self, **how: bool) -> int:
        self.credentials.look.reset_mock()
        self.member.look_after_accounts(**how)
        return int(self.credentials.look.call_count)

    def test_now_and_then_while_it_runs(self) -> None:
        self.runs()
        self.assertEqual([1, 0, 1], [
            self.looks(), self.looks(), self.looks(at_once=True)])

    def test_refused_logins_end_the_session_of_the_reporter(self) -> None:
        """It was opened before, and would hide that logins are refused."""
        self.runs(samples.node_view())
        session = self.admin.session.return_value
        session.view.return_value = samples.node_view()
        for admitted, logins in ((True, 1), (False, 2)):
            self.credentials.look.return_value = admitted
            self.member.look_after_accounts(at_once=True)
            for _ in range(3):
                self.member.glance()
            self.assertEqual(logins, self.admin.session.call_count)

    def test_at_once_after_a_refused_login(self) -> None:
        self.runs()
        self.looks()
        refusal = database.Refused('Access denied')
        refusal.code = 1045
        self.admin.view.side_effect = refusal
        self.member.report()
        self.assertEqual([1, 0], [self.looks(), self.looks()])

    def test_not_while_it_does_not_run(self) -> None:
        self.stopped()
        self.assertEqual(0, self.looks())
        self.credentials.withdraw.assert_not_called()

    def test_one_that_crashed_is_to_start_as_any_other(self) -> None:
        self.container.attrs = fakes.Container(
            status='exited', exit_code=1).spec.attrs
        self.assertEqual(0, self.looks())
        self.credentials.withdraw.assert_called_once_with()

    def test_one_that_ends_again_and_again(self) -> None:
        self.container.attrs = fakes.Container(
            status='running', restarts=2).spec.attrs
        self.looks()
        self.assertTrue(self.credentials.look.call_args.kwargs['failing'])

    def test_a_guest_that_was_never_started(self) -> None:
        fresh = self.new_agent()
        with fixtures.MockPatchObject(fresh, '_records') as records:
            records.mock.read.return_value = None
            fresh.look_after_accounts()


class StopTest(RestartPolicyTestCase):

    def test_the_clients_of_one_that_may_be_locked_are_ended(self) -> None:
        self.runs(samples.node_view(local_state='Donor/Desynced'))
        self.member.stop()
        self.admin.end_clients.assert_called_once_with()
        self.container.stop.assert_called_once()

    def test_others_keep_theirs_until_the_server_ends(self) -> None:
        self.runs(samples.node_view())
        self.member.stop()
        self.admin.end_clients.assert_not_called()

    def test_one_that_does_not_answer_is_stopped_all_the_same(self) -> None:
        self.runs()
        self.member.stop()
        self.container.stop.assert_called_once()


class AccountsTest(RestartPolicyTestCase):

    def test_they_are_made_as_the_administrator_in_a_mode_of_their_own(
            self) -> None:
        self.admin.execute.return_value = []
        self.assertEqual(([], None), self.member.accounts().list_users())
        ((socket, user, password), named) = database.Database.call_args
        self.assertEqual((self.where.socket, 'os_admin', fakes.PASSWORDS[0]),
                         (socket, user, password.reveal()))
        self.assertEqual({
            'sql_mode': 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER'}, named)
        ((statement, _), _) = self.admin.execute.call_args
        self.assertIn('is_role', statement.text)   # only MariaDB has it


class WaitTest(fakes.MemberTestCase):

    def test_only_a_member_with_settings_is_waited_for(self) -> None:
        wait = self.useFixture(fixtures.MockPatchObject(
            arrival, 'wait', autospec=True)).mock
        self.member.wait_synced(1.0)
        self.prepared()
        self.member.wait_synced(1.0)
        self.configured()
        self.member.wait_synced(0.0)
        wait.assert_not_called()
        self.member.wait_synced(1.0)
        wait.assert_called_once_with(self.where.socket, mock.ANY, 1.0)


class IdleTest(RestartPolicyTestCase):
    """What a member costs that serves and does not change."""

    def test_glances_log_in_once_and_ask_docker_nothing(self) -> None:
        self.runs()
        self.admin.session.return_value.view.return_value = (
            samples.node_view(last_committed=9))
        engine = self.engine.client.containers.get
        self.member.glance()
        engine.reset_mock()
        run = self.useFixture(fixtures.MockPatchObject(
            processutils, 'execute', autospec=True)).mock
        for _ in range(20):
            report = self.member.glance()
            self.member.resume()
            self.member.wait(4)
            self.assertEqual('running', report.server)
        self.admin.session.assert_called_once_with()
        engine.assert_not_called()
        run.assert_not_called()

    def test_a_member_that_is_behind_reports_its_progress(self) -> None:
        self.runs()
        session = self.admin.session.return_value
        with mock.patch('time.monotonic') as clock:
            for clock.return_value, queue in ((10.0, 900), (12.0, 700)):
                session.view.return_value = samples.node_view(
                    local_state='Joined', recv_queue=queue)
                glanced = self.member.glance()
            clock.return_value = 14.0
            self.admin.view.side_effect = None
            self.admin.view.return_value = samples.node_view(
                local_state='Joined', recv_queue=300)
            asked = self.member.report()
        self.assertEqual((Progress(700, 0.0, -100.0, 2.0),
                          Progress(300, 0.0, -150.0, 4.0)),
                         (glanced.progress, asked.progress))

    def test_a_glance_is_remembered(self) -> None:
        self.runs()
        self.admin.session.return_value.view.return_value = (
            samples.node_view(last_committed=9))
        with mock.patch('time.monotonic') as clock:
            for clock.return_value in (0.0, 60.0):
                self.member.glance()
        self.assertEqual(9, self.member.position().seen_seqno)
