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

"""Locks between commands of a lab."""

import pathlib

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab import lock


class LockTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def test_one_has_it_and_another_does_not(self) -> None:
        for path in (self.folder, self.folder / 'new'):
            with lock.alone(path) as first, lock.alone(path) as second:
                self.assertEqual((True, False), (first, second))
            with lock.alone(path) as later:
                self.assertTrue(later)

    def test_it_is_free_after_an_error(self) -> None:
        def fail() -> None:
            with lock.alone(self.folder):
                raise ValueError
        self.assertRaises(ValueError, fail)
        with lock.alone(self.folder) as mine:
            self.assertTrue(mine)

    def test_a_second_command_is_refused(self) -> None:
        home = lab_home.Home(self.folder / 'lab')
        with lock.held(home):
            error = self.assertRaises(
                errors.LabError, lock.held(home).__enter__)
        self.assertIn(f'is changing the lab in {home.root}', str(error))
        with lock.held(home):
            self.assertTrue(home.root.is_dir())
