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

"""The page of versions agrees with the catalogue."""

import subprocess
import sys

import testtools

from tests.unit.tools import loading

versions = loading.tool('versions')
PAGE = (loading.TOP / versions.PAGE).read_text()


class PageTest(testtools.TestCase):

    def test_the_page_is_not_stale(self):
        self.assertEqual(versions.rendered(PAGE), PAGE,
                         'run tools/versions')

    def test_a_stale_page_is_found(self):
        stale = PAGE.replace('xtrabackup-v2, rsync', 'rsync', 1)
        self.assertNotEqual(PAGE, stale)
        self.assertEqual(PAGE, versions.rendered(stale))

    def test_a_page_without_the_place_of_a_table(self):
        for mark in ('.. begin SST methods', '.. end what was tried'):
            error = self.assertRaises(
                ValueError, versions.rendered, PAGE.replace(mark, ''))
            self.assertIn(mark.split(' ', 2)[2], str(error))

    def test_as_a_program(self):
        done = subprocess.run(
            [sys.executable, str(loading.TOP / 'tools' / 'versions'),
             '--check'], capture_output=True, text=True)
        self.assertEqual((0, 'versions: up to date\n'),
                         (done.returncode, done.stdout))


class TextTest(testtools.TestCase):

    def test_every_series_is_in_every_table(self):
        for table in versions.TABLES.values():
            for dialect in versions.catalogue.DIALECTS:
                self.assertIn(versions.name(dialect), table())

    def test_a_server_without_galera_is_no_cluster(self):
        row = next(line for line in versions.overview().splitlines()
                   if line.startswith('PXC 8.4'))
        self.assertRegex(row, r'^PXC 8\.4 +none +MySQL ')

    def test_a_long_text_is_wrapped_and_a_url_is_not(self):
        url = '<https://example.org/' + 'x' * versions.WIDTH + '>`__'
        lines = versions.wrapped(f'{"word " * 30}{url} (1.0)', '* ', '  ')
        self.assertIn(f'  {url}', lines)
        self.assertEqual('  (1.0)', lines[-1])
        for line in lines:
            self.assertTrue(len(line) <= versions.WIDTH or url in line)

    def test_a_list_of_nothing(self):
        self.assertEqual(
            ['Run with a real server: nothing.'],
            versions.bullets('Run with a real server', [], 'Nothing.'))
