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

"""A cloud in memory, in the place of Trove's OpenStack clients.

The functions at the end are the values of the ``remote_*_client`` options.
``faults`` says which calls a test makes fail.
"""

from collections.abc import Callable
import ipaddress
import itertools
import re
import threading
import types
from typing import Any
import uuid

from cinderclient import exceptions as cinder_exceptions
from glanceclient import exc as glance_exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import api_versions
from novaclient import exceptions as nova_exceptions

from trove_pxc import waiting

NETWORK = str(uuid.UUID(int=0x1088))
SUBNET = str(uuid.UUID(int=0x1089))
IMAGE = str(uuid.UUID(int=0x10001))


class Thing(types.SimpleNamespace):
    """An object that a client returns: attributes, and delete()."""


class Outage:
    """Some calls fail at regular intervals, each time with another error.

    :param refused: one call of this number is not carried out.
    :param lost: one call of this number is carried out, but not answered.
    :ivar failed: the names of the calls that failed.
    """

    def __init__(self, refused: int = 5, lost: int = 7) -> None:
        self._refused = refused
        self._lost = lost
        self._calls = itertools.count(1)
        self._answers = itertools.count(1)
        self._codes = itertools.cycle((500, 502, 503, 504, 429))
        self.failed: list[str] = []

    def call(self, name: str) -> None:
        if next(self._calls) % self._refused == 0:
            self.failed.append(name)
            raise _error_of(name, next(self._codes))

    def answer(self, name: str) -> None:
        if next(self._answers) % self._lost == 0:
            self.failed.append(f'answer to {name}')
            error: Any = (neutron_exceptions.ConnectionFailed(reason='lost')
                          if _service_of(name) == 'neutron' else
                          keystone_exceptions.ConnectTimeout('timed out'))
            raise error


def _service_of(name: str) -> str:
    for service, words in (('cinder', ('volumes.',)),
                           ('glance', ('images.',)),
                           ('nova', ('servers.', 'flavors.', 'server_')),
                           ('nova', ('create_server_', 'delete_server_'))):
        if name.startswith(words):
            return service
    return 'neutron'


def _error_of(name: str, code: int) -> Exception:
    made: Any = {
        'nova': lambda: nova_exceptions.ClientException(code, 'busy'),
        'cinder': lambda: cinder_exceptions.ClientException(code, 'busy'),
        'glance': lambda: glance_exceptions.HTTPServiceUnavailable('busy'),
        'neutron': lambda: neutron_exceptions.NeutronClientException(
            message='busy', status_code=code)}[_service_of(name)]()
    error: Exception = made
    return error


class _Lossy:
    """A client, or a part of it, whose answers may be lost."""

    def __init__(self, wrapped: Any, cloud: 'Cloud') -> None:
        self._wrapped = wrapped
        self._cloud = cloud

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wrapped, name)
        if callable(found):
            def call(*args: Any, **kwargs: Any) -> Any:
                answer = found(*args, **kwargs)
                self._cloud.answer()
                return answer
            return call
        if type(found).__module__ == __name__ and not isinstance(
                found, Thing):
            return _Lossy(found, self._cloud)
        return found


class Cloud:
    """Everything that exists in the cloud; every call is counted.

    :ivar faults: names of the calls that always fail, each with the number of
        failures.
    :ivar outage: an Outage that makes any calls fail, or None.
    :ivar delays: names of slow calls, each with the duration in seconds.
    :ivar booted: called with each server that has booted.
    :ivar stubborn: servers and volumes that do not change when a resize is
        requested.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.flavors = {
            '1': Thing(id='1', name='tiny', ram=512, vcpus=1, disk=5,
                       ephemeral=0),
            '2': Thing(id='2', name='small', ram=1024, vcpus=1, disk=5,
                       ephemeral=0)}
        self.images = {IMAGE: {'id': IMAGE, 'status': 'active'}}
        self.networks = {NETWORK: {
            'id': NETWORK, 'name': 'net', 'shared': True,
            'router:external': False, 'project_id': 'other'}}
        self.subnets: dict[str, dict[str, Any]] = {}
        self.add_subnet(SUBNET, '10.0.0.0/16')
        self.servers: dict[str, Any] = {}
        self.ports: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, Any] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.server_groups: dict[str, Any] = {}
        self.floating: list[dict[str, Any]] = []
        self.faults: dict[str, int] = {}
        self.outage: Outage | None = None
        self.delays: dict[str, float] = {}
        self.calls: list[str] = []
        self.servers_that_stay: set[str] = set()
        self.booted: Callable[[Any], None] = lambda server: None
        self.removed: Callable[[Any], None] = lambda server: None
        self.rebooted: Callable[[Any], None] = lambda server: None
        self.mounted: Callable[[Any], bool] = lambda server: False
        self.stubborn: set[str] = set()
        self._next_address = 10

    def left(self) -> list[str]:
        """Everything that somebody would have to clean up."""
        return [*self.servers, *self.ports, *self.volumes, *self.groups,
                *self.server_groups]

    def call(self, name: str) -> None:
        """Count a call; delay it or let it fail if a test wants that."""
        waiting.pause(self.delays.get(name, 0))
        with self.lock:
            self.calls.append(name)
            if self.faults.get(name, 0) > 0:
                self.faults[name] -= 1
                raise nova_exceptions.ClientException(
                    403, f'{name}: a fault that the test wants')
            if self.outage is not None:
                self.outage.call(name)

    def answer(self) -> None:
        """Lose the answer to the last call, if an outage wants that."""
        with self.lock:
            if self.outage is not None:
                self.outage.answer(self.calls[-1])

    def add_subnet(self, subnet_id: str, cidr: str) -> None:
        self.subnets[subnet_id] = {
            'id': subnet_id, 'network_id': NETWORK, 'cidr': cidr,
            'ip_version': ipaddress.ip_network(cidr).version}

    def new_addresses(self, asked: Any) -> list[dict[str, str]]:
        """In the requested subnets, or one address of each version."""
        with self.lock:
            self._next_address += 1
            number = self._next_address
        wanted = [one['subnet_id'] for one in asked or ()] or {
            subnet['ip_version']: key
            for key, subnet in self.subnets.items()}.values()
        return [{'subnet_id': key, 'ip_address': str(ipaddress.ip_network(
            self.subnets[key]['cidr'])[number])} for key in wanted]


class Nova:
    api_version = api_versions.APIVersion('2.57')

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.flavors = self.servers = self.server_groups = self
        self.flavors = _Flavors(cloud)
        self.servers = _Servers(cloud)
        self.server_groups = _ServerGroups(cloud)
        self.volumes = _Attachments(cloud)


class _Flavors:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get(self, flavor_id: str) -> Any:
        self._cloud.call('flavors.get')
        if flavor_id not in self._cloud.flavors:
            raise nova_exceptions.NotFound(404)
        return self._cloud.flavors[flavor_id]


class _Servers:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, name: str, image: str, flavor: str, nics: Any = None,
               userdata: str = '', meta: Any = None,
               scheduler_hints: Any = None,
               block_device_mapping_v2: Any = None, tags: Any = None,
               **others: Any) -> Any:
        self._cloud.call('servers.create')
        if image not in self._cloud.images:
            raise nova_exceptions.BadRequest(400, 'no such image')
        for nic in nics or []:
            if nic['port-id'] not in self._cloud.ports:
                raise nova_exceptions.BadRequest(400, 'no such port')
        for disk in block_device_mapping_v2 or []:
            if disk['uuid'] not in self._cloud.volumes:
                raise nova_exceptions.BadRequest(400, 'no such volume')
        server = Thing(id=str(uuid.uuid4()), name=name, status='ACTIVE',
                       metadata=meta or {}, fault={}, flavor={'id': flavor},
                       tags=list(tags or []), asked=others,
                       hints=scheduler_hints)
        server.ports = [nic['port-id'] for nic in nics or []]
        server.delete = lambda: self.delete(server.id)
        server.reboot = lambda: self.reboot(server)
        server.volumes = [
            disk['uuid'] for disk in block_device_mapping_v2 or []]
        for volume in server.volumes:
            self._cloud.volumes[volume].status = 'in-use'
        _Resizes(self._cloud, server)
        for port in server.ports:
            self._cloud.ports[port]['device_id'] = server.id
        if scheduler_hints:
            self._cloud.server_groups[
                scheduler_hints['group']].members.append(server.id)
        self._cloud.servers[server.id] = server
        self._cloud.booted(server)
        return server

    def get(self, server_id: str) -> Any:
        self._cloud.call('servers.get')
        if server_id not in self._cloud.servers:
            raise nova_exceptions.NotFound(404)
        server = self._cloud.servers[server_id]
        seen = Thing(**vars(server))
        if server.status == 'RESIZE':
            server.status = 'VERIFY_RESIZE'
        return seen

    def list(self, search_opts: Any = None, **others: Any) -> list[Any]:
        self._cloud.call('servers.list')
        name = (search_opts or {}).get('name')
        tags = (search_opts or {}).get('tags-any')
        return [server for server in list(self._cloud.servers.values())
                if (name is None or re.search(name, server.name))
                and (tags is None
                     or set(tags.split(',')) & set(server.tags))]

    def delete(self, server_id: str) -> None:
        self._cloud.call('servers.delete')
        if server_id not in self._cloud.servers:
            raise nova_exceptions.NotFound(404)
        if server_id in self._cloud.servers_that_stay:
            return
        server = self._cloud.servers.pop(server_id)
        for volume in server.volumes:
            if volume in self._cloud.volumes:
                self._cloud.volumes[volume].status = 'available'
        for port in server.ports:
            if port in self._cloud.ports:
                self._cloud.ports[port]['device_id'] = ''
        self._cloud.removed(server)

    def reboot(self, server: Any) -> None:
        self._cloud.call('servers.reboot')
        self._cloud.rebooted(server)


class _Resizes:
    """What Nova does to the flavor of one server."""

    def __init__(self, cloud: Cloud, server: Any) -> None:
        self._cloud = cloud
        self._server = server
        self._before = server.flavor
        server.resize = self.resize
        server.confirm_resize = self.confirm
        server.revert_resize = self.revert

    def resize(self, flavor: str) -> None:
        self._cloud.call('servers.resize')
        if self._server.name in self._cloud.stubborn:
            return
        self._before = self._server.flavor
        self._server.flavor = {'id': flavor}
        self._server.status = 'RESIZE'
        self._cloud.rebooted(self._server)
        self._cloud.answer()

    def confirm(self) -> None:
        self._cloud.call('servers.confirm_resize')
        assert self._server.status == 'VERIFY_RESIZE'
        self._server.status = 'ACTIVE'
        self._cloud.answer()

    def revert(self) -> None:
        self._cloud.call('servers.revert_resize')
        assert self._server.status == 'VERIFY_RESIZE'
        self._server.flavor = self._before
        self._server.status = 'ACTIVE'
        self._cloud.rebooted(self._server)


class _Attachments:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def delete_server_volume(self, server_id: str, volume_id: str) -> None:
        self._cloud.call('delete_server_volume')
        if not self._cloud.mounted(self._cloud.servers[server_id]):
            self._cloud.volumes[volume_id].status = 'available'

    def create_server_volume(self, server_id: str, volume_id: str,
                             device: str) -> None:
        self._cloud.call('create_server_volume')
        assert self._cloud.volumes[volume_id].status == 'available'
        self._cloud.volumes[volume_id].status = 'in-use'


class _ServerGroups:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, name: str, policies: list[str]) -> Any:
        self._cloud.call('server_groups.create')
        group = Thing(id=str(uuid.uuid4()), name=name, policies=policies,
                      members=[])
        group.delete = lambda: self.delete(group.id)
        self._cloud.server_groups[group.id] = group
        return group

    def get(self, group_id: str) -> Any:
        self._cloud.call('server_groups.get')
        return self._cloud.server_groups[group_id]

    def list(self) -> list[Any]:
        self._cloud.call('server_groups.list')
        return list(self._cloud.server_groups.values())

    def delete(self, group_id: str) -> None:
        self._cloud.call('server_groups.delete')
        if self._cloud.server_groups.pop(group_id, None) is None:
            raise nova_exceptions.NotFound(404)


class Cinder:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.volumes = self

    def create(self, **asked: Any) -> Any:
        self._cloud.call('volumes.create')
        volume = Thing(id=str(uuid.uuid4()), status='available', **asked)
        volume.delete = lambda: self._delete(volume.id)
        self._cloud.volumes[volume.id] = volume
        return volume

    def get(self, volume_id: str) -> Any:
        self._cloud.call('volumes.get')
        if volume_id not in self._cloud.volumes:
            raise cinder_exceptions.NotFound(404)
        return self._cloud.volumes[volume_id]

    def list(self, search_opts: Any = None) -> list[Any]:
        self._cloud.call('volumes.list')
        wanted = (search_opts or {}).get('name')
        return [volume for volume in list(self._cloud.volumes.values())
                if wanted in (None, volume.name)]

    def extend(self, volume_id: str, size: int) -> None:
        self._cloud.call('volumes.extend')
        if volume_id not in self._cloud.stubborn:
            self._cloud.volumes[volume_id].size = size

    def _delete(self, volume_id: str) -> None:
        self._cloud.call('volumes.delete')
        if self._cloud.volumes.pop(volume_id, None) is None:
            raise cinder_exceptions.NotFound(404)


class Neutron:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def list_networks(self, **filters: Any) -> Any:
        self._cloud.call('list_networks')
        return {'networks': list(self._cloud.networks.values())}

    def show_network(self, network_id: str) -> Any:
        self._cloud.call('show_network')
        if network_id not in self._cloud.networks:
            raise neutron_exceptions.NotFound()
        return {'network': self._cloud.networks[network_id]}

    def show_subnet(self, subnet_id: str) -> Any:
        self._cloud.call('show_subnet')
        if subnet_id not in self._cloud.subnets:
            raise neutron_exceptions.NotFound()
        return {'subnet': self._cloud.subnets[subnet_id]}

    def list_subnets(self, **filters: Any) -> Any:
        self._cloud.call('list_subnets')
        return {'subnets': [
            subnet for subnet in self._cloud.subnets.values()
            if _fits(subnet, filters)]}

    def create_port(self, body: Any) -> Any:
        self._cloud.call('create_port')
        port = dict(body['port'], id=str(uuid.uuid4()), device_id='')
        port['asked'] = port.get('fixed_ips')
        port['fixed_ips'] = self._cloud.new_addresses(port['asked'])
        self._cloud.ports[port['id']] = port
        return {'port': port}

    def list_ports(self, **filters: Any) -> Any:
        self._cloud.call('list_ports')
        if 'device_owner' in filters:
            return {'ports': [{'id': 'router'}]}
        return {'ports': [
            port for port in list(self._cloud.ports.values())
            if _fits(port, filters)]}

    def list_floatingips(self, **filters: Any) -> Any:
        self._cloud.call('list_floatingips')
        return {'floatingips': [
            address for address in self._cloud.floating
            if _fits(address, filters)]}

    def delete_port(self, port_id: str) -> None:
        self._cloud.call('delete_port')
        if self._cloud.ports.pop(port_id, None) is None:
            raise neutron_exceptions.PortNotFoundClient()

    def create_security_group(self, body: Any) -> Any:
        self._cloud.call('create_security_group')
        group = dict(body['security_group'], id=str(uuid.uuid4()))
        self._cloud.groups[group['id']] = group
        return {'security_group': group}

    def create_security_group_rule(self, body: Any) -> Any:
        """All or none; a rule that exists already is a conflict."""
        self._cloud.call('create_security_group_rule')
        made = []
        for wanted in body.get('security_group_rules',
                               [body.get('security_group_rule')]):
            rule = dict(wanted)
            if rule['remote_ip_prefix'] in ('0.0.0.0/0', '::/0'):
                rule['remote_ip_prefix'] = None
            if any(_fits(one, rule) for one in self._cloud.rules.values()):
                raise neutron_exceptions.Conflict()
            made.append(dict(rule, id=str(uuid.uuid4())))
        self._cloud.rules.update((rule['id'], rule) for rule in made)

    def list_security_group_rules(self, **filters: Any) -> Any:
        self._cloud.call('list_security_group_rules')
        return {'security_group_rules': [
            rule for rule in list(self._cloud.rules.values())
            if _fits(rule, filters)]}

    def delete_security_group_rule(self, rule_id: str) -> None:
        self._cloud.call('delete_security_group_rule')
        if self._cloud.rules.pop(rule_id, None) is None:
            raise neutron_exceptions.NotFound()

    def list_security_groups(self, **filters: Any) -> Any:
        self._cloud.call('list_security_groups')
        return {'security_groups': [
            group for group in list(self._cloud.groups.values())
            if group['name'] == filters.get('name')]}

    def delete_security_group(self, group_id: str) -> None:
        self._cloud.call('delete_security_group')
        if self._cloud.groups.pop(group_id, None) is None:
            raise neutron_exceptions.NotFound()


def _fits(document: dict[str, Any], filters: dict[str, Any]) -> bool:
    """Filter as Neutron does: by one value, or by any of several."""
    return all(
        document.get(key) in (value if isinstance(value, list) else [value])
        for key, value in filters.items())


class Glance:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.images = self

    def get(self, image_id: str) -> Any:
        self._cloud.call('images.get')
        if image_id not in self._cloud.images:
            raise glance_exceptions.HTTPNotFound()
        return self._cloud.images[image_id]


_CURRENT = [Cloud()]


def use(cloud: Cloud) -> None:
    """Make this the cloud that Trove's clients reach from now on."""
    _CURRENT[0] = cloud


def nova(context: Any, region_name: str | None = None,
         password: str | None = None) -> Any:
    return _Lossy(Nova(_CURRENT[0]), _CURRENT[0])


def neutron(context: Any, region_name: str | None = None) -> Any:
    return _Lossy(Neutron(_CURRENT[0]), _CURRENT[0])


def cinder(context: Any, region_name: str | None = None) -> Any:
    return _Lossy(Cinder(_CURRENT[0]), _CURRENT[0])


def glance(context: Any, region_name: str | None = None) -> Any:
    return _Lossy(Glance(_CURRENT[0]), _CURRENT[0])
