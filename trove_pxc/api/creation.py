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

"""What a request for a cluster says that Trove's controller drops.

Imported by api/extension. Trove knows users, databases and access of single
instances alone, and of a cluster it reads what it knows and is silent about
the rest. For a cluster of ours each value does what it says, or is refused.
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


class Instance(schemas.NewMember, total=False):
    type: str


class Cluster(TypedDict):
    name: str
    datastore: dict[str, str]
    instances: list[Instance]
    extended_properties: NotRequired[dict[str, object]]


class NewCluster(TypedDict):
    """The body of a create, as Trove's schema has let it pass."""

    cluster: Cluster


Place = tuple[str, object]

_OF_DATASTORE = ('type', 'version', 'version_number')
_CLUSTER = ('name', 'datastore', 'instances', 'locality',
            'extended_properties', 'configuration')
_INSTANCE = ('name', 'flavorRef', 'volume', 'nics', 'availability_zone',
             'modules', 'region_name', 'region', 'type')
_VOLUME = ('size', 'type')
_ACCOUNTS = ('users', 'databases')
#: Trove's defaults for the access of an instance
_ACCESS: dict[str, object] = {'is_public': False, 'allowed_cidrs': []}


def concerns(body: Json) -> bool:
    """Whether a request for a cluster is not for another package's.

    :param body: of the request, as it came. One whose datastore cannot be
        read is refused here; Trove would end with a 500.
    """
    wanted = body.get('cluster') if isinstance(body, dict) else None
    datastore = wanted.get('datastore') if isinstance(wanted, dict) else None
    if not isinstance(datastore, dict) or disqualification(datastore):
        return True
    return ownership.is_datastore(datastore)


def disqualification(datastore: Mapping[str, object]) -> Exception | None:
    """What to raise for a description of a datastore that is none."""
    for key, value in datastore.items():
        if key not in _OF_DATASTORE:
            return validation.refused(
                f'A datastore has {", ".join(_OF_DATASTORE)}; there is '
                f'no {key!r}.')
        if not isinstance(value, str):
            return validation.refused(
                f'The {key} of a datastore is a text, not {value!r}.')
    return None


def check(body: NewCluster) -> None:
    """See that the body of a create holds nothing that would be dropped.

    The region of an instance is called as Trove's controller calls it, for
    Trove's client does not.

    :raises trove.common.exception.BadRequest: for the first that would be.
    """
    for place, value in _unread(body):
        _check_unread(place, value)
    for instance in body['cluster']['instances']:
        if 'region' in instance:
            instance.setdefault('region_name', instance['region'])
        if instance.get('type', members.TYPE) != members.TYPE:
            raise validation.refused(
                f'An instance of the type {instance["type"]!r} is not '
                f'offered: all are of the type {members.TYPE!r}. Leave the '
                'type out.')


def _unread(body: NewCluster) -> Iterator[Place]:
    """Each value that Trove's controller does not read, and its place."""
    cluster = body['cluster']
    yield from _beside(body, ('cluster',), '')
    yield from _beside(cluster, _CLUSTER, 'cluster.')
    yield from _beside(cluster.get('extended_properties', {}),
                       (validation.NAMES,), 'extended_properties.')
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
                'databases, for their passwords would have to be kept until '
                'it is complete. Leave it out; after "openstack database '
                'cluster wait" make them through any member, with '
                '"openstack database db create MEMBER DATABASE" and '
                '"openstack database user create MEMBER USER PASSWORD '
                '--databases DATABASE".')
    elif what == 'access':
        if value is not None and not _is_default(value):
            raise validation.refused(
                f'{place}: who can reach the members of a cluster is not '
                'chosen when it is created: they are reached on their '
                'network, at the ports that the operator opens. Leave it '
                'out; to reach them from elsewhere use a router, a floating '
                'IP address or a load balancer.')
    else:
        raise validation.refused(
            f'{place[:200]!r} is nothing that a request for a cluster can '
            'say; leave it out.')


def _is_default(access: object) -> bool:
    return isinstance(access, dict) and all(
        key in _ACCESS and value == _ACCESS[key]
        for key, value in access.items())
