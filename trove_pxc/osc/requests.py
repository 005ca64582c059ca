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

"""The requests of the commands, through python-troveclient.

Imported by the commands. Routes and bodies are those of api/.
"""

import datetime
from typing import Any
from typing import NamedTuple
from typing import Protocol

from osc_lib import exceptions
from osc_lib import utils
from troveclient import common
from troveclient import exceptions as trove_exceptions

Record = dict[str, Any]


class Cluster(Protocol):
    """A cluster of Trove's client."""

    id: str
    name: str

    def to_dict(self) -> Record:
        """Return the cluster, as the API shows it."""


class Client(Protocol):
    """An HTTP client, which returns the response and its body."""

    def get(self, url: str) -> tuple[object, Any]:
        """Send a GET request."""

    def post(self, url: str, body: Record) -> tuple[object, Any]:
        """Send a POST request."""


class Database(Protocol):
    """Trove's client."""

    client: Client
    clusters: object
    flavors: object


class Fault(NamedTuple):
    """The last fault of an instance.

    :ivar created: by the clock of Trove's services.
    """

    message: str
    created: datetime.datetime | None


def find_cluster(database: Database, name_or_id: str) -> Cluster:
    """Find a cluster by name or id, as the client's own commands do."""
    found: Cluster = utils.find_resource(database.clusters, name_or_id)
    return found


def find_member(cluster: Cluster, name_or_id: str) -> Record:
    """Find a member of the cluster by name or id.

    :raises osc_lib.exceptions.CommandError: if there is none.
    """
    instances: list[Record] = cluster.to_dict()['instances']
    for instance in instances:
        if name_or_id in (instance['id'], instance['name']):
            return instance
    names = ', '.join(instance['name'] for instance in instances)
    raise exceptions.CommandError(
        f'{name_or_id} is not a member of cluster {cluster.name}. Its '
        f'members are: {names}')


def members(database: Database, cluster: Cluster) -> list[Record]:
    """Return the members with their reports."""
    return list(_get(database, f'/clusters/{cluster.id}/members')['members'])


def health(database: Database, cluster: Cluster) -> Record:
    """Return the health: state, summary and next action."""
    return dict(_get(database, f'/clusters/{cluster.id}/health')['health'])


def show(database: Database, cluster: Cluster) -> Record:
    return dict(_get(database, f'/clusters/{cluster.id}')['cluster'])


def cluster_of(database: Database, instance_id: str | None) -> Record | None:
    """Return the cluster of a member; None if one of both was deleted."""
    if not instance_id:
        return None
    try:
        member = _get(database, f'/instances/{instance_id}')['instance']
        if not member.get('cluster_id'):
            return None
        url = f'/clusters/{member["cluster_id"]}'
        return dict(_get(database, url)['cluster'])
    except trove_exceptions.NotFound:
        return None


def fault(database: Database, instance_id: str) -> Fault | None:
    """Return the fault of an instance, or None."""
    instance = _get(database, f'/instances/{instance_id}')['instance']
    found = instance.get('fault') or {}
    message = ' '.join(str(found.get('message', '')).split())
    return Fault(message, time(found.get('created'))) if message else None


def time(text: str | None) -> datetime.datetime | None:
    """Parse a time of Trove's services, which has no time zone."""
    return datetime.datetime.fromisoformat(text) if text else None


def act(database: Database, cluster: Cluster, action: str,
        body: Record) -> None:
    """Request an action. The answer arrives before the action is done."""
    url = f'/clusters/{cluster.id}'
    response, answer = database.client.post(url, body={action: body})
    common.check_for_exceptions(response, answer, url)


def backups(database: Database, cluster: Cluster) -> list[Record]:
    """Return the backups of all members of a cluster, the newest first."""
    return list(_get(database, f'/clusters/{cluster.id}/backups')['backups'])


def backup(database: Database, backup_id: str) -> Record:
    return dict(_get(database, f'/backups/{backup_id}')['backup'])


def make_backup(database: Database, cluster: Cluster,
                wanted: Record) -> Record:
    """Request a backup. The answer arrives before it is made."""
    url = f'/clusters/{cluster.id}/backups'
    response, answer = database.client.post(url, body={'backup': wanted})
    common.check_for_exceptions(response, answer, url)
    return dict(answer['backup'])


def _get(database: Database, url: str) -> Any:
    response, answer = database.client.get(url)
    common.check_for_exceptions(response, answer, url)
    return answer
