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
"""Each service has its own user of the database, and any trove_pxc."""

import configparser
import pathlib

import fixtures
import testtools

from tests.benchmarks.scaling import place


class ConfigureTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = self.useFixture(fixtures.TempDir()).path
        self.home = place.Home(folder)

    def configured(self, strategy: str = '') -> configparser.ConfigParser:
        place.configure(self.home, ['api', 'taskmanager-2'], strategy,
                        '[mariadb]\noperation_lease = 60\n')
        read = configparser.ConfigParser(interpolation=None)
        read.read_string((self.home.etc / 'trove.conf').read_text())
        return read

    def test_services_are_different_users(self) -> None:
        self.configured()
        for name, address in (('api', '127.0.0.10'),
                              ('taskmanager-2', '127.0.0.11')):
            text = (self.home.etc / f'{name}.conf').read_text()
            self.assertIn(f'host = {address}\n', text)
            self.assertIn(f'mysql+pymysql://{name}@localhost/trove?', text)

    def test_this_project_is_configured_unless_trove_is_compared(
            self) -> None:
        ours = self.configured()
        self.assertIn('trove_pxc', ours['mariadb']['api_strategy'])
        self.assertIn('trove_pxc', ours['DEFAULT']['taskmanager_manager'])
        theirs = self.configured(place.GALERA_COMMON)
        self.assertFalse(theirs.has_section('mariadb'))
        self.assertNotIn('taskmanager_manager', theirs['DEFAULT'])
        self.assertNotIn('trove_pxc', (
            self.home.etc / 'api-paste.ini').read_text())

    def test_own_options_are_in_a_file_of_their_own(self) -> None:
        self.configured()
        self.assertEqual('[mariadb]\noperation_lease = 60\n', (
            self.home.own_options / 'more.conf').read_text())

    def test_services_import_trove_pxc_of_the_checkout(self) -> None:
        other = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for checkout in (place.TOP, other):
            self.home.link(checkout)
        self.assertEqual(other / 'trove_pxc', (
            self.home.library / 'trove_pxc').readlink())
        self.assertEqual(place.TOP / 'tests', (
            self.home.library / 'tests').readlink())
