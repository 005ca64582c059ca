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

"""Checks that the accounts of this package can log in, and restores them.

The service uses it. A user with all privileges may change the password of
os_admin, or drop os_sst. Without os_admin the guest agent cannot query the
server. Without os_sst no member can be a donor.
"""

from collections.abc import Sequence

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import accounts
from trove_pxc.galera import credentials
from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera.membership import Membership
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths

LOG = logging.getLogger(__name__)

_PRIVATE = 0o600
_READABLE = 0o644

Account = credentials.Account


class Credentials:
    """The accounts of this package on the member.

    :param owner: 'uid:gid' of the database's user.
    """

    def __init__(self, host_files: files.HostFiles, where: paths.Paths,
                 owner: str) -> None:
        self._files = host_files
        self._where = where
        self._owner = owner
        self._mode = ''

    def look(self, dialect: Dialect, membership: Membership,
             failing: bool = False) -> bool:
        """Log in with each account; restore those that are refused.

        It restores them through an administrator that can log in, with
        statements that Galera replicates. If there is none, the next start
        of the server restores the accounts on this member.

        :param failing: whether the server fails repeatedly; it is then not
            told to restore accounts when it starts.
        :returns: whether each account could log in.
        """
        self._mode = accounts.session_mode(dialect)
        own = credentials.own(dialect, membership.secrets,
                              membership.facts.sst_method)
        try:
            refused = [one for one in own if self._is_refused(one)]
            admitted = [one for one in own
                        if one.administers and one not in refused]
            if not admitted:
                self._have_restored_at_start(dialect, own)
            elif refused:
                self._restore(dialect, admitted[0], refused)
            elif self._files.present(self._where.restoring_file):
                # The start has restored them only on this member.
                if self._restore(dialect, admitted[0], own, anew=False):
                    self.withdraw()
            return not refused
        except database.NobodyListens:
            if failing:
                self.withdraw()
        except exceptions.ServerNotAnswering as failure:
            LOG.info('Cannot check the accounts of the guest agent now: %s',
                     failure)
        return False

    def restore_at_start(self, dialect: Dialect,
                         membership: Membership) -> None:
        """Have the next start of the server restore all accounts.

        For data that has the accounts of another cluster.
        """
        self._write_start(credentials.own(dialect, membership.secrets,
                                          membership.facts.sst_method),
                          dialect)

    def withdraw(self) -> None:
        """Do not restore accounts at the next start of the server."""
        self._files.remove(self._where.restoring_file,
                           self._where.restoring_sql_file)

    def _is_refused(self, account: Account) -> bool:
        try:
            self._database(account).log_in()
        except database.Refused as refusal:
            if not refusal.denied:
                raise
            return True
        return False

    def _restore(self, dialect: Dialect, by: Account,
                 broken: Sequence[Account], anew: bool = True) -> bool:
        """Restore accounts on all members, if this one accepts writes.

        :param anew: whether each is dropped first.
        """
        admin = self._database(by)
        seen = admin.view()
        if (not seen.serves or not seen.is_synced
                or 'wsrep_on' in seen.altered):
            return False
        for account in broken:
            if anew:
                admin.drop(credentials.drop_statement(dialect, account))
            admin.carry_out(credentials.statements(dialect, account))
            LOG.warning('The account %s was changed or dropped. It is '
                        'restored on all members, by %s',
                        account, by)
        return True

    def _have_restored_at_start(self, dialect: Dialect,
                                own: Sequence[Account]) -> None:
        if self._files.present(self._where.restoring_file):
            return
        LOG.error('The server refuses all accounts of the guest agent: %s. '
                  'They are restored when the server starts again',
                  ', '.join(map(str, own)))
        self._write_start(own, dialect)

    def _write_start(self, own: Sequence[Account],
                     dialect: Dialect) -> None:
        """Write the statements that the next start runs on this member."""
        self._files.write(
            self._where.restoring_sql_file,
            ''.join(f'{statement.reveal()};\n' for account in own
                    for statement in credentials.statements(
                        dialect, account)), _PRIVATE, self._owner)
        self._files.write(
            self._where.restoring_file,
            f'[mysqld]\ninit_file={self._where.restoring_sql_file}\n',
            _READABLE)

    def _database(self, account: Account) -> database.Database:
        return database.Database(self._where.socket, account.user,
                                 account.password, sql_mode=self._mode)
