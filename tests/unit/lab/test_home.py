# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The folder of a lab, with relative names and links."""

import os
import pathlib

import fixtures
import testtools

from lab import errors
from lab import home as lab_home


class RootTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path).resolve()
        self.addCleanup(os.chdir, os.getcwd())

    def home(self, root: str) -> lab_home.Home:
        return lab_home.Home.from_environment({'LAB_HOME': root})

    def test_relative_to_where_the_command_is_typed(self) -> None:
        os.chdir(self.folder)
        self.assertEqual(self.folder / 'x', self.home('x').root)

    def test_a_link_is_the_same_lab(self) -> None:
        (self.folder / 'link').symlink_to(self.folder / 'real')
        by_link = self.home(f'{self.folder}/link')
        self.assertEqual(self.folder / 'real', by_link.root)
        self.assertEqual(self.home(f'{self.folder}/real').lab_id,
                         by_link.lab_id)

    def test_relative_to_nothing(self) -> None:
        gone = self.folder / 'gone'
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        error = self.assertRaises(errors.LabError, self.home, 'x')
        self.assertIn('a folder that does not', str(error))
        self.assertEqual('/x', str(self.home('/x').root))

    def test_the_default(self) -> None:
        self.assertEqual(
            os.path.realpath(lab_home.DEFAULT_ROOT),
            str(lab_home.Home.from_environment({'LAB_HOME': ''}).root))
