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

"""The SQL client of the member's server, over its socket.

The service uses it. Every query ends within seconds, with an error if the
server does not answer.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import errno
import select
import socket
from typing import Any

from oslo_log import log as logging
import pymysql
from pymysql.constants import CLIENT
from pymysql import cursors
from pymysql import err as pymysql_errors

from trove_pxc import exceptions
from trove_pxc.galera import accounts
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc import waiting

CONNECT_SECONDS = 2
ANSWER_SECONDS = 3

LOG = logging.getLogger(__name__)

_PROBE = 'trove_pxc_probe'
# Also if the global value was changed.
_TOTAL_ORDER = "SET SESSION wsrep_OSU_method = 'TOI'"
_WRONG_ARGUMENTS = 1210
# A server that is not ready permits SHOW and SET, and no SELECT.
_NOT_READY = 1047
# A user may have set a short timeout for all sessions.
_STAY_OPEN = 'SET SESSION wait_timeout = 86400'
# Access denied, or by the plugin; the account is locked (MySQL, MariaDB); its
# password has expired (at the login, or at the first statement).
_DENIED = (1045, 1698, 3118, 4151, 1862, 1820)
_NOBODY_THERE = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK)


class NobodyListens(exceptions.ServerNotAnswering):
    """No server listens on the socket."""


class NoAnswerInTime(exceptions.ServerNotAnswering):
    """A server listens and does not answer: it hangs or is frozen."""


class SessionEnded(exceptions.ServerNotAnswering):
    """The server has closed the connection: it ends, or somebody killed it."""


class Refused(exceptions.ServerNotAnswering):
    """The server answered with an error.

    :ivar code: the server's error number.
    :ivar reason: its text, which may quote the statement.
    """

    code = 0
    reason = ''

    @property
    def denied(self) -> bool:
        """Whether it refuses the account: password, plugin, lock."""
        return self.code in _DENIED


class Database:
    """The server of one member, with the login of one account.

    :param socket_path: the server's socket, in the guest.
    :param sql_mode: of each session; None for the server's default.
    """

    def __init__(self, socket_path: str, user: str,
                 password: secret.Secret, *,
                 sql_mode: str | None = None) -> None:
        self._socket_path = socket_path
        self._user = user
        self._password = password
        self._sql_mode = sql_mode

    def view(self) -> view.NodeView:
        """The server's status of itself and of the cluster.

        :raises NobodyListens, SessionEnded, NoAnswerInTime, Refused: if that
            fails.
        """
        with _telling_ends(), self._connection() as connection, \
                connection.cursor() as cursor:
            return view.NodeView.from_status({
                **_pairs(cursor, view.STATUS_QUERY),
                **_pairs(cursor, view.VARIABLES_QUERY)})

    def session(self) -> 'Session':
        """Log in, and stay connected until the session is closed.

        :raises NobodyListens, SessionEnded, NoAnswerInTime, Refused: if that
            fails.
        """
        with _telling_ends(), _translating(ANSWER_SECONDS), \
                contextlib.ExitStack() as undo:
            # The driver does not publish a socket that it creates itself.
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            undo.callback(line.close)
            line.settimeout(CONNECT_SECONDS)
            line.connect(self._socket_path)
            connection = self._new_connection(
                ANSWER_SECONDS, defer_connect=True, init_command=_STAY_OPEN,
                client_flag=CLIENT.MULTI_STATEMENTS)
            connection.connect(line)
            undo.pop_all()
            return Session(connection, line)

    def log_in(self) -> None:
        """Log in, and log out.

        :raises NobodyListens, NoAnswerInTime, Refused: if that fails.
        """
        self._rows('SELECT 1')     # refused if the password has expired

    def drop(self, statement: str) -> None:
        """Run a DROP on all members; ignore that the server refuses it."""
        try:
            self.carry_out((secret.Secret(statement),))
        except Refused as refusal:
            LOG.info('"%s": %s', statement, refusal)

    def carry_out(self, statements: Iterable[secret.Secret]) -> None:
        """Run statements that Galera replicates to all members."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute(_TOTAL_ORDER)
            for statement in statements:
                cursor.execute(statement.reveal())

    def end_clients(self) -> None:
        """Kill the connections of all clients, which releases their locks."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute('SHOW PROCESSLIST')
            for number, user, *_ in cursor.fetchall():
                if user != 'system user' and number != connection.thread_id():
                    with contextlib.suppress(pymysql_errors.MySQLError):
                        cursor.execute('KILL %s', (number,))

    def variables(self) -> dict[str, str]:
        """The values of all variables of the server, by name."""
        return {str(name): str(value)
                for name, value in self._rows('SHOW GLOBAL VARIABLES')}

    def version(self) -> str:
        """The version of the server, as it reports it."""
        return str(self._rows('SELECT @@version')[0][0])

    def set_sst_method(self, method: str) -> None:
        """Use this method for the next state transfers."""
        self._rows('SET GLOBAL wsrep_sst_method = %s', method)

    def desync(self, wanted: bool) -> None:
        """Have it apply writes more slowly than the others, or no longer.

        The others do not wait for a server that is desynced.
        """
        self._rows('SET GLOBAL wsrep_desync = '
                   + ('ON' if wanted else 'OFF'))

    def promote(self) -> bool:
        """Make the component of this server the primary component.

        :returns: False if the component is changing: Galera then reports
            that there is no such parameter (measured with 26.4.23).
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
        """Write a row that every member must have afterwards."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE IF NOT EXISTS {_PROBE}')
            cursor.execute(
                f'CREATE TABLE IF NOT EXISTS {_PROBE}.token '
                '(token VARCHAR(64) PRIMARY KEY) ENGINE=InnoDB')
            cursor.execute(
                f'INSERT INTO {_PROBE}.token VALUES (%s)', (token,))

    def read_probe(self, token: str) -> bool:
        """Whether the row is here, after all earlier writes are applied."""
        with self._connection() as connection, \
                connection.cursor() as cursor:
            cursor.execute('SET SESSION wsrep_sync_wait = 1')
            try:
                cursor.execute(
                    f'SELECT 1 FROM {_PROBE}.token WHERE token = %s',
                    (token,))
            except pymysql_errors.ProgrammingError:
                return False  # the table has not arrived either
            return cursor.fetchone() is not None

    def drop_probe(self) -> None:
        """Remove all probes from all members."""
        self._rows(f'DROP DATABASE IF EXISTS {_PROBE}')

    def execute(self, statement: accounts.Statement,
                seconds: float = ANSWER_SECONDS) -> list[tuple[Any, ...]]:
        """The rows of one statement, whose values the driver quotes.

        :param seconds: to wait for the answer.
        :raises NobodyListens, Refused: if it was not done.
        :raises NoAnswerInTime: if it is not known whether it was done.
        """
        with self._connection(seconds) as connection, \
                connection.cursor() as cursor:
            # Pass values even if there are none: the driver replaces "%%".
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
        with _translating(seconds), \
                contextlib.closing(self._new_connection(seconds)) as opened:
            yield opened

    def _new_connection(self, seconds: float, **more: Any
                        ) -> 'pymysql.Connection[Any]':
        # Without ssl_disabled the driver loads the certificates of all CAs
        # of the guest for each connection, also for a socket: 36 ms.
        return pymysql.connect(
            unix_socket=self._socket_path, user=self._user,
            password=self._password.reveal(), autocommit=True,
            charset='utf8mb4', sql_mode=self._sql_mode, ssl_disabled=True,
            connect_timeout=CONNECT_SECONDS, read_timeout=seconds,
            write_timeout=ANSWER_SECONDS, **more)


class Session:
    """A connection that stays open, to observe the server repeatedly.

    The server closes it when it ends. So while it is open, the server that
    it was opened to still runs. Only one thread may use it: eventlet permits
    one reader of a socket.
    """

    def __init__(self, connection: 'pymysql.Connection[Any]',
                 line: socket.socket) -> None:
        self._connection = connection
        self._line = line
        self._names: tuple[str, ...] = ()

    def view(self) -> view.NodeView:
        """The server's status of itself and of the cluster.

        :raises SessionEnded: if the server has closed the session.
        :raises NoAnswerInTime, Refused: if that fails. The session cannot be
            used any more.
        """
        with _telling_ends(), _translating(ANSWER_SECONDS), \
                self._connection.cursor() as cursor:
            return view.NodeView.from_status(self._rows(cursor))

    def wait(self, seconds: float) -> bool:
        """Wait this long, or until the server closes the session.

        :returns: whether the server closes it.
        """
        arrived, _, _ = select.select((self._line,), (), (), seconds)
        return bool(arrived)

    def close(self) -> None:
        with contextlib.suppress(pymysql_errors.MySQLError, OSError):
            self._connection.close()

    def _rows(self, cursor: cursors.Cursor) -> dict[str, str]:
        if not self._names:
            rows = _pairs(cursor, view.STATUS_QUERY)
            variables = _pairs(cursor, view.VARIABLES_QUERY)
            self._names = tuple(variables)
            return {**rows, **variables}
        # One message for both: each answer that is waited for costs as much
        # as its contents.
        rows = _pairs(cursor, f'{view.STATUS_QUERY}; '
                              f'{view.values_query(self._names)}')
        try:
            cursor.nextset()
        except pymysql_errors.MySQLError as refusal:
            if refusal.args[0] != _NOT_READY:
                raise
            return {**rows, **_pairs(cursor, view.VARIABLES_QUERY)}
        return {**rows,
                **view.values_of(self._names, cursor.fetchone() or ())}


def _pairs(cursor: cursors.Cursor, query: str) -> dict[str, str]:
    """The rows of a query that returns names and values."""
    cursor.execute(query)
    return {str(name): str(value) for name, value in cursor.fetchall()}


@contextlib.contextmanager
def _telling_ends() -> Iterator[None]:
    """Raise SessionEnded for a server that closes the connection.

    The driver has one error for that and for a timeout. A server that is
    stopped closes each connection at once.
    """
    took = waiting.Stopwatch()
    try:
        yield
    except NoAnswerInTime as silence:
        if took.elapsed < min(CONNECT_SECONDS, ANSWER_SECONDS):
            raise SessionEnded('the database server has closed the connection '
                               'of the guest agent') from silence
        raise


@contextlib.contextmanager
def _translating(seconds: float) -> Iterator[None]:
    try:
        yield
    except (pymysql_errors.MySQLError, OSError) as error:
        raise _translated(error, seconds) from None


def _translated(error: pymysql_errors.MySQLError | OSError, seconds: float
                ) -> exceptions.ServerNotAnswering:
    """The exception for an error of the driver; it quotes no statement."""
    code = error.args[0] if error.args else 0
    cause = (error if isinstance(error, OSError)
             else getattr(error, 'original_exception', None))
    if isinstance(cause, OSError) and cause.errno in _NOBODY_THERE:
        return NobodyListens('no database server listens on the socket; '
                             'it is starting, or it is down')
    if isinstance(cause, OSError) or code in (2003, 2006, 2013):
        return NoAnswerInTime(
            f'the database server does not answer within {seconds:g} s')
    text = error.args[1] if len(error.args) > 1 else ''
    refusal = Refused(f'the database server refused ({code}): {text}')
    refusal.code, refusal.reason = code, str(text)
    return refusal
