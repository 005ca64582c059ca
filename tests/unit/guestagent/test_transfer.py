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

"""The marks of the last transfer, on the volume and in memory."""

import itertools
from typing import Any

import mock
import testtools

from trove_pxc.galera import view
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import transfer

from tests.unit.guestagent import fakes

WHERE = paths.Paths()
ARRIVING = WHERE.arriving_file
UNSYNCED = WHERE.unsynced_file
SINCE_BOOT = WHERE.unsynced_since_boot_file
EVICTED = WHERE.evicted_file
ALL = (ARRIVING, UNSYNCED, SINCE_BOOT, EVICTED)
DATABASE = tuple(f'{WHERE.data_dir}/{name}' for name in ('mysql', 'ibdata1'))
FOLDERS = ('.sst', 'sst-xb-tmpdir')
UUID = 'f00d1b77-e732-11f1-88aa-77cb7e14d66a'


def transfers(*there: str, uuid: str | None = UUID) -> transfer.Transfers:
    """A guest with these files, and a grastate.dat with this uuid."""
    host_files = mock.create_autospec(files.HostFiles, instance=True)
    host_files.present.side_effect = lambda *paths: frozenset(
        paths).intersection(there)
    host_files.read.side_effect = lambda path: (
        f'uuid: {uuid}\nseqno: -1\n'
        if uuid is not None and path == WHERE.grastate_file else None)
    return transfer.Transfers(host_files, WHERE)


def subsets() -> set[tuple[str, ...]]:
    return {there for number in range(len(ALL) + 1)
            for there in itertools.combinations(ALL, number)}


class TransfersTest(testtools.TestCase):

    def spoiled(self, *more: str, folders: tuple[str, ...] = FOLDERS,
                at_work: bool = False, uuid: str | None = UUID
                ) -> set[tuple[str, ...]]:
        """The marks with which the data is incomplete."""
        return {there for there in subsets()
                if transfers(*there, *more, uuid=uuid).last_was_interrupted(
                    folders, at_work)}

    def test_it_was_interrupted(self) -> None:
        """During the transfer, or by a reboot before all was on the disk."""
        expected = {there for there in subsets() if ARRIVING in there
                    or (UNSYNCED in there and SINCE_BOOT not in there)}
        for found in (
                self.spoiled(folders=()),
                self.spoiled(*DATABASE, folders=()),
                self.spoiled(*DATABASE, at_work=True),
                self.spoiled(*DATABASE[:1]),
                self.spoiled(*DATABASE[1:]),
                self.spoiled(*DATABASE, uuid=None),
                self.spoiled(*DATABASE, uuid=view.NIL_UUID),
                *(self.spoiled(*DATABASE, f'{WHERE.data_dir}/{folder}')
                  for folder in FOLDERS)):
            self.assertEqual(expected, found)

    def test_it_ended_before_it_changed_anything(self) -> None:
        """Then only a loss of power makes the data incomplete."""
        self.assertEqual(
            {there for there in subsets()
             if UNSYNCED in there and SINCE_BOOT not in there},
            self.spoiled(*DATABASE))

    def test_one_is_needed_by_who_was_evicted(self) -> None:
        self.assertTrue(transfers(EVICTED).one_is_needed())
        self.assertFalse(
            transfers(ARRIVING, UNSYNCED, SINCE_BOOT).one_is_needed())

    def test_it_is_unsynced_since_the_boot(self) -> None:
        self.assertTrue(transfers(SINCE_BOOT).last_is_unsynced())
        self.assertFalse(
            transfers(ARRIVING, UNSYNCED, EVICTED).last_is_unsynced())

    def test_only_a_start_makes_it_unsynced(self) -> None:
        found = transfers(SINCE_BOOT)
        present: Any = found._files.present
        self.assertTrue(found.last_is_unsynced())
        self.assertTrue(found.last_is_unsynced(same_server=True))
        present.side_effect = lambda *_: frozenset()
        self.assertFalse(found.last_is_unsynced(same_server=True))
        present.reset_mock()
        self.assertFalse(found.last_is_unsynced(same_server=True))
        present.assert_not_called()
        self.assertFalse(found.last_is_unsynced())
        present.assert_called_once_with(SINCE_BOOT)


class RealFilesTest(fakes.GuestTestCase):

    def test_the_marks_of_a_guest(self) -> None:
        (self.root / 'volume' / 'transfer').mkdir()
        found = transfer.Transfers(self.files, self.where)
        self.assertEqual((False, False, False), (
            found.last_was_interrupted((), False), found.one_is_needed(),
            found.last_is_unsynced()))
        for path in (self.where.unsynced_file, self.where.evicted_file):
            self.files.write(path, '', 0o600)
        self.assertEqual((True, True, False), (
            found.last_was_interrupted((), False), found.one_is_needed(),
            found.last_is_unsynced()))
