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

"""The RPC client of a member's guest, typed and without secrets in logs.

The taskmanager and the API use it.
"""

from collections.abc import Collection
import functools
import types
from typing import Any

from oslo_log import log as logging
import oslo_messaging as messaging
from oslo_messaging.rpc import client as rpc_client

from trove.common import cfg
from trove.common import exception
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models

from trove_pxc.compat import guest_client
from trove_pxc.compat import remote_errors
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import certificates
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc import masking
from trove_pxc.protocols import GuestDatabase
from trove_pxc.protocols import GuestUser
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import UserChange

LOG = logging.getLogger(__name__)
CONF = cfg.CONF
conf.register(CONF)

#: exceptions of a guest for requests of users, and what the API raises
_REFUSALS = {
    exceptions.RequestRefused: exception.BadRequest,
    exceptions.UserExists: exception.UserAlreadyExists,
    exceptions.UserUnknown: exception.UserNotFound,
    exceptions.DatabaseExists: exception.DatabaseAlreadyExists,
    exceptions.DatabaseUnknown: exception.DatabaseNotFound,
    exceptions.ServerUnavailable: exception.UnprocessableEntity,
}


class AccountsAPI(guest_client.Client):
    """Trove's client of a guest; it waits for changes of a member.

    Every call raises trove.common.exception.GuestTimeout if there is no
    answer in time, and GuestError with the guest's message if it failed.
    """

    def create_user(self, users: list[GuestUser]) -> None:
        """:raises trove.common.exception.TroveError: see _change."""
        self._change('create_user', users=users)

    def delete_user(self, user: GuestUser) -> None:
        self._change('delete_user', user=user)

    def update_attributes(self, username: str, hostname: str,
                          user_attrs: UserChange) -> None:
        self._change('update_attributes', username=username,
                     hostname=hostname, user_attrs=user_attrs)

    def change_passwords(self, users: list[dict[str, str]]) -> None:
        self._change('change_passwords', users=users)

    def create_database(self, databases: list[GuestDatabase]) -> None:
        self._change('create_database', databases=databases)

    def delete_database(self, database: GuestDatabase) -> None:
        self._change('delete_database', database=database)

    def grant_access(self, username: str, hostname: str,
                     databases: list[str]) -> None:
        self._change('grant_access', username=username, hostname=hostname,
                     databases=databases)

    def revoke_access(self, username: str, hostname: str,
                      database: str) -> None:
        self._change('revoke_access', username=username, hostname=hostname,
                     database=database)

    def _change(self, method: str, **arguments: object) -> None:
        """Change users or databases; wait until a member's server did it.

        For a single instance it does what Trove does: mostly a cast.

        :raises trove.common.exception.TroveError: for a member, the class
            from _REFUSALS with the server's reason in one sentence.
        """
        if self._is_member:
            self.call_guest(method, self.agent_high_timeout,
                            self.API_BASE_VERSION, **arguments)
        else:
            getattr(super(), method)(**arguments)

    @functools.cached_property
    def _row(self) -> InstanceRow:
        row: InstanceRow = instance_models.DBInstance.find_by(id=self.id)
        return row

    @property
    def _is_member(self) -> bool:
        return bool(self._row.cluster_id)

    def call_guest(self, method: str, seconds: float, version: str, /,
                   **arguments: object) -> Any:
        """Call as Trove does, but do not log the result.

        Arguments and results may hold passwords.
        """
        LOG.debug('Calling %s of guest %s with timeout %s', method,
                  self.id, seconds)
        call = self.client.prepare(version=version, timeout=seconds)
        try:
            with _Rebuilt(), masking.hiding(
                    *masking.passwords_in(arguments)):
                return call.call(self.context, method, **arguments)
        except rpc_client.RemoteError as failure:
            raise _answer(failure) from None
        except messaging.MessagingTimeout as silence:
            raise exception.GuestTimeout() from silence
        except messaging.MessagingException as failure:
            raise exception.GuestError(
                original_message=str(failure)) from failure


class GaleraGuestAPI(AccountsAPI):
    """Trove's client of a guest, with the calls for a member."""

    def configure_member(self, facts: settings.MemberFacts,
                         secrets: settings.ClusterSecrets,
                         identity: certificates.Certificate | None = None
                         ) -> None:
        """:param certificate: None if members do not encrypt their traffic."""
        self._act('configure_member', facts=facts.to_dict(),
                  secrets=secrets.to_dict(),
                  identity=identity and identity.to_dict())

    def bootstrap_member(self) -> None:
        self._act('bootstrap_member')

    def join_member(self, forming: bool = True) -> None:
        """:param forming: whether the cluster is being created."""
        self._act('join_member', forming=forming)

    def start_member(self) -> None:
        self._act('start_member')

    def stop_member(self) -> None:
        """Stop the server cleanly; it stays stopped until the next boot."""
        self.call_guest('stop_db', self._seconds('member_stop_timeout'),
                        self.API_BASE_VERSION)

    def halt_member(self) -> bool:
        """Stop its server and keep it stopped, unless it is primary.

        :returns: whether it ran, or was going to be started.
        """
        return bool(self.call_guest(
            'halt_member', self._seconds('member_stop_timeout'),
            self.API_BASE_VERSION))

    def promote_member(self, uuid: str, seqno: int) -> bool:
        """Make its running server primary, if it is at this position.

        :returns: False if its component is changing; call it again then.
            An older agent returns None, or an error.
        """
        return self._act('promote_member', uuid=uuid,
                         seqno=seqno) is not False

    def continue_member(self, uuid: str, seqno: int) -> None:
        """Start its server as the first of the cluster, at this position."""
        self._act('continue_member', uuid=uuid, seqno=seqno)

    def member_report(self, seconds: float | None = None
                      ) -> view.MemberReport:
        """:param seconds: to wait; None for member_call_timeout."""
        return view.MemberReport.from_dict(
            self._look('member_report') if seconds is None
            else self.call_guest('member_report', seconds,
                                 self.API_BASE_VERSION))

    def awaited_report(self, patience: float) -> view.MemberReport:
        """The report as soon as the server is Synced.

        :param patience: after so many seconds the report of another state.
            An agent of an older release does not know it, and reports at
            once.
        """
        try:
            return view.MemberReport.from_dict(self.call_guest(
                'member_report',
                self._seconds('member_call_timeout') + patience,
                self.API_BASE_VERSION, patience=patience))
        except exception.GuestError as failure:
            if "unexpected keyword argument 'patience'" not in str(failure):
                raise
            return self.member_report()

    def member_position(self) -> position.Position:
        """The position; to recover it from a stopped server takes time."""
        return position.Position.from_dict(self._act('member_position'))

    def member_variables(self, names: Collection[str]) -> dict[str, str]:
        """The running values of the variables that are set; no secret.

        :param names: of more variables to return.
        """
        return dict(self._look('member_variables', names=sorted(names)))

    def member_context(self) -> Membership | None:
        """The configuration of the member; None if it has none."""
        plain = self._look('member_context')
        return None if plain is None else Membership.from_dict(plain)

    def start_backup(self, order: backups.Order) -> None:
        """Have it start a backup; repeating it is safe."""
        with masking.hiding(order.store.token.reveal()):
            self._act('start_backup', order=order.to_dict())

    def start_restore(self, order: backups.Restoring) -> None:
        """Have it start to restore a backup; repeating it is safe."""
        with masking.hiding(order.store.token.reveal()):
            self._act('start_restore', order=order.to_dict())

    def backup_progress(self, backup_id: str) -> backups.Progress:
        """The progress of a backup or a restore.

        An agent that does not know it, or that was restarted meanwhile,
        returns backups.State.UNKNOWN.
        """
        return backups.Progress.from_dict(
            self._look('backup_progress', backup_id=backup_id))

    def renew_backup_token(self, backup_id: str,
                           token: secret.Secret) -> None:
        """Send a new token for the object store."""
        with masking.hiding(token.reveal()):
            self._look('renew_backup_token', backup_id=backup_id,
                       token=token.reveal())

    def cancel_backup(self, backup_id: str) -> None:
        """Have it end a backup or a restore, which then fails."""
        self._look('cancel_backup', backup_id=backup_id)

    def bootstrap_restored(self) -> None:
        """Have it bootstrap a new cluster with the restored data."""
        self._act('bootstrap_restored')

    def restore_accounts(self) -> None:
        """Have it check that this package's accounts can log in."""
        self._look('restore_accounts')

    def write_probe(self, token: str) -> None:
        self._look('write_probe', token=token)

    def read_probe(self, token: str) -> bool:
        return bool(self._look('read_probe', token=token))

    def drop_probe(self) -> None:
        self._look('drop_probe')

    def cluster_complete(self) -> None:
        self._act('cluster_complete')

    def _look(self, method: str, **arguments: object) -> Any:
        return self.call_guest(
            method, self._seconds('member_call_timeout'),
            self.API_BASE_VERSION, **arguments)

    def _act(self, method: str, **arguments: object) -> Any:
        return self.call_guest(
            method, self._seconds('member_start_timeout'),
            self.API_BASE_VERSION, **arguments)

    def _seconds(self, option: str) -> int:
        return int(CONF[self._manager][option])

    @functools.cached_property
    def _manager(self) -> str:
        """The datastore manager of the guest, from Trove's tables."""
        return str(datastore_models.DatastoreVersion.load_by_uuid(
            self._row.datastore_version_id).manager)


class _Rebuilt:
    """Turn an exception that oslo.messaging recreated into a GuestError.

    oslo.messaging recreates exceptions of Python and of Trove.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None,
                 failure: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        text = None if failure is None else remote_errors.text_of(failure)
        if text is not None:
            raise exception.GuestError(original_message=text) from None


def _answer(failure: rpc_client.RemoteError) -> Exception:
    """The exception for the API, without the guest's traceback."""
    for told, answered in _REFUSALS.items():
        if failure.exc_type == told.__name__:
            answer: Exception = answered('%(text)s', text=failure.value)
            return answer
    return exception.GuestError(  # type: ignore[no-any-return]
        original_message=failure.value)
