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

"""The actions of a member, with real files and a fake Docker engine."""

import pathlib

import mock
from pymysql import err as pymysql_errors

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.guestagent import program
from trove_pxc.guestagent import record

from tests.unit.guestagent import fakes

UUID = 'f00d1b77-e732-11f1-88aa-77cb7e14d66a'
GRASTATE = (f'version: 2.1\nuuid: {UUID}\nseqno: 7\n'
            'safe_to_bootstrap: 0\n')
NO_GRASTATE = (f'version: 2.1\nuuid: {view.NIL_UUID}\nseqno: -1\n'
               'safe_to_bootstrap: 0\n')


class PrepareTest(fakes.MemberTestCase):

    def test_it_brings_everything_but_a_database(self) -> None:
        self.member.prepare(fakes.VERSION, '[mysqld]\na=1\n', {'b': 2})
        self.trove.write_server_config.assert_called_once_with(
            '[mysqld]\na=1\n')
        self.trove.write_user_overrides.assert_called_once_with({'b': 2})
        self.assertIn('database', self.engine.known)
        self.engine.known['database'].start.assert_not_called()
        self.assertEqual([], list(pathlib.Path(
            self.where.data_dir).iterdir()))
        self.assertEqual(record.Stage.PREPARED, self.member.stage)

    def test_an_agent_that_died_in_it_is_followed_by_one_that_knows(
            self) -> None:
        self.assertIsNone(self.new_agent().stage)
        self.member.begin(fakes.VERSION)
        self.assertEqual(record.Stage.PREPARING, self.new_agent().stage)
        self.assertTrue(self.new_agent().is_member)
        self.prepared()
        self.assertEqual(record.Stage.PREPARED, self.new_agent().stage)

    def test_a_guest_that_was_not_prepared_is_no_member(self) -> None:
        self.assertFalse(self.member.is_member)
        self.assertIsNone(self.member.stage)
        self.assertIsNone(self.member.context())
        self.assertRaises(exceptions.MemberNotConfigured,
                          self.member.position)

    def test_the_image_of_another_server_is_refused(self) -> None:
        self.engine.helper_prints('mysqld  Ver 10.6.30-MariaDB')
        failure = self.assertRaises(exceptions.ImageUnusable, self.prepared)
        self.assertIn('10.6.30', str(failure))
        self.assertEqual(record.Stage.PREPARING, self.member.stage)

    def test_an_image_that_does_not_run_is_refused(self) -> None:
        self.engine.helper_prints('[ERROR] no library', code=1)
        failure = self.assertRaises(exceptions.ImageUnusable, self.prepared)
        self.assertIn('no library', str(failure))

    def test_the_container_sees_its_data_and_no_password_file(self) -> None:
        self.prepared()
        host = self.engine.client.api.create_host_config.call_args.kwargs
        sources = {mount['Source'] for mount in host['mounts']}
        self.assertIn(self.where.data_dir, sources)
        self.assertNotIn(self.where.mount_point, sources)
        self.assertEqual({self.where.order_dir}, set(host['binds']))

    def test_the_base_configuration_is_only_for_overrides(self) -> None:
        """Its settings replace it before the server starts."""
        self.member.prepare(fakes.VERSION, '[mysqld]\na=1\n', None)
        self.trove.write_server_config.assert_not_called()
        self.trove.write_user_overrides.assert_not_called()
        self.configured()
        self.trove.write_server_config.assert_called_once()


class ConfigureTest(fakes.MemberTestCase):

    def test_it_needs_a_prepared_guest(self) -> None:
        self.assertRaises(
            exceptions.MemberNotConfigured, self.member.configure,
            fakes.facts(), fakes.secrets())

    def test_passwords_stand_in_private_files_alone(self) -> None:
        self.configured()
        for path in self.root.rglob('*'):
            if path.is_file() and any(
                    password in path.read_text()
                    for password in fakes.PASSWORDS):
                self.assertEqual(0o600, self.mode(str(path)), path)
        self.assertIn(fakes.PASSWORDS[2], self.text(self.where.cluster_file))

    def test_trove_knows_the_configuration_and_the_passwords(self) -> None:
        self.configured()
        text = self.trove.write_server_config.call_args.args[0]
        self.assertIn(self.where.data_dir, text)
        self.trove.use_passwords.assert_called_once_with(fakes.secrets())

    def test_the_next_agent_knows_the_settings(self) -> None:
        self.configured()
        self.assertEqual(
            {'facts': fakes.facts().to_dict(),
             'secrets': fakes.secrets().to_dict(), 'identity': None},
            self.new_agent().context())

    def test_its_identity_is_written_with_its_settings(self) -> None:
        self.prepared()
        self.member.configure(fakes.facts(), fakes.secrets(),
                              fakes.certificate())
        self.assertEqual(fakes.certificate().to_dict(),
                         self.new_agent().context()['identity'])
        self.assertIn(self.where.certificate_dir,
                      self.files.read(self.where.cluster_file))

    def test_a_started_member_stays_one(self) -> None:
        self.configured()
        self.member.bootstrap()
        self.member.configure(fakes.facts(), fakes.secrets())
        self.assertEqual(record.Stage.STARTED, self.member.stage)


class BootstrapTest(fakes.MemberTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.configured()

    def order(self) -> str:
        return self.text(self.where.order_file)

    def refusal(self) -> str:
        failure = self.assertRaises(exceptions.BootstrapRefused,
                                    self.member.bootstrap)
        self.engine.known['database'].start.assert_not_called()
        self.assertIn('c-1', str(failure))
        return str(failure)

    def test_an_empty_directory_is_bootstrapped(self) -> None:
        self.member.bootstrap()
        self.assertEqual('bootstrap\n', self.order())
        self.engine.known['database'].start.assert_called_once_with()
        self.assertTrue(self.member.report().started)

    def test_the_accounts_are_for_the_server_alone(self) -> None:
        self.member.bootstrap()
        self.assertEqual(0o600, self.mode(self.where.initial_sql_file))
        for line in self.text(self.where.initial_sql_file).splitlines():
            self.assertTrue(line.endswith(';'), line)

    def test_asked_again_it_does_nothing_again(self) -> None:
        self.member.bootstrap()
        pathlib.Path(self.where.order_file).unlink()
        present = self.engine.holds(status='running')
        self.member.bootstrap()
        self.new_agent().bootstrap()
        present.start.assert_not_called()
        present.stop.assert_not_called()

    def test_a_start_that_was_no_bootstrap_does_not_count(self) -> None:
        self.member.bootstrap()
        pathlib.Path(self.where.last_order_file).unlink()  # a reboot
        self.engine.known['database'].attrs['State']['Status'] = 'running'
        self.member.bootstrap()
        self.engine.known['database'].stop.assert_called()
        self.assertEqual('bootstrap\n', self.order())

    def test_the_data_of_a_cluster_is_kept(self) -> None:
        self.database_files(grastate__dat=GRASTATE)
        self.engine.helper_prints(f'Recovered position: {UUID}:9')
        self.assertIn(UUID, self.refusal())

    def test_a_history_without_a_database_is_kept(self) -> None:
        (pathlib.Path(self.where.data_dir) / 'grastate.dat').write_text(
            GRASTATE)
        self.assertIn(UUID, self.refusal())

    def test_spoiled_data_is_kept(self) -> None:
        self.database_files(sst_in_progress='')
        self.assertIn('interrupted', self.refusal())

    def test_a_database_from_elsewhere_is_kept(self) -> None:
        self.database_files()
        self.engine.helper_prints('Recovered position: nothing')
        self.assertIn('not initialised on this guest', self.refusal())

    def test_one_s_own_that_never_was_in_a_cluster_is_used(self) -> None:
        self.member.bootstrap()
        self.engine.holds(status='exited', exit_code=1)
        self.database_files()
        self.engine.helper_prints('Recovered position: nothing')
        self.member.bootstrap()
        self.assertEqual('bootstrap\n', self.order())

    def test_it_needs_settings(self) -> None:
        pathlib.Path(self.where.record_file).unlink()
        member = self.new_agent()
        member.prepare(fakes.VERSION, '', None)
        self.assertRaises(exceptions.MemberNotConfigured, member.bootstrap)


class StartAndStopTest(fakes.MemberTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.configured()

    def pending(self) -> bool:
        return pathlib.Path(self.where.order_file).exists()

    def database(self) -> mock.Mock:
        found: mock.Mock = self.engine.known['database']
        return found

    def test_a_forming_join_is_ordered_once(self) -> None:
        self.member.join(forming=True)
        self.assertEqual('form\n', self.text(self.where.order_file))
        self.database().start.assert_called_once_with()

    def test_a_later_join_is_an_ordinary_start(self) -> None:
        self.member.join(forming=False)
        self.assertFalse(self.pending())
        self.database().start.assert_called_once_with()

    def test_joining_twice_is_joining_once(self) -> None:
        self.member.join(forming=True)
        running = self.engine.holds(status='running')
        self.member.join(forming=True)
        running.start.assert_not_called()

    def test_a_plain_start_takes_an_old_order_away(self) -> None:
        self.member.bootstrap()
        self.member.start()
        self.assertFalse(self.pending())

    def test_a_stop_is_kept_by_the_next_agent(self) -> None:
        self.member.bootstrap()
        self.member.stop()
        self.database().stop.assert_called_with(timeout=120)
        self.database().reset_mock()
        self.new_agent().resume()
        self.database().start.assert_not_called()

    def test_a_reboot_ends_a_stop(self) -> None:
        self.member.bootstrap()
        self.member.stop()
        self.database().reset_mock()
        for path in pathlib.Path(self.where.order_dir).iterdir():
            path.unlink()
        self.new_agent().resume()
        self.database().start.assert_called_once_with()
        self.assertFalse(self.pending())

    def test_a_start_ends_a_stop(self) -> None:
        self.member.bootstrap()
        self.member.stop()
        self.member.restart()
        self.engine.holds(status='exited')
        self.new_agent().resume()
        self.database().stop.assert_not_called()
        self.assertTrue(self.new_agent().is_member)

    def test_what_runs_is_not_resumed(self) -> None:
        self.member.bootstrap()
        running = self.engine.holds(status='restarting')
        self.member.resume()
        running.start.assert_not_called()

    @mock.patch('pymysql.connect', autospec=True)
    def test_what_was_evicted_is_started_anew(
            self, connect: mock.Mock) -> None:
        self.member.bootstrap()
        connection = connect.return_value
        cursor = connection.cursor.return_value.__enter__.return_value
        cursor.fetchall.return_value = [
            ('wsrep_local_state', '5'),
            ('wsrep_local_state_comment', 'Inconsistent')]
        running = self.engine.holds(status='running')
        running.stop.side_effect = (
            lambda **_: self.engine.holds(status='exited'))
        self.member.resume()
        running.stop.assert_not_called()
        self.member.report()
        self.member.resume()
        running.stop.assert_called_once_with(timeout=10)
        self.database().start.assert_called_once_with()
        self.assertFalse(self.pending())

    def test_what_never_was_started_is_not_resumed(self) -> None:
        self.member.resume()
        self.database().start.assert_not_called()

    def test_a_newer_agent_brings_its_start_program(self) -> None:
        names = (*program.texts(), program.SETTINGS)
        for name in names:
            pathlib.Path(self.where.start_file(name)).write_text('old')
        self.new_agent().refresh()
        for name in names:
            self.assertNotEqual('old',
                                self.text(self.where.start_file(name)), name)


class PositionTest(fakes.MemberTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.configured()
        self.engine.client.containers.create.reset_mock()

    def recovered(self) -> bool:
        return bool(self.engine.client.containers.create.called)

    def test_an_empty_directory_has_none(self) -> None:
        self.assertTrue(self.member.position().is_empty)
        self.assertFalse(self.recovered())

    def test_a_stopped_server_s_is_recovered(self) -> None:
        self.database_files(
            grastate__dat=GRASTATE.replace('seqno: 7', 'seqno: -1'),
            gvwstate__dat='')
        self.engine.helper_prints(f'x Recovered position: {UUID}:12\n')
        found = self.member.position()
        self.assertEqual((UUID, 12, False, True), (
            found.uuid, found.seqno, found.safe_to_bootstrap,
            found.view_present))

    def test_a_running_server_is_not_disturbed(self) -> None:
        self.database_files(grastate__dat=GRASTATE)
        self.engine.holds(status='running')
        self.assertEqual(7, self.member.position().seqno)
        self.assertFalse(self.recovered())

    def test_spoiled_data_has_none_to_recover(self) -> None:
        self.database_files(sst_in_progress='')
        self.assertTrue(self.member.position().sst_in_progress)
        self.assertFalse(self.recovered())

    def test_data_that_a_transfer_did_not_change_has_its_position(
            self) -> None:
        self.database_files(grastate__dat=GRASTATE, ibdata1='',
                            sst_in_progress='')
        self.assertTrue(self.member.position().sst_in_progress)
        self.engine.helper_prints('mysqld  Ver 8.4.6-6 for Linux\n'
                                  'SST method xtrabackup-v2: lacks\n')
        self.member = self.new_agent('pxc')
        self.member.prepare('8.4', '[mysqld]\n', None)
        found = self.member.position()
        self.assertEqual((False, UUID, 7), (
            found.sst_in_progress, found.uuid, found.seqno))
        self.engine.holds(status='running')     # a transfer may be running
        self.assertTrue(self.member.position().sst_in_progress)

    def test_what_was_evicted_has_no_position_that_counts(self) -> None:
        self.database_files(grastate__dat=NO_GRASTATE)
        self.engine.helper_prints(f'Recovered position: {UUID}:9')
        self.assertEqual((UUID, 9, False), self.place())
        note = pathlib.Path(self.where.evicted_file)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
        self.assertEqual((None, -1, True), self.place())

    def place(self) -> tuple[str | None, int, bool]:
        found = self.member.position()
        return found.uuid, found.seqno, found.evicted

    def unsynced(self, *paths: str) -> bool:
        self.database_files(grastate__dat=GRASTATE)
        self.engine.helper_prints(f'x Recovered position: {UUID}:12\n')
        for path in paths:
            pathlib.Path(path).touch()
        return self.member.position().sst_in_progress

    def test_what_a_loss_of_power_may_have_torn_is_spoiled(self) -> None:
        self.assertTrue(self.unsynced(self.where.unsynced_file))

    def test_a_guest_that_had_power_all_the_time_has_all_of_it(self) -> None:
        self.assertFalse(self.unsynced(
            self.where.unsynced_file, self.where.unsynced_since_boot_file))

    def test_what_cannot_be_recovered_is_not_guessed(self) -> None:
        self.database_files(grastate__dat=GRASTATE)
        self.engine.helper_prints('[ERROR] corrupt page', code=1)
        failure = self.assertRaises(exceptions.ServerStartFailed,
                                    self.member.position)
        self.assertIn('corrupt page', str(failure))


class ReportTest(fakes.MemberTestCase):

    def test_before_anything(self) -> None:
        report = self.member.report()
        self.assertEqual((view.ServerState.ABSENT, None, False), (
            report.server, report.view, report.started))
        self.assertGreater(report.data_bytes, 0)

    def test_errors_hold_no_password(self) -> None:
        self.configured()
        self.engine.holds(
            status='exited', exit_code=1,
            log=f'[ERROR] sst --auth os_sst:{fakes.PASSWORDS[2]}')
        report = self.member.report()
        self.assertEqual((1, '[ERROR] sst --auth os_sst:***'),
                         (report.exit_code, report.error))


class CompleteTest(fakes.MemberTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.configured()
        patch = mock.patch('pymysql.connect', autospec=True)
        self.connect = patch.start()
        self.addCleanup(patch.stop)

    def test_later_transfers_are_the_dialect_s_best(self) -> None:
        self.member.complete()
        connection = self.connect.return_value
        cursor = connection.cursor.return_value.__enter__.return_value
        cursor.execute.assert_called_once_with(
            'SET GLOBAL wsrep_sst_method = %s', ('mariabackup',))

    def test_the_administrator_asks_over_the_socket(self) -> None:
        self.connect.side_effect = pymysql_errors.OperationalError(
            1045, 'Access denied')
        self.assertRaises(exceptions.ServerNotAnswering,
                          self.member.write_probe, 't')
        asked = self.connect.call_args.kwargs
        self.assertEqual(('os_admin', self.where.socket),
                         (asked['user'], asked['unix_socket']))
