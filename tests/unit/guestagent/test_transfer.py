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

"""What marks on the volume and in memory tell of the last transfer."""

import itertools

import mock
import testtools

from trove_pxc.guestagent import files
from trove_pxc.guestagent import places
from trove_pxc.guestagent import transfer

from tests.unit.guestagent import fakes

WHERE = places.Places()
ARRIVING = WHERE.arriving_file
UNSYNCED = WHERE.unsynced_file
SINCE_BOOT = WHERE.unsynced_since_boot_file
CAST_OUT = WHERE.cast_out_file
ALL = (ARRIVING, UNSYNCED, SINCE_BOOT, CAST_OUT)


def transfers(*there: str) -> transfer.Transfers:
    """A guest in which these files are."""
    host_files = mock.create_autospec(files.HostFiles, instance=True)
    host_files.present.side_effect = lambda *paths: frozenset(
        paths).intersection(there)
    return transfer.Transfers(host_files, WHERE)


class TransfersTest(testtools.TestCase):

    def test_it_was_interrupted(self) -> None:
        """While it arrived; or by a reboot before all was on the disk."""
        spoiled = {there for number in range(len(ALL) + 1)
                   for there in itertools.combinations(ALL, number)
                   if transfers(*there).last_was_interrupted()}
        self.assertEqual(
            {there for there in itertools.chain.from_iterable(
                itertools.combinations(ALL, number)
                for number in range(len(ALL) + 1))
             if ARRIVING in there
             or (UNSYNCED in there and SINCE_BOOT not in there)}, spoiled)

    def test_one_is_needed_by_who_was_cast_out(self) -> None:
        self.assertTrue(transfers(CAST_OUT).one_is_needed())
        self.assertFalse(
            transfers(ARRIVING, UNSYNCED, SINCE_BOOT).one_is_needed())

    def test_it_is_unsynced_since_the_boot(self) -> None:
        self.assertTrue(transfers(SINCE_BOOT).last_is_unsynced())
        self.assertFalse(
            transfers(ARRIVING, UNSYNCED, CAST_OUT).last_is_unsynced())


class RealFilesTest(fakes.GuestTestCase):

    def test_the_marks_of_a_guest(self) -> None:
        (self.root / 'volume' / 'transfer').mkdir()
        found = transfer.Transfers(self.files, self.where)
        self.assertEqual((False, False, False), (
            found.last_was_interrupted(), found.one_is_needed(),
            found.last_is_unsynced()))
        for path in (self.where.unsynced_file, self.where.cast_out_file):
            self.files.write(path, '', 0o600)
        self.assertEqual((True, True, False), (
            found.last_was_interrupted(), found.one_is_needed(),
            found.last_is_unsynced()))
