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

"""The start program, run by sh with servers that only note what they got."""

import os
import pathlib
import subprocess

from trove_pxc.galera import serverlog
from trove_pxc.guestagent import program

from tests.unit.guestagent import fakes
from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import UUID

NIL = '00000000-0000-0000-0000-000000000000'

VOTES = (
    '2026-11-28 16:50:14 6 [ERROR] WSREP: Inconsistency detected: '
    f'Inconsistent by consensus on {UUID}:5350',
    '2026-11-28T16:50:14.0 6 [ERROR] [MY-000000] [Galera] Vote 0 (success) '
    f'on {UUID}:7 is inconsistent with group. Leaving cluster.')
LEFT = '2026-11-28 16:50:14 6 [Note] WSREP: view((empty))'
COMPONENT = ('2026-11-28 17:22:40 0 [Note] WSREP: New COMPONENT: primary = '
             'yes, bootstrap = no, my_idx = 0, memb_num = 2')
SILENT = ('2026-11-28 17:22:40 0 [Note] WSREP: Temporary failure in sending '
          'state UUID, will try again in next primary component')
SHUT_DOWN = '2014-11-05 21:18:23 9 [Note] mysqld: Shutdown complete'
FORGED = ('2026-11-28 16:50:14 9 [Warning] Access denied for user '
          '"[ERROR] WSREP: Inconsistency detected: me"@"10.0.0.9"')
# Until it is killed; and long enough to see that it is not.
FOR_EVER = 'wait_for "[ ! -e $FAKE ]"'
A_MOMENT = '/bin/sleep 0.3'


class StartTest(starting.StartTestCase):

    def test_bootstrap_initialises_an_empty_directory(self) -> None:
        self.order('bootstrap')
        self.assertEqual(['--wsrep-new-cluster'], self.started())
        self.assertEqual('CREATE USER u;\n',
                         (self.fake / 'accounts').read_text())

    def test_no_order_and_no_password_is_left_for_the_server(self) -> None:
        self.order('bootstrap')
        self.started()
        self.assertEqual('', (self.fake / 'orders-left').read_text())

    def test_the_second_start_does_not_bootstrap(self) -> None:
        self.order('bootstrap')
        self.started()
        (self.fake / 'position').write_text(f'{UUID}:3')
        self.assertEqual([f'--wsrep_start_position={UUID}:3'],
                         self.started())

    def test_a_bootstrap_with_data_goes_on_from_its_position(self) -> None:
        self.database()
        self.order('bootstrap')
        self.assertEqual([f'--wsrep_start_position={UUID}:7',
                          '--wsrep-new-cluster'], self.started())
        self.assertFalse((self.fake / 'accounts').exists())

    def test_a_bootstrap_over_a_foreign_history_is_refused(self) -> None:
        (self.data / 'grastate.dat').write_text(f'uuid: {UUID}\n')
        self.order('bootstrap')
        self.assertIn('bootstrap refused', self.refused())
        self.assertTrue((self.data / 'grastate.dat').exists())

    def test_a_bootstrap_over_spoiled_data_is_refused(self) -> None:
        self.database()
        (self.data / 'sst_in_progress').touch()
        self.order('bootstrap')
        self.assertIn('spoiled', self.refused())

    def test_a_bootstrap_without_accounts_is_refused(self) -> None:
        self.order('bootstrap')
        (self.orders / 'initialise.sql').unlink()
        self.assertIn('was cut short before', self.refused())

    def test_a_failed_initialisation_tells_no_password(self) -> None:
        (self.fake / 'broken').touch()
        self.order('bootstrap')
        words = self.refused()
        self.assertIn('could not be initialised', words)
        self.assertNotIn('secret-1', words)
        self.assertFalse((self.orders / 'initialise.sql').exists())

    def test_after_a_failed_initialisation_nothing_joins(self) -> None:
        self.test_a_failed_initialisation_tells_no_password()
        (self.fake / 'broken').unlink()
        self.assertIn('nothing was started', self.refused())

    def test_the_first_reason_is_the_one_that_is_told(self) -> None:
        """Docker starts it again and again, and each start ends at once."""
        (self.fake / 'broken').touch()
        self.order('bootstrap')
        for words in (self.refused(), self.refused(), self.refused()):
            self.assertIn('ERROR: 1064', serverlog.telling_line(words))
            self.assertNotIn('secret-1', words)

    def test_the_end_of_one_that_ended_well_is_no_reason(self) -> None:
        """The power went before it was noted that the database is whole."""
        (self.data / '.galera-initialising').touch()
        (self.orders / 'initialise.log').write_text(
            '2024-09-02T08:34:57.764809Z 0 [System] [MY-015018] [Server] '
            'MySQL Server Initialization - end.\n')
        words = self.refused()
        self.assertIn('MySQL Server Initialization - end', words)
        self.assertIn('could not be initialised, nothing was started',
                      serverlog.telling_line(words))

    def test_an_unfinished_initialisation_is_done_anew(self) -> None:
        (self.data / 'mysql').mkdir()
        (self.data / 'ibdata1').write_text('half')
        (self.data / '.galera-initialising').touch()
        self.order('bootstrap')
        self.assertEqual(['--wsrep-new-cluster'], self.started())
        self.assertEqual(['mysql'], os.listdir(self.data))

    def test_a_joiner_is_not_initialised(self) -> None:
        self.assertEqual([], self.started())
        self.assertEqual([], os.listdir(self.data))

    def test_a_forming_joiner_asks_for_the_quick_transfer(self) -> None:
        self.order('form')
        self.assertEqual(['--wsrep_sst_method=rsync'], self.started())
        self.assertEqual([], self.started())

    def test_the_quick_transfer_is_encrypted_where_members_are(self) -> None:
        folder = self.folder('tls')
        (folder / 'key.pem').touch()
        settings = pathlib.Path(self.script).with_suffix('.conf')
        settings.write_text(
            f'{settings.read_text()}IDENTITY_DIR={folder}\n')
        self.order('form')
        self.assertEqual([], self.started())
        self.command('#!/bin/sh\n', 'stunnel')
        self.order('form')
        self.assertEqual(['--wsrep_sst_method=rsync'], self.started())
        settings.write_text(f'{settings.read_text()}CAN_ENCRYPT=\n')
        self.order('form')
        self.assertEqual([], self.started())

    def test_a_forming_joiner_with_data_is_an_ordinary_one(self) -> None:
        self.database()
        self.order('form')
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())

    def crashed(self, since_boot: bool) -> None:
        self.database()
        (self.data / 'gvwstate.dat').touch()
        if since_boot:
            (self.orders / 'last-order').touch()
        self.started()

    def test_after_a_crash_the_others_get_time_to_notice(self) -> None:
        self.crashed(since_boot=True)
        self.assertEqual('6\n', (self.fake / 'slept').read_text())

    def test_after_a_boot_they_had_it(self) -> None:
        self.crashed(since_boot=False)
        self.assertFalse((self.fake / 'slept').exists())

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
        self.assertIn('did not tell its position', self.refused())

    def test_after_an_interrupted_transfer_a_whole_one_is_asked(self) -> None:
        self.database()
        for name in ('sst_in_progress', 'gvwstate.dat', 'grastate.dat'):
            (self.data / name).write_text(name)
        self.assertEqual([], self.started())
        self.assertEqual(
            ['grastate.dat.spoiled', 'mysql', 'sst_in_progress'],
            sorted(os.listdir(self.data)))

    def transfers(self, script: str) -> None:
        """What the server does before it ends."""
        (self.fake / 'transfer').write_text(
            f'arriving={self.data}/sst_in_progress\n'
            f'mark={self.transfer}/unsynced\n'
            f'since_boot={self.orders}/unsynced\n'
            f'wait_for() {{ while ! eval "$1"; do /bin/sleep 0.02; done; }}\n'
            f'{script}\n')

    def notes(self) -> tuple[bool, bool]:
        return ((self.transfer / 'unsynced').exists(),
                (self.orders / 'unsynced').exists())

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

    def test_a_folder_of_orders_that_comes_late(self) -> None:
        self.transfers('mv $ORDERS $ORDERS.away\ntouch $arriving\n'
                       'wait_for "[ -e $mark ]"\nmv $ORDERS.away $ORDERS\n'
                       'rm $arriving\nwait_for "[ ! -e $mark ]"\n'
                       'wait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertEqual((False, False), self.notes())

    def lose(self, *notes: pathlib.Path) -> None:
        """A database whose last transfer may not be on the disk."""
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
        self.lose(self.transfer, self.orders)
        self.transfers('wait_for "[ ! -e $since_boot ]"')
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())
        self.assertEqual((False, False), self.notes())

    def logs(self, *lines: str, then: str) -> None:
        """The server logs this, and goes on with that."""
        told = '\n'.join(f"echo '{line}' >&2" for line in lines)
        self.transfers(f'{told}\n{then}')

    def votes_out(self, *lines: str, uuid: str = NIL,
                  then: str = FOR_EVER) -> None:
        """A Synced server that logs this, and then confirms to clients."""
        self.database()
        self.grastate(uuid=uuid)
        self.logs(*lines, then=f'{then}\ntouch $FAKE/told-clients')

    def is_cast_out(self) -> bool:
        return (self.transfer / 'cast-out').exists()

    def tells_clients(self) -> bool:
        return (self.fake / 'told-clients').exists()

    def test_what_is_voted_out_is_killed_before_it_tells_clients(self) -> None:
        for vote in VOTES:
            self.votes_out(vote, 'still here', LEFT)
            done = self.start()
            self.assertEqual(137, done.returncode)
            self.assertFalse(self.tells_clients())
            self.assertTrue(self.is_cast_out())
            self.assertIn(f'\n{vote}\nstill here\n', done.stderr)
            self.assertIn(LEFT, done.stderr)    # about the shell's "Killed"
            self.assertIn('[ERROR] this member was cast out', done.stderr)
            (self.transfer / 'cast-out').unlink()
            (self.data / 'mysql').rmdir()

    def test_what_is_voted_out_may_remove_its_state(self) -> None:
        """As PXC 8.4.11 does if repl.force_sst_after_inconsistency is on."""
        self.votes_out(VOTES[1], LEFT)
        (self.data / 'grastate.dat').unlink()
        self.assertEqual(137, self.start().returncode)
        self.assertTrue(self.is_cast_out())

    def test_what_leaves_in_order_is_not(self) -> None:
        for lines in ((LEFT,), (VOTES[0],), (FORGED, LEFT)):
            self.votes_out(*lines, then=A_MOMENT)
            self.assertEqual(0, self.start().returncode)
            self.assertTrue(self.tells_clients())
            (self.fake / 'told-clients').unlink()
            (self.data / 'mysql').rmdir()

    def test_words_alone_cast_nobody_out(self) -> None:
        self.votes_out(VOTES[0], LEFT, uuid=UUID)
        self.assertEqual(137, self.start().returncode)
        self.assertFalse(self.is_cast_out())

    def test_a_component_that_nobody_begins_is_ended(self) -> None:
        self.logs(COMPONENT, SILENT, then=FOR_EVER)
        self.assertEqual(137, self.start().returncode)
        self.assertFalse(self.is_cast_out())

    def test_a_server_that_hangs_after_its_shutdown_is_ended(self) -> None:
        self.logs('2014-11-05 21:18:22 9 [ERROR] unknown variable x=1',
                  '2014-11-05 21:18:22 9 [ERROR] Aborting',
                  SHUT_DOWN, then=FOR_EVER)
        done = self.start()
        self.assertEqual(137, done.returncode)
        self.assertIn('did not end though it has shut down', done.stderr)
        self.assertIn('unknown variable', serverlog.telling_line(done.stderr))

    def test_a_server_that_ends_after_its_shutdown_is_let(self) -> None:
        self.command('#!/bin/sh\n[ "$1" = 10 ] && exec /bin/sleep 2\n'
                     'exec /bin/sleep 0.05\n', 'sleep')
        self.logs(SHUT_DOWN, then=A_MOMENT)
        done = self.start()
        self.assertEqual(0, done.returncode)
        self.assertNotIn('[ERROR]', done.stderr)

    def test_a_component_that_follows_begins_anew(self) -> None:
        """The time for it ends when all that was logged has been read."""
        self.command('#!/bin/sh\n[ "$1" = 0.5 ] || while ! grep -q LAST '
                     '"$FAKE/stderr"; do /bin/sleep 0.02; done\n'
                     'exec /bin/sleep 0.05\n', 'sleep')
        self.logs(COMPONENT, SILENT, COMPONENT, 'LAST', then=A_MOMENT)
        self.assertEqual(0, self.start().returncode)

    def cast_out(self, room_kib: int) -> None:
        self.database()
        self.grastate(uuid=NIL)
        (self.data / 'gvwstate.dat').touch()
        (self.transfer / 'cast-out').touch()
        self.command('#!/bin/sh\necho "Filesystem 1024-blocks Used Available '
                     'Capacity Mounted on"\n'
                     f'echo "/dev/vdb 999999 1 {room_kib} 1% /data"\n', 'df')

    def test_what_was_cast_out_asks_for_a_whole_copy(self) -> None:
        self.cast_out(65536)
        self.assertEqual([], self.started())
        self.assertEqual(['grastate.dat.spoiled', 'mysql'],
                         sorted(os.listdir(self.data)))
        self.assertTrue(self.is_cast_out())

    def test_until_it_has_come(self) -> None:
        self.cast_out(65536)
        self.transfers('touch $arriving\nwait_for "[ -e $since_boot ]"\n'
                       'rm $arriving\nwait_for "[ ! -e $since_boot ]"')
        self.started()
        self.assertFalse(self.is_cast_out())

    def test_without_room_it_waits_for_some(self) -> None:
        self.cast_out(65535)
        words = self.refused()
        self.assertIn('has only 65535 KiB of room', words)
        self.assertTrue((self.data / 'grastate.dat').exists())

    def test_what_was_cast_out_does_not_continue(self) -> None:
        self.cast_out(65536)
        self.order(f'continue {UUID}:7')
        self.assertIn('continue refused: this member was cast out',
                      self.refused())

    def test_a_server_that_fails_is_told_as_it_ended(self) -> None:
        self.transfers(r"printf '%s\n' 'C:\new' '  last words' >&2; exit 3")
        done = self.start()
        self.assertEqual(3, done.returncode)
        self.assertTrue(done.stderr.endswith('C:\\new\n  last words\n'))

    def test_a_server_is_stopped_in_order(self) -> None:
        self.logs(then='trap "touch $FAKE/in-order; exit 0" TERM\n'
                  f'echo ready >&2\n{FOR_EVER}')
        program_ = subprocess.Popen(
            ['sh', self.script], stderr=subprocess.PIPE, text=True,
            env=self.environment())
        self.addCleanup(program_.kill)
        with program_.stderr as said:
            self.assertIn('ready\n', iter(said))
            fakes.until_shell_waits(program_.pid)
            program_.terminate()
            self.assertEqual(0, program_.wait())
        self.assertTrue((self.fake / 'in-order').exists())

    def grastate(self, seqno: int = -1, uuid: str = UUID,
                 safe: str = 'safe_to_bootstrap: 0\n') -> None:
        (self.data / 'grastate.dat').write_text(
            f'# GALERA saved state\nversion: 2.1\nuuid:    {uuid}\n'
            f'seqno:   {seqno}\n{safe}')

    def crashed_at(self, seqno: int) -> None:
        self.database(position=f'{UUID}:{seqno}')
        self.grastate()

    def saved(self) -> dict[str, str]:
        lines = (self.data / 'grastate.dat').read_text().splitlines()
        return {key: value.strip() for key, _, value in (
            line.partition(':') for line in lines if line[0] != '#')}

    def test_it_continues_from_the_position_that_was_decided(self) -> None:
        self.crashed_at(7)
        self.order(program.continuing(UUID.upper(), 7))
        self.assertEqual([f'--wsrep_start_position={UUID}:7',
                          '--wsrep-new-cluster'], self.started())
        self.assertEqual({'version': '2.1', 'uuid': UUID, 'seqno': '-1',
                          'safe_to_bootstrap': '1'}, self.saved())

    def test_a_cluster_is_continued_once(self) -> None:
        self.test_it_continues_from_the_position_that_was_decided()
        self.assertEqual('', (self.fake / 'orders-left').read_text())
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())

    def test_a_clean_stop_leaves_the_position_that_counts(self) -> None:
        """Galera counts events, too, which InnoDB does not see."""
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

    def assert_not_continued(self, words: str) -> None:
        before = {path.name: path.read_text()
                  for path in self.data.iterdir() if path.is_file()}
        self.order(f'continue {UUID}:7')
        self.assertIn(f'continue refused: {words}'.replace(
            'DATA', str(self.data)), self.refused())
        self.assertEqual(before, {
            path.name: path.read_text()
            for path in self.data.iterdir() if path.is_file()})
        self.assertEqual([], os.listdir(self.orders))

    def test_elsewhere_it_does_not_continue(self) -> None:
        for seqno in (6, 8, 77):
            self.crashed_at(seqno)
            self.assert_not_continued(
                f'DATA stands at {UUID}:{seqno}, not at {UUID}:7')
            (self.data / 'mysql').rmdir()

    def test_a_clean_stop_elsewhere_does_not_continue(self) -> None:
        self.database(position=f'{UUID}:7')
        self.grastate(seqno=8)
        self.assert_not_continued(f'DATA stands at {UUID}:8')

    def test_another_history_does_not_continue(self) -> None:
        other = UUID.replace('f00d', 'beef')
        self.database(position=f'{other}:7')
        self.grastate(uuid=other)
        self.assert_not_continued(f'DATA is of the history {other}')

    def test_a_recovered_position_of_another_history(self) -> None:
        other = UUID.replace('f00d', 'beef')
        self.database(position=f'{other}:7')
        self.grastate()
        self.assert_not_continued(f'DATA stands at {other}:7')

    def test_no_position_does_not_continue(self) -> None:
        self.database(position=f'{NIL}:-1')
        self.grastate()
        self.assert_not_continued('DATA stands at no position')

    def test_without_grastate_it_does_not_continue(self) -> None:
        self.database()
        self.assert_not_continued('DATA has no grastate.dat')

    def test_an_empty_grastate_does_not_continue(self) -> None:
        self.database()
        (self.data / 'grastate.dat').touch()
        self.assert_not_continued('DATA has no grastate.dat')

    def test_an_empty_directory_does_not_continue(self) -> None:
        self.assert_not_continued('DATA holds no whole database')

    def test_spoiled_data_does_not_continue(self) -> None:
        self.crashed_at(7)
        (self.data / 'sst_in_progress').touch()
        self.assert_not_continued('a state transfer was interrupted')

    def test_half_an_order_to_continue_is_not_followed(self) -> None:
        self.crashed_at(7)
        self.order(f'continue {UUID}:')
        self.assertIn('not at', self.refused())

    def test_an_order_that_stays_is_not_followed(self) -> None:
        self.order('bootstrap')
        self.command('#!/bin/sh\nexit 1\n', 'rm')
        self.assertIn('could not be removed', self.refused())

    def test_an_unknown_order_is_not_followed(self) -> None:
        self.order('explode')
        self.assertIn("unknown order 'explode'", self.refused())

    def test_half_an_order_is_not_followed(self) -> None:
        (self.orders / 'next-start').write_text('boots')
        self.assertIn('not a whole line', self.refused())

    def test_passwords_without_an_order_do_not_stay(self) -> None:
        (self.orders / 'initialise.sql').write_text('secret')
        self.started()
        self.assertEqual([], os.listdir(self.orders))

    def test_an_image_without_the_library_is_named(self) -> None:
        (self.fake / 'libgalera.so').unlink()
        self.assertIn("none of Galera's libraries /none", self.refused())

    def test_recover_prints_the_position_and_starts_nothing(self) -> None:
        self.database()
        self.assertIn(f'Recovered position: {UUID}:7',
                      self.start('recover').stdout)
        self.assertFalse((self.fake / 'started').exists())

    def test_version_prints_the_version(self) -> None:
        self.assertIn('10.11.19', self.start('version').stdout)

    def lacking(self, *programs: str) -> str:
        """What the program says of an image without these."""
        settings = pathlib.Path(self.script).with_suffix('.conf')
        text = settings.read_text()
        for program_name in programs:
            absent = '|'.join(f'no-{one}' for one in program_name.split('|'))
            text = text.replace(program_name, absent)
        settings.write_text(text)
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

    def test_an_old_server_is_told_where_it_lies(self) -> None:
        settings = pathlib.Path(self.script).with_suffix('.conf')
        settings.write_text(
            settings.read_text() + 'NEEDS_BASEDIR=yes\n')
        self.start()
        self.assertIn(f'--basedir={self.root.resolve()}',
                      (self.fake / 'started').read_text().splitlines())
