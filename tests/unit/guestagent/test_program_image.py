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

"""What the start program finds in an image."""

from tests.unit.guestagent import starting


class ImageTest(starting.StartTestCase):

    def test_an_image_without_the_library_is_named(self) -> None:
        (self.fake / 'libgalera.so').unlink()
        self.assertIn("none of Galera's libraries /none", self.refused())

    def test_version_prints_the_version(self) -> None:
        self.assertIn('10.11.19', self.start('version').stdout)

    def lacking(self, *programs: str) -> str:
        """The output of the program for an image without these."""
        text = self.settings.read_text()
        for program_name in programs:
            absent = '|'.join(f'no-{one}' for one in program_name.split('|'))
            text = text.replace(program_name, absent)
        self.settings.write_text(text)
        return self.start('version').stdout

    def test_version_tells_what_a_transfer_lacks(self) -> None:
        said = self.lacking('lsof|ss', 'mariadb-backup|mariabackup')
        self.assertIn('SST method rsync: lacks no-lsof|no-ss\n', said)
        self.assertRegex(said, 'SST method mariabackup: lacks .*no-mariadb')

    def test_version_tells_that_a_transfer_lacks_nothing(self) -> None:
        self.assertIn('SST method rsync: lacks\n', self.lacking())

    def test_the_quick_transfer_is_asked_for_if_the_image_has_it(
            self) -> None:
        self.lacking('lsof|ss')
        self.order('form')
        self.assertEqual([], self.started())

    def test_the_quick_transfer_is_encrypted_where_members_are(self) -> None:
        folder = self.folder('tls')
        (folder / 'key.pem').touch()
        self.set('IDENTITY_DIR', str(folder))
        self.order('form')
        self.assertEqual([], self.started())
        self.command('#!/bin/sh\n', 'stunnel')
        self.order('form')
        self.assertEqual(['--wsrep_sst_method=rsync'], self.started())
        self.set('CAN_ENCRYPT', '')
        self.order('form')
        self.assertEqual([], self.started())

    def test_an_old_server_is_told_where_it_lies(self) -> None:
        self.set('NEEDS_BASEDIR', 'yes')
        self.start()
        self.assertIn(f'--basedir={self.root.resolve()}',
                      (self.fake / 'started').read_text().splitlines())
