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

"""Types of the objects of Trove and of the clients that this package uses.

Imported by all modules outside galera/ and osc/. Trove and the clients have no
types, so their functions return Any. A type of this module declares the
attributes that this package uses, and no others. The tests compare each type
with the class of Trove or of a client.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import datetime
from typing import Any
from typing import Protocol
from typing import TypedDict
from typing import Union

#: an application of a pipeline, for webob and paste.deploy
Application = Callable[..., Any]
#: the arguments of an action of a controller
Arguments = dict[str, object]
#: the result of json.loads()
Json = Union[dict[str, 'Json'], list['Json'], str, int, float, bool, None]
#: an element of the result of a client of the cloud
Record = Mapping[str, Any]
#: a scheduler hint, such as {'group': ID}
Hint = dict[str, str] | None
#: a database, as a guest accepts and returns it
GuestDatabase = TypedDict('GuestDatabase', {
    '_name': str, '_character_set': str | None, '_collate': str | None})
#: a user, as a guest accepts and returns it
GuestUser = TypedDict('GuestUser', {
    '_name': str, '_host': str, '_password': str | None, '_is_root': bool,
    '_databases': list[GuestDatabase]})


class UserChange(TypedDict, total=False):
    """The new values of a user."""

    name: str
    host: str
    password: str


class ClusterTask(Protocol):
    code: int
    name: str


class InstanceTask(Protocol):
    code: int
    action: str
    db_text: str
    is_error: bool


class ServiceStatus(Protocol):
    """A status that a guest can report; see Trove's ServiceStatuses."""

    code: int
    description: str


class Row(Protocol):
    """The common attributes of all rows of Trove's tables."""

    id: str

    def update(self, **values: object) -> object:
        """Set columns and save the row."""


class ClusterRow(Row, Protocol):
    name: str
    tenant_id: str
    task_id: int
    task_status: ClusterTask
    updated: datetime.datetime
    datastore_version_id: str


class InstanceRow(Row, Protocol):
    """:ivar addresses: not a column; set when the addresses are read."""

    addresses: list[dict[str, str]]
    name: str
    tenant_id: str
    created: datetime.datetime
    type: str | None
    cluster_id: str | None
    shard_id: str | None
    datastore_version_id: str
    configuration_id: str | None
    region_id: str | None
    flavor_id: str
    volume_id: str | None
    volume_size: int | None
    compute_instance_id: str | None
    server_status: str | None
    task_status: InstanceTask
    task_description: str
    task_start_time: datetime.datetime | None
    updated: datetime.datetime | None


class StatusRow(Protocol):
    """The last report of a guest."""

    instance_id: str
    status: ServiceStatus

    def is_uptodate(self) -> bool:
        """Whether its heartbeat has not expired."""


class FaultRow(Row, Protocol):
    """The last failure of an instance.

    :ivar db_api: deletes the row, instead of marking it as deleted.
    """

    instance_id: str
    message: str
    details: str | None
    db_api: Any


class Reservation(Row, Protocol):
    """An amount of a quota that is or was reserved."""

    usage_id: str
    delta: int
    status: str


class RootHistory(Protocol):
    created: datetime.datetime
    deleted_at: datetime.datetime | None

    def delete(self) -> object:
        """Record that root was disabled now."""


class Datastore(Protocol):
    id: str
    name: str


class DatastoreVersion(Protocol):
    id: str
    name: str
    version: str | None
    manager: str
    datastore_id: str
    image_id: str | None
    image_tags: Sequence[str]


class Notification(Protocol):
    """A notification about a request.

    :ivar server_type: the service that sends the start: api, taskmanager or
        guest.
    """

    payload: Mapping[str, str]
    server_type: str


Notify = Callable[..., Notification]


class Context(Protocol):
    """The context of a request.

    :ivar limit: the requested size of a page, as a string.
    """

    project_id: str
    request_id: str
    is_admin: bool
    limit: str | None
    marker: str | None
    notification: Notification

    def to_dict(self) -> dict[str, Any]:
        """Return it for a message."""

    def update_store(self) -> None:
        """Make it the context of this thread, for its log."""


class Request(Protocol):
    """A request to trove-api."""

    GET: Mapping[str, str]
    body: bytes
    environ: dict[str, Any]
    method: str
    path_info: str
    query_string: str
    url: str

    def best_match_content_type(self) -> str:
        """Return the requested type of the answer."""

    def get_response(self, application: Callable[..., object]) -> object:
        """Return the answer of an application."""


class Result(Protocol):
    """The answer of a controller."""

    status: int

    def data(self, serialization_type: str) -> Any:
        """Return the body."""


class Cluster(Protocol):
    """Trove's model of a cluster."""

    id: str
    name: str
    tenant_id: str
    configuration_id: str | None
    context: Context
    db_info: ClusterRow
    ds: Datastore
    ds_version: DatastoreVersion

    def update_db(self, **values: object) -> None:
        """Set columns of the row."""

    def validate_cluster_available(self) -> None:
        """Raise UnprocessableEntity if the cluster has a task."""


class Instance(Protocol):
    """Trove's model of an instance."""

    id: str
    name: str
    type: str
    status: str
    operating_status: str
    flavor_id: str
    volume_size: int | None
    server_id: str | None
    db_info: InstanceRow
    datastore_status: StatusRow
    datastore_version: DatastoreVersion
    is_datastore_running: bool

    def get_visible_ip_addresses(self) -> list[dict[str, str]] | None:
        """Return the addresses outside the management networks."""


class Flavor(Protocol):
    id: str
    ram: int
    ephemeral: int


class Server(Protocol):
    id: str
    status: str


class ServerGroup(Protocol):
    id: str
    members: Sequence[str]
    policies: Sequence[str]


class Neutron(Protocol):
    """Neutron's client."""

    def create_security_group_rule(self, body: Record) -> Record:
        """Create one rule, or several."""

    def delete_port(self, port: str) -> object:
        """Delete a port."""

    def delete_security_group(self, security_group: str) -> object:
        """Delete a group."""

    def delete_security_group_rule(
            self, security_group_rule: str) -> object:
        """Delete a rule."""

    def list_floatingips(self, **filters: object) -> dict[str, list[Record]]:
        """{'floatingips': [...]}"""

    def list_networks(self, **filters: object) -> dict[str, list[Record]]:
        """{'networks': [...]}"""

    def list_ports(self, **filters: object) -> dict[str, list[Record]]:
        """{'ports': [...]}"""

    def list_security_group_rules(
            self, **filters: object) -> dict[str, list[Record]]:
        """{'security_group_rules': [...]}"""

    def list_security_groups(
            self, **filters: object) -> dict[str, list[Record]]:
        """{'security_groups': [...]}"""

    def list_subnets(self, **filters: object) -> dict[str, list[Record]]:
        """{'subnets': [...]}"""

    def show_network(self, network: str) -> dict[str, Record]:
        """{'network': {...}}"""

    def show_subnet(self, subnet: str) -> dict[str, Record]:
        """{'subnet': {...}}"""
