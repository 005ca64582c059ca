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

"""The SQL of accounts and databases for each dialect.

Pure. Input of users is either a value of a statement, which the driver quotes,
or an identifier, which :func:`identifier` quotes. The modules database and
accounts of the guest and its start program use this module.

Sources: the servers' manuals, "Account management statements"; measured on
PXC 5.6: ALTER USER cannot set a password there and IF [NOT] EXISTS is not
known for users (errors 1064 and 1396). "GRANT statement": in the name of a
database ``_`` and ``%`` are wildcards, a backslash escapes them.
"""

import dataclasses
import hashlib
import re

from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera import errors
from trove_pxc.galera.secret import Secret
from trove_pxc.galera.settings import ADMIN_USER
from trove_pxc.galera.settings import ClusterSecrets
from trove_pxc.galera.settings import SST_USER

#: The maximum length of a database name, and of the pattern of GRANT.
LONGEST_DATABASE = 64

_WILDCARD = re.compile(r'([\\_%])')
_ESCAPED = re.compile(r'\\(.)', re.DOTALL)
_PRIVILEGE = re.compile(r'[A-Z_]+( [A-Z_]+)*')


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its values; its repr shows no password.

    :ivar text: ``%s`` for each value, and ``%%`` for a percent sign.
    """

    text: str
    values: tuple[str | Secret, ...] = ()

    def revealed(self) -> tuple[str, ...]:
        """The plain values: only for the driver of a connection."""
        return tuple(value.reveal() if isinstance(value, Secret) else value
                     for value in self.values)

    def written(self) -> Secret:
        """The text with literals, for a server that reads it from a file."""
        return Secret(self.text % tuple(map(literal, self.revealed())))


def literal(text: str) -> str:
    """A string literal, valid under the server's default sql_mode."""
    return "'" + text.replace('\\', '\\\\').replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted name of a database, for the text of a Statement.

    It does not depend on the sql_mode.
    """
    return '`' + name.replace('`', '``').replace('%', '%%') + '`'


def pattern(database: str) -> str:
    """The pattern of GRANT that matches only this database.

    :raises trove_pxc.galera.errors.Unusable: if the pattern is too long.
    """
    escaped = _WILDCARD.sub(r'\\\1', database)
    if len(escaped) > LONGEST_DATABASE:
        raise errors.Unusable(
            f'Access to the database {database!r} cannot be granted: with a '
            'backslash before each _, % and backslash, as GRANT needs it, '
            f'the name is longer than {LONGEST_DATABASE} characters.')
    return escaped


def database_of(granted: str) -> str:
    """The database that the pattern of a grant matches."""
    return _ESCAPED.sub(r'\1', granted)


def session_mode(dialect: Dialect) -> str:
    """The sql_mode of a session that changes accounts.

    With it, backslashes escape independently of the server's mode, and GRANT
    does not create an account without a password.
    """
    modes = ['STRICT_TRANS_TABLES']
    if dialect.grant_makes_accounts:
        modes.append('NO_AUTO_CREATE_USER')
    return ','.join(modes)


def create_user(user: str, host: str, password: Secret) -> Statement:
    """Create an account with a password."""
    return Statement('CREATE USER %s@%s IDENTIFIED BY %s',
                     (user, host, password))


def set_password(dialect: Dialect, user: str, host: str,
                 password: Secret) -> Statement:
    """Change the password of an account."""
    if dialect.knows_alter_user:
        return Statement('ALTER USER %s@%s IDENTIFIED BY %s',
                         (user, host, password))
    return Statement('SET PASSWORD FOR %s@%s = PASSWORD(%s)',
                     (user, host, password))


def native_hash(password: Secret) -> Secret:
    """The hash of mysql_native_password: SHA-1 of SHA-1 in hex."""
    inner = hashlib.sha1(password.reveal().encode(),
                         usedforsecurity=False).digest()
    outer = hashlib.sha1(inner, usedforsecurity=False).hexdigest()
    return Secret(f'*{outer.upper()}')


def create_account(dialect: Dialect, user: str, host: str, password: Secret,
                   privileges: tuple[str, ...], *,
                   grant_option: bool = False) -> tuple[Statement, ...]:
    """Create the account, or change its password if it exists.

    The account never exists without a password.

    :param privileges: global privileges as in the GRANT statement.
    """
    granted = ', '.join(map(_privilege, privileges)) or 'USAGE'
    option = ' WITH GRANT OPTION' if grant_option else ''
    if not dialect.knows_alter_user:
        return (Statement(f'GRANT {granted} ON *.* TO %s@%s '
                          f'IDENTIFIED BY %s{option}',
                          (user, host, password)),)
    return (
        Statement('CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s',
                  (user, host, password)),
        set_password(dialect, user, host, password),
        Statement(f'GRANT {granted} ON *.* TO %s@%s{option}', (user, host)),
    )


def rename_user(user: str, host: str, new_user: str, new_host: str
                ) -> Statement:
    """Change the name or host of an account; it keeps its grants."""
    return Statement('RENAME USER %s@%s TO %s@%s',
                     (user, host, new_user, new_host))


def drop_user(user: str, host: str) -> Statement:
    """Drop an account; fails if it does not exist."""
    return Statement('DROP USER %s@%s', (user, host))


def users(dialect: Dialect) -> Statement:
    """Rows of User and Host: all accounts except localhost and roles."""
    roles = " AND is_role = 'N'" if dialect.manager == 'mariadb' else ''
    return Statement('SELECT User, Host FROM mysql.user '
                     f"WHERE Host <> 'localhost'{roles}")


def grants() -> Statement:
    """Rows of User, Host, Db (a pattern) and Grant_priv ('Y' or 'N').

    information_schema.SCHEMA_PRIVILEGES is not used: it has user and host in
    one text, in which quotes are not escaped.
    """
    return Statement('SELECT User, Host, Db, Grant_priv FROM mysql.db')


def grant(user: str, host: str, database: str) -> Statement:
    """Grant all privileges on one database.

    :raises trove_pxc.galera.errors.Unusable: see :func:`pattern`.
    """
    return Statement(
        f'GRANT ALL PRIVILEGES ON {identifier(pattern(database))}.* '
        'TO %s@%s', (user, host))


def revoke(user: str, host: str, granted: str, *,
           grant_option: bool = False) -> tuple[Statement, ...]:
    """Revoke one row of :func:`grants`.

    :param granted: its Db, unchanged.
    :param grant_option: whether its Grant_priv is 'Y'.
    """
    rights = ['GRANT OPTION'] if grant_option else []
    return tuple(
        Statement(f'REVOKE {right} ON {identifier(granted)}.* FROM %s@%s',
                  (user, host)) for right in (*rights, 'ALL PRIVILEGES'))


def databases() -> Statement:
    """Rows of name, character set and collation."""
    return Statement(
        'SELECT schema_name, default_character_set_name, '
        'default_collation_name FROM information_schema.schemata')


def create_database(name: str, character_set: str | None = None,
                    collation: str | None = None) -> Statement:
    """Create a database, with the server's defaults for None."""
    text = f'CREATE DATABASE {identifier(name)}'
    values: list[str | Secret] = []
    if character_set:
        text += ' CHARACTER SET %s'
        values.append(character_set)
    if collation:
        text += ' COLLATE %s'
        values.append(collation)
    return Statement(text, tuple(values))


def drop_database(name: str) -> Statement:
    """Drop a database; fails if it does not exist."""
    return Statement(f'DROP DATABASE {identifier(name)}')


def initial_statements(dialect: Dialect, secrets: ClusterSecrets, *,
                       sst_method: str | None = None) -> tuple[Secret, ...]:
    """The statements of the initialisation of the node that bootstraps.

    One statement each, without a line break or a final semicolon. They set
    the passwords of root and of the administrator, which can log in only
    over the socket, and remove anonymous accounts. Joiners get all of this
    by SST.
    """
    statements = [set_password(
        dialect, 'root', 'localhost', secrets.root_password)]
    statements += create_account(
        dialect, ADMIN_USER, 'localhost', secrets.admin_password, ('ALL',),
        grant_option=True)
    if dialect.sst_method(sst_method) in dialect.sst_auth_methods:
        statements += create_account(
            dialect, SST_USER, 'localhost', secrets.sst_password,
            dialect.sst_user_grants)
    return (*map(Secret, dialect.initial_cleaning),
            *(statement.written() for statement in statements))


def _privilege(words: str) -> str:
    """Check a privilege that is inserted into the text of a statement.

    :raises ValueError: if it does not look like a privilege.
    """
    if not _PRIVILEGE.fullmatch(words):
        raise ValueError(f'{words!r} is no privilege')
    return words
