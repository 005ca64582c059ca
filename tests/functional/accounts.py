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

"""The users and databases of a cluster, behind the RPC of the guests.

The methods are those of the guest manager, and its own admin class makes the
statements. The server is in memory; all members share it, so a change on one
member is visible on all of them.
"""

from typing import Any

from trove.datastore import models as datastore_models
from trove.guestagent.datastore import manager as trove_manager
from trove.instance import models as instance_models

from trove_pxc.galera import dialect
from trove_pxc.guestagent import accounts
from trove_pxc.guestagent import manager

_TROVE_S = trove_manager.Manager
_OURS = manager.GaleraManager


class Accounts:
    """The RPC methods for users, databases and root.

    A mixin for the guests of tests.functional.galera.
    """

    galera: Any
    name: str
    instance_id: str

    @property
    def adm(self) -> Any:
        """The attribute of the guest manager, for one request."""
        row = instance_models.DBInstance.find_by(id=self.instance_id)
        version = datastore_models.DatastoreVersion.load_by_uuid(
            row.datastore_version_id)
        return accounts.MemberAdmin(self.galera.server, dialect.for_version(
            version.manager, version.version or version.name))

    list_users = _TROVE_S.list_users
    get_user = _TROVE_S.get_user
    list_access = _TROVE_S.list_access
    grant_access = _TROVE_S.grant_access
    revoke_access = _TROVE_S.revoke_access
    list_databases = _TROVE_S.list_databases
    is_root_enabled = _TROVE_S.is_root_enabled
    delete_user = _OURS.delete_user
    update_attributes = _OURS.update_attributes
    change_passwords = _OURS.change_passwords
    delete_database = _OURS.delete_database

    def create_user(self, context: Any, users: Any) -> None:
        self.galera.tell(f'create users {self.name}')
        _OURS.create_user(self, context, users)

    def create_database(self, context: Any, databases: Any) -> None:
        self.galera.tell(f'create databases {self.name}')
        _OURS.create_database(self, context, databases)

    def enable_root(self, context: Any) -> Any:
        self.galera.tell(f'enable root {self.name}')
        return _TROVE_S.enable_root(self, context)

    def enable_root_with_password(self, context: Any,
                                  root_password: Any = None) -> Any:
        self.galera.tell(f'enable root {self.name}')
        return _OURS.enable_root_with_password(self, context, root_password)

    def disable_root(self, context: Any) -> Any:
        self.galera.tell(f'disable root {self.name}')
        return _TROVE_S.disable_root(self, context)
