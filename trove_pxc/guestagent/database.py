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

"""The member's server, asked over its socket: SQL alone, no Docker.

The service uses it. Every answer comes within seconds or not at all.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import errno
import socket
from typing import Any

from oslo_log import log as logging
import pymysql
from pymysql import err as pymysql_errors

from trove_pxc import exceptions
from trove_pxc.galera import accounts
from trove_pxc.galera import secret
from trove_pxc.galera import view

CONNECT_SECONDS = 2
ANSWER_SECONDS = 3

LOG = logging.getLogger(__name__)

_PROBE = 'trove_pxc_probe'
# Whatever somebody has set for all sessions.
_TOTAL_ORDER = "SET SESSION wsrep_OSU_method = 'TOI'"
_WRONG_ARGUMENTS = 1210
# Access denied, or by the plugin; the account is locked (MySQL, MariaDB); its
# password has expired (at the login, or at the first statement).
_DENIED = (1045, 1698, 3118, 4151, 1862, 1820)
_NOBODY_THERE = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK)


class NobodyListens(exceptions.ServerNotAnswering):
    """No server has opened the socket, or it has closed it."""


class NoAnswerInTime(exceptions.ServerNotAnswering):
    """A server holds the socket and is silent: it hangs or is frozen."""


class Refused(exceptions.ServerNotAnswering):
    """The server answered, and refused what was asked.

    :ivar code: the server's own number for the reason.
    :ivar reason: its text, which may quote what it was sent.
    """

    code = 0
    reason = ''

    @property
    def denied(self) -> bool:
        """Whether it refuses the account: password, plugin, lock."""
        return self.code in _DENIED


class Database:
    """One member's server as its administrator sees it.

    :param socket_path: the server's socket, in the guest.
    :param sql_mode: of each session; None for the server's own.
    """

    def __init__(self, socket_path: str, user: str,
                 password: secret.Secret, *,
                 sql_mode: str | None = None) -> None:
        self._socket_path = socket_path
        self._user = user
        self._password = password
        self._sql_mode = sql_mode

    def view(self) -> view.NodeView:
        """What the server says of itself and the cluster.

        :raises NobodyListens, NoAnswerInTime, Refused: if it does not say.
        """
        with self._connection() as connection, \
                connection.cursor() as cursor:
            rows: dict[str, str] = {}
            for query in (view.STATUS_QUERY, view.VARIABLES_QUERY):
                cursor.execute(query)
                rows.update((str(name), str(value))
                            for name, value in cursor.fetchall())
        return view.NodeView.from_status(rows)

    def log_in(self) -> None:
        """Log in, and out again.

        :raises NobodyListens, NoAnswerInTime, Refused: if that fails.
        """
        self._rows('SELECT 1')     # refused if the password has expired

    def drop(self, statement: str) -> None:
        """Have all members drop what may not be there, or be in use."""
        try:
            self.carry_out((secret.Secret(statement),))
        except Refused as refusal:
            LOG.info('"%s": %s', statement, refusal)

    def carry_out(self, statements: Iterable[secret.Secret]) -> None:
        """Carry out statements that Galera brings to all members."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute(_TOTAL_ORDER)
            for statement in statements:
                cursor.execute(statement.reveal())

    def end_clients(self) -> None:
        """End the connections of all clients, and so the locks they hold."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute('SHOW PROCESSLIST')
            for number, user, *_ in cursor.fetchall():
                if user != 'system user' and number != connection.thread_id():
                    with contextlib.suppress(pymysql_errors.MySQLError):
                        cursor.execute('KILL %s', (number,))

    def variables(self) -> dict[str, str]:
        """All that the server runs with, by their names."""
        return {str(name): str(value)
                for name, value in self._rows('SHOW GLOBAL VARIABLES')}

    def version(self) -> str:
        """The server's own words for its version."""
        return str(self._rows('SELECT @@version')[0][0])

    def set_sst_method(self, method: str) -> None:
        """From now on, ask for a state transfer in this way."""
        self._rows('SET GLOBAL wsrep_sst_method = %s', method)

    def promote(self) -> bool:
        """Make the component that this server is in the primary one.

        :returns: whether it could be told. While members come to the
            component or are lost to it, Galera says that there is no
            such parameter (measured with 26.4.23).
        """
        try:
            self._rows('SET GLOBAL wsrep_provider_options = %s',
                       'pc.bootstrap=YES')
        except Refused as refusal:
            if refusal.code != _WRONG_ARGUMENTS:
                raise
            return False
        return True

    def write_probe(self, token: str) -> None:
        """Write a row that every member must then have."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE IF NOT EXISTS {_PROBE}')
            cursor.execute(
                f'CREATE TABLE IF NOT EXISTS {_PROBE}.token '
                '(token VARCHAR(64) PRIMARY KEY) ENGINE=InnoDB')
            cursor.execute(
                f'INSERT INTO {_PROBE}.token VALUES (%s)', (token,))

    def read_probe(self, token: str) -> bool:
        """Whether the row is here, all that was written before included."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute('SET SESSION wsrep_sync_wait = 1')
            try:
                cursor.execute(
                    f'SELECT 1 FROM {_PROBE}.token WHERE token = %s',
                    (token,))
            except pymysql_errors.ProgrammingError:
                return False  # not even the table has arrived
            return cursor.fetchone() is not None

    def drop_probe(self) -> None:
        """Leave nothing of the probes, on any member."""
        self._rows(f'DROP DATABASE IF EXISTS {_PROBE}')

    def execute(self, statement: accounts.Statement,
                seconds: float = ANSWER_SECONDS) -> list[tuple[Any, ...]]:
        """The rows of one statement, whose values the driver quotes.

        :param seconds: to wait for the answer.
        :raises NobodyListens, NoAnswerInTime, Refused: if it is not done, or
            not known to be.
        """
        with self._connection(seconds) as connection, \
                connection.cursor() as cursor:
            # Values, even if there are none: "%%" stands for a "%".
            cursor.execute(statement.text, statement.revealed())
            return list(cursor.fetchall())

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    @contextlib.contextmanager
    def _connection(self, seconds: float = ANSWER_SECONDS
                    ) -> Iterator['pymysql.Connection[Any]']:
        try:
            with contextlib.closing(pymysql.connect(
                    unix_socket=self._socket_path, user=self._user,
                    password=self._password.reveal(), autocommit=True,
                    charset='utf8mb4', sql_mode=self._sql_mode,
                    connect_timeout=CONNECT_SECONDS, read_timeout=seconds,
                    write_timeout=ANSWER_SECONDS)) as connection:
                yield connection
        except pymysql_errors.MySQLError as error:
            raise _translated(error, seconds) from None


def _translated(error: pymysql_errors.MySQLError, seconds: float
                ) -> exceptions.ServerNotAnswering:
    """The reason why there is no answer; it quotes no statement."""
    code = error.args[0] if error.args else 0
    cause = getattr(error, 'original_exception', None)
    if isinstance(cause, OSError) and cause.errno in _NOBODY_THERE:
        return NobodyListens('no database server listens on its socket; '
                             'it is starting, or it is down')
    if isinstance(cause, socket.timeout) or code in (2003, 2006, 2013):
        return NoAnswerInTime(
            f'the database server gives no answer within {seconds:g} s')
    text = error.args[1] if len(error.args) > 1 else ''
    refusal = Refused(f'the database server refused ({code}): {text}')
    refusal.code, refusal.reason = code, str(text)
    return refusal
