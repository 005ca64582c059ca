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

"""A cluster and its members, as what api/cluster is made of sees them.

Imported by the rest of api/. api/cluster and api/members have the classes;
the tests compare them with these types.
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
        """In member order."""

    @property
    def server_group(self) -> protocols.ServerGroup | None:
        """The group that keeps the servers together or apart."""

    def know(self, found: Sequence[Member] | None) -> None:
        """Take these for the members; with None read them anew."""

    def know_row(self) -> None:
        """Read the row anew."""

    def task_api(self) -> task_api.GaleraTaskAPI:
        """The client of the taskmanager."""

    def create_instance(self, request: validation.Request,
                        instance: validation.Instance,
                        locality: protocols.Hint) -> str:
        """Have one member made; its id."""

    def forget_rows_but(self, instance_ids: Collection[str]) -> None:
        """Delete the rows of all other members."""
