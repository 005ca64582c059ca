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

"""A database server in memory that runs the statements of galera.accounts.

It replaces the database.Database of a guest. Its answers were measured with
MariaDB 10.11.19.
"""

from collections.abc import Callable
import re
from typing import Any

from trove_pxc.galera import accounts
from trove_pxc.guestagent import database

_NAME = '(`(?:[^`]|``)*`)'
_OF_ITS_OWN = ('information_schema', 'mysql', 'performance_schema', 'sys')


class Server:
    """The contents of one server, or of all members of a cluster.

    :ivar users: by name and host: '_password', and '_databases', the
        patterns that were granted.
    :ivar databases: by name: '_character_set' and '_collate'.
    :ivar texts: of all statements that changed something.
    :ivar refuse: number and text of the error for a statement with this
        name or value.
    """

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.databases: dict[str, dict[str, Any]] = {}
        self.texts: list[str] = []
        self.refuses: dict[str, tuple[int, str]] = {}

    def execute(self, statement: accounts.Statement,
                seconds: float = 3) -> list[tuple[Any, ...]]:
        """Replaces database.Database.execute."""
        values = statement.revealed()
        for words, act in _WORDS:
            found = re.fullmatch(words, statement.text)
            if found:
                names = [_plain(one) for one in found.groups()]
                for value in (*names, *values):
                    if value in self.refuses:
                        raise refused(*self.refuses[value])
                if act not in _READING:
                    self.texts.append(statement.text)
                return act(self, *names, *values) or []
        raise AssertionError(f'no server knows {statement.text}')

    def _accounts(self) -> list[tuple[str, str]]:
        return [(user['_name'], user['_host'])
                for user in self.users.values()]

    def _list_users(self, *_: str) -> list[tuple[Any, ...]]:
        return list(reversed(self._accounts()))

    def _list_grants(self) -> list[tuple[Any, ...]]:
        return [(user['_name'], user['_host'], granted, 'N')
                for user in self.users.values()
                for granted in user['_databases']]

    def _list_databases(self) -> list[tuple[Any, ...]]:
        own = [(name, 'utf8mb3', 'utf8mb3_general_ci')
               for name in _OF_ITS_OWN]
        return own + [(name, one['_character_set'], one['_collate'])
                      for name, one in self.databases.items()]

    def _create_user(self, name: str, host: str, password: str) -> None:
        if f'{name}@{host}' in self.users:
            raise refused(1396, 'Operation CREATE USER failed')
        self.users[f'{name}@{host}'] = {
            '_name': name, '_host': host, '_password': password,
            '_databases': []}

    def _see_user(self, name: str, host: str, password: str) -> None:
        if f'{name}@{host}' not in self.users:
            self._create_user(name, host, password)

    def _set_password(self, name: str, host: str, password: str) -> None:
        self._user(name, host, 1396)['_password'] = password

    def _grant_all(self, name: str, host: str, password: str = '') -> None:
        if password:   # PXC 5.6 sets it here.
            self._see_user(name, host, password)
            self._set_password(name, host, password)
        self._user(name, host)['_global'] = True

    def _rename(self, name: str, host: str, new: str, new_host: str) -> None:
        user = self._user(name, host, 1396)
        del self.users[f'{name}@{host}']
        user.update(_name=new, _host=new_host)
        self.users[f'{new}@{new_host}'] = user

    def _drop_user(self, name: str, host: str) -> None:
        self._user(name, host, 1396)
        del self.users[f'{name}@{host}']

    def _grant(self, granted: str, name: str, host: str) -> None:
        self._user(name, host)['_databases'].append(granted)

    def _revoke(self, granted: str, name: str, host: str) -> None:
        self._user(name, host)['_databases'].remove(granted)

    def _create_database(self, name: str, *chosen: str) -> None:
        if name in self.databases:
            raise refused(1007, f"Can't create database '{name}'")
        values = list(chosen)
        self.databases[name] = {
            '_name': name,
            '_character_set': values.pop(0) if values else 'utf8mb4',
            '_collate': values.pop(0) if values else 'utf8mb4_general_ci'}

    def _drop_database(self, name: str) -> None:
        if name not in self.databases:
            raise refused(1008, f"Can't drop database '{name}'")
        del self.databases[name]

    def _user(self, name: str, host: str, code: int = 1133
              ) -> dict[str, Any]:
        if f'{name}@{host}' not in self.users:
            raise refused(code, 'no such account')
        return self.users[f'{name}@{host}']


def refused(code: int, text: str) -> database.Refused:
    """The error that database.Database raises."""
    refusal = database.Refused(f'the database server refused ({code}): '
                               f'{text}')
    refusal.code, refusal.reason = code, text
    return refusal


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace('``', '`').replace('%%', '%')


_READING: tuple[Callable[..., Any], ...] = (
    Server._list_users, Server._list_grants, Server._list_databases)
_WORDS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"SELECT User, Host FROM mysql.user WHERE Host <> 'localhost'"
     r"(?: AND is_role = 'N')?", Server._list_users),
    ('SELECT User, Host, Db, Grant_priv FROM mysql.db', Server._list_grants),
    ('SELECT schema_name, default_character_set_name, default_collation_name '
     'FROM information_schema.schemata', Server._list_databases),
    ('CREATE USER %s@%s IDENTIFIED BY %s', Server._create_user),
    ('CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s', Server._see_user),
    ('ALTER USER %s@%s IDENTIFIED BY %s', Server._set_password),
    (r'SET PASSWORD FOR %s@%s = PASSWORD\(%s\)', Server._set_password),
    (r'GRANT ALL ON \*\.\* TO %s@%s WITH GRANT OPTION', Server._grant_all),
    (r'GRANT ALL ON \*\.\* TO %s@%s IDENTIFIED BY %s WITH GRANT OPTION',
     Server._grant_all),
    ('RENAME USER %s@%s TO %s@%s', Server._rename),
    ('DROP USER %s@%s', Server._drop_user),
    (rf'GRANT ALL PRIVILEGES ON {_NAME}\.\* TO %s@%s', Server._grant),
    (rf'REVOKE ALL PRIVILEGES ON {_NAME}\.\* FROM %s@%s', Server._revoke),
    (rf'CREATE DATABASE {_NAME}(?: CHARACTER SET %s)?(?: COLLATE %s)?',
     Server._create_database),
    (rf'DROP DATABASE {_NAME}', Server._drop_database),
)
