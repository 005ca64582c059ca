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

"""The SQL client of the member's server, with a fake driver."""

import errno
import socket
import ssl
from typing import Any

import fixtures
import mock
import pymysql
from pymysql import cursors
from pymysql import err as pymysql_errors
import testtools

from trove_pxc.galera import accounts
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc.guestagent import database

from tests.unit.galera import samples
from tests.unit.guestagent import wire

SOCKET = '/guest/mysqld.sock'


def cannot_connect(cause: Exception) -> Exception:
    failure = pymysql_errors.OperationalError(2003, "Can't connect")
    failure.original_exception = cause  # as pymysql does
    return failure


class DatabaseTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(pymysql, 'connect', autospec=True)
        self.connect = patch.start()
        self.addCleanup(patch.stop)
        self.connection = mock.create_autospec(
            pymysql.connections.Connection, instance=True)
        self.cursor = mock.create_autospec(cursors.Cursor, instance=True)
        self.cursor.__enter__.return_value = self.cursor
        self.cursor.fetchall.return_value = ()
        self.connection.cursor.return_value = self.cursor
        self.connect.return_value = self.connection
        self.database = database.Database(
            SOCKET, 'os_admin', secret.Secret('pass-1'))

    def statements(self) -> list[str]:
        return [call.args[0] for call in self.cursor.execute.call_args_list]

    def test_the_view_of_a_synced_node(self) -> None:
        self.cursor.fetchall.return_value = tuple(samples.SYNCED.items())
        self.assertTrue(self.database.view().serves)
        self.assertEqual([view.STATUS_QUERY, view.VARIABLES_QUERY],
                         self.statements())
        self.connection.close.assert_called_once_with()

    def test_no_answer_is_waited_for_long(self) -> None:
        self.database.view()
        asked: dict[str, Any] = self.connect.call_args.kwargs
        self.assertEqual(SOCKET, asked['unix_socket'])
        for limit in ('connect_timeout', 'read_timeout', 'write_timeout'):
            self.assertLessEqual(asked[limit], 3)

    def test_nobody_listens(self) -> None:
        for number in (errno.ENOENT, errno.ECONNREFUSED):
            self.connect.side_effect = cannot_connect(OSError(number, ''))
            self.assertRaises(database.NobodyListens, self.database.view)

    def test_a_frozen_server_is_silent(self) -> None:
        clock = self.useFixture(fixtures.MockPatch(
            'time.monotonic', return_value=10.0)).mock

        def late(failure: Exception, seconds: float) -> Any:
            def connect(**_: object) -> None:
                clock.return_value += seconds
                raise failure
            return connect
        lost = pymysql_errors.OperationalError(2013, 'Lost')
        timed_out = cannot_connect(socket.timeout('timed out'))
        for failure, seconds, expected in (
                (timed_out, 2, database.NoAnswerInTime),
                (lost, 3, database.NoAnswerInTime),
                (lost, 0.1, database.SessionEnded)):
            self.connect.side_effect = late(failure, seconds)
            self.assertRaises(expected, self.database.view)

    def test_a_refusal_quotes_the_server(self) -> None:
        self.connect.side_effect = pymysql_errors.OperationalError(
            1045, 'Access denied')
        failure = self.assertRaises(database.Refused, self.database.view)
        self.assertIn('Access denied', str(failure))
        self.assertNotIn('pass-1', str(failure))

    def test_it_is_made_primary(self) -> None:
        self.assertTrue(self.database.promote())
        self.cursor.execute.assert_called_once_with(
            'SET GLOBAL wsrep_provider_options = %s', ('pc.bootstrap=YES',))

    def test_it_cannot_be_made_primary_while_its_component_changes(
            self) -> None:
        self.cursor.execute.side_effect = pymysql_errors.InternalError(
            1210, 'Incorrect arguments to SET')
        self.assertFalse(self.database.promote())
        self.cursor.execute.side_effect = pymysql_errors.OperationalError(
            1227, 'Access denied; you need the SUPER privilege')
        self.assertRaises(database.Refused, self.database.promote)

    def test_the_version(self) -> None:
        self.cursor.fetchall.return_value = (('10.11.19-MariaDB',),)
        self.assertEqual('10.11.19-MariaDB', self.database.version())

    def test_the_variables(self) -> None:
        self.cursor.fetchall.return_value = (
            ('wsrep_on', 'ON'), ('max_connections', 64))
        self.assertEqual({'wsrep_on': 'ON', 'max_connections': '64'},
                         self.database.variables())

    def test_the_transfer_method_is_a_value(self) -> None:
        self.database.set_sst_method('mariabackup')
        self.cursor.execute.assert_called_once_with(
            'SET GLOBAL wsrep_sst_method = %s', ('mariabackup',))

    def test_a_probe_is_written_into_a_table_of_its_own(self) -> None:
        self.database.write_probe('t-1')
        self.assertIn('CREATE DATABASE IF NOT EXISTS trove_pxc_probe',
                      self.statements())
        self.assertEqual(('t-1',), self.cursor.execute.call_args.args[1])

    def test_a_probe_is_read_after_all_that_was_written_before(self) -> None:
        self.cursor.fetchone.return_value = (1,)
        self.assertTrue(self.database.read_probe('t-1'))
        self.assertEqual('SET SESSION wsrep_sync_wait = 1',
                         self.statements()[0])

    def test_a_probe_that_is_not_there(self) -> None:
        self.cursor.fetchone.return_value = None
        self.assertFalse(self.database.read_probe('t-1'))

    def test_a_probe_whose_table_is_not_there(self) -> None:
        self.cursor.execute.side_effect = (
            None, pymysql_errors.ProgrammingError(1146, 'no table'))
        self.assertFalse(self.database.read_probe('t-1'))

    def test_it_is_desynced_and_resynced(self) -> None:
        self.database.desync(True)
        self.database.desync(False)
        self.assertEqual(['SET GLOBAL wsrep_desync = ON',
                          'SET GLOBAL wsrep_desync = OFF'],
                         self.statements())

    def test_nothing_of_the_probes_stays(self) -> None:
        self.database.drop_probe()
        self.assertEqual(['DROP DATABASE IF EXISTS trove_pxc_probe'],
                         self.statements())

    def test_a_statement_goes_with_its_values(self) -> None:
        self.cursor.fetchall.return_value = (('a', 'b'),)
        self.assertEqual([('a', 'b')], self.database.execute(
            accounts.create_user("o'neill", '%', secret.Secret("p'w")), 99))
        self.cursor.execute.assert_called_once_with(
            'CREATE USER %s@%s IDENTIFIED BY %s', ("o'neill", '%', "p'w"))
        asked: dict[str, Any] = self.connect.call_args.kwargs
        self.assertEqual(99, asked['read_timeout'])

    def test_a_statement_without_values_is_formatted_too(self) -> None:
        self.database.execute(accounts.drop_database('100%'))
        self.cursor.execute.assert_called_once_with(
            'DROP DATABASE `100%%`', ())

    def test_how_the_driver_quotes_does_not_depend_on_the_server(self
                                                                 ) -> None:
        database.Database(SOCKET, 'os_admin', secret.Secret('p'),
                          sql_mode='STRICT_TRANS_TABLES').execute(
                              accounts.databases())
        asked: dict[str, Any] = self.connect.call_args.kwargs
        self.assertEqual(('utf8mb4', 'STRICT_TRANS_TABLES'),
                         (asked['charset'], asked['sql_mode']))

    def test_a_refusal_keeps_the_server_s_reason(self) -> None:
        self.cursor.execute.side_effect = pymysql_errors.ProgrammingError(
            1007, 'database exists')
        failure = self.assertRaises(
            database.Refused, self.database.execute,
            accounts.create_database('shop'))
        self.assertEqual((1007, 'database exists'),
                         (failure.code, failure.reason))


class DriverTest(testtools.TestCase):
    """With the real driver."""

    def test_no_tls_is_prepared_for_a_socket(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            ssl, 'create_default_context',
            side_effect=AssertionError('TLS was prepared')))
        missing = database.Database(
            self.useFixture(fixtures.TempDir()).join('mysqld.sock'),
            'os_admin', secret.Secret('pass-1'))
        self.assertRaises(database.NobodyListens, missing.view)


class SessionTest(testtools.TestCase):
    """With the real driver, and a server that speaks its protocol."""

    def setUp(self) -> None:
        super().setUp()
        path = self.useFixture(fixtures.TempDir()).join('mysqld.sock')
        self.server = wire.Server(path)
        self.addCleanup(self.server.end)
        self.server.rows = {
            'SHOW GLOBAL STATUS': list(samples.SYNCED.items()),
            'SHOW GLOBAL VARIABLES': [('wsrep_on', 'ON'),
                                      ('read_only', 'OFF')],
            'SELECT @@GLOBAL.wsrep_on, @@GLOBAL.read_only': [(1, 0)]}
        self.database = database.Database(
            path, 'os_admin', secret.Secret('pass-1'))

    def session(self) -> database.Session:
        session = self.database.session()
        self.addCleanup(session.close)
        return session

    def test_many_views_need_one_login(self) -> None:
        session = self.session()
        views = [session.view() for _ in range(3)]
        self.assertEqual([self.database.view()] * 3, views)
        self.assertEqual(2, self.server.logins)

    def test_variables_are_listed_once(self) -> None:
        """The server computes all its variables for a list."""
        session = self.session()
        for _ in range(3):
            session.view()
        self.assertEqual(1, sum(query.startswith('SHOW GLOBAL VARIABLES')
                                for query in self.server.queries))

    def test_a_changed_variable_is_seen(self) -> None:
        session = self.session()
        session.view()
        self.assertEqual((), session.view().altered)
        self.server.rows[
            'SELECT @@GLOBAL.wsrep_on, @@GLOBAL.read_only'] = [(1, 1)]
        self.assertEqual(('read_only',), session.view().altered)

    def test_a_server_that_refuses_selects_is_seen(self) -> None:
        """As one outside the primary component does."""
        session = self.session()
        session.view()
        self.server.errors['SELECT @@GLOBAL'] = 1047
        self.server.rows['SHOW GLOBAL VARIABLES'] = [('wsrep_on', 'OFF')]
        self.assertEqual(('wsrep_on',), session.view().altered)

    def test_another_error_is_a_refusal(self) -> None:
        session = self.session()
        session.view()
        self.server.errors['SELECT @@GLOBAL'] = 1193
        failure = self.assertRaises(database.Refused, session.view)
        self.assertEqual(1193, failure.code)

    def test_a_server_that_ends_is_seen_at_once(self) -> None:
        session = self.session()
        session.view()
        self.assertFalse(session.wait(0))
        self.server.end_sessions()
        self.assertTrue(session.wait(30))
        self.assertRaises(database.SessionEnded, session.view)

    def test_a_frozen_server_does_not_answer(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            database, 'ANSWER_SECONDS', 0.2))
        session = self.session()
        self.server.silent = True
        self.assertRaises(database.NoAnswerInTime, session.view)

    def test_a_missing_server(self) -> None:
        self.server.end()
        self.assertRaises(database.NobodyListens, self.database.session)

    def test_a_user_s_timeout_does_not_end_it(self) -> None:
        self.session()
        self.assertIn('SET SESSION wait_timeout = 86400', self.server.queries)
