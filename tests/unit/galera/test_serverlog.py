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

import testtools

from trove_pxc.galera import serverlog
from trove_pxc.galera.serverlog import Event

from tests.unit.galera import logs

# Names that end in _8: the text of the line before in the format of 8.x.
STARTS = 'galera-start: starting /usr/sbin/mariadbd, position none, order none'
REJECTED = ('2026-11-28 13:35:46 0 [Warning] WSREP: Rejecting JOIN message '
            'from 0.0 (big-3): new State Transfer required.')
REJECTED_8 = ('2026-11-28T13:35:46.000001Z 0 [Warning] [MY-000000] [Galera] '
              'Rejecting JOIN message from 0.0 (big-3): new State Transfer '
              'required.')
GAVE_UP = ('2026-11-28 14:02:13 5 [ERROR] WSREP: Receiving IST failed, node '
           "restart required: IST receiver reported failure: 'x' (71)")
GAVE_UP_8 = ('2026-11-28T14:02:13.000001Z 5 [ERROR] [MY-000000] [Galera] '
             'Receiving IST failed, node restart required: ')
QUOTED = ('2026-11-28 16:50:14 9 [Warning] Access denied for user "[ERROR] '
          'WSREP: node restart required"@"10.0.0.9"')


class ParseTest(testtools.TestCase):

    def test_lines_of_each_version(self) -> None:
        for line, level, subsystem, code, text in logs.LINES:
            found = serverlog.parse(line)
            self.assertEqual((level, subsystem, code), found[:3], line)
            self.assertTrue(found.text.startswith(text), line)
            self.assertFalse(found.crashed, line)

    def test_a_signal_is_an_error_of_each_version(self) -> None:
        for line in logs.SIGNALS:
            found = serverlog.parse(line)
            self.assertTrue(found.crashed, line)
            self.assertIs(serverlog.Level.ERROR, found.level, line)

    def test_a_signal_that_is_quoted_is_none(self) -> None:
        for line in ('2026-11-28 16:50:14 9 [Warning] Access denied for user '
                     '"mysqld got signal 6 ;"',
                     'a client says: mysqld got signal 6 ;'):
            self.assertFalse(serverlog.parse(line).crashed, line)


class TellingLineTest(testtools.TestCase):

    def test_aborting_is_no_cause_in_any_version(self) -> None:
        for lines, cause in (
                (logs.PXC_56[-2:], 'Found 1 prepared transactions!'),
                (logs.PXC_57, 'failed to open gcomm backend connection'),
                (logs.PXC_80[-3:], 'is not a multiple of innodb_page_size'),
                (logs.PXC_84, 'The designated data directory'),
                (logs.MARIADB[-2:-1] + logs.MARIADB[2:3], 'unknown variable')):
            self.assertIn(cause, serverlog.telling_line(logs.log(lines)))

    def test_the_script_s_failure_is_the_cause_in_8(self) -> None:
        log = (f'{logs.log(logs.PXC_80[:5])}\n'
               '2024-12-27T16:21:43.000001Z 0 [ERROR] [MY-010119] [Server] '
               'Aborting\n')
        self.assertIn('Failed to read uuid:seqno from joiner script',
                      serverlog.telling_line(log))

    def test_the_last_error_tells(self) -> None:
        log = ('2026-11-25 10:29:15 0 [ERROR] first\n'
               '2026-11-25 10:29:15 0 [Note] x\n'
               ' 2026-11-25 10:29:15 0 [ERROR] second \n'
               '2026-11-25 10:29:15 0 [Note] mariadbd: Shutdown complete\n')
        self.assertEqual('2026-11-25 10:29:15 0 [ERROR] second',
                         serverlog.telling_line(log))

    def test_a_cause_tells_more_than_its_consequences(self) -> None:
        log = ("[ERROR] mariadbd: unknown variable 'x=1'\n"
               '[ERROR] Aborting\n'
               '[ERROR] WSREP: sst_received failed: interrupted\n'
               '[ERROR] WSREP: Application received wrong state: \n'
               '261125 10:29:17 [ERROR] /usr/sbin/mariadbd got signal 11 ;\n')
        self.assertEqual("[ERROR] mariadbd: unknown variable 'x=1'",
                         serverlog.telling_line(log))

    def test_the_first_of_a_chain_of_errors_tells_most(self) -> None:
        start = ('[ERROR] InnoDB: ibdata1 uses page size 16384\n'
                 '[ERROR] InnoDB: Plugin initialization aborted\n'
                 '[ERROR] Unknown/unsupported storage engine: InnoDB\n'
                 '[ERROR] Aborting\n'
                 'galera-start: [ERROR] the position could not be '
                 'recovered; the data is unchanged\n')
        for log in (start, f'[ERROR] x\n[ERROR] Aborting\n{start}',
                    start * 3):
            self.assertIn('page size 16384', serverlog.telling_line(log))

    def test_why_a_data_directory_could_not_be_initialised(self) -> None:
        log = ('[ERROR] InnoDB: The error means the disk is full\n'
               '[ERROR] Unknown/unsupported storage engine: InnoDB\n'
               '[ERROR] Aborting\n'
               'galera-start: [ERROR] the data directory could not be '
               'initialised\n'
               '[ERROR] InnoDB: The error means the disk is full\n'
               '[ERROR] Aborting\n'
               'galera-start: [ERROR] /var/lib/mysql/data could not be '
               'initialised; the server was not started\n')
        self.assertIn('disk is full', serverlog.telling_line(log))

    def test_a_chain_does_not_reach_back_for_ever(self) -> None:
        log = '\n'.join(f'[ERROR] {number}' for number in range(100))
        for signal in logs.SIGNALS:
            self.assertEqual('[ERROR] 94', serverlog.telling_line(
                f'{log}\n{signal}'))

    def test_what_came_after_an_end_is_the_last_error(self) -> None:
        self.assertEqual('[ERROR] new', serverlog.telling_line(
            '[ERROR] old\n[ERROR] Aborting\n[ERROR] newer\n[ERROR] new\n'))

    def test_a_consequence_tells_more_than_nothing(self) -> None:
        self.assertEqual('mysqld got signal 6 ;', serverlog.telling_line(
            '[Note] x\nmysqld got signal 6 ;\n'))

    def test_what_a_client_sent_is_no_error(self) -> None:
        self.assertEqual('', serverlog.telling_line(
            logs.log(logs.OTHERS[-2:])))

    def test_nothing_to_tell(self) -> None:
        self.assertEqual('', serverlog.telling_line('[Note] fine\n'))


class EventTest(testtools.TestCase):

    def test_events_of_both_formats(self) -> None:
        for text, kind in (
                ('Inconsistency detected: Inconsistent by consensus on x:5',
                 Event.VOTED_OUT),
                ('Vote 0 (success) on x:7 is inconsistent with group. '
                 'Leaving cluster.', Event.VOTED_OUT),
                ('view((empty))', Event.LEFT),
                ('New COMPONENT: primary = yes, bootstrap = no, my_idx = 0, '
                 'memb_num = 2', Event.COMPONENT),
                ('Temporary failure in sending state UUID, will try again in '
                 'next primary component', Event.SILENT),
                ('Shifting SYNCED -> OPEN (TO: 5)', Event.NONE)):
            for header in ('2026-11-28 16:50:14 6 [Note] WSREP: ',
                           '2026-11-28T16:50:14.000001Z 6 [Note] [MY-000000] '
                           '[Galera] '):
                self.assertIs(kind, serverlog.event(header + text), text)
                self.assertIs(Event.NONE, serverlog.event(
                    header.replace('Note', 'Warning') + text))

    def test_a_server_that_has_shut_down(self) -> None:
        for line in (
                # PXC 5.6 and 5.7, MariaDB
                '2015-10-14 04:02:54 70 [Note] mysqld: Shutdown complete',
                '2017-03-02T09:40:41.232Z 0 [Note] /usr/sbin/mysqld: Shutdown '
                'complete',
                '2026-11-25 10:29:16 0 [Note] /usr/sbin/mariadbd: Shutdown '
                'complete',
                # Percona's forum, topic 36773
                '2025-02-18T11:56:57.759992Z 0 [System] [MY-010910] [Server] '
                '/usr/sbin/mysqld: Shutdown complete (mysqld 8.0.36-28.1)  '
                'Percona XtraDB Cluster (GPL), Release rel28'):
            self.assertIs(Event.SHUT_DOWN, serverlog.event(line), line)
        for line in (logs.PXC_56[2][0],
                     '2025-02-18T11:56:57.756889Z 0 [Note] [MY-012980] '
                     '[InnoDB] Shutdown completed; log sequence number 1'):
            self.assertIs(Event.NONE, serverlog.event(line), line)

    def test_what_a_client_sent_is_no_event(self) -> None:
        for text in ('view((empty))', 'Inconsistency detected: x',
                     'x] [MY-000000] [Galera] view((empty))',
                     'mysqld: Shutdown complete'):
            for line in (
                    '2026-11-28 16:50:14 9 [Note] Access denied for user '
                    f"'{text}'@'10.0.0.9' (using password: YES)",
                    '2026-11-28T16:50:14.000001Z 9 [Note] [MY-010926] '
                    f"[Server] Access denied for user '{text}'@'10.0.0.9' "
                    '(using password: YES)'):
                self.assertIs(Event.NONE, serverlog.event(line), line)


class JoinTest(testtools.TestCase):

    def test_a_rejected_join_in_both_formats(self) -> None:
        for line in (REJECTED, REJECTED_8):
            self.assertTrue(serverlog.says_join_rejected((STARTS, line)))
            self.assertFalse(serverlog.says_restart_required((STARTS, line)))

    def test_a_restart_is_required_in_both_formats(self) -> None:
        for line in (GAVE_UP, GAVE_UP_8):
            self.assertTrue(serverlog.says_restart_required((STARTS, line)))
            self.assertFalse(serverlog.says_join_rejected((STARTS, line)))

    def test_the_start_before_does_not_count(self) -> None:
        log = (STARTS, REJECTED, GAVE_UP_8, STARTS)
        self.assertFalse(serverlog.says_join_rejected(log))
        self.assertFalse(serverlog.says_restart_required(log))

    def test_what_a_client_sent_does_not_count(self) -> None:
        self.assertFalse(serverlog.says_restart_required((STARTS, QUOTED)))


class PositionTest(testtools.TestCase):

    uuid = 'ae320418-e734-11f1-9e40-4a326f412d58'

    def test_both_formats(self) -> None:
        for header in ('2014-11-05 21:18:22 2083 [Note] WSREP: Recovered '
                       'position: ',
                       '2026-11-23T11:55:13.123456Z 0 [Note] [MY-000000] '
                       '[WSREP] Recovered position: ',
                       'WSREP: Recovered position '):
            self.assertEqual(
                (self.uuid, 9), serverlog.recovered_position(
                    f'{header}{self.uuid}:4\n{header}{self.uuid}:9\n'))

    def test_none(self) -> None:
        self.assertIsNone(serverlog.recovered_position('Recovered pages'))

    def test_the_text_of_prepared_transactions(self) -> None:
        self.assertIn(serverlog.PREPARED, logs.log(logs.PXC_56))
