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

"""The initialisation of a database in an empty data directory."""

import os

from trove_pxc.galera import serverlog

from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import HANGS
from tests.unit.guestagent.starting import UUID


class InitialiseTest(starting.StartTestCase):

    def test_bootstrap_initialises_an_empty_directory(self) -> None:
        self.order('bootstrap')
        self.assertEqual(['--wsrep-new-cluster'], self.started())
        self.assertEqual('CREATE USER u;\n',
                         (self.fake / 'accounts').read_text())

    def test_the_mark_is_on_the_disk_before_and_after_the_data(self) -> None:
        """The program of MariaDB does not sync what it writes."""
        self.command('#!/bin/sh\n[ "$*" = "-f $DATA" ] &&\n'
                     'echo $(ls -A "$DATA") >> "$FAKE/synced"\n', 'sync')
        self.order('bootstrap')
        self.started()
        self.assertEqual(
            ['.galera-initialising', '.galera-initialising mysql'],
            (self.fake / 'synced').read_text().splitlines())
        self.assertEqual(['mysql'], os.listdir(self.data))

    def test_no_order_and_no_password_is_left_for_the_server(self) -> None:
        self.order('bootstrap')
        self.started()
        self.assertEqual('', (self.fake / 'orders-left').read_text())

    def test_a_bootstrap_over_a_foreign_history_is_refused(self) -> None:
        (self.data / 'grastate.dat').write_text(f'uuid: {UUID}\n')
        self.order('bootstrap')
        self.assertIn('bootstrap refused', self.refused())
        self.assertTrue((self.data / 'grastate.dat').exists())

    def test_a_bootstrap_without_accounts_is_refused(self) -> None:
        self.order('bootstrap')
        (self.pending / 'initialise.sql').unlink()
        self.assertIn('an earlier bootstrap was interrupted', self.refused())

    def test_a_failed_initialisation_tells_no_password(self) -> None:
        (self.fake / 'broken').touch()
        self.order('bootstrap')
        words = self.refused()
        self.assertIn('could not be initialised', words)
        self.assertNotIn('secret-1', words)
        self.assertFalse((self.pending / 'initialise.sql').exists())

    def test_after_a_failed_initialisation_nothing_joins(self) -> None:
        self.test_a_failed_initialisation_tells_no_password()
        (self.fake / 'broken').unlink()
        self.assertIn('the server was not started', self.refused())

    def test_the_first_reason_is_the_one_that_is_told(self) -> None:
        """Docker restarts the program, and each start fails immediately."""
        (self.fake / 'broken').touch()
        self.order('bootstrap')
        for words in (self.refused(), self.refused(), self.refused()):
            self.assertIn('ERROR: 1064', serverlog.telling_line(words))
            self.assertNotIn('secret-1', words)

    def test_the_end_of_one_that_ended_well_is_no_reason(self) -> None:
        """A loss of power before the database was marked as complete."""
        (self.data / '.galera-initialising').touch()
        (self.pending / 'initialise.log').write_text(
            '2024-09-02T08:34:57.764809Z 0 [System] [MY-015018] [Server] '
            'MySQL Server Initialization - end.\n')
        words = self.refused()
        self.assertIn('MySQL Server Initialization - end', words)
        self.assertIn('could not be initialised; the server was not started',
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

    def test_passwords_without_an_order_do_not_stay(self) -> None:
        (self.pending / 'initialise.sql').write_text('secret')
        self.started()
        self.assertEqual([], os.listdir(self.pending))

    def test_an_initialisation_that_hangs_is_killed_and_told(self) -> None:
        self.command(f'#!/bin/sh\n{HANGS}', 'mariadb-install-db')
        self.set('STALL_SECONDS', '20')
        self.order('bootstrap')
        for words in (self.refused(), self.refused()):
            self.assertIn('the initialisation made no progress for 20 s and '
                          'was killed', serverlog.telling_line(words))
        self.assert_killed()
