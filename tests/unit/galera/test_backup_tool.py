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

"""The tool's arguments, its option file, and the files that it writes."""

import configparser

import testtools

from trove_pxc.galera import backup_tool
from trove_pxc.galera import dialect
from trove_pxc.galera import errors

MARIADB = dialect.for_version('mariadb', '10.11')
PXC = dialect.for_version('pxc', '8.0')
CHECKPOINTS = ('backup_type = full-prepared\nfrom_lsn = 0\nto_lsn = 1635102\n'
               'last_lsn = 1635110\n')
UUID = '6f3e0b8e-7d5c-11ee-a0b1-96e7b9a5d1f2'


class LocksTest(testtools.TestCase):

    def test_mariadb_locks_the_server_in_its_last_stages(self) -> None:
        told = [
            ('Acquired locks for BACKUP STAGE START', False),
            ('Finished BACKUP STAGE FLUSH', False),
            ('Started BACKUP STAGE BLOCK_DDL', True),
            ('Streaming ./mysql/db.frm', True),
            ('Starting BACKUP STAGE END', False),
            ('Streaming ./ib_buffer_pool', False)]
        locked = False
        for line, expected in told:
            locked = backup_tool.locks(line, locked)
            self.assertEqual(expected, locked, line)

    def test_xtrabackup_locks_tables(self) -> None:
        self.assertTrue(backup_tool.locks(
            'Executing LOCK TABLES FOR BACKUP ...', False))
        self.assertFalse(backup_tool.locks('All tables unlocked', True))
        # It prevents changes of tables only.
        self.assertFalse(backup_tool.locks(
            'Executing LOCK INSTANCE FOR BACKUP ...', False))


class ArgumentsTest(testtools.TestCase):

    def test_a_full_backup(self) -> None:
        arguments = backup_tool.backup_arguments('/f', '/lsn', '/tmp/x')
        self.assertEqual('--defaults-file=/f', arguments[0])
        self.assertIn('--stream=xbstream', arguments)
        self.assertIn('--galera-info', arguments)
        self.assertNotIn('incremental', ' '.join(arguments))

    def test_an_incremental_one_begins_where_its_parent_ends(self) -> None:
        self.assertIn('--incremental-lsn=47', backup_tool.backup_arguments(
            '/f', '/lsn', '/tmp/x', 47))

    def test_transactions_are_rolled_back_only_after_the_last_one(
            self) -> None:
        first = backup_tool.prepare_arguments(PXC, '/d', last=False)
        self.assertIn('--apply-log-only', first)
        last = backup_tool.prepare_arguments(PXC, '/d', '/i')
        self.assertNotIn('--apply-log-only', last)
        self.assertIn('--incremental-dir=/i', last)

    def test_mariadb_does_not_know_this_option(self) -> None:
        self.assertEqual(
            ['--prepare', '--target-dir=/d'],
            backup_tool.prepare_arguments(MARIADB, '/d', last=False))

    def test_each_server_has_its_tool(self) -> None:
        self.assertIn('mariabackup', backup_tool.of(MARIADB).backup)
        for version in ('8.0', '8.4'):
            folder = f'/usr/bin/pxc_extra/pxb-{version}/bin'
            self.assertEqual(
                backup_tool.Tool((f'{folder}/xtrabackup', 'xtrabackup'),
                                 (f'{folder}/xbstream', 'xbstream')),
                backup_tool.of(dialect.for_version('pxc', version)))


class OptionFileTest(testtools.TestCase):

    def test_it_has_the_login(self) -> None:
        text = backup_tool.option_file('os_admin', 'a\\b c', '/s', '/my.cnf')
        first, _, rest = text.partition('\n')
        self.assertEqual('!include /my.cnf', first)
        parser = configparser.RawConfigParser()
        parser.read_string(rest)
        self.assertEqual({'user': '"os_admin"', 'password': '"a\\\\b c"',
                          'socket': '"/s"'}, dict(parser['xtrabackup']))

    def test_no_value_adds_an_option(self) -> None:
        for password in ('a\nport=1', 'a"b'):
            failure = self.assertRaises(
                ValueError, backup_tool.option_file, 'u', password, '/s',
                '/my.cnf')
            self.assertNotIn(password, str(failure))


class FilesTest(testtools.TestCase):

    def test_they_are_recognised_by_old_and_new_names(self) -> None:
        for name, kind in (('xtrabackup_galera_info', 'galera_info'),
                           ('mariadb_backup_galera_info', 'galera_info'),
                           ('mariadb_backup_checkpoints', 'checkpoints'),
                           ('xtrabackup_info', 'info')):
            self.assertEqual(kind, backup_tool.kind(name))
        self.assertIsNone(backup_tool.INFO.fullmatch('xtrabackup_logfile'))
        self.assertIsNone(backup_tool.INFO.fullmatch('a/xtrabackup_info'))

    def test_the_position(self) -> None:
        found = backup_tool.position({
            'checkpoints': CHECKPOINTS, 'galera_info': f'{UUID}:4711\n',
            'binlog_info': 'mysql-bin.000003\t567\t0-1-4711\n'})
        self.assertEqual(
            (UUID, 4711, '0-1-4711', 'mysql-bin.000003:567', 0, 1635102),
            found)

    def test_a_gtid_set_of_several_lines_is_kept(self) -> None:
        found = backup_tool.position({
            'checkpoints': CHECKPOINTS,
            'binlog_info': 'b.3\t567\taaaa:1-5,\nbbbb:1-7\n'})
        self.assertEqual('aaaa:1-5,bbbb:1-7', found.gtid)

    def test_without_galera_and_binary_log(self) -> None:
        found = backup_tool.position({'checkpoints': CHECKPOINTS})
        self.assertEqual(('', -1, '', ''), found[:4])

    def test_a_backup_without_lsns_is_not_complete(self) -> None:
        for files in ({}, {'checkpoints': 'from_lsn = x\nto_lsn = 1\n'}):
            self.assertRaises(errors.UnreadablePosition,
                              backup_tool.position, files)

    def test_the_versions(self) -> None:
        self.assertEqual(
            ('mariadb-backup 10.11.19-MariaDB', '10.11.19-MariaDB-log'),
            backup_tool.description({'info': (
                'uuid = 1\ntool_name = mariadb-backup\n'
                'tool_version = 10.11.19-MariaDB\n'
                'server_version = 10.11.19-MariaDB-log\n')}))
        self.assertEqual(('', ''), backup_tool.description({}))
