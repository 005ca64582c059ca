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

"""The backups of a member: what is refused, what runs, what is left."""

import json
import pathlib
import threading

import mock

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc.guestagent.backup import making
from trove_pxc.guestagent.backup import member
from trove_pxc.guestagent.backup import processes
from trove_pxc.guestagent.backup import restoring
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program
from trove_pxc import waiting

from tests.unit.galera import test_backups
from tests.unit.guestagent import fakes

UUID = '6f3e0b8e-7d5c-11ee-a0b1-96e7b9a5d1f2'
SYNCED = {'wsrep_cluster_status': 'Primary', 'wsrep_local_state': '4',
          'wsrep_ready': 'ON', 'wsrep_cluster_state_uuid': UUID}


class Held(processes.Process):
    """A backup or restore that runs until it is cancelled."""

    tokens: list[secret.Secret]

    def start(self) -> None:
        self.tokens = []

    def cancel(self, reason: str = '') -> None:
        self._progress = backups.with_failure(
            self._progress, reason or 'it was cancelled', '')
        self._over.set()

    def renew(self, token: secret.Secret) -> None:
        self.tokens.append(token)


class Slow(Held):
    """One that deletes what it stored for some time after it is cancelled."""

    def cancel(self, reason: str = '') -> None:
        self._cancelled = waiting.Stopwatch()
        threading.Timer(0.05, super().cancel, (reason,)).start()


class BackupMemberTestCase(fakes.MemberTestCase):

    member: member.BackupMember

    def setUp(self) -> None:
        super().setUp()
        self.admin = mock.create_autospec(database.Database, instance=True)
        for patched in (
                mock.patch.object(database, 'Database', autospec=True,
                                  return_value=self.admin),
                mock.patch.object(processes, 'Process', Held)):
            patched.start()
            self.addCleanup(patched.stop)
        self.sees()
        self.configured()
        self.engine.holds(status='running')
        self.addCleanup(self.end)

    def new_agent(self, manager: str = 'mariadb') -> member.BackupMember:
        return member.BackupMember(
            manager, self.engine.client, self.trove, where=self.where,
            host_files=self.files)

    def end(self) -> None:
        if self.member._running is not None:
            self.member._running.cancel()

    def job(self, order: backups.Order) -> making.BackupJob:
        """What the process of a backup runs."""
        job = self.member.new_job(order)
        assert isinstance(job, making.BackupJob)
        return job

    def sees(self, **status: str) -> None:
        self.admin.view.return_value = view.NodeView.from_status(
            {**SYNCED, **status})

    def order(self, number: int = 1, **others: object) -> backups.Order:
        return backups.Order(f'b-{number}', test_backups.STORE,
                             **others)  # type: ignore[arg-type]

    def refused(self, order: backups.Order) -> str:
        return str(self.assertRaises(exceptions.BackupRefused,
                                     self.member.start_backup, order))


class StartTest(BackupMemberTestCase):

    def test_it_runs_until_it_ends(self) -> None:
        self.member.start_backup(self.order())
        found = self.member.backup_progress('b-1')
        self.assertEqual(backups.State.RUNNING, found.state)
        self.member.cancel_backup('b-1')
        found = self.member.backup_progress('b-1')
        self.assertEqual('it was cancelled', found.failed_because)

    def test_what_is_repeated_is_not_started_again(self) -> None:
        self.member.start_backup(self.order())
        first = self.member._job
        self.member.start_backup(self.order())
        self.assertIs(first, self.member._job)
        self.end()
        self.member.start_backup(self.order())
        self.assertIs(first, self.member._job)

    def test_there_is_one_at_a_time(self) -> None:
        self.member.start_backup(self.order())
        self.assertIn('b-1', self.refused(self.order(2)))
        self.end()
        self.member.start_backup(self.order(2))
        self.assertEqual(backups.State.UNKNOWN,
                         self.member.backup_progress('b-1').state)

    def test_one_that_was_cancelled_is_waited_for(self) -> None:
        with mock.patch.object(processes, 'Process', Slow):
            self.member.start_backup(self.order())
        self.member.cancel_backup('b-1')
        self.member.start_backup(self.order(2))
        self.assertEqual(backups.State.RUNNING,
                         self.member.backup_progress('b-2').state)

    def test_only_a_synced_member_makes_one(self) -> None:
        for status, reason in (
                ({'wsrep_local_state': '2'}, 'Donor/Desynced'),
                ({'wsrep_cluster_status': 'non-Primary'}, 'non-Primary'),
                ({'wsrep_on': 'OFF'}, 'wsrep_on')):
            self.sees(**status)
            self.assertIn(reason, self.refused(self.order()))
            self.assertIn('another member', self.refused(self.order()))

    def test_an_unconfigured_guest_makes_none(self) -> None:
        pathlib.Path(self.where.record_file).unlink()
        self.assertRaises(exceptions.MemberNotConfigured,
                          self.new_agent().start_backup, self.order())

    def test_a_key_is_needed_to_encrypt(self) -> None:
        self.assertIn('backup_encryption_key',
                      self.refused(self.order(encrypt=True)))
        self.config.config(group='mariadb', backup_encryption_key='k-1')
        self.member.start_backup(self.order(encrypt=True))
        self.assertEqual(secret.Secret('k-1'),
                         self.job(self.order(encrypt=True))._key)
        self.assertIsNone(self.job(self.order(2))._key)

    def test_a_parent_of_another_directory_is_refused(self) -> None:
        parent = backups.Parent('b-0', 'http://s/v1/a/c/b-0', 100,
                                self.lineage(), UUID)
        self.member.start_backup(self.order(parent=parent))
        self.end()
        pathlib.Path(self.where.lineage_file).unlink()
        self.assertIn('another data directory',
                      self.refused(self.order(2, parent=parent)))

    def lineage(self) -> str:
        """The mark of the data directory, as the first backup leaves it."""
        source = self.job(self.order())._source
        self.assertEqual(source.lineage(), source.lineage())
        return self.text(self.where.lineage_file).strip()

    def test_the_process_gets_what_it_needs(self) -> None:
        self.member.start_backup(self.order())
        started = json.loads(json.dumps(
            self.member._job._started))  # type: ignore[union-attr]
        self.assertEqual(self.order(),
                         backups.Order.from_dict(started['order']))
        self.assertEqual(self.where, paths.Paths(**started['where']))
        self.assertEqual(('backup', 'mariadb'),
                         (started['kind'], started['manager']))

    def test_the_source_of_a_backup(self) -> None:
        self.admin.version.return_value = '10.11.19-MariaDB'
        self.database_files(ibdata1='123', ib_logfile0='12345')
        source = self.job(self.order())._source
        self.assertEqual(('os_admin', '10.11.19-MariaDB', 3),
                         (source.user, source.server_version(),
                          source.data_bytes()))
        self.assertEqual(fakes.PASSWORDS[0], source.password.reveal())
        self.assertEqual('of ***', source.mask(f'of {fakes.PASSWORDS[0]}'))

    def test_a_token_of_another_backup_is_ignored(self) -> None:
        self.member.start_backup(self.order())
        running = self.member._job
        assert running is not None
        self.member.renew_backup_token('b-2', secret.Secret('t-2'))
        self.member.renew_backup_token('b-1', secret.Secret('t-3'))
        self.assertEqual([secret.Secret('t-3')],
                         running.tokens)  # type: ignore[attr-defined]
        self.member.cancel_backup('b-2')
        self.assertTrue(running.running)


class MeanwhileTest(BackupMemberTestCase):

    def test_the_report_tells_of_it(self) -> None:
        self.sees(wsrep_local_state='2', wsrep_desync='ON')
        report = self.member.report()
        assert report.view is not None
        self.assertEqual(('', ('wsrep_desync',)),
                         (report.backup, report.view.altered))
        self.sees()
        self.member.start_backup(self.order())
        self.sees(wsrep_local_state='2', wsrep_desync='ON')
        report = self.member.report()
        assert report.view is not None
        self.assertEqual(('b-1', ()), (report.backup, report.view.altered))

    def test_a_stop_of_the_server_cancels_it(self) -> None:
        self.member.start_backup(self.order())
        self.member.stop()
        self.assertEqual(backups.State.FAILED,
                         self.member.backup_progress('b-1').state)

    def test_what_an_agent_left_is_ended_by_the_next(self) -> None:
        self.member._desync.begin()
        left = fakes.Container(status='running').spec
        self.engine.known['database-backup'] = left
        pathlib.Path(self.where.backup_dir).mkdir()
        (pathlib.Path(self.where.backup_dir) / 'login.cnf').touch()
        after = self.new_agent()
        after.end_left_backup()
        left.remove.assert_called_once_with(v=True, force=True)
        self.assertEqual([], list(pathlib.Path(
            self.where.backup_dir).iterdir()))
        after.look_after_backups()
        self.admin.desync.assert_called_with(False)
        self.assertFalse(after._desync.active)

    def test_the_server_stays_desynced_while_it_runs(self) -> None:
        self.member.start_backup(self.order())
        self.member._desync.begin()
        self.member.look_after_backups()
        self.admin.desync.assert_called_once_with(True)

    def test_a_server_that_ended_ends_it(self) -> None:
        for number, state in enumerate((
                {'status': 'exited'},
                {'status': 'running',
                 'started_at': '2026-01-02T00:00:00.123456789Z'})):
            self.engine.holds(status='running')
            self.member.start_backup(self.order(number))
            self.member.look_after_backups()
            self.assertIsNotNone(self.member._running)
            self.engine.holds(**state)
            self.member.look_after_backups()
            self.assertIn('server of the member ended',
                          self.member.backup_progress(
                              f'b-{number}').failed_because)

    def test_it_does_not_fill_the_volume(self) -> None:
        for number, (before, now, ends) in enumerate((
                (4 << 30, 256 << 20, False), (4 << 30, 255 << 20, True),
                (100 << 20, 50 << 20, False), (100 << 20, 49 << 20, True))):
            with mock.patch.object(files, 'free_bytes', autospec=True,
                                   side_effect=[before, now]):
                self.member.start_backup(self.order(number))
                self.member.look_after_backups()
            self.assertEqual(ends, self.member._running is None)
            if ends:
                found = self.member.backup_progress(f'b-{number}')
                self.assertIn('of free space', found.failed_because)
            else:
                self.member.cancel_backup(f'b-{number}')

    def test_one_that_does_not_end_is_looked_after(self) -> None:
        self.member.start_backup(self.order())
        with mock.patch.object(Held, 'look_after', autospec=True) as look:
            self.member.look_after_backups()
        look.assert_called_once_with(self.member._job)


class RestoreTest(BackupMemberTestCase):

    ORDER = backups.Restoring('r-1', test_backups.STORE, ('x',))

    def setUp(self) -> None:
        super().setUp()
        self.engine.holds(status='created')

    def refusal(self) -> str:
        return str(self.assertRaises(exceptions.BackupRefused,
                                     self.member.start_restore, self.ORDER))

    def test_an_empty_member_is_restored(self) -> None:
        self.member.start_restore(self.ORDER)
        self.assertEqual(backups.State.RUNNING,
                         self.member.backup_progress('r-1').state)
        job = self.member.new_job(self.ORDER)
        assert isinstance(job, restoring.RestoreJob)
        self.assertEqual('10.11', job._target.server_version())
        self.assertEqual('of ***', job._target.mask(
            f'of {fakes.PASSWORDS[0]}'))

    def test_a_restore_is_no_backup_of_the_member(self) -> None:
        self.member.start_restore(self.ORDER)
        self.assertEqual('', self.member.report().backup)

    def test_data_of_users_is_never_replaced(self) -> None:
        self.database_files(ibdata1='rows')
        self.assertIn('not empty', self.refusal())

    def test_a_running_server_is_never_replaced(self) -> None:
        self.engine.holds(status='running')
        self.assertIn('runs', self.refusal())

    def test_a_member_that_was_started_is_never_replaced(self) -> None:
        self.member._start(self.member._record(), '')
        self.engine.holds(status='exited')
        self.assertIn('not empty', self.refusal())

    def test_a_restore_that_failed_is_repeated(self) -> None:
        self.database_files(ibdata1='half of the rows')
        pathlib.Path(self.where.restoring_data_file).touch()
        self.member.start_restore(self.ORDER)
        self.assertIsNotNone(self.member._running)

    def test_bootstrap_needs_a_complete_backup(self) -> None:
        self.database_files(ibdata1='half of the rows')
        pathlib.Path(self.where.restoring_data_file).touch()
        self.assertRaises(exceptions.BootstrapRefused,
                          self.member.bootstrap_restored)

    def test_bootstrap_gives_the_accounts_new_passwords(self) -> None:
        self.database_files(ibdata1='rows')
        pathlib.Path(self.where.restored_data_file).write_text(
            json.dumps(test_backups.RESULT.to_dict()))
        self.member.bootstrap_restored()
        self.assertEqual(f'{program.RESTORED}\n',
                         self.text(self.where.order_file))
        self.assertIn('restore-accounts.sql',
                      self.text(self.where.restoring_file))
        statements = self.text(self.where.restoring_sql_file)
        for user in ('os_admin', 'root', 'os_sst'):
            self.assertIn(user, statements)
        self.assertEqual(0o600, self.mode(self.where.restoring_sql_file))
        self.engine.known['database'].start.assert_called_once_with()

    def test_a_bootstrap_in_progress_is_left_alone(self) -> None:
        self.test_bootstrap_gives_the_accounts_new_passwords()
        self.engine.holds(status='running')
        self.member.bootstrap_restored()
        self.engine.known['database'].start.assert_not_called()
