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

"""A backup is restored into the member that bootstraps, or fails."""

import dataclasses
from typing import Any

import mock
from trove.common import cfg
from trove.common import exception
from trove.extensions.common import models as root_models

from tests.unit.taskmanager.steps import base
from trove_pxc import backups as rows_of_backups
from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc import quotas
from trove_pxc import restores
from trove_pxc.taskmanager.steps import bootstrap
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import restore

CONF = cfg.CONF
BACKUP = 'b-2'
FULL = mock.Mock(id='b-1', location='http://swift/v1/A/c/b-1.xbstream')
ROW = mock.Mock(id=BACKUP, location='http://swift/v1/A/c/b-2.xbstream')
GIB = 1 << 30
FETCH = backups.Progress(BACKUP, backups.State.RUNNING, backups.Step.FETCH,
                         total_bytes=10 * GIB)
COMPLETE = dataclasses.replace(FETCH, state=backups.State.COMPLETE,
                               step=backups.Step.DONE)


class RestoreTestCase(base.FormationTestCase):
    """The rows of backups and the object store are replaced."""

    def setUp(self) -> None:
        super().setUp()
        self.tokens = ['first', 'second', 'third']
        for name, found in (
                ('get', mock.Mock(return_value=ROW)),
                ('chain', mock.Mock(return_value=[FULL, ROW])),
                ('store_of', self.store)):
            patched = mock.patch.object(rows_of_backups, name, found)
            patched.start()
            self.addCleanup(patched.stop)
        self.guest = self.guests[1]
        self.know(backup_id=BACKUP)

    def store(self, context: Any, row: Any) -> backups.Store:
        token = self.tokens[0]
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return backups.Store('http://swift/v1/A', secret.Secret(token), 'c')

    def sees(self, *seen: backups.Progress) -> None:
        """The guest reports these, one after another."""
        self.guest.will('backup_progress', *seen)

    def restores(self) -> None:
        """Run the step; the guest reports the end after the other reports."""
        self.guest.restore = COMPLETE
        self.do(restore.RESTORE, 1)

    def fails_with(self, cause: str) -> exceptions.MemberFailed:
        error = self.fails(exceptions.MemberFailed, restore.RESTORE, 1)
        assert isinstance(error, exceptions.MemberFailed)
        self.assertIn(cause, error.cause)
        return error


class RestoreTest(RestoreTestCase):

    def test_only_the_first_member_restores(self) -> None:
        self.assertEqual(self.members[:1],
                         formation.restored_member(self.operation))
        self.know(backup_id='')
        self.assertEqual((), formation.restored_member(self.operation))

    def test_a_new_run_finds_the_backup(self) -> None:
        with quotas.transaction() as session:
            restores.request(session, self.operation.cluster_id, BACKUP)
        found = self.new().begin()
        assert found is not None
        self.assertEqual(BACKUP, found.backup_id)

    def test_the_whole_chain_is_ordered(self) -> None:
        self.sees(backups.unknown(BACKUP), FETCH)
        self.restores()
        self.assertEqual(['c-1 start_restore'], self.galera.told)
        self.assertEqual(
            (backups.Restoring(BACKUP, backups.Store(
                'http://swift/v1/A', secret.Secret('first'), 'c'),
                (FULL.location, ROW.location)),),
            self.galera.given['c-1 start_restore'])

    def test_one_that_runs_is_not_started_again(self) -> None:
        """Another taskmanager has started it."""
        self.sees(FETCH, FETCH)
        self.restores()
        self.assertEqual([], self.galera.told)

    def test_a_member_that_was_started_has_its_data(self) -> None:
        self.guest.started = True
        self.assertTrue(self.done(restore.RESTORE, 1))

    def test_a_guest_agent_that_was_restarted_begins_again(self) -> None:
        lost = backups.unknown(BACKUP)
        self.sees(lost, FETCH, lost, FETCH)
        self.restores()
        self.assertEqual(['c-1 start_restore'] * 2, self.galera.told)

    def test_a_guest_agent_that_keeps_ending(self) -> None:
        self.guest.always('backup_progress', backups.unknown(BACKUP))
        error = self.fails_with('ended 4 times')
        self.assertIn('Look at the log', error.advice)

    def test_failure_of_the_guest_has_its_reason_and_its_advice(self) -> None:
        self.sees(backups.with_failure(FETCH, 'the segment 7 is damaged',
                                       'Use another backup.'))
        error = self.fails_with(
            'it cannot fetch the backup: the segment 7 is damaged')
        self.assertEqual('Use another backup.', error.advice)

    def test_failure_without_advice(self) -> None:
        self.sees(backups.with_failure(FETCH, 'the volume is too small', ''))
        self.assertIn('restore the backup again',
                      self.fails_with('too small').advice)

    def test_restore_without_progress_ends(self) -> None:
        self.guest.restore = FETCH
        error = self.fails(exceptions.DeadlineExceeded, restore.RESTORE, 1)
        self.assertGreater(error.seconds,
                           CONF.mariadb.backup_stall_timeout)

    def test_restore_with_progress_takes_any_time(self) -> None:
        stall = CONF.mariadb.backup_stall_timeout
        seen = [dataclasses.replace(FETCH, data_bytes=number * GIB)
                for number in range(1, 5)]
        for number, one in enumerate(seen):
            self.clock.after(number * stall * 0.9, lambda one=one: setattr(
                self.guest, 'restore', one))
        self.clock.after(4 * stall * 0.9, lambda: setattr(
            self.guest, 'restore', COMPLETE))
        self.guest.restore = FETCH
        self.do(restore.RESTORE, 1)
        self.assertGreater(self.clock.now, 3 * stall)

    def test_guest_that_does_not_answer_any_more(self) -> None:
        self.guest.always('backup_progress', exception.GuestTimeout())
        error = self.fails(exceptions.DeadlineExceeded, restore.RESTORE, 1)
        self.assertEqual(('the guest of c-1 to answer', 120),
                         (error.what, error.seconds))

    def test_deletion_of_the_cluster_stops_it(self) -> None:
        self.guest.restore = FETCH
        self.clock.after(60, self.delete_cluster)
        self.fails(exceptions.ClusterBeingDeleted, restore.RESTORE, 1)

    def test_progress_is_shown(self) -> None:
        with quotas.transaction() as session:
            restores.request(session, self.operation.cluster_id, BACKUP)
        self.sees(*[dataclasses.replace(FETCH, data_bytes=GIB, seconds=32)
                    for _ in range(8)])
        self.restores()
        shown = restores.of([self.operation.cluster_id])
        self.assertIn('1.0 of 10.0 GiB',
                      shown[self.operation.cluster_id].progress)
        self.assertEqual(BACKUP, shown[self.operation.cluster_id].backup_id)


class TokenTest(RestoreTestCase):

    REFUSED = dataclasses.replace(FETCH, token_refused=True)

    def test_guest_gets_a_new_token(self) -> None:
        self.sees(backups.unknown(BACKUP), self.REFUSED, FETCH, self.REFUSED)
        self.restores()
        self.assertEqual(
            ['c-1 start_restore', *['c-1 renew_backup_token'] * 2],
            self.galera.told)
        self.assertEqual((BACKUP, secret.Secret('third')),
                         self.galera.given['c-1 renew_backup_token'])

    def test_no_other_token(self) -> None:
        """With remote_swift_client of Trove's default, it is the user's."""
        self.tokens = ['only']
        self.sees(backups.unknown(BACKUP), self.REFUSED)
        error = self.fails_with('refuses the token of the request')
        self.assertIn('remote_swift_client', error.advice)
        self.assertEqual(['c-1'], self.galera.was_told('cancel_backup'))

    def test_store_that_does_not_answer_is_asked_again(self) -> None:
        answers = iter([exceptions.BackupStoreFailed('no route')] * 3)
        store = self.store
        with mock.patch.object(
                rows_of_backups, 'store_of', autospec=True,
                side_effect=lambda *given: self._raise(answers)
                or store(*given)):
            self.sees(backups.unknown(BACKUP))
            self.restores()
        self.assertEqual(['c-1 start_restore'], self.galera.told)

    @staticmethod
    def _raise(answers: Any) -> None:
        error = next(answers, None)
        if error is not None:
            raise error


class AfterwardsTest(RestoreTestCase):

    def test_member_bootstraps_with_the_data(self) -> None:
        self.guest.looks = {'data_bytes': GIB}
        self.do(bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual(['c-1 bootstrap_restored'], self.galera.told)
        self.assertNotIn('c-1 member_position', self.galera.asked)

    def test_not_beside_another_member_with_data(self) -> None:
        self.guests[2].looks = {'data_bytes': GIB}
        self.fails(exceptions.BootstrapRefused,
                   bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual([], self.galera.told)

    def test_root_of_the_backup_is_recorded_for_all_members(self) -> None:
        with mock.patch.object(root_models.RootHistory, 'create',
                               autospec=True) as create:
            self.do(restore.RECORD_ROOT, 1)
            self.assertEqual([], create.mock_calls)
            self.guest.root_enabled = True
            self.do(restore.RECORD_ROOT, 1)
        self.assertEqual([member.id for member in self.members],
                         [call.args[1] for call in create.mock_calls])
