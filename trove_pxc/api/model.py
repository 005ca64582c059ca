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

"""Types of a cluster and its members, for the modules that api/cluster uses.

Imported by the rest of api/. The classes are in api/cluster and api/members.
The tests compare them with these types.
"""

from collections.abc import Collection
from collections.abc import Sequence
from typing import Protocol

from trove_pxc.api import inventory
from trove_pxc.api import validation
from trove_pxc import protocols
from trove_pxc.taskmanager import api as task_api


class Member(protocols.Instance, Protocol):
    """See api/members."""

    server_gone: bool
    inventory: inventory.Inventory


class Cluster(protocols.Cluster, Protocol):
    """See api/cluster."""

    @property
    def members(self) -> Sequence[Member]:
        """Return the members, in member order."""

    @property
    def server_group(self) -> protocols.ServerGroup | None:
        """Return the server group of the members, or None."""

    def know(self, found: Sequence[Member] | None) -> None:
        """Set the members; None: read them again."""

    def know_row(self) -> None:
        """Read the row again."""

    def task_api(self) -> task_api.GaleraTaskAPI:
        """Return the client of the taskmanager."""

    def create_instance(self, request: validation.Request,
                        instance: validation.Instance,
                        locality: protocols.Hint) -> str:
        """Create one member; return its id."""

    def forget_rows_but(self, instance_ids: Collection[str]) -> None:
        """Delete the rows of all other members."""
