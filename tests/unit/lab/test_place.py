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

"""Folders that a lab refuses, with a message of one line."""

import os
import pathlib
import types

import fixtures
import mock
import testtools

from lab import errors
from lab import home as lab_home
from lab import place


class PlaceTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path).resolve()

    def refusal(self, home: lab_home.Home) -> str:
        try:
            place.check(home)
        except errors.LabError as error:
            self.assertNotIn('\n', str(error))
            return str(error)
        return ''


class LabHomeTest(PlaceTest):

    def told(self, *names: str) -> str:
        return self.refusal(lab_home.Home(self.folder.joinpath(*names)))

    def test_a_folder_that_is_not_there(self) -> None:
        self.assertEqual('', self.told('a', 'b'))
        self.assertEqual([], list(self.folder.iterdir()))

    def test_an_empty_one(self) -> None:
        (self.folder / 'lost+found').mkdir()
        self.assertEqual('', self.told())

    def test_a_file(self) -> None:
        (self.folder / 'file').touch()
        self.assertIn(f'{self.folder}/file is not a folder', self.told('file'))
        self.assertIn(f'{self.folder}/file is not a folder',
                      self.told('file', 'below'))

    def test_a_name_that_mounts_cannot_have(self) -> None:
        for name in ('a b', 'a:b', 'a,b', 'ä', 'a\nb', 'x' * 60):
            self.assertIn('cannot be part of the names', self.told(name), name)

    def test_it_is_the_name_behind_a_link_that_counts(self) -> None:
        (self.folder / 'a b').mkdir()
        (self.folder / 'link').symlink_to('a b')
        self.assertIn('cannot be part of the names', self.told('link'))

    def test_what_belongs_to_others(self) -> None:
        for name in ('etc', 'run', 'bin', 'usr', 'zoo'):
            (self.folder / name).mkdir()
        self.assertIn('not empty (bin, usr, zoo)', self.told())

    def test_a_lab_keeps_its_place(self) -> None:
        home = lab_home.Home(self.folder)
        home.make()
        self.assertEqual('', self.refusal(home))
        home.set(api_port=8779)
        (self.folder / 'mine').touch()
        self.assertEqual('', self.refusal(home))

    def test_all_that_a_lab_makes_is_its_own(self) -> None:
        home = lab_home.Home(self.folder)
        home.set(plain=True)
        home.make()
        home.secret('one')
        self.assertEqual([], place.strangers(home))

    def test_purge_would_remove_the_checkout(self) -> None:
        for folder in (TOP, TOP.parent):
            home = lab_home.Home(folder)
            with mock.patch.object(lab_home.Home, 'exists', True):
                self.assertIn('"lab down --purge" removes',
                              self.refusal(home))
        self.assertEqual('', self.refusal(lab_home.Home(TOP / 'not-there')))


class MountsTest(PlaceTest):

    def told(self, root: str | os.PathLike[str]) -> list[str]:
        return list(place.of_mounts(lab_home.Home(root)))

    def test_a_place_that_can_be_written(self) -> None:
        self.assertEqual([], self.told(self.folder / 'x'))
        self.assertEqual([], list(self.folder.iterdir()))

    def test_one_that_cannot(self) -> None:
        self.assertIn('cannot be written', self.told('/proc/x')[0])

    def test_no_programs_or_devices(self) -> None:
        for flag in (os.ST_NOEXEC, os.ST_NODEV):
            flags = types.SimpleNamespace(f_flag=flag | os.ST_NOSUID)
            with mock.patch.object(os, 'statvfs', autospec=True,
                                   return_value=flags):
                self.assertIn('noexec, nodev', self.told(self.folder)[0])


class CheckoutTest(PlaceTest):

    def told(self, checkout: str) -> list[str]:
        home = lab_home.Home(self.folder)
        with mock.patch.object(lab_home.Home, 'checkout',
                               pathlib.Path(checkout)):
            return list(place.of_checkout(home))

    def test_any_folder_of_its_own(self) -> None:
        self.assertEqual([], self.told(str(TOP)))

    def test_a_folder_that_guests_have_themselves(self) -> None:
        found = self.told('/opt')
        self.assertEqual(1, len(found), found)
        self.assertIn('/opt is mounted in guests', found[0])

    def test_one_that_cannot_be_written(self) -> None:
        found = self.told(str(self.folder / 'gone'))
        self.assertEqual(1, len(found), found)
        self.assertIn('cannot be written', found[0])


TOP = lab_home.Home('/').checkout
