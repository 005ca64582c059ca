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

"""The recovery of the position, and the bootstrap from it."""

from trove_pxc.galera import serverlog
from trove_pxc.guestagent import program

from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import HANGS
from tests.unit.guestagent.starting import NIL
from tests.unit.guestagent.starting import UUID


class RecoverTest(starting.StartTestCase):

    def test_data_without_a_history_gives_no_position(self) -> None:
        self.database(position=f'{NIL}:-1')
        self.assertEqual([], self.started())

    def test_without_a_recovered_position_nothing_starts(self) -> None:
        self.database()
        (self.fake / 'broken').touch()
        words = self.refused()
        self.assertIn('the position could not be recovered', words)
        self.assertIn('corrupt', words)

    def test_a_server_that_tells_no_position_is_not_started(self) -> None:
        self.database(position='')
        self.assertIn('did not print its position', self.refused())

    def test_recover_prints_the_position_and_starts_nothing(self) -> None:
        self.database()
        self.assertIn(f'Recovered position: {UUID}:7',
                      self.start('recover').stdout)
        self.assertFalse((self.fake / 'started').exists())

    def crashed(self, since_boot: bool) -> None:
        self.database()
        (self.data / 'gvwstate.dat').touch()
        if since_boot:
            (self.pending / 'last-order').touch()
        self.started()

    def test_after_a_crash_the_others_get_time_to_notice(self) -> None:
        self.crashed(since_boot=True)
        self.assertEqual('6\n', (self.fake / 'slept').read_text())

    def test_after_a_boot_they_had_it(self) -> None:
        self.crashed(since_boot=False)
        self.assertFalse((self.fake / 'slept').exists())

    def test_it_continues_from_the_position_that_was_decided(self) -> None:
        self.crashed_at(7)
        self.order(program.continuing(UUID.upper(), 7))
        self.assertEqual([f'--wsrep_start_position={UUID}:7',
                          '--wsrep-new-cluster'], self.started())
        self.assertEqual({'version': '2.1', 'uuid': UUID, 'seqno': '-1',
                          'safe_to_bootstrap': '1'}, self.saved())

    def restored(self) -> None:
        self.database()
        self.grastate(seqno=7)
        (self.transfer / 'restored').touch()
        self.order(program.RESTORED)

    def test_restored_data_begins_a_history_of_its_own(self) -> None:
        self.restored()
        for name in ('gvwstate.dat', 'galera.cache'):
            (self.data / name).touch()
        self.assertEqual(['--wsrep-new-cluster'], self.started())
        for name in ('grastate.dat', 'gvwstate.dat', 'galera.cache'):
            self.assertFalse((self.data / name).exists(), name)
        self.assertFalse((self.transfer / 'restored').exists())

    def test_it_is_begun_once(self) -> None:
        self.restored()
        self.started()
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())

    def test_data_without_the_mark_keeps_its_history(self) -> None:
        self.restored()
        (self.transfer / 'restored').unlink()
        self.assertIn('restored refused', self.refused())
        self.assertTrue((self.data / 'grastate.dat').exists())

    def test_half_a_backup_is_not_started(self) -> None:
        (self.transfer / 'restored').touch()
        self.order(program.RESTORED)
        self.assertIn('restored refused', self.refused())

    def test_a_cluster_is_continued_once(self) -> None:
        self.test_it_continues_from_the_position_that_was_decided()
        self.assertEqual('', (self.fake / 'orders-left').read_text())
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())

    def test_a_clean_stop_leaves_the_position_that_counts(self) -> None:
        """Galera also counts events that InnoDB does not record."""
        self.database(position=f'{UUID}:7')
        self.grastate(seqno=9)
        self.order(f'continue {UUID}:9')
        self.assertEqual([f'--wsrep_start_position={UUID}:9',
                          '--wsrep-new-cluster'], self.started())

    def test_a_failed_start_has_put_a_nil_history(self) -> None:
        self.database(position=f'{UUID}:7')
        self.grastate(uuid=NIL.partition(':')[0])
        self.order(f'continue {UUID}:7')
        self.assertIn('--wsrep-new-cluster', self.started())
        self.assertEqual(UUID, self.saved()['uuid'])

    def test_an_older_galera_states_nothing_of_safety(self) -> None:
        self.database()
        self.grastate(safe='')
        self.order(f'continue {UUID}:7')
        self.assertIn('--wsrep-new-cluster', self.started())
        self.assertEqual({'version': '2.1', 'uuid': UUID, 'seqno': '-1'},
                         self.saved())

    def test_elsewhere_it_does_not_continue(self) -> None:
        for seqno in (6, 8, 77):
            self.crashed_at(seqno)
            self.assert_not_continued(
                f'DATA is at {UUID}:{seqno}, but the decision was for '
                f'{UUID}:7')
            (self.data / 'mysql').rmdir()

    def test_a_clean_stop_elsewhere_does_not_continue(self) -> None:
        self.database(position=f'{UUID}:7')
        self.grastate(seqno=8)
        self.assert_not_continued(f'DATA is at {UUID}:8')

    def test_another_history_does_not_continue(self) -> None:
        other = UUID.replace('f00d', 'beef')
        self.database(position=f'{other}:7')
        self.grastate(uuid=other)
        self.assert_not_continued(f'DATA has the history {other}')

    def test_a_recovered_position_of_another_history(self) -> None:
        other = UUID.replace('f00d', 'beef')
        self.database(position=f'{other}:7')
        self.grastate()
        self.assert_not_continued(f'DATA is at {other}:7')

    def test_no_position_does_not_continue(self) -> None:
        self.database(position=f'{NIL}:-1')
        self.grastate()
        self.assert_not_continued('DATA is at no position')

    def test_without_grastate_it_does_not_continue(self) -> None:
        self.database()
        self.assert_not_continued('DATA has no grastate.dat')

    def test_an_empty_grastate_does_not_continue(self) -> None:
        self.database()
        (self.data / 'grastate.dat').touch()
        self.assert_not_continued('DATA has no grastate.dat')

    def test_an_empty_directory_does_not_continue(self) -> None:
        self.assert_not_continued('DATA contains no complete database')

    def test_half_an_order_to_continue_is_not_followed(self) -> None:
        self.crashed_at(7)
        self.order(f'continue {UUID}:')
        self.assertIn('the decision was for', self.refused())

    def test_a_seqno_that_is_behind_the_data_does_not_count(self) -> None:
        """Galera would use it, and apply later write sets again."""
        for order, words in (('', []), (program.continuing(UUID, 9),
                                        ['--wsrep-new-cluster'])):
            self.database(position=f'{UUID}:9')
            self.grastate(seqno=7)
            if order:
                self.order(order)
            self.assertEqual([f'--wsrep_start_position={UUID}:9', *words],
                             self.started())
            self.assertEqual((UUID, '-1'),
                             (self.saved()['uuid'], self.saved()['seqno']))
            (self.data / 'mysql').rmdir()

    def test_any_other_seqno_stays(self) -> None:
        other = UUID.replace('f00d', 'beef')
        for uuid, seqno, position in (
                (UUID, 9, f'{UUID}:9'), (UUID, 9, f'{UUID}:7'),
                (other, 7, f'{UUID}:9'), (UUID, 7, f'{NIL}:-1')):
            self.database(position=position)
            self.grastate(seqno=seqno, uuid=uuid)
            self.started()
            self.assertEqual((uuid, str(seqno)),
                             (self.saved()['uuid'], self.saved()['seqno']))
            (self.data / 'mysql').rmdir()

    # How a hanging program is detected is tested in
    # tests/unit/guestagent/test_program_progress.py.
    def test_a_recovery_that_hangs_is_killed_and_told(self) -> None:
        self.command(f'#!/bin/sh\necho "[Note] InnoDB: x" >&2\n{HANGS}',
                     'mariadbd')
        self.database()
        self.set('STALL_SECONDS', '20')
        for words in ((), ('recover',)):
            done = self.start(*words)
            self.assertEqual(1, done.returncode)
            self.assertRegex(
                serverlog.telling_line(done.stderr),
                'the recovery of the position made no progress for 20 s and '
                'was killed; check that the disk')
            self.assertFalse((self.fake / 'started').exists())
            self.assert_killed()
