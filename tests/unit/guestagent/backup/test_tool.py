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

"""The tool gets its login, and only the folders that it needs."""

import os
import pathlib

from trove_pxc import exceptions
from trove_pxc.galera import secret

from tests.unit.guestagent.backup import cases


class ToolTest(cases.BackupTestCase):

    def test_the_login_is_private_and_removed_at_the_end(self) -> None:
        login = pathlib.Path(self.where.backup_dir) / 'login.cnf'
        with self.tool.backup('os_admin', secret.Secret('Adm-1')) as running:
            self.assertEqual(0o600, self.mode(str(login)))
            self.assertEqual(0o700, self.mode(self.where.backup_dir))
            text = login.read_text()
            self.assertTrue(list(running.output()))
        self.assertIn('user="os_admin"\npassword="Adm-1"\n', text)
        self.assertTrue(text.startswith('!include /etc/mysql/my.cnf\n'))
        self.assertFalse(login.exists())

    def test_it_is_removed_after_a_failure(self) -> None:
        def fail() -> None:
            with self.tool.backup('os_admin', secret.Secret('Adm-1')):
                raise exceptions.BackupCancelled('no')

        self.assertRaises(exceptions.BackupCancelled, fail)
        self.assertEqual([], os.listdir(self.where.backup_dir))

    def test_a_password_that_cannot_be_written_is_not_told(self) -> None:
        def fail() -> None:
            with self.tool.backup('os_admin', secret.Secret('a"b')):
                self.fail('it runs')

        self.assertNotIn('a"b', str(self.assertRaises(ValueError, fail)))

    def test_files_are_extracted_and_prepared(self) -> None:
        target = pathlib.Path(self.where.data_dir)
        with self.tool.backup('u', secret.Secret('p')) as running:
            data = b''.join(running.output())
        with self.tool.extract(self.where.data_dir) as running:
            running.write(data)
            running.end_input()
            running.check()
        self.assertEqual([(self.where.data_dir, False)],
                         self.programs.mounts)
        self.assertEqual(cases.ROWS, (target / 'ibdata1').read_bytes())
        self.tool.prepare(self.where.data_dir)
        self.assertIn('--prepare', (target / 'prepared').read_text())

    def test_it_renames_between_folders_of_one_mount(self) -> None:
        pathlib.Path(self.where.increment_dir).mkdir()
        self.tool.prepare(self.where.data_dir, self.where.increment_dir)
        self.assertEqual([(self.where.mount_point, False)],
                         self.programs.mounts)
