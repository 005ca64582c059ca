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

"""A backup from the tool to the store, and all that may fail."""

import contextlib

import mock

from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import making
from trove_pxc.guestagent.backup import stream
from trove_pxc.guestagent.backup import upload
from trove_pxc.guestagent import database

from tests.unit.guestagent.backup import cases
from tests.unit.guestagent.backup import local
from tests.unit.guestagent.backup import swift as swifts

NAME = 'backups/b-1.xbstream'


class MakingTest(cases.BackupTestCase):

    def stored(self, key: secret.Secret | None = None) -> bytes:
        return b''.join(stream.unpack([self.swift.content(NAME)], key))

    def failed(self, order: backups.Order | None = None
               ) -> backups.Progress:
        """A backup that fails, and leaves nothing behind."""
        job = self.backup(order or self.order())
        job.start()
        job.wait(60)
        found = job.progress()
        self.assertEqual(backups.State.FAILED, found.state)
        self.assertEqual({}, self.swift.headers)
        self.assertFalse(self.desync.active)
        self.assertEqual([], self.threads())
        self.assertFalse((self.root / 'run' / 'backup' / 'login.cnf'
                          ).exists())
        return found

    def test_a_full_backup(self) -> None:
        result = self.made()
        self.assertIn(cases.ROWS, self.stored())
        self.assertEqual(
            ('b-1', local.UUID, 17, 0, 100, 'l-1', ''),
            (result.id, result.cluster_uuid, result.seqno, result.from_lsn,
             result.to_lsn, result.lineage, result.parent))
        self.assertEqual('mariadb-backup 10.11.19', result.tool)
        self.assertEqual('10.11.19-MariaDB', result.server_version)
        self.assertEqual(self.swift.size(NAME), result.stored_bytes)
        self.assertEqual(len(self.stored()), result.data_bytes)
        self.assertEqual(f'{self.swift.url}/{NAME}', result.location)
        self.assertEqual('2026-11-30T22:00:00+00:00', result.started)

    def test_the_result_is_stored_with_it(self) -> None:
        result = self.made()
        self.assertEqual(result, layout.result_of(self.swift.headers[NAME]))

    def test_an_incremental_one_begins_at_its_parent(self) -> None:
        first = self.made()
        second = self.made(2, first.as_parent())
        self.assertEqual((100, 200, first.location),
                         (second.from_lsn, second.to_lsn, second.parent))
        self.assertIn('--incremental-lsn=100',
                      self.image_file('arguments').read_text())

    def test_an_encrypted_one_needs_the_key(self) -> None:
        key = secret.Secret('the key')
        self.assertTrue(self.made(key=key).encrypted)
        self.assertNotIn(b'row of a table', self.swift.content(NAME))
        self.assertIn(cases.ROWS, self.stored(key))

    def test_the_password_is_only_in_a_private_file(self) -> None:
        self.made()
        self.assertIn('Adm-1', self.image_file('login').read_text())
        self.assertNotIn('Adm-1', self.image_file('arguments').read_text())
        self.assertEqual([], list((self.root / 'run' / 'backup').iterdir()))

    def test_the_tool_only_reads_the_data(self) -> None:
        self.made()
        self.assertIn((self.where.data_dir, True), self.programs.mounts)

    def test_the_member_is_desynced_meanwhile(self) -> None:
        self.image_file('hang').touch()
        job = self.backup(self.order())
        job.start()
        self.until('the copy', lambda: job.data_bytes)
        self.assertEqual([True], [
            call.args[0] for call in self.admin.desync.call_args_list])
        self.assertTrue(self.desync.active)
        found = job.progress()
        self.assertEqual((backups.State.RUNNING, backups.Step.COPY, 400000),
                         (found.state, found.step, found.total_bytes))
        self.image_file('hang').unlink()
        job.wait(60)
        self.assertEqual([True, False], [
            call.args[0] for call in self.admin.desync.call_args_list])
        self.assertFalse(self.desync.active)

    def test_the_tool_fails(self) -> None:
        self.image_file('fail').touch()
        found = self.failed()
        self.assertIn('ended with 1', found.failed_because)
        self.assertIn('no *** space', found.failed_because)
        self.assertEqual(backups.Step.COPY, found.step)
        self.assertIn('make the backup again', found.next_action)

    def test_the_server_does_not_answer(self) -> None:
        self.source.server_version.side_effect = database.NobodyListens(
            'no server listens')
        self.admin.desync.side_effect = database.NobodyListens('none')
        found = self.failed()
        self.assertIn('no server listens', found.failed_because)
        self.assertIn('health', found.next_action)

    def test_it_cannot_be_desynced(self) -> None:
        self.admin.desync.side_effect = [
            database.Refused('the server refused (1): no'), None]
        found = self.failed()
        self.assertEqual(backups.Step.DESYNC, found.step)

    def test_the_store_refuses_it(self) -> None:
        job = self.backup(self.order())
        self.until('none', lambda: not job.data_bytes)
        self.swift.answers = [201] + [413] * 2
        self.swift.containers.add('backups')
        found = self.failed()
        self.assertIn('quota', found.failed_because)
        self.assertIn('quotas', found.next_action)

    def test_no_request_is_repeated_after_a_failure(self) -> None:
        """It would take the patience with the store."""
        self.large()
        self.segment_bytes = 15 << 20
        for name in ('hang', 'fail'):
            self.image_file(name).touch()
        self.swift.containers.add('backups')
        self.swift.answers = [201] + [503] * 99
        job = self.backup(self.order())
        job.start()
        self.addCleanup(job.cancel)
        self.until('trouble', lambda: job.progress().waits_for)
        self.image_file('hang').unlink()
        self.until('the end', job._over.is_set)
        self.swift.answers = []
        job.wait(15)
        self.assertIn('ended with 1', job.progress().failed_because)
        self.assertFalse(job.running)

    def test_it_is_cancelled(self) -> None:
        self.large()
        self.image_file('hang').touch()
        job = self.backup(self.order())
        job.start()
        self.until('segments', lambda: job.stored_bytes)
        job.cancel()
        job.wait(60)
        found = job.progress()
        self.assertEqual('the backup was cancelled', found.failed_because)
        self.assertEqual({}, self.swift.headers)
        self.assertFalse(self.desync.active)

    def test_one_without_progress_ends(self) -> None:
        self.image_file('hang').touch()
        job = self.backup(self.order())
        job.start()
        self.until('segments', lambda: job.data_bytes > len(cases.ROWS))
        self.until('silence', lambda: job.look_after(0.3) or not job.running)
        found = job.progress()
        self.assertIn('made no progress', found.failed_because)

    def test_while_it_locks_the_server_it_may_not_wait_long(self) -> None:
        for name in ('hang', 'locks'):
            self.image_file(name).touch()
        with mock.patch.object(making, '_LOCKED_SECONDS', 0.3):
            job = self.backup(self.order())
            job.start()
            self.until('the end', lambda: job.look_after(1800)
                       or not job.running)
        self.assertIn('made no progress for 0.3 s',
                      job.progress().failed_because)

    def test_while_it_locks_the_server_the_rate_is_not_limited(self) -> None:
        self.large()
        self.image_file('locks').touch()
        job = self.backup(self.order(rate_mb=1))
        job.start()
        job.wait(15)
        self.assertEqual(backups.State.COMPLETE, job.progress().state)

    def test_a_token_is_renewed_in_the_middle(self) -> None:
        self.large()
        self.image_file('hang').touch()
        job = self.backup(self.order())
        job.start()
        self.until('segments', lambda: job.stored_bytes)
        self.swift.tokens = {'token-2'}
        self.image_file('hang').unlink()
        self.until('a refusal', lambda: job.progress().token_refused)
        self.assertIn('token', job.progress().waits_for)
        job.renew(secret.Secret('token-2'))
        job.wait(60)
        self.assertEqual(backups.State.COMPLETE, job.progress().state)

    def test_a_store_that_fails_now_and_then(self) -> None:
        self.swift.answers = [503, 201, 500, 0, 503]
        self.swift.containers.add('backups')
        self.made()
        self.assertIn(cases.ROWS, self.stored())

    def test_no_token_is_logged(self) -> None:
        self.swift.answers = [201, 403]
        self.assertNotIn(swifts.TOKEN, str(self.failed()))

    def test_what_is_left_is_deleted_by_its_name(self) -> None:
        self.made()
        self.made(2)
        upload.discard(self.backup(self.order()).store, 'b-1')
        self.assertEqual({'b-2'}, {
            name.partition('/')[2].partition('.')[0]
            for name in self.swift.headers})


class ResyncTest(cases.BackupTestCase):

    def test_a_server_that_is_busy_is_asked_again(self) -> None:
        self.admin.desync.side_effect = [
            None, database.NoAnswerInTime('silence'), None]
        with self.quick():
            self.made()
        self.assertFalse(self.desync.active)

    def test_the_backup_is_complete_also_if_that_fails(self) -> None:
        self.admin.desync.side_effect = [
            None, *[database.NoAnswerInTime('silence')] * 99]
        with self.quick():
            self.made()
        self.assertTrue(self.desync.active)
        self.admin.desync.side_effect = None
        self.assertTrue(self.desync.end())
        self.assertFalse(self.desync.active)

    def quick(self) -> contextlib.AbstractContextManager[object]:
        return mock.patch.multiple(making, _RESYNC_SECONDS=0.2,
                                   _RESYNC_INTERVAL=0.01)
