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

"""The accounts of this package in a cluster, and how they are restored.

Pure. The guest's module of the same name uses it. A user with all privileges
can change or drop these accounts. They are restored from the secrets of the
cluster.
"""

import dataclasses

from trove_pxc.galera import accounts
from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera.secret import Secret
from trove_pxc.galera.settings import ADMIN_USER
from trove_pxc.galera.settings import ClusterSecrets
from trove_pxc.galera.settings import SST_USER

HOST = 'localhost'
_ALL = ('ALL',)


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """An account that can log in only over the socket.

    :ivar administers: whether it can restore the others.
    """

    user: str
    password: Secret
    privileges: tuple[str, ...]
    administers: bool = False

    def __str__(self) -> str:
        return f'{self.user}@{HOST}'


def own(dialect: Dialect, secrets: ClusterSecrets,
        sst_method: str | None = None) -> tuple[Account, ...]:
    """The accounts that a member needs; administrators come first.

    :param sst_method: None for the dialect's default.
    """
    found = [Account(ADMIN_USER, secrets.admin_password, _ALL, True),
             Account('root', secrets.root_password, _ALL, True)]
    if dialect.sst_method(sst_method) in dialect.sst_auth_methods:
        found.append(Account(SST_USER, secrets.sst_password,
                             dialect.sst_user_grants))
    return tuple(found)


def statements(dialect: Dialect, account: Account) -> tuple[Secret, ...]:
    """The statements that create or restore an account; they never fail.

    One statement each, without a line break or a final semicolon. MariaDB
    shows statements unmasked in the general and binary log, in the process
    list, and in the error log of each member on which they fail. So its
    statements contain the hash instead of the password.
    """
    made = accounts.create_account(
        dialect, account.user, HOST, account.password, account.privileges,
        grant_option=account.administers)
    if dialect.manager == 'mariadb':
        made = tuple(map(_hashed, made))
    return tuple(statement.written() for statement in made)


def _hashed(statement: accounts.Statement) -> accounts.Statement:
    """The same statement with a hash of mysql_native_password."""
    return accounts.Statement(
        statement.text.replace('IDENTIFIED BY %s',
                               'IDENTIFIED BY PASSWORD %s'),
        tuple(accounts.native_hash(value) if isinstance(value, Secret)
              else value for value in statement.values))


def drop_statement(dialect: Dialect, account: Account) -> str:
    """The statement that drops an account that cannot log in.

    This removes a lock, a plugin or a limit. It fails if the account does
    not exist and the server does not support IF EXISTS.
    """
    clause = 'IF EXISTS ' if dialect.knows_alter_user else ''
    return (f'DROP USER {clause}{accounts.literal(account.user)}@'
            f'{accounts.literal(HOST)}')
