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

"""The guest of a member, as a request for accounts asks it.

Imported by api/users and api/root. What the server refuses comes from the
guest's client as an error of Trove's with a sentence; what the guest itself
does wrong may quote anything, and is told without its words.
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
    """A Guest; its calls for users, databases and root.

    :ivar dialect: what its server speaks.
    """

    dialect: Dialect

    def create_user(self, users: list[GuestUser]) -> None:
        """Make users."""

    def delete_user(self, user: GuestUser) -> None:
        """Delete a user."""

    def get_user(self, username: str, hostname: str) -> GuestUser | None:
        """The user, if there is one."""

    def update_attributes(self, username: str, hostname: str,
                          user_attrs: UserChange) -> None:
        """Give a user another name, host or password."""

    def change_passwords(self, users: list[dict[str, str]]) -> None:
        """Give users other passwords."""

    def list_access(self, username: str,
                    hostname: str) -> list[GuestDatabase]:
        """The databases that a user reaches."""

    def grant_access(self, username: str, hostname: str,
                     databases: list[str]) -> None:
        """Let a user reach databases."""

    def revoke_access(self, username: str, hostname: str,
                      database: str) -> None:
        """Let a user no longer reach a database."""

    def create_database(self, databases: list[GuestDatabase]) -> None:
        """Make databases."""

    def delete_database(self, database: GuestDatabase) -> None:
        """Delete a database."""

    def enable_root(self) -> GuestUser:
        """Root with a password of the guest's choice."""

    def enable_root_with_password(self, root_password: str) -> GuestUser:
        """Root with this password."""

    def disable_root(self) -> None:
        """Take the password of root away."""


class Guest:
    """The client of one member's guest, whose failures are answers.

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
        """One of the client's calls.

        :raises trove.common.exception.UnprocessableEntity: the guest gave
            no answer, or failed.
        """
        def call(*values: object, **named: object) -> Any:
            try:
                return getattr(self._client, method)(*values, **named)
            except exception.GuestTimeout as silence:
                raise validation.unavailable(
                    f'The guest of {self._name} did not answer in time. '
                    'Whether it did what was asked is not known: look, and '
                    'ask again or through another member.') from silence
            except exception.GuestError as failure:
                LOG.warning('The guest of %s failed in %s', self._name,
                            method)
                raise validation.unavailable(
                    f'The guest of {self._name} failed; the log of its '
                    'agent says why. Ask through another member.'
                ) from failure
        return call
