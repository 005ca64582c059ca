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

"""The start program after state transfers that were interrupted."""

import os
import pathlib

from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import NIL
from tests.unit.guestagent.starting import UUID


class TransferTest(starting.StartTestCase):

    def test_a_bootstrap_over_spoiled_data_is_refused(self) -> None:
        self.database()
        (self.data / 'sst_in_progress').touch()
        self.order('bootstrap')
        self.assertIn('incomplete', self.refused())

    def test_after_an_interrupted_transfer_a_whole_one_is_asked(self) -> None:
        self.database()
        for name in ('sst_in_progress', 'gvwstate.dat', 'grastate.dat'):
            (self.data / name).write_text(name)
        self.assertEqual([], self.started())
        self.assertEqual(
            ['grastate.dat.spoiled', 'mysql', 'sst_in_progress'],
            sorted(os.listdir(self.data)))

    def evicted(self, room_kib: int) -> None:
        self.database()
        self.grastate(uuid=NIL)
        (self.data / 'gvwstate.dat').touch()
        (self.transfer / 'cast-out').touch()
        self.command('#!/bin/sh\necho "Filesystem 1024-blocks Used Available '
                     'Capacity Mounted on"\n'
                     f'echo "/dev/vdb 999999 1 {room_kib} 1% /data"\n', 'df')

    def test_what_was_evicted_asks_for_a_whole_copy(self) -> None:
        self.evicted(65536)
        self.assertEqual([], self.started())
        self.assertEqual(['grastate.dat.spoiled', 'mysql'],
                         sorted(os.listdir(self.data)))
        self.assertTrue(self.is_evicted())

    def test_until_it_has_come(self) -> None:
        self.evicted(65536)
        self.transfers('touch $arriving\nwait_for "[ -e $since_boot ]"\n'
                       'rm $arriving\nwait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertFalse(self.is_evicted())

    def test_without_room_it_waits_for_some(self) -> None:
        self.evicted(65535)
        words = self.refused()
        self.assertIn('has only 65535 KiB of free space', words)
        self.assertTrue((self.data / 'grastate.dat').exists())

    def test_what_was_evicted_does_not_continue(self) -> None:
        self.evicted(65536)
        self.order(f'continue {UUID}:7')
        self.assertIn('continue refused: this member was evicted',
                      self.refused())

    def test_spoiled_data_does_not_continue(self) -> None:
        self.crashed_at(7)
        (self.data / 'sst_in_progress').touch()
        self.assert_not_continued('a state transfer was interrupted')


class UntouchedTest(starting.StartTestCase):
    """The file sst_in_progress, with data that no transfer has changed."""

    def setUp(self) -> None:
        super().setUp()
        self.install('pxc', '8.4')

    def failed_transfer(self, uuid: str = UUID, seqno: int = 7,
                        folder: str = '') -> None:
        """Create what the joiner's script leaves if an IST did not begin."""
        self.database()
        (self.data / 'ibdata1').touch()
        self.grastate(uuid=uuid, seqno=seqno)
        for name in ('sst_in_progress', 'gvwstate.dat'):
            (self.data / name).touch()
        if folder:
            (self.data / folder).mkdir()

    def left(self) -> list[str]:
        return sorted(os.listdir(self.data))

    def test_it_is_used(self) -> None:
        for version in ('5.7', '8.0', '8.4'):
            for seqno in (7, -1):
                self.install('pxc', version)
                self.failed_transfer(seqno=seqno)
                self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                                 self.started())
                self.assertEqual(['grastate.dat', 'gvwstate.dat', 'ibdata1',
                                  'mysql'], self.left())
                (self.data / 'mysql').rmdir()

    def test_the_cluster_can_be_continued_from_it(self) -> None:
        self.failed_transfer()
        self.order(f'continue {UUID}:7')
        self.assertEqual([f'--wsrep_start_position={UUID}:7',
                          '--wsrep-new-cluster'], self.started())
        self.assertNotIn('sst_in_progress', self.left())

    def test_what_it_left_is_not_watched_as_a_transfer(self) -> None:
        """Otherwise the member would be marked as unsynced forever."""
        self.failed_transfer()
        for folder in (self.transfer, self.pending):
            (folder / 'unsynced').touch()
        self.transfers('wait_for "[ ! -e $since_boot ]"')
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())
        self.assertFalse((self.transfer / 'unsynced').exists())

    def assert_spoiled(self) -> None:
        self.assertEqual([], self.started())
        self.assertEqual(
            ['grastate.dat.spoiled', 'sst_in_progress'],
            [name for name in self.left() if name not in (
                'ibdata1', 'mysql')])
        (self.data / 'grastate.dat.spoiled').unlink()
        for name in ('mysql', 'lost'):
            if (self.data / name).exists():
                (self.data / name).rmdir()

    def test_after_a_nil_grastate_it_is_not(self) -> None:
        """The request was sent; before PXC-4631 there is no other sign."""
        for uuid in (NIL, '', 'f00d1b77'):
            self.failed_transfer(uuid=uuid, seqno=-1)
            self.assert_spoiled()

    def test_beside_the_folder_for_new_data_it_is_not(self) -> None:
        """The folder is removed: PXC 8 refuses an SST while it exists."""
        for folder in ('.sst', 'sst-xb-tmpdir'):
            self.failed_transfer(folder=folder)
            self.assert_spoiled()

    def test_without_all_of_it_it_is_not(self) -> None:
        self.failed_transfer()
        (self.data / 'ibdata1').unlink()
        self.assert_spoiled()
        self.failed_transfer()
        (self.data / 'grastate.dat').unlink()
        self.assertEqual([], self.started())
        self.assertNotIn('gvwstate.dat', self.left())

    def test_after_a_loss_of_power_it_is_not(self) -> None:
        self.failed_transfer()
        (self.transfer / 'unsynced').touch()
        self.assert_spoiled()

    def test_with_other_scripts_it_is_not(self) -> None:
        for manager, version in (('mariadb', '10.11'), ('pxc', '5.6')):
            self.install(manager, version)
            self.failed_transfer()
            self.assert_spoiled()


class UnsyncedTest(starting.StartTestCase):

    def notes(self) -> tuple[bool, bool]:
        return ((self.transfer / 'unsynced').exists(),
                (self.pending / 'unsynced').exists())

    def test_a_transfer_is_marked_before_its_data_is_on_the_disk(self) -> None:
        self.transfers('touch $arriving\nwait_for "[ -e $since_boot ]"\n'
                       '[ -e $mark ] && touch $FAKE/was-marked')
        self.started()
        self.assertTrue((self.fake / 'was-marked').exists())
        self.assertEqual((True, True), self.notes())

    def test_the_mark_goes_when_the_data_is_on_the_disk(self) -> None:
        self.command('#!/bin/sh\necho "$@" >> "$FAKE/synced"\n', 'sync')
        self.transfers('touch $arriving\nwait_for "[ -e $since_boot ]"\n'
                       'rm $arriving\nwait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertEqual((False, False), self.notes())
        self.assertEqual(
            [f'{self.transfer}/unsynced {self.transfer}', f'-f {self.data}',
             str(self.transfer)],
            (self.fake / 'synced').read_text().splitlines())

    def test_the_data_is_not_that_of_earlier_backups_any_more(self) -> None:
        lineage = self.data / '.trove-pxc-lineage'
        self.database()
        lineage.touch()
        self.transfers('touch $arriving\nwait_for "[ -e $since_boot ]"\n'
                       'rm $arriving\nwait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertFalse(lineage.exists())

    def test_a_folder_of_orders_that_comes_late(self) -> None:
        self.transfers('mv $ORDERS $ORDERS.away\ntouch $arriving\n'
                       'wait_for "[ -e $mark ]"\nmv $ORDERS.away $ORDERS\n'
                       'rm $arriving\nwait_for "[ ! -e $mark ]"\n'
                       'wait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertEqual((False, False), self.notes())

    def lose(self, *notes: pathlib.Path) -> None:
        """Create a database whose last transfer may not be on the disk."""
        self.database()
        self.grastate()
        (self.data / 'gvwstate.dat').touch()
        for folder in notes:
            (folder / 'unsynced').touch()

    def test_what_a_loss_of_power_took_is_asked_for_anew(self) -> None:
        self.lose(self.transfer)
        self.assertEqual([], self.started())
        self.assertEqual(['grastate.dat.spoiled', 'mysql'],
                         sorted(os.listdir(self.data)))
        self.assertEqual((True, False), self.notes())

    def test_a_crash_takes_nothing(self) -> None:
        self.lose(self.transfer, self.pending)
        self.transfers('wait_for "[ ! -e $since_boot ]"')
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())
        self.assertEqual((False, False), self.notes())

    def test_the_mark_is_not_set_where_the_fault_is_not(self) -> None:
        """Today it is enabled for all servers."""
        self.set('WORKAROUNDS', '')
        self.command('#!/bin/sh\necho "$@" >> "$FAKE/synced"\n', 'sync')
        self.transfers('touch $arriving\n/bin/sleep 0.2\nrm $arriving\n'
                       'wait_for "[ -e $FAKE/synced ]"')
        self.started()
        self.assertEqual((False, False), self.notes())
        self.assertIn(f'-f {self.data}',
                      (self.fake / 'synced').read_text().splitlines()[0])
