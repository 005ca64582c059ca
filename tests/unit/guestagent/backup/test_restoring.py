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

"""Backups are restored into an empty folder, and refused if damaged."""

import json
import pathlib

import mock

from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import restoring
from trove_pxc.guestagent import files

from tests.unit.guestagent.backup import cases

KEY = secret.Secret('the key')


class RestoringTest(cases.BackupTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.target = mock.create_autospec(restoring.Target, instance=True)
        self.target.owner = ''
        self.target.server_version.return_value = '10.11'
        self.target.mask.side_effect = lambda text: text
        self.target.volume_gb = 0
        self.data = pathlib.Path(self.where.data_dir)

    def restore(self, *links: backups.Result,
                key: secret.Secret | None = None) -> backups.Progress:
        job = restoring.RestoreJob(
            backups.Restoring('r-1', self.swift.place, tuple(
                link.location for link in links)),
            self.target, self.tool, self.files, self.where, key)
        job.start()
        job.wait(60)
        return job.progress()

    def complete(self, *links: backups.Result,
                 key: secret.Secret | None = None) -> None:
        found = self.restore(*links, key=key)
        self.assertEqual(backups.State.COMPLETE, found.state,
                         found.failed_because)
        self.assertEqual(links[-1], found.result)
        self.assertEqual(found.total_bytes, found.data_bytes)
        self.assertEqual(sum(link.stored_bytes for link in links),
                         found.stored_bytes)
        self.assertEqual(links[-1].id, json.loads(pathlib.Path(
            self.where.restored_data_file).read_text())['id'])
        self.assertFalse(pathlib.Path(
            self.where.restoring_data_file).exists())

    def failed(self, *links: backups.Result,
               key: secret.Secret | None = None) -> str:
        found = self.restore(*links, key=key)
        self.assertEqual(backups.State.FAILED, found.state)
        self.assertFalse(pathlib.Path(
            self.where.restored_data_file).exists())
        return found.failed_because

    def chain(self) -> list[backups.Result]:
        """A full backup, and two incremental ones with other rows."""
        links = [self.made()]
        for number in (2, 3):
            for file in self.image_file('data').iterdir():
                file.unlink()
            self.image_file(f'data/new{number}.ibd').write_bytes(
                b'%d' % number * 1000)
            links.append(self.made(number, links[-1].as_parent()))
        return links

    def test_a_full_backup(self) -> None:
        self.complete(self.made())
        self.assertEqual(cases.ROWS, (self.data / 'ibdata1').read_bytes())
        self.assertEqual(1, (self.data / 'prepared').read_text().count(
            '--prepare'))
        self.assertEqual([], list(self.data.glob('xtrabackup_*')))

    def test_an_encrypted_one(self) -> None:
        full = self.made(key=KEY)
        self.assertIn('backup_encryption_key', self.failed(full))
        self.assertIn('the key is not the one',
                      self.failed(full, key=secret.Secret('another')))
        self.complete(full, key=KEY)

    def test_incremental_ones_are_applied_in_their_order(self) -> None:
        self.complete(*self.chain())
        for name in ('ibdata1', 'new2.ibd', 'new3.ibd'):
            self.assertTrue((self.data / name).exists(), name)
        self.assertEqual(3, (self.data / 'prepared').read_text().count(
            '--prepare'))
        self.assertEqual([], list(pathlib.Path(
            self.where.increment_dir).iterdir()))

    def test_a_missing_link_is_found_before_anything_changes(self) -> None:
        full, _, last = self.chain()
        (self.data / 'present').touch()
        self.assertIn('a link of the chain is missing',
                      self.failed(full, last))
        self.assertTrue((self.data / 'present').exists())

    def test_another_series_of_the_server_is_refused(self) -> None:
        self.target.server_version.return_value = '11.4'
        self.assertIn('cluster of version 10.11', self.failed(self.made()))

    def test_a_volume_without_room_is_refused(self) -> None:
        full = self.made()
        with mock.patch.object(files, 'free_bytes', autospec=True,
                               return_value=1000):
            self.assertIn('larger volume', self.failed(full))

    def test_what_is_damaged_is_refused(self) -> None:
        full = self.made()
        self.swift.damage.add('backups/b-1.segments/00000002')
        self.assertIn('b-1.segments/00000002', self.failed(full))
        self.assertTrue(pathlib.Path(
            self.where.restoring_data_file).exists())

    def test_a_backup_that_is_gone_is_told(self) -> None:
        full = self.made()
        self.swift.headers.clear()
        self.assertIn('does not exist', self.failed(full))

    def test_a_full_volume_is_told(self) -> None:
        full = self.made()
        self.image_file('full').touch()
        self.assertIn('no space left', self.failed(full))

    def test_a_second_attempt_begins_again(self) -> None:
        full = self.made()
        self.image_file('full').touch()
        self.failed(full)
        self.image_file('full').unlink()
        (self.data / 'half').touch()
        self.complete(full)
        self.assertFalse((self.data / 'half').exists())
