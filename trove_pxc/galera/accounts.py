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

"""The SQL of the accounts that a node needs, in each dialect's words.

Pure. A statement is a Secret wherever it holds a password. The guest's
database module and its start program use it.

Sources: the servers' manuals, "Account management statements"; measured on
PXC 5.6: ALTER USER cannot set a password there and IF [NOT] EXISTS is not
known for users (errors 1064 and 1396).
"""

from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera.secret import Secret
from trove_pxc.galera.settings import ADMIN_USER
from trove_pxc.galera.settings import ClusterSecrets
from trove_pxc.galera.settings import SST_USER


def literal(text: str) -> str:
    """A string literal, valid under the server's default sql_mode."""
    return "'" + text.replace('\\', '\\\\').replace("'", "''") + "'"


def account(user: str, host: str) -> str:
    """An account's name as statements take it."""
    return f'{literal(user)}@{literal(host)}'


def set_password(dialect: Dialect, user: str, host: str,
                 password: Secret) -> Secret:
    """Give an account that exists another password."""
    secret = literal(password.reveal())
    name = account(user, host)
    if dialect.knows_alter_user:
        return Secret(f'ALTER USER {name} IDENTIFIED BY {secret}')
    return Secret(f'SET PASSWORD FOR {name} = PASSWORD({secret})')


def create_account(dialect: Dialect, user: str, host: str, password: Secret,
                   privileges: tuple[str, ...], *,
                   grant_option: bool = False) -> tuple[Secret, ...]:
    """Make the account, or give it this password if it is there."""
    name = account(user, host)
    secret = literal(password.reveal())
    granted = ', '.join(privileges) or 'USAGE'
    option = ' WITH GRANT OPTION' if grant_option else ''
    if not dialect.knows_alter_user:
        return (Secret(f'GRANT {granted} ON *.* TO {name} '
                       f'IDENTIFIED BY {secret}{option}'),)
    return (
        Secret(f'CREATE USER IF NOT EXISTS {name} IDENTIFIED BY {secret}'),
        set_password(dialect, user, host, password),
        Secret(f'GRANT {granted} ON *.* TO {name}{option}'),
    )


def drop_account(dialect: Dialect, user: str, host: str) -> str:
    """Drop an account; fails where it is absent and IF EXISTS unknown."""
    clause = 'IF EXISTS ' if dialect.knows_alter_user else ''
    return f'DROP USER {clause}{account(user, host)}'


def initial_statements(dialect: Dialect, secrets: ClusterSecrets, *,
                       sst_method: str | None = None) -> tuple[Secret, ...]:
    """What the node that bootstraps runs once, when it is initialised.

    One statement each, without a line break or a closing semicolon. After
    them root and the administrator have their passwords, on the socket
    alone, and nobody anonymous is left. Joiners get all of it by SST.
    """
    statements = [Secret(text) for text in dialect.initial_cleaning]
    statements.append(set_password(
        dialect, 'root', 'localhost', secrets.root_password))
    statements += create_account(
        dialect, ADMIN_USER, 'localhost', secrets.admin_password, ('ALL',),
        grant_option=True)
    if dialect.sst_method(sst_method) in dialect.sst_auth_methods:
        statements += create_account(
            dialect, SST_USER, 'localhost', secrets.sst_password,
            dialect.sst_user_grants)
    return tuple(statements)
