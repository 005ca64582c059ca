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

"""Calls to the guest of a member for requests about accounts.

Imported by api/users and api/root. If the server refuses a statement, the
client of the guest raises an error of Trove with a message. An unexpected
error of the guest is answered without its text, which may quote a password.
"""

from collections.abc import Callable
from typing import Any
from typing import Protocol

from oslo_log import log as logging
from trove.common import clients
from trove.common import exception

from trove_pxc.api import validation
from trove_pxc.galera import dialect
from trove_pxc.galera.dialect import Dialect
from trove_pxc.protocols import Context
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import GuestDatabase
from trove_pxc.protocols import GuestUser
from trove_pxc.protocols import Instance
from trove_pxc.protocols import UserChange

LOG = logging.getLogger(__name__)


class Accounts(Protocol):
    """A Guest with its calls for users, databases and root.

    :ivar dialect: of the member's server.
    """

    dialect: Dialect

    def create_user(self, users: list[GuestUser]) -> None:
        """Create users."""

    def delete_user(self, user: GuestUser) -> None:
        """Delete a user."""

    def get_user(self, username: str, hostname: str) -> GuestUser | None:
        """Return the user, or None."""

    def update_attributes(self, username: str, hostname: str,
                          user_attrs: UserChange) -> None:
        """Change the name, host or password of a user."""

    def change_passwords(self, users: list[dict[str, str]]) -> None:
        """Change the passwords of users."""

    def list_access(self, username: str,
                    hostname: str) -> list[GuestDatabase]:
        """Return the databases that a user can access."""

    def grant_access(self, username: str, hostname: str,
                     databases: list[str]) -> None:
        """Grant a user access to databases."""

    def revoke_access(self, username: str, hostname: str,
                      database: str) -> None:
        """Revoke a user's access to a database."""

    def create_database(self, databases: list[GuestDatabase]) -> None:
        """Create databases."""

    def delete_database(self, database: GuestDatabase) -> None:
        """Delete a database."""

    def enable_root(self) -> GuestUser:
        """Enable root with a password that the guest creates."""

    def enable_root_with_password(self, root_password: str) -> GuestUser:
        """Enable root with this password."""

    def disable_root(self) -> None:
        """Disable root."""


class Guest:
    """The client of a member's guest; failures become answers of the API.

    :ivar dialect: see Accounts.
    """

    def __init__(self, context: Context, member: Instance,
                 version: DatastoreVersion) -> None:
        """:param version: the member's datastore version."""
        self._name = f'member {member.name} ({member.id})'
        self._client = clients.create_guest_client(
            context, member.id, version.manager)
        self.dialect = dialect.for_version(
            version.manager, version.version or version.name)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a call of the client.

        :raises trove.common.exception.UnprocessableEntity: if the guest did
            not answer, or failed.
        """
        def call(*values: object, **named: object) -> Any:
            try:
                return getattr(self._client, method)(*values, **named)
            except exception.GuestTimeout as silence:
                raise validation.unavailable(
                    f'The guest of {self._name} did not answer in time, so '
                    'the outcome of the request is unknown. Check the '
                    'result, then try again, or use another member.'
                ) from silence
            except exception.GuestError as failure:
                LOG.warning('The guest of %s failed in %s', self._name,
                            method)
                raise validation.unavailable(
                    f'The guest of {self._name} failed. See the log of its '
                    'guest agent for the reason, or use another member.'
                ) from failure
        return call
