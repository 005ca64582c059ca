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

"""The settings of the start program, as shell variables."""

import shlex
import subprocess

import testtools

from trove_pxc.galera import dialect
from trove_pxc.galera import serverlog
from trove_pxc.galera import workarounds
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program

from tests.unit.galera import logs


def shell(text: str, then: str) -> str:
    done = subprocess.run(
        ['sh', '-eu'], input=f'{text}\n{then}\n', text=True,
        capture_output=True, check=True)
    return done.stdout


class SettingsTest(testtools.TestCase):

    where = paths.Paths()

    def settings(self, manager: str, version: str) -> str:
        return program.settings(
            dialect.for_version(manager, version), self.where)

    def test_the_shell_reads_them(self) -> None:
        text = self.settings('mariadb', '10.11')
        self.assertEqual(
            'mariadbd mysqld|rsync|/var/lib/mysql/data|/run/trove-pxc\n',
            shell(text, 'echo "$SERVER_COMMANDS|$FORMATION_SST|$DATA_DIR'
                        '|$ORDER_DIR"'))

    def initialised_by(self, manager: str, version: str) -> list[str]:
        """The commands that initialise a database, one argument in <>."""
        names = {'mariadb-install-db': 'install_db',
                 'mysql_install_db': 'install_db'}
        text = self.settings(manager, version)
        for name, function in names.items():
            text = text.replace(name, function)
        show = ("show() { printf '<%s>' \"$@\"; echo; }\n"
                "install_db() { show install_db \"$@\"; }\n"
                'server=show basedir=/usr SQL_FILE=/dev/null\n')
        return shell(text, f'{show}initialise_data_dir').splitlines()

    def test_mariadb_takes_the_accounts_along(self) -> None:
        commands = self.initialised_by('mariadb', '10.11')
        self.assertEqual(1, len(commands))
        self.assertIn('<--extra-file=/dev/null>', commands[0])
        self.assertIn('<--datadir=/var/lib/mysql/data>', commands[0])
        self.assertIn('<--defaults-file=/etc/mysql/my.cnf>', commands[0])

    def test_a_server_that_cannot_is_fed_the_accounts(self) -> None:
        commands = self.initialised_by('pxc', '5.6')
        self.assertEqual(2, len(commands))
        self.assertIn('<install_db>', commands[0])
        self.assertIn('<--basedir=/usr>', commands[0])
        self.assertIn('<--bootstrap>', commands[1])

    def test_mysql_initialises_itself(self) -> None:
        commands = self.initialised_by('pxc', '8.0')
        self.assertEqual(1, len(commands))
        self.assertIn('<--initialize-insecure>', commands[0])
        self.assertIn('<--init-file=/dev/null>', commands[0])

    def test_the_shell_reads_a_log_as_we_do(self) -> None:
        lines = [line for line, *_ in logs.LINES]
        lines += [f'2026-11-28 16:50:14 6 {level} WSREP: x{text}x'
                  for _, texts in serverlog.EVENTS for text in texts
                  for level in ('[Note]', '[ERROR]', '[Warning]')]
        lines += [
            '2015-10-14 04:02:54 70 [Note] mysqld: Shutdown complete',
            '2025-02-18T11:56:57.759992Z 0 [System] [MY-010910] [Server] '
            '/usr/sbin/mysqld: Shutdown complete (mysqld 8.0.36-28.1)',
            "2026-11-28T16:50:14.0Z 9 [Note] [MY-010926] [Server] Access "
            "denied for user 'x] [MY-000000] [Galera] view((empty))'@'h' (no)"]
        lines += [f'2026-11-28T16:50:14Z 6 [Note] [MY-000000] [Galera] {text}'
                  for _, texts in serverlog.EVENTS for text in texts]
        then = '\n'.join(f'read_log_line {shlex.quote(line)}; echo "$event"'
                         for line in lines)
        for manager, version in (('mariadb', '10.11'), ('pxc', '8.4')):
            self.assertEqual(
                [serverlog.event(line) for line in lines],
                shell(self.settings(manager, version), then).splitlines())

    def test_the_program_comes_after_its_parts(self) -> None:
        texts = program.texts()
        self.assertEqual('galera-start.sh', list(texts)[-1])
        self.assertTrue(texts['galera-start.sh'].startswith('#!/bin/sh\n'))
        parts = [line.partition('/')[2].rstrip('"')
                 for line in texts['galera-start.sh'].splitlines()
                 if line.startswith('. "$here/')]
        self.assertEqual('galera-start.conf', parts[0])
        self.assertEqual(sorted(texts), sorted(
            ['galera-start.sh', 'joiner-sleep.sh', *parts[1:]]))

    def test_the_program_of_mariadb_does_not_sync(self) -> None:
        """The start program does, once, before the database counts."""
        for manager, version, unsynced in (
                ('mariadb', '10.6', True), ('mariadb', '11.8', True),
                ('pxc', '5.6', False), ('pxc', '8.4', False)):
            self.assertEqual(
                unsynced, '--loose-debug-no-sync' in self.settings(
                    manager, version), (manager, version))

    def test_what_differs_between_series(self) -> None:
        for manager, version, folders in (
                ('mariadb', '11.8', ''), ('pxc', '5.6', ''),
                ('pxc', '5.7', '.sst sst-xb-tmpdir'),
                ('pxc', '8.4', '.sst sst-xb-tmpdir')):
            names = ' '.join(workarounds.names_for(
                dialect.for_version(manager, version)))
            self.assertEqual(
                f'{names}|{folders}|600\n',
                shell(self.settings(manager, version),
                      'echo "$WORKAROUNDS|$SST_FOLDERS|$STALL_SECONDS"'))
