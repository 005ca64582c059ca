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

"""Trove's application classes, changed for members of a cluster.

The manager creates them. For a guest that does not belong to a cluster, they
behave as Trove's classes do.
"""

from collections.abc import Mapping
from typing import Any

from oslo_log import log as logging

from trove.common import cfg
from trove.common import exception
from trove.guestagent.datastore.mariadb import service as mariadb_service
from trove.guestagent.datastore.mysql import service as mysql_service
from trove.guestagent.datastore.mysql_common import service as common

from trove_pxc.compat import sql_engine
from trove_pxc.galera import settings
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import container
from trove_pxc.guestagent import files

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

_PRIVATE = 0o600


class MemberApp(common.BaseMySqlApp):
    """Start and stop the server through the member's service.

    Passwords are read and written without the copies in /tmp that Trove's
    methods leave there.
    """

    member: members.BackupMember

    def bind(self, manager: str,
             client: container.Client) -> members.BackupMember:
        """Create the service of the member that this guest may be."""
        self.member = members.BackupMember(manager, client, self)
        return self.member

    @classmethod
    def get_auth_password(cls, file: str = 'os_admin.cnf') -> Any:
        text = files.HostFiles().read(cls.get_client_auth_file(file))
        if text is None:
            raise exception.UnprocessableEntity(
                f'File does not exist: {file}')
        return cls.CFG_CODEC.deserialize(text)['client']['password']

    @classmethod
    def save_password(cls, user: str, password: str) -> None:
        text = cls.CFG_CODEC.serialize({'client': {
            'user': user, 'password': password, 'host': 'localhost'}})
        files.HostFiles().write(
            cls.get_client_auth_file(f'{user}.cnf'), text, _PRIVATE)

    def write_server_config(self, text: str) -> None:
        self.configuration_manager.reset_configuration(text)

    def write_user_overrides(self, overrides: Mapping[str, object]) -> None:
        self.update_overrides(overrides)

    def use_passwords(self, secrets: settings.ClusterSecrets) -> None:
        self.save_password(common.ADMIN_USER_NAME,
                           secrets.admin_password.reveal())
        self.save_password('root', secrets.root_password.reveal())
        sql_engine.forget()

    def start_db(self, *args: object, **kwargs: object) -> None:
        if self.member.is_member:
            self.member.start()
        else:
            super().start_db(*args, **kwargs)

    def stop_db(self, update_db: bool = False) -> None:
        if not self.member.is_member:
            super().stop_db(update_db)
            return
        self.member.stop()
        if update_db:
            self.status.update()

    def restart(self) -> None:
        if self.member.is_member:
            self.member.restart()
        else:
            super().restart()

    def start_db_with_conf_changes(self, config_contents: str,
                                   ds_version: str) -> None:
        if self.member.is_member:
            self.member.restart()
        else:
            super().start_db_with_conf_changes(config_contents, ds_version)

    def reset_configuration(self, configuration: object) -> None:
        """Do nothing for a member: its facts define its configuration."""
        if not self.member.is_member:
            super().reset_configuration(configuration)

    def upgrade(self, upgrade_info: object) -> None:
        if self.member.is_member:
            raise exception.DatastoreOperationNotSupported(
                operation='upgrade', datastore=CONF.datastore_manager)
        super().upgrade(upgrade_info)


class MariaDBApp(MemberApp, mariadb_service.MariaDBApp):
    """MariaDB, as a single instance or in a Galera cluster."""


class PxcApp(MemberApp, mysql_service.MySqlApp):
    """Percona XtraDB Cluster."""
