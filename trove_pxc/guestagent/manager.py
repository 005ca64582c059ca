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

"""The RPC methods of a guest, which the taskmanager calls.

Trove's guest agent loads it through the datastore version's registry_ext.
Each method is a line or two that calls the service.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import threading
from typing import Any

from oslo_service import periodic_task  # type: ignore[import-untyped]

from trove.common import cfg
from trove.common import notification
from trove.guestagent.datastore.mariadb import manager as mariadb_manager
from trove.guestagent.datastore.mariadb import service as mariadb_service
from trove.guestagent.datastore.mysql import manager as mysql_manager
from trove.guestagent.datastore.mysql import service as mysql_service
from trove.guestagent.datastore.mysql_common import manager as common

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import certificates
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.guestagent import accounts
from trove_pxc.guestagent import app as apps
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import metrics as endpoints
from trove_pxc.guestagent import record
from trove_pxc.guestagent import reporter as reporters
from trove_pxc.guestagent import status as statuses
from trove_pxc import masking
from trove_pxc.protocols import Context
from trove_pxc.protocols import GuestDatabase
from trove_pxc.protocols import GuestUser
from trove_pxc.protocols import UserChange

CONF = cfg.CONF
conf.register(CONF)

_CUT_SHORT = ('its guest agent stopped while it prepared the member, and the '
              'settings that it had received are lost')


class GaleraManager(common.MySqlManager):
    """The common part of the managers of all datastores with clusters.

    :ivar beginning: the thread that runs the first actions of the agent.
    :ivar reporter: reports the state of the member to Trove.
    :ivar metrics: the endpoint for Prometheus, if it is enabled.
    """

    member: members.BackupMember
    beginning: threading.Thread
    reporter: reporters.Reporter
    metrics: endpoints.Endpoint

    def _install(self, manager: str, app_class: type[apps.MemberApp],
                 admin_class: Callable[[apps.MemberApp],
                                       accounts.MemberAdmin]) -> None:
        # The agent makes its manager before it logs its options and before
        # it takes a message (trove/common/rpc/service.py).
        masking.install()
        status = statuses.MemberStatus(self.docker_client)
        app = app_class(status, self.docker_client)
        common.MySqlManager.__init__(self, app, status, admin_class(app),
                                     manager)
        self.member = app.bind(manager, self.docker_client)
        # No call has arrived yet: an earlier agent stored this stage.
        if self.member.stage is record.Stage.PREPARING:
            self.member.fail(_CUT_SHORT)
        status.member = self.member
        self.reporter = reporters.Reporter(
            status, self.member.wait, manager)
        self.metrics = endpoints.Endpoint(status, self.member, manager)
        self.beginning = threading.Thread(target=self._begin, daemon=True)
        self.beginning.start()

    def _begin(self) -> None:
        """Run when the agent starts, before its first periodic task."""
        self.member.refresh()
        self.member.end_left_backup()
        self.member.resume()
        self.reporter.keep_on()
        self.metrics.keep_on()

    # It has another name than update_status: Trove's periodic task of that
    # name runs even if a subclass overrides it.
    @periodic_task.periodic_task(spacing=1)  # type: ignore[untyped-decorator]
    def report_member(self, context: Context) -> None:
        """Check that the member runs and is reported, at every tick."""
        self.reporter.keep_on()
        self.metrics.keep_on()
        self.member.resume()
        self.member.look_after_accounts()
        self.member.look_after_backups()

    @property
    def adm(self) -> accounts.MemberAdmin:
        """The admin of users and databases: the member's, else Trove's.

        Both have the same methods.
        """
        return (self.member.accounts() if self.member.is_member
                else self._trove_admin)

    @adm.setter
    def adm(self, admin: accounts.MemberAdmin) -> None:
        self._trove_admin = admin

    def get_service_status(self) -> Any:
        if self.member.is_member:
            return self.status.periodic_status()
        return super().get_service_status()

    def prepare(self, context: Context, *args: object, **kwargs: Any) -> None:
        """Prepare as Trove does, and report every failure of a member.

        If the agent dies here, the next one finds the record of the member
        and reports the failure.
        """
        try:
            if kwargs.get('cluster_config'):
                self.status.begin_member()
                self.member.begin(_version(kwargs.get('ds_version')))
            with _masking(kwargs):
                super().prepare(context, *args, **kwargs)
        except Exception as failure:
            if kwargs.get('cluster_config'):
                self.member.fail(str(failure))
                self.status.set_status(statuses.ServiceStatuses.FAILED,
                                       force=True)
            raise

    def do_prepare(self, context: Context, packages: object,
                   databases: object, memory_mb: object, users: object,
                   device_path: object, mount_point: object,
                   backup_info: object, config_contents: str,
                   root_password: object,
                   overrides: Mapping[str, object] | None,
                   cluster_config: Mapping[str, str] | None,
                   snapshot: object, ds_version: str | None = None) -> None:
        if not cluster_config:
            self._check_single()
        if cluster_config:
            self.member.prepare(_version(ds_version), config_contents,
                                overrides)
        else:
            super().do_prepare(
                context, packages, databases, memory_mb, users, device_path,
                mount_point, backup_info, config_contents, root_password,
                overrides, cluster_config, snapshot, ds_version=ds_version)

    def _check_single(self) -> None:
        """Raise if this datastore cannot be an instance without a cluster."""

    def configure_member(self, context: Context, facts: dict[str, Any],
                         secrets: dict[str, Any],
                         identity: dict[str, str] | None = None) -> None:
        self.member.configure(
            settings.MemberFacts.from_dict(facts),
            settings.ClusterSecrets.from_dict(secrets),
            certificates.Certificate.from_dict(identity) if identity else None)

    def bootstrap_member(self, context: Context) -> None:
        self.member.bootstrap()

    def join_member(self, context: Context, forming: bool = True) -> None:
        self.member.join(forming)

    def start_member(self, context: Context) -> None:
        self.member.start()

    def halt_member(self, context: Context) -> bool:
        return self.member.stop_for_recovery()

    def promote_member(self, context: Context, uuid: str, seqno: int) -> bool:
        return self.member.promote(uuid, seqno)

    def continue_member(self, context: Context, uuid: str, seqno: int) -> None:
        self.member.bootstrap_from(uuid, seqno)

    def member_report(self, context: Context,
                      patience: float = 0.0) -> dict[str, Any]:
        self.member.wait_synced(patience)
        report: dict[str, Any] = self.status.prompt_report().to_dict()
        return report

    def restore_accounts(self, context: Context) -> None:
        self.member.look_after_accounts(at_once=True)

    def member_position(self, context: Context) -> dict[str, Any]:
        return self.member.position().to_dict()

    def member_variables(self, context: Context,
                         names: list[str]) -> dict[str, str]:
        return self.member.variables(names)

    def member_context(self, context: Context) -> dict[str, Any] | None:
        return self.member.context()

    def start_backup(self, context: Context, order: dict[str, Any]) -> None:
        self.member.start_backup(backups.Order.from_dict(order))

    def start_restore(self, context: Context, order: dict[str, Any]) -> None:
        self.member.start_restore(backups.Restoring.from_dict(order))

    def backup_progress(self, context: Context,
                        backup_id: str) -> dict[str, Any]:
        return self.member.backup_progress(backup_id).to_dict()

    def renew_backup_token(self, context: Context, backup_id: str,
                           token: str) -> None:
        self.member.renew_backup_token(backup_id, secret.Secret(token))

    def cancel_backup(self, context: Context, backup_id: str) -> None:
        self.member.cancel_backup(backup_id)

    def bootstrap_restored(self, context: Context) -> None:
        self.member.bootstrap_restored()

    def write_probe(self, context: Context, token: str) -> None:
        self.member.write_probe(token)

    def read_probe(self, context: Context, token: str) -> bool:
        return self.member.read_probe(token)

    def drop_probe(self, context: Context) -> None:
        self.member.drop_probe()

    def create_user(self, context: Context, users: list[GuestUser]) -> None:
        with _change(context, users):
            self.adm.create_users(users)

    def delete_user(self, context: Context, user: GuestUser) -> None:
        with _change(context):
            self.adm.delete_user(user)

    def update_attributes(self, context: Context, username: str,
                          hostname: str | None,
                          user_attrs: UserChange) -> None:
        with _change(context, user_attrs):
            self.adm.update_attributes(username, hostname, user_attrs)

    def change_passwords(self, context: Context,
                         users: list[dict[str, str]]) -> None:
        with _change(context, users):
            self.adm.change_passwords(users)

    def create_database(self, context: Context,
                        databases: list[GuestDatabase]) -> None:
        with _change(context):
            self.adm.create_databases(databases)

    def delete_database(self, context: Context,
                        database: GuestDatabase) -> None:
        with _change(context):
            self.adm.delete_database(database)

    def enable_root_with_password(self, context: Context,
                                  root_password: str | None = None
                                  ) -> GuestUser:
        with _masking({'root_password': root_password}):
            root: GuestUser = self.adm.enable_root(root_password)
            return root

    def ssl_show(self, context: Context) -> Any:
        self._refuse_certificates()
        return super().ssl_show(context)

    def ssl_action(self, context: Context, *args: object,
                   **kwargs: object) -> Any:
        self._refuse_certificates()
        return super().ssl_action(context, *args, **kwargs)

    def _refuse_certificates(self) -> None:
        """Raise: Trove would rewrite the member's settings and its users."""
        if self.member.is_member:
            raise exceptions.RequestRefused(
                'Certificates for the clients of a cluster cannot be managed '
                'through its members.')

    def cluster_complete(self, context: Context) -> None:
        self.member.complete()
        self.status.end_install()


@contextlib.contextmanager
def _change(context: Context, described: object = None) -> Iterator[None]:
    """Send the end notification of a request that the API has cast.

    After a call, the API waits for the result and sends it.
    """
    told = getattr(context, 'notification', None)
    ending: contextlib.AbstractContextManager[object] = (
        notification.EndNotification(context)
        if told is not None and told.server_type == 'guest'
        else contextlib.nullcontext())
    with ending, _masking(described):
        yield


@contextlib.contextmanager
def _masking(described: object) -> Iterator[None]:
    """Keep the passwords of a request out of logs and exceptions.

    oslo.messaging logs and sends the exceptions afterwards.
    """
    with masking.hiding(*masking.passwords_in(described)):
        try:
            yield
        except Exception as failure:
            told = masking.masked_error(failure)
            if told is failure:
                raise
            raise told from None


def _version(told: str | None) -> str:
    return str(told or CONF.datastore_version)


class MariaDBManager(GaleraManager, mariadb_manager.Manager):
    """MariaDB: single instances as in Trove, and Galera clusters."""

    def __init__(self) -> None:
        self._install('mariadb', apps.MariaDBApp,
                      mariadb_service.MariaDBAdmin)


class PxcManager(GaleraManager, mysql_manager.Manager):
    """Percona XtraDB Cluster, which exists only as a cluster."""

    def __init__(self) -> None:
        self._install('pxc', apps.PxcApp, mysql_service.MySqlAdmin)

    def _check_single(self) -> None:
        raise exceptions.SingleInstanceRefused(
            'Percona XtraDB Cluster cannot be a single instance. Create a '
            'cluster of three, or an instance of the mysql datastore.')
