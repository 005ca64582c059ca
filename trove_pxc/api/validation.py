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

"""Checks of new members, before anything is written.

Imported by api/cluster. The errors are classes of Trove, because its WSGI
layer maps exact classes, not their bases, to HTTP codes. Any other TroveError
is a 400.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set
import dataclasses
from typing import Any

from glanceclient import exc as glance_exceptions
import jsonschema
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import exceptions as nova_exceptions
from trove.cluster import models as cluster_models
from trove.common import apischema
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models
from trove.module import models as module_models
from trove.quota import quota

from trove_pxc.galera import addresses
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc.galera import naming
from trove_pxc.protocols import Context
from trove_pxc.protocols import Datastore
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import Flavor
from trove_pxc.protocols import Json
from trove_pxc.protocols import Neutron

CONF = cfg.CONF

LONGEST_NAME = 255
#: the extended property that has the names of the instances
NAMES = 'instance_names'
#: the extended property with the id of the backup to restore
BACKUP = 'backup'
Instance = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Present:
    """The properties of an existing cluster; the defaults are for a new one.

    :ivar next_number: the lowest number above those of all members that the
        cluster has ever had.
    :ivar volume_sizes: of the members, in GB.
    :ivar networks: of the members.
    :ivar versions: of the Internet Protocol that the members use, by their
        names.
    """

    number: int = 0
    next_number: int = 1
    names: Set[str] = frozenset()
    volume_sizes: Set[int] = frozenset()
    networks: Set[str] = frozenset()
    versions: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Request:
    """A request for members, as parsed by Trove's controller."""

    name: str
    datastore: Datastore
    version: DatastoreVersion
    instances: Sequence[Instance]
    configuration_id: str | None
    image_id: str | None
    present: Present = Present()

    @property
    def manager(self) -> str:
        return str(self.version.manager)


def refused(message: str) -> Exception:
    """Return a 400 with this text; a per cent sign in it is literal."""
    error: Exception = exception.BadRequest(
        message='%(text)s', text=message)
    return error


def unavailable(message: str) -> Exception:
    """Return a 422: not possible in the current state."""
    error: Exception = exception.UnprocessableEntity(
        message.replace('%', '%%'))
    return error


def check(context: Context, request: Request) -> list[Instance]:
    """Check everything but the quota, cheap checks first.

    :returns: the instances with their names, one network each, and their
        amounts in the quota ("needs").
    :raises trove.common.exception.TroveError: for the first error.
    """
    _dialect(request)
    _check_number(request)
    named = _with_names(request)
    _check_volumes(context, request)
    _check_additions(context, request)
    flavors = _flavors(context, request)
    _check_image(context, request)
    complete = _with_networks(context, request, named)
    return _with_needs(request, complete, flavors)


def with_given_names(instances: Sequence[Instance],
                     names: Json) -> list[Instance]:
    """Return the instances of a request with their names.

    :param names: a name or None for each instance, or None for all.
    """
    if names is None:
        return list(instances)
    if not isinstance(names, list) or len(names) != len(instances):
        raise refused(
            f'{NAMES} must be a list with a name or null for each of the '
            f'{len(instances)} instances.')
    checker = jsonschema.Draft4Validator(apischema.non_empty_string)
    for name in names:
        if name is not None and not checker.is_valid(name):
            raise refused(
                f'{name!r} is not a valid name of an instance. Use 1 to '
                f'{LONGEST_NAME} characters with at least one letter or '
                'digit.')
    return [dict(instance, name=name)
            for instance, name in zip(instances, names, strict=True)]


def _dialect(request: Request) -> dialect.Dialect:
    version = request.version.version or request.version.name
    try:
        return dialect.for_version(request.manager, version)
    except errors.UnsupportedVersion as unsupported:
        raise refused(str(unsupported)) from unsupported


def _check_number(request: Request) -> None:
    least = CONF.get(request.manager).min_cluster_member_count
    if request.present.number + len(request.instances) < least:
        raise exception.ClusterNumInstancesNotLargeEnough(
            num_instances=least)


def _with_names(request: Request) -> list[Instance]:
    """Add to each instance its name, and the number to store in its row."""
    first = request.present.next_number
    last = first + len(request.instances) - 1
    named = [
        dict(instance, number=naming.kept_as(number, last),
             name=(instance.get('name')
                   or naming.member_name(request.name, number)))
        for number, instance in enumerate(request.instances, start=first)]
    names = [instance['name'] for instance in named]
    longest = max(names, key=len)
    if len(longest) > LONGEST_NAME:
        raise refused(
            f'The member name {longest!r} would be longer than '
            f'{LONGEST_NAME} characters. Choose a shorter cluster name.')
    if (len(set(names)) != len(names)
            or not request.present.names.isdisjoint(names)):
        raise refused('Two instances of the cluster have the same name. '
                      'Each member must have a unique name.')
    return named


def _check_volumes(context: Context, request: Request) -> None:
    instances = list(request.instances)
    supported = CONF.get(request.manager).volume_support
    for instance in instances:
        if supported and instance.get('volume_size') is None:
            raise exception.ClusterVolumeSizeRequired()
        if not supported and instance.get('volume_size') is not None:
            raise exception.VolumeNotSupported()
    if not supported:
        return
    cluster_models.assert_same_instance_volumes(instances)
    size = instances[0]['volume_size']
    cluster_models.validate_volume_size(size)
    there = sorted(request.present.volume_sizes)
    if there and size not in there:
        raise refused(
            'A new member must have a volume of the same size as the other '
            f'members: {" or ".join(str(one) for one in there)} GB, not '
            f'{size} GB.')
    for volume_type in _distinct(instances, 'volume_type'):
        datastore_models.DatastoreVersionMetadata.validate_volume_type(
            context, volume_type, request.version.id)


def _check_additions(context: Context, request: Request) -> None:
    """Check the configuration group and the modules."""
    if request.configuration_id:
        if not isinstance(request.configuration_id, str):
            raise refused('The configuration must be the ID of a '
                          'configuration group, not '
                          f'{request.configuration_id!r}.')
        configuration_models.Configuration.find(
            context, request.configuration_id, request.version.id)
    wanted = {module['id'] for instance in request.instances
              for module in instance.get('modules') or []}
    if wanted:
        modules = module_models.Modules.load_by_ids(context, list(wanted))
        module_models.Modules.validate(
            modules, request.datastore.id, request.version.id)


def _flavors(context: Context, request: Request) -> list[Flavor]:
    """Return the flavors of the instances, in their order."""
    found = {
        (region, flavor_id): flavor(
            context, request.version.id, region or None, flavor_id)
        for region, flavor_id in sorted(
            {_flavor_key(instance) for instance in request.instances})}
    return [found[_flavor_key(instance)] for instance in request.instances]


def flavor(context: Context, version_id: str, region: str | None,
           flavor_id: str) -> Flavor:
    """Return the flavor, if the datastore version allows it.

    :raises trove.common.exception.TroveError: if it does not, or if the flavor
        does not exist.
    """
    bound = [row.value for row in
             datastore_models.DBDatastoreVersionMetadata.find_all(
                 datastore_version_id=version_id, key='flavor',
                 deleted=False)]
    if bound and flavor_id not in bound:
        raise exception.DatastoreFlavorAssociationNotFound(
            datastore_version_id=version_id, id=flavor_id)
    try:
        found: Flavor = clients.create_nova_client(
            context, region).flavors.get(flavor_id)
    except (nova_exceptions.NotFound,
            nova_exceptions.BadRequest) as missing:
        raise refused(f'Flavor {flavor_id} cannot be found. "openstack '
                      'database flavor list" shows the available flavors.'
                      ) from missing
    return found


def _flavor_key(instance: Instance) -> tuple[str, str]:
    return instance.get('region_name') or '', str(instance['flavor_id'])


def _check_image(context: Context, request: Request) -> None:
    """Check the guest image, without which each guest would fail later."""
    label = f'{request.datastore.name} {request.version.name}'
    image_id = request.version.image_id or request.image_id
    if not image_id:
        raise refused(
            f'The datastore version {label} has no image. An operator must '
            'set it with trove-manage datastore_version_update.')
    glance = clients.create_glance_client(context)
    try:
        status = glance.images.get(image_id)['status']
    except (glance_exceptions.HTTPNotFound,
            glance_exceptions.HTTPBadRequest) as missing:
        raise refused(
            f'The image {image_id} of the datastore version {label} does '
            'not exist in Glance. An operator must add it or set another '
            'image.'
        ) from missing
    if status != 'active':
        raise refused(
            f'The image {image_id} of the datastore version {label} cannot '
            f'be used: it is {status}, not active.')


def _with_networks(context: Context, request: Request,
                   instances: list[Instance]) -> list[Instance]:
    """Return the instances with one nic each, all on one network.

    Members must reach each other. An instance without a network gets that of
    the members, or the only network of the project, as with "auto" in Nova.
    """
    neutron: Neutron = clients.create_neutron_client(context)
    there = request.present.networks
    usual = {'network_id': min(there)} if there else {}
    complete = [
        dict(instance, nics=[_nic(context, neutron, instance, usual)])
        for instance in instances]
    if len(there | {instance['nics'][0]['network_id']
                    for instance in complete}) > 1:
        raise exception.ClusterNetworksNotEqual()
    _check_addresses(neutron, request, complete)
    return complete


def _check_addresses(neutron: Neutron, request: Request,
                     instances: Iterable[Instance]) -> None:
    """Refuse members that would get addresses of different versions.

    This is checked before servers are created. A port gets an address of the
    subnet that its nic names, or one of each version of the network.
    """
    places = {instance['name']: (instance['nics'][0]['network_id'],
                                 instance['nics'][0].get('subnet_id'))
              for instance in instances}
    versions = {place: _version(neutron, *place)
                for place in set(places.values())}
    refusal = addresses.refusal(_dialect(request), {
        **request.present.versions,
        **{name: versions[place] for name, place in places.items()}})
    if refusal is not None:
        raise refused(refusal)


def _version(neutron: Neutron, network_id: str, subnet_id: str | None) -> int:
    """Return the version of the Internet Protocol that a member uses."""
    found = ([neutron.show_subnet(subnet_id)['subnet']] if subnet_id
             else neutron.list_subnets(network_id=network_id)['subnets'])
    version = addresses.preferred(
        int(subnet['ip_version']) for subnet in found)
    if version is None:
        raise refused(
            f'The network {network_id} has no subnet, so members would get '
            'no address. Add a subnet, or name another network.')
    return version


def _nic(context: Context, neutron: Neutron, instance: Instance,
         usual: dict[str, str]) -> dict[str, Any]:
    given = dict((instance.get('nics') or [usual])[0])
    network_id = given.pop('net-id', None) or given.get('network_id')
    subnet_id = given.get('subnet_id')
    if given.get('ip_address') and not subnet_id:
        raise refused('A fixed address needs its subnet_id, too.')
    try:
        if subnet_id:
            subnet = neutron.show_subnet(subnet_id)['subnet']
            if network_id and subnet['network_id'] != network_id:
                raise exception.SubnetNotFound(
                    subnet_id=subnet_id, network_id=network_id)
            network_id = subnet['network_id']
        elif network_id:
            neutron.show_network(network_id)
        else:
            network_id = _only_network(context, neutron)
    except neutron_exceptions.NotFound as missing:
        raise refused(f'Network or subnet {network_id or subnet_id} cannot '
                      'be found.') from missing
    return dict(given, network_id=network_id)


def _only_network(context: Context, neutron: Neutron) -> str:
    usable = [
        str(network['id'])
        for network in neutron.list_networks()['networks']
        if (network.get('shared')
            or context.project_id in (network.get('project_id'),
                                      network.get('tenant_id')))
        and not network.get('router:external')
        and network['id'] not in CONF.management_networks]
    if len(usable) == 1:
        return usable[0]
    raise refused('Name the network of the instances (nics): the project '
                  f'has {len(usable)} usable networks.')


def _with_needs(request: Request, instances: list[Instance],
                flavors: Iterable[Flavor]) -> list[Instance]:
    """Return the instances with their amounts in the quota."""
    complete = []
    for instance, flavor in zip(instances, flavors, strict=True):
        needs = {'instances': 1, 'ram': flavor.ram}
        if CONF.get(request.manager).volume_support:
            needs['volumes'] = instance['volume_size']
        complete.append(dict(instance, needs=needs))
    return complete


def check_quota(context: Context, instances: Sequence[Instance]) -> None:
    """Check that the quota is enough now; it is reserved later.

    :param instances: checked instances.
    :raises trove.common.exception.QuotaExceeded: with the resources that are
        exceeded.
    """
    quota.check_quotas(context.project_id, {
        resource: sum(instance['needs'][resource] for instance in instances)
        for resource in instances[0]['needs']})


def needs(instances: Iterable[Instance]) -> dict[int, dict[str, int]]:
    """Return the amounts of checked instances, by their numbers."""
    return {naming.kept_number(instance['number']) or 0: instance['needs']
            for instance in instances}


def _distinct(instances: Iterable[Instance], key: str) -> set[Any]:
    return {instance.get(key) for instance in instances}
