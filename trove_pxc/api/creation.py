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

"""Checks of values that Trove's controller would drop from a create.

Imported by api/extension. Trove supports users, databases and access only for
single instances, and ignores unknown keys of a cluster. For a cluster of this
package, each value has an effect or is refused.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import NotRequired
from typing import TypedDict

from trove_pxc.api import members
from trove_pxc.api import ownership
from trove_pxc.api import schemas
from trove_pxc.api import validation
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request


class Instance(schemas.NewMember, total=False):
    type: str


class Cluster(TypedDict):
    name: str
    datastore: dict[str, str]
    instances: list[Instance]
    extended_properties: NotRequired[dict[str, object]]


class NewCluster(TypedDict):
    """The body of a create, after the check of Trove's schema."""

    cluster: Cluster


Place = tuple[str, object]

_OF_DATASTORE = ('type', 'version', 'version_number')
_CLUSTER = ('name', 'datastore', 'instances', 'locality',
            'extended_properties', 'configuration')
_INSTANCE = ('name', 'flavorRef', 'volume', 'nics', 'availability_zone',
             'modules', 'region_name', 'region', 'type')
_VOLUME = ('size', 'type')
_ACCOUNTS = ('users', 'databases')
#: Trove's defaults of an instance's access
_ACCESS: dict[str, object] = {'is_public': False, 'allowed_cidrs': []}


def concerns(request: Request, body: Json) -> bool:
    """Whether a request for a cluster is handled by this package.

    :param body: of the request, unchecked. True if its datastore is invalid,
        because Trove would answer with 500.
    """
    wanted = body.get('cluster') if isinstance(body, dict) else None
    datastore = wanted.get('datastore') if isinstance(wanted, dict) else None
    if not isinstance(datastore, dict) or disqualification(datastore):
        return True
    return ownership.is_datastore(request, datastore)


def disqualification(datastore: Mapping[str, object]) -> Exception | None:
    """Return the error for an invalid datastore, or None."""
    for key, value in datastore.items():
        if key not in _OF_DATASTORE:
            return validation.refused(
                f'A datastore has no key {key!r}. Its keys are '
                f'{", ".join(_OF_DATASTORE)}.')
        if not isinstance(value, str):
            return validation.refused(
                f'The {key} of a datastore must be a string, not {value!r}.')
    return None


def check(body: NewCluster) -> None:
    """Check that the body of a create has no key that would be dropped.

    Copies the region of an instance to the key that Trove's controller reads.
    Trove's client uses the other key.

    :raises trove.common.exception.BadRequest: for the first such key.
    """
    for place, value in _unread(body):
        _check_unread(place, value)
    for instance in body['cluster']['instances']:
        if 'region' in instance:
            instance.setdefault('region_name', instance['region'])
        if instance.get('type', members.TYPE) != members.TYPE:
            raise validation.refused(
                f'The instance type {instance["type"]!r} is not available: '
                f'all members have the type {members.TYPE!r}. Omit the '
                'type.')


def _unread(body: NewCluster) -> Iterator[Place]:
    """Yield each value that Trove's controller does not read."""
    cluster = body['cluster']
    yield from _beside(body, ('cluster',), '')
    yield from _beside(cluster, _CLUSTER, 'cluster.')
    yield from _beside(cluster.get('extended_properties', {}),
                       (validation.NAMES, validation.BACKUP),
                       'extended_properties.')
    for number, instance in enumerate(cluster['instances']):
        place = f'instances[{number}]'
        yield from _beside(instance, _INSTANCE, f'{place}.')
        yield from _beside(instance.get('volume', {}), _VOLUME,
                           f'{place}.volume.')
        for module in instance.get('modules', ()):
            yield from _beside(module, ('id',), f'{place}.modules.')


def _beside(holder: Mapping[str, object], known: tuple[str, ...],
            place: str) -> Iterator[Place]:
    for key, value in holder.items():
        if key not in known:
            yield f'{place}{key}', value


def _check_unread(place: str, value: object) -> None:
    what = place.rpartition('.')[2]
    if what in _ACCOUNTS:
        if value:
            raise validation.refused(
                f'{place}: a cluster is created without users and '
                'databases, because their passwords would have to be stored '
                'until it is complete. Omit this key. After "openstack '
                'database cluster wait", create them through any member with '
                '"openstack database db create MEMBER DATABASE" and '
                '"openstack database user create MEMBER USER PASSWORD '
                '--databases DATABASE".')
    elif what == 'access':
        if value is not None and not _is_default(value):
            raise validation.refused(
                f'{place}: access to the members of a cluster cannot be '
                'chosen. They are reached through their network, at the '
                'ports that the operator opens. Omit this key. To reach '
                'them from other networks, use a router, a floating IP '
                'address or a load balancer.')
    else:
        raise validation.refused(
            f'{place[:200]!r} is not a key of a request for a cluster. '
            'Remove it.')


def _is_default(access: object) -> bool:
    return isinstance(access, dict) and all(
        key in _ACCESS and value == _ACCESS[key]
        for key, value in access.items())
