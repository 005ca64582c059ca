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

"""The restoration of accounts of this package that were changed.

Failures are simulated with a server in memory. The statements run on the
MariaDB of this machine, if it has one.
"""

import dataclasses
import os
import pathlib
import shutil
import subprocess
from typing import Any

import fixtures
from pymysql import err as pymysql_errors

from tests.unit.galera import samples
from tests.unit.guestagent import fakes
from trove_pxc.galera import dialect
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc.guestagent import credentials
from trove_pxc.guestagent import database
from trove_pxc import waiting

ADMIN, ROOT, SST = 'os_admin', 'root', 'os_sst'
PASSWORD = dict(zip((ADMIN, ROOT, SST), fakes.PASSWORDS))
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'


def refusal(code: int) -> database.Refused:
    found = database.Refused('refused')
    found.code = code
    return found


class Server:
    """The accounts of one server, and its answers to the agent.

    :ivar refused: the error that each account gets at its login.
    :ivar restored: the restored accounts, each with the account that did it.
    """

    def __init__(self) -> None:
        self.refused: dict[str, Exception] = {}
        self.restored: list[tuple[str, str]] = []
        self.dropped: list[str] = []
        self.modes: set[str] = set()
        self.node = samples.node_view()

    def connect(self, path: str, user: str, password: secret.Secret, *,
                sql_mode: str) -> 'Connection':
        assert PASSWORD[user] == password.reveal()
        self.modes.add(sql_mode)
        return Connection(self, user)


class Connection:
    """A database.Database that is connected to a Server."""

    def __init__(self, server: Server, user: str) -> None:
        self._server = server
        self._user = user

    def log_in(self) -> None:
        if self._user in self._server.refused:
            raise self._server.refused[self._user]

    def view(self) -> view.NodeView:
        self.log_in()
        return self._server.node

    def drop(self, statement: str) -> None:
        self.log_in()
        self._server.dropped.append(statement.split("'")[1])

    def carry_out(self, statements: Any) -> None:
        self.log_in()
        user = statements[0].reveal().split("'")[1]
        self._server.restored.append((user, self._user))
        self._server.refused.pop(user, None)


class CredentialsTestCase(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.dialect = dialect.for_version('mariadb', fakes.VERSION)
        self.membership = dataclasses.replace(
            fakes.membership(), facts=dataclasses.replace(
                fakes.facts(), sst_method='mariabackup'))
        pathlib.Path(self.where.include_dir).mkdir(parents=True)
        self.credentials = credentials.Credentials(
            self.files, self.where, f'{os.getuid()}:{os.getgid()}')
        self.log = self.useFixture(fixtures.FakeLogger())

    def look(self, **how: bool) -> None:
        self.credentials.look(self.dialect, self.membership, **how)

    def restores_at_start(self) -> bool:
        return bool(self.files.present(self.where.restoring_file))


class CredentialsTest(CredentialsTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.server = Server()
        self.useFixture(fixtures.MonkeyPatch(
            'trove_pxc.guestagent.credentials.database.Database',
            self.server.connect))

    def refuse(self, *users: str, code: int = 1045) -> None:
        self.server.refused.update(
            dict.fromkeys(users, refusal(code)))

    def test_nothing_is_done_to_accounts_that_work(self) -> None:
        self.look()
        self.assertEqual([], self.server.restored)
        self.assertEqual('', self.log.output)

    def test_what_is_refused_is_restored_by_one_that_is_not(self) -> None:
        for broken, by in (((SST,), ADMIN), ((ADMIN,), ROOT),
                           ((ROOT,), ADMIN), ((ADMIN, SST), ROOT)):
            self.server.restored.clear()
            self.refuse(*broken)
            self.look()
            self.assertEqual([(user, by) for user in broken],
                             self.server.restored)
            self.assertFalse(self.restores_at_start())

    def test_a_grant_makes_no_account_without_a_password(self) -> None:
        """With each sql_mode: another session may drop the account then."""
        for manager, version, mode in (
                ('pxc', '5.7', 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER'),
                ('pxc', '8.0', 'STRICT_TRANS_TABLES')):
            self.server.modes.clear()
            self.refuse(ADMIN)
            self.credentials.look(dialect.for_version(manager, version),
                                  fakes.membership())
            self.assertEqual({mode}, self.server.modes)

    def test_whatever_keeps_it_from_logging_in(self) -> None:
        """Password, plugin, lock, expiry: the account is recreated."""
        for code in (1045, 1698, 3118, 4151, 1862, 1820):
            self.server.dropped.clear()
            self.refuse(ADMIN, code=code)
            self.look()
            self.assertEqual([ADMIN], self.server.dropped)

    def test_one_that_cannot_write_for_all_does_nothing(self) -> None:
        for changes in ({'cluster_status': 'non-Primary'},
                        {'local_state': 'Donor/Desynced'},
                        {'ready': False}, {'altered': ['wsrep_on']}):
            self.server.node = samples.node_view(**changes)
            self.refuse(SST)
            self.look()
            self.assertEqual([], self.server.restored, changes)

    def test_what_is_no_refusal_of_the_account_tells_nothing(self) -> None:
        for failure in (refusal(1040), database.NoAnswerInTime('hangs'),
                        database.NobodyListens('nobody')):
            self.server.refused = dict.fromkeys(PASSWORD, failure)
            self.look()
            self.assertFalse(self.restores_at_start())

    def test_all_are_refused(self) -> None:
        """The next start restores them here; then on all members."""
        self.refuse(ADMIN, ROOT, SST)
        self.look()
        self.assertEqual([], self.server.restored)
        self.assertIn(f'init_file={self.where.restoring_sql_file}',
                      self.text(self.where.restoring_file))
        statements = self.text(self.where.restoring_sql_file)
        self.assertEqual(9, statements.count(';\n'))
        self.assertNotIn('DROP', statements)
        self.assertEqual(0o600, self.mode(self.where.restoring_sql_file))
        self.server.refused.clear()
        self.look()
        self.assertEqual([(user, ADMIN) for user in PASSWORD],
                         self.server.restored)
        self.assertEqual([], self.server.dropped)
        self.assertFalse(self.restores_at_start())

    def test_it_is_told_once_that_all_are_refused(self) -> None:
        self.refuse(ADMIN, ROOT, SST)
        self.look()
        self.look()
        self.assertEqual(1, self.log.output.count('refuses all accounts'))

    def test_the_start_has_restored_them_and_it_is_not_synced_yet(
            self) -> None:
        self.refuse(ADMIN, ROOT)
        self.look()
        self.server.refused.clear()
        self.server.node = samples.node_view(local_state='Joining')
        self.look()
        self.assertTrue(self.restores_at_start())

    def test_a_server_that_does_not_start_is_spared(self) -> None:
        self.refuse(ADMIN, ROOT)
        self.look()
        self.server.refused = dict.fromkeys(
            PASSWORD, database.NobodyListens('nobody'))
        self.look()
        self.assertTrue(self.restores_at_start())
        self.look(failing=True)
        self.assertFalse(self.restores_at_start())

    def test_no_password_is_logged(self) -> None:
        self.refuse(ADMIN)
        self.look()
        self.refuse(ADMIN, ROOT, SST)
        self.look()
        for password in fakes.PASSWORDS:
            self.assertNotIn(password, self.log.output)


class RealServerTest(CredentialsTestCase):
    """The statements, on a real server without Galera."""

    def setUp(self) -> None:
        super().setUp()
        if not all(shutil.which(name, path=PATH) for name in (
                'mariadbd', 'mariadb-install-db')):
            self.skipTest('there is no mariadbd on this machine')
        pathlib.Path(self.where.socket_dir).mkdir()
        self.data = self.root / 'data'
        self.run_it('mariadb-install-db', '--no-defaults',
                    '--auth-root-authentication-method=normal',
                    '--skip-test-db', *self.options())
        self.server: subprocess.Popen[bytes] | None = None
        self.addCleanup(self.stop)
        self.start()
        self.useFixture(fixtures.MockPatchObject(
            database.Database, 'view', autospec=True,
            return_value=samples.node_view()))
        self.as_user('root', '', "ALTER USER root@localhost IDENTIFIED BY "
                     f"'{PASSWORD[ROOT]}'")

    def options(self) -> list[str]:
        user = ['--user=root'] if os.getuid() == 0 else []
        return [*user, f'--datadir={self.data}']

    def run_it(self, program: str, *arguments: str) -> None:
        found = shutil.which(program, path=PATH)
        assert found
        subprocess.run([found, *arguments], check=True, capture_output=True)

    def start(self, *more: str) -> None:
        found = shutil.which('mariadbd', path=PATH)
        assert found
        self.server = subprocess.Popen(
            [found, '--no-defaults', *self.options(), '--skip-networking',
             f'--socket={self.where.socket}', '--innodb-buffer-pool-size=8M',
             *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def probe() -> None:
            if not pathlib.Path(self.where.socket).exists():
                raise waiting.NotYet('no socket')
        waiting.until('the server to listen', probe, 60, 0.1)

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait()
            self.server = None

    def as_user(self, user: str, password: str, *statements: str) -> None:
        database.Database(
            self.where.socket, user, secret.Secret(password)).carry_out(
                map(secret.Secret, statements))

    def as_root(self, *statements: str) -> None:
        self.as_user('root', PASSWORD[ROOT], *statements)

    def assert_all_log_in(self) -> None:
        for user, password in PASSWORD.items():
            database.Database(self.where.socket, user,
                              secret.Secret(password)).log_in()

    def test_whatever_was_done_to_them(self) -> None:
        self.look()
        self.assert_all_log_in()
        for statement in (
                "ALTER USER os_admin@localhost IDENTIFIED BY 'other'",
                'ALTER USER os_admin@localhost ACCOUNT LOCK',
                'ALTER USER os_admin@localhost PASSWORD EXPIRE',
                'ALTER USER os_admin@localhost IDENTIFIED VIA unix_socket',
                'ALTER USER os_admin@localhost REQUIRE SSL',
                'DROP USER os_admin@localhost', 'DROP USER os_sst@localhost',
                'DROP USER os_admin@localhost, os_sst@localhost'):
            self.as_root(statement)
            self.look()
            self.assert_all_log_in()

    def test_a_start_restores_what_nobody_can_log_in_to(self) -> None:
        self.look()
        self.as_user(ADMIN, PASSWORD[ADMIN], 'DROP USER root@localhost',
                     "ALTER USER os_admin@localhost IDENTIFIED BY 'other'")
        self.look()
        self.assertRaises(database.Refused, self.assert_all_log_in)
        self.stop()
        self.start(*(f'--{line}' for line in self.text(
            self.where.restoring_file).splitlines()[1:]))
        self.assert_all_log_in()
        self.look()
        self.assertFalse(self.restores_at_start())

    def test_the_end_of_all_clients(self) -> None:
        self.look()
        admin = database.Database(self.where.socket, ADMIN,
                                  secret.Secret(PASSWORD[ADMIN]))
        other = database.pymysql.connect(
            unix_socket=self.where.socket, user='root',
            password=PASSWORD[ROOT])
        self.addCleanup(other.close)
        other.cursor().execute('FLUSH TABLES WITH READ LOCK')
        admin.end_clients()
        self.assertRaises(pymysql_errors.MySQLError, other.ping, False)
        admin.log_in()
