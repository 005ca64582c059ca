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

"""Users, databases and grants of a member, with parameterised statements.

The manager uses it instead of Trove's MySqlAdmin, which puts values of users
into the text of statements. Methods, parameters and results are those of
Trove: the dictionaries of trove.common.db.models.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import operator
from typing import Any

from oslo_log import log as logging

from trove.common import cfg
from trove.common import pagination
from trove.common import utils

from trove_pxc import exceptions
from trove_pxc.galera import accounts
from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera import errors
from trove_pxc.galera import limits
from trove_pxc.galera import reserved
from trove_pxc.galera.secret import Secret
from trove_pxc.guestagent import database
from trove_pxc import masking
from trove_pxc.protocols import GuestDatabase
from trove_pxc.protocols import GuestUser
from trove_pxc.protocols import UserChange

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

Row = tuple[Any, ...]
Meaning = type[exceptions.RequestRefused] | None

_ROOT = 'root'
_EVERYWHERE = '%'
#: of the time that the caller waits, kept for sending the answer
_RESERVE_SECONDS = 5

# Numbers of the servers' errors: "Server error message reference".
_SYNTAX = 1064
#: an account exists that should not, or does not exist and should
_CANNOT_USER = 1396
_KINDS = {
    1007: exceptions.DatabaseExists,
    1008: exceptions.DatabaseUnknown,
    1133: exceptions.UserUnknown,
    1410: exceptions.UserUnknown}
# Access denied to the agent, not ready for queries, read only, locked,
# killed, deadlock.
_NOT_NOW = (1040, 1044, 1045, 1047, 1053, 1205, 1213, 1227, 1290, 1317,
            1836)


class MemberAdmin:
    """The requests of Trove's manager to the server of a member.

    :raises trove_pxc.exceptions.RequestRefused: or a subclass, if the server
        or this module refuses the request.
    :raises trove_pxc.exceptions.ServerUnavailable: it cannot be done now.
    """

    def __init__(self, server: database.Database, dialect: Dialect) -> None:
        self._server = server
        self._dialect = dialect

    def create_users(self, users: list[GuestUser]) -> None:
        """Create users with their passwords and grants."""
        wanted = [_Wanted(user) for user in users]
        for user in wanted:
            self._check_new_user(user.name, user.host)
            _check(limits.password(user.password.reveal()))
            self._grants_of(user.name, user.host, user.databases)
        for done, user in enumerate(wanted):
            with _after(done, wanted):
                self._create_user(user)

    def delete_user(self, user: GuestUser) -> None:
        name, host = user['_name'], _host(user['_host'])
        _check_user(name)
        self._change(f'drop the user {_shown(name, host)}',
                     accounts.drop_user(name, host),
                     exists=exceptions.UserUnknown)

    def get_user(self, username: str,
                 hostname: str | None) -> GuestUser | None:
        """One user, or None."""
        host = _host(hostname)
        _check(limits.reserved_user(username))
        if (username, host) not in self._users():
            return None
        return _user(username, host, _databases(
            self._grants(), username, host))

    def list_users(self, limit: int | None = None, marker: str | None = None,
                   include_marker: bool = False
                   ) -> tuple[list[GuestUser], str | None]:
        """One page, in the order of "name@host", and the next marker."""
        page, following = pagination.paginate_list(
            self._users(), limit, marker, include_marker, _marker)
        grants = self._grants() if page else []
        return [_user(name, host, _databases(grants, name, host))
                for name, host in page], following

    def update_attributes(self, username: str, hostname: str | None,
                          user_attrs: UserChange) -> None:
        """Change name, host and password: all of them, or none."""
        old = username, _host(hostname)
        new = (user_attrs.get('name') or username,
               _host(user_attrs.get('host') or old[1]))
        password = user_attrs.get('password')
        _check_user(username)
        if password is not None:
            _check(limits.password(password))
        if new != old:
            self._check_new_user(*new)
            self._rename(old, new)
        if password is None:
            return
        try:
            self._set_password(*new, Secret(password))
        except exceptions.RequestRefused:
            if new != old:
                self._rename(new, old)
            raise

    def change_passwords(self, users: list[dict[str, str]]) -> None:
        for user in users:
            _check_user(user['name'])
            _check(limits.password(user['password']))
        names = [_Named(user['name'], user['host']) for user in users]
        for done, user in enumerate(users):
            with _after(done, names):
                self._set_password(user['name'], _host(user['host']),
                                   Secret(user['password']))

    def list_access(self, username: str,
                    hostname: str | None) -> list[GuestDatabase]:
        """The databases to which a user has access."""
        found = self.get_user(username, hostname)
        if found is None:
            raise _unknown(username, _host(hostname))
        return list(found['_databases'])

    def grant_access(self, username: str, hostname: str | None,
                     databases: list[str]) -> None:
        """Give a user all privileges in databases."""
        host = _host(hostname)
        _check_user(username)
        grants = self._grants_of(username, host, databases)
        for name, statement in zip(databases, grants, strict=True):
            self._change(f'give the user {_shown(username, host)} access to '
                         f'the database {name!r}', statement)

    def revoke_access(self, username: str, hostname: str | None,
                      database: str) -> None:
        """Revoke the access of a user to a database."""
        host = _host(hostname)
        _check_user(username)
        _check_database(database)
        what = (f'revoke access to the database {database!r} from the user '
                f'{_shown(username, host)}')
        given = [(granted, option)
                 for user, at, granted, option in self._grants()
                 if (user, at) == (username, host)
                 and accounts.database_of(granted) == database]
        if not given:
            raise exceptions.DatabaseUnknown(
                f'Cannot {what}: the user has no access to it.')
        for granted, option in given:
            for statement in accounts.revoke(
                    username, host, granted, grant_option=option == 'Y'):
                self._change(what, statement)

    def create_databases(self, databases: list[GuestDatabase]) -> None:
        """Create databases; the server's defaults apply to what is absent."""
        for one in databases:
            self._check_new_database(one['_name'])
        names = [_Named(one['_name']) for one in databases]
        for done, one in enumerate(databases):
            with _after(done, names):
                self._change(
                    f'create the database {one["_name"]!r}',
                    accounts.create_database(
                        one['_name'], one.get('_character_set'),
                        one.get('_collate')))

    def delete_database(self, database: GuestDatabase) -> None:
        name = database['_name']
        _check_database(name)
        self._change(f'drop the database {name!r}',
                     accounts.drop_database(name))

    def list_databases(self, limit: int | None = None,
                       marker: str | None = None,
                       include_marker: bool = False
                       ) -> tuple[list[GuestDatabase], str | None]:
        """One page, in the order of the names, and the next marker."""
        ignored = set(cfg.get_ignored_dbs())
        found = [row for row in self._ask(
            'list the databases', accounts.databases())
            if not reserved.is_reserved_database(row[0])
            and row[0] not in ignored]
        page, following = pagination.paginate_list(
            found, limit, marker, include_marker, operator.itemgetter(0))
        return [_database(*row) for row in page], following

    def enable_root(self, root_password: str | None = None) -> GuestUser:
        """Enable root from every host, with this password or a new one."""
        if root_password is not None:
            _check(limits.password(root_password))
        password = root_password or utils.generate_random_password()
        for statement in accounts.create_account(
                self._dialect, _ROOT, _EVERYWHERE, Secret(password),
                tuple(CONF.root_grant), grant_option=CONF.root_grant_option):
            self._change('enable the user root', statement)
        return {**_user(_ROOT, _EVERYWHERE, [], password), '_is_root': True}

    def disable_root(self) -> None:
        """Give the accounts of root from other hosts an unknown password.

        As in Trove, they are not dropped: objects of root may need them.
        """
        for name, host in self._rows_of_users():
            if name == _ROOT:
                self._change(
                    'disable the user root', accounts.set_password(
                        self._dialect, name, host,
                        Secret(utils.generate_random_password())))

    def is_root_enabled(self) -> bool:
        return any(name == _ROOT for name, _ in self._rows_of_users())

    def _create_user(self, user: '_Wanted') -> None:
        name, host = user.name, user.host
        if (name, host) in self._users():
            raise exceptions.UserExists(
                f'The user {_shown(name, host)} already exists.')
        self._change(f'create the user {_shown(name, host)}',
                     accounts.create_user(name, host, user.password),
                     exists=exceptions.UserExists)
        try:
            self.grant_access(name, host, user.databases)
        except exceptions.RequestRefused:
            self._change(f'drop the user {_shown(name, host)} again',
                         accounts.drop_user(name, host))
            raise

    def _rename(self, old: tuple[str, str], new: tuple[str, str]) -> None:
        users = self._users()
        if old not in users:
            raise _unknown(*old)
        if new in users:
            raise exceptions.UserExists(
                f'The user {_shown(*new)} already exists.')
        self._change(f'rename the user {_shown(*old)} to {_shown(*new)}',
                     accounts.rename_user(*old, *new))

    def _set_password(self, name: str, host: str, password: Secret) -> None:
        self._change(
            f'set the password of the user {_shown(name, host)}',
            accounts.set_password(self._dialect, name, host, password),
            exists=exceptions.UserUnknown)

    def _check_new_user(self, name: str, host: str) -> None:
        _check_user(name)
        _check(limits.user_name(self._dialect, name)
               or limits.host(self._dialect, host))

    def _check_new_database(self, name: str) -> None:
        _check_database(name)
        _check(limits.database(self._dialect, name))

    def _grants_of(self, user: str, host: str, databases: list[str]
                   ) -> list[accounts.Statement]:
        """Check the names of databases; return the grants for a user."""
        for name in databases:
            self._check_new_database(name)
        try:
            return [accounts.grant(user, host, name) for name in databases]
        except errors.Unusable as wrong:
            raise exceptions.RequestRefused(str(wrong)) from None

    def _users(self) -> list[tuple[str, str]]:
        """The users without those of the server and of Trove."""
        ignored = set(cfg.get_ignored_users())
        return [(name, host) for name, host in self._rows_of_users()
                if not reserved.is_reserved_user(name)
                and name not in ignored]

    def _rows_of_users(self) -> list[tuple[str, str]]:
        return [(name, host) for name, host in self._ask(
            'list the users', accounts.users(self._dialect))]

    def _grants(self) -> list[Row]:
        return self._ask('list the grants of users', accounts.grants())

    def _ask(self, what: str, statement: accounts.Statement) -> list[Row]:
        return self._execute(what, statement, CONF.agent_call_low_timeout)

    def _change(self, what: str, statement: accounts.Statement,
                exists: Meaning = None) -> None:
        """:param exists: what to raise if the account cannot be changed."""
        LOG.info('Asking the server to %s', what)
        self._execute(what, statement, CONF.agent_call_high_timeout, exists)

    def _execute(self, what: str, statement: accounts.Statement,
                 seconds: int, exists: Meaning = None) -> list[Row]:
        try:
            return self._server.execute(
                statement, max(seconds - _RESERVE_SECONDS,
                               database.ANSWER_SECONDS))
        except database.Refused as refusal:
            raise _refusal(what, refusal, statement, exists) from None
        except database.NoAnswerInTime as silence:
            raise exceptions.ServerUnavailable(
                f'Not known whether the server could {what}: {silence}. '
                'Check the result before you repeat it.') from None
        except database.NobodyListens as silence:
            raise exceptions.ServerUnavailable(
                f'Cannot {what}: {silence}.') from None


class _Named:
    """How a message names a user or a database."""

    def __init__(self, name: str, host: str | None = None) -> None:
        self.shown = (repr(name) if host is None
                      else _shown(name, _host(host)))


class _Wanted(_Named):
    """A user to create."""

    def __init__(self, user: GuestUser) -> None:
        self.name, self.host = user['_name'], _host(user.get('_host'))
        super().__init__(self.name, self.host)
        self.databases = [one['_name']
                          for one in user.get('_databases') or ()]
        self.password = Secret(user.get('_password') or '')


def _check(sentence: str | None) -> None:
    """:raises trove_pxc.exceptions.RequestRefused: with the sentence."""
    if sentence is not None:
        raise exceptions.RequestRefused(sentence)


def _check_user(name: str) -> None:
    """Raise unless users may show, change and drop this user."""
    _check(limits.reserved_user(name))
    if name in cfg.get_ignored_users():
        raise exceptions.RequestRefused(
            f'The user {name!r} is reserved by the operator (ignore_users).')


def _check_database(name: str) -> None:
    """Raise unless users may drop and revoke this database."""
    _check(limits.reserved_database(name))
    if name in cfg.get_ignored_dbs():
        raise exceptions.RequestRefused(
            f'The database {name!r} is reserved by the operator '
            '(ignore_dbs).')


@contextlib.contextmanager
def _after(done: int, wanted: Sequence[_Named]) -> Iterator[None]:
    """Add to a failure what the same request has done before it."""
    try:
        yield
    except (exceptions.RequestRefused,
            exceptions.ServerUnavailable) as failure:
        if not done:
            raise
        names = ', '.join(one.shown for one in wanted[:done])
        raise type(failure)(f'{failure} Done before it: {names}.') from None


def _refusal(what: str, refusal: database.Refused,
             statement: accounts.Statement, exists: Meaning
             ) -> exceptions.GaleraError:
    """The message for a user: the server's reason, without secrets."""
    with masking.hiding(*(value.reveal() for value in statement.values
                          if isinstance(value, Secret))):
        reason = masking.masked(refusal.reason)
    if refusal.code == _SYNTAX:   # it quotes the statement
        reason = 'the statement has a syntax error'
    text = f'Cannot {what}: the server refuses it ({refusal.code}): {reason}'
    if refusal.code == _CANNOT_USER and exists is not None:
        return exists(text)
    if refusal.code in _NOT_NOW:
        return exceptions.ServerUnavailable(text)
    return _KINDS.get(refusal.code, exceptions.RequestRefused)(text)


def _unknown(name: str, host: str) -> exceptions.UserUnknown:
    return exceptions.UserUnknown(
        f'The user {_shown(name, host)} does not exist.')


def _databases(grants: Iterable[Row], name: str, host: str) -> list[str]:
    """The databases to which a user has access, without reserved ones."""
    reached = {accounts.database_of(granted)
               for user, at, granted, _ in grants
               if (user, at) == (name, host)}
    return sorted(one for one in reached
                  if not reserved.is_reserved_database(one))


def _user(name: str, host: str, databases: list[str],
          password: str | None = None) -> GuestUser:
    return {'_name': name, '_host': host, '_password': password,
            '_databases': [_database(one) for one in databases],
            '_is_root': False}


def _database(name: str, character_set: str | None = None,
              collation: str | None = None) -> GuestDatabase:
    return {'_name': name, '_character_set': character_set,
            '_collate': collation}


def _host(host: str | None) -> str:
    """The host in lower case, as all servers store it."""
    return (host or _EVERYWHERE).lower()


def _shown(name: str, host: str) -> str:
    return f'{name}@{host}'


def _marker(user: tuple[str, str]) -> str:
    return _shown(*user)
