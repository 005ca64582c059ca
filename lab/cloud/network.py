# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Neutron: networks, ports and addresses."""

from collections.abc import Callable, Iterable
import ipaddress
from typing import Any
import uuid

from lab.cloud import faults as cloud_faults
from lab.cloud import http
from lab.cloud import seed
from lab.cloud import store as cloud_store

EXTENSIONS = ('router', 'security-group', 'quotas', 'project-id')
FIRST_HOST = 10
PLURALS = {'networks': 'network', 'subnets': 'subnet',
           'routers': 'router', 'ports': 'port',
           'floatingips': 'floatingip'}
CHANGEABLE = ('name', 'description', 'security_groups', 'device_id',
              'device_owner', 'admin_state_up')


class NetworkService:
    """Networks, subnets, routers, ports and floating addresses."""

    def __init__(self, store: cloud_store.Store,
                 faults: cloud_faults.Faults,
                 changed: Callable[[], None]) -> None:
        self._store = store
        self._faults = faults
        # Called when the security groups of a port change.
        self._changed = changed

    def routes(self) -> list[http.Route]:
        routes = [
            http.Route('GET', '/v2.0/extensions', self._extensions),
            http.Route('GET', '/v2.0/extensions/<alias>', self._extension),
            http.Route('POST', '/v2.0/ports', self._create_port),
            http.Route('PUT', '/v2.0/ports/<id>', self._update_port),
            http.Route('DELETE', '/v2.0/ports/<id>', self._delete_port),
            http.Route('POST', '/v2.0/floatingips', self._create_floating),
        ]
        for plural, singular in PLURALS.items():
            routes += [
                http.Route('GET', f'/v2.0/{plural}',
                           _lister(self._store, plural)),
                http.Route('GET', f'/v2.0/{plural}/<id>',
                           _shower(self._store, plural, singular))]
        return routes

    def make_port(self, project: str, wanted: http.Document) -> http.Document:
        """Create a port with its addresses.

        Without a requested address it gets one address for each IP version of
        the network's subnets.

        :raises ApiError: for an unknown network, subnet or security group,
            and an address that is taken or outside the subnet
        """
        with self._store.exclusive():
            self._check_port(wanted)
            fixed_ips = [
                {'subnet_id': subnet['id'],
                 'ip_address': self._address(subnet, address)}
                for subnet, address in self._places(wanted)]
            groups = wanted.get('security_groups')
            if groups is None:
                groups = [default_group(self._store, project)['id']]
            port = {
                'id': str(uuid.uuid4()), 'name': wanted.get('name') or '',
                'description': wanted.get('description') or '',
                'network_id': wanted['network_id'],
                'mac_address': _mac(self._store.next('mac')),
                'fixed_ips': fixed_ips,
                'security_groups': list(groups), 'status': 'DOWN',
                'device_id': wanted.get('device_id') or '',
                'device_owner': wanted.get('device_owner') or '',
                'admin_state_up': True, 'tenant_id': project,
                'project_id': project, 'created_at': http.now()}
            self._store.put('ports', port)
        return port

    def _check_port(self, wanted: http.Document) -> None:
        message = self._faults.take('port-create',
                                    str(wanted.get('name') or ''))
        if message:
            raise http.ApiError(503, 'ServiceUnavailable', message)
        network = wanted.get('network_id')
        if not self._store.get('networks', str(network)):
            raise _missing('Network', str(network))
        for group in wanted.get('security_groups') or ():
            if not self._store.get('security_groups', group):
                raise _missing('SecurityGroup', group)
        limit = seed.limits(self._store)['ports']
        if len(self._store.all('ports')) >= limit:
            raise http.ApiError(
                409, 'OverQuota',
                f"Quota exceeded for resources: ['port'], limit {limit}.")

    def _places(self, wanted: http.Document
                ) -> list[tuple[http.Document, str | None]]:
        """The subnets of a port, each with the requested address."""
        network = wanted['network_id']
        subnets = [subnet for subnet in self._store.all('subnets')
                   if subnet['network_id'] == network]
        wishes = [wish for wish in wanted.get('fixed_ips') or ()
                  if wish.get('subnet_id') or wish.get('ip_address')]
        if not wishes:
            by_version = {subnet['ip_version']: subnet
                          for subnet in reversed(subnets)}
            return [(by_version[version], None)
                    for version in sorted(by_version)]
        return [(_chosen_subnet(network, subnets, wish),
                 wish.get('ip_address')) for wish in wishes]

    def _address(self, subnet: http.Document, wanted: str | None) -> str:
        network = ipaddress.ip_network(subnet['cidr'])
        taken = {address['ip_address'] for port in self._store.all('ports')
                 for address in port['fixed_ips']}
        if wanted:
            if ipaddress.ip_address(wanted) not in network:
                raise http.ApiError(
                    400, 'InvalidIpForSubnet',
                    f'IP address {wanted} is not valid for subnet '
                    f'{subnet["id"]} ({network}).')
            if wanted in taken:
                raise http.ApiError(
                    409, 'IpAddressAlreadyAllocated',
                    f'IP address {wanted} already allocated in subnet '
                    f'{subnet["id"]}.')
            return wanted
        # A new address each time: other guests may still know an old address
        # as that of a deleted guest.
        room = network.num_addresses - 2 * FIRST_HOST
        while True:
            offset = (self._store.next('address') - 1) % room
            address = str(network[FIRST_HOST + offset])
            if address not in taken:
                return address

    def _extensions(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'extensions': [
            _extension(alias) for alias in EXTENSIONS]})

    def _extension(self, call: http.Call) -> http.Reply:
        alias = call.arguments['alias']
        if alias not in EXTENSIONS:
            raise _missing('Extension', alias)
        return http.Reply(200, {'extension': _extension(alias)})

    def _create_port(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'port')
        return http.Reply(201, {'port': self.make_port(call.project,
                                                       wanted)})

    def _update_port(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'port')
        changes = {name: value for name, value in wanted.items()
                   if name in CHANGEABLE}
        for group in changes.get('security_groups') or ():
            if not self._store.get('security_groups', group):
                raise _missing('SecurityGroup', group)
        port = self._store.update('ports', call.arguments['id'], **changes)
        if port is None:
            raise _missing('Port', call.arguments['id'])
        if 'security_groups' in changes:
            self._changed()
        return http.Reply(200, {'port': port})

    def _delete_port(self, call: http.Call) -> http.Reply:
        key = call.arguments['id']
        if not self._store.get('ports', key):
            raise _missing('Port', key)
        self._store.delete('ports', key)
        return http.Reply(204)

    def _create_floating(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'floatingip')
        raise _missing('ExternalNetwork',
                       str(wanted.get('floating_network_id')))


def _chosen_subnet(network: str, subnets: list[http.Document],
                   wish: http.Document) -> http.Document:
    """The requested subnet: by its ID, or by the requested address."""
    key, address = wish.get('subnet_id'), wish.get('ip_address')
    for subnet in subnets:
        if key == subnet['id'] or (not key and ipaddress.ip_address(
                str(address)) in ipaddress.ip_network(subnet['cidr'])):
            return subnet
    if key or not subnets:
        raise _missing('Subnet', key or f'of network {network}')
    return subnets[0]       # which refuses the address


def default_group(store: cloud_store.Store, project: str) -> http.Document:
    """The project's default group, whose members can reach each other."""
    with store.exclusive():
        for group in store.all('security_groups'):
            if (group['name'], group['project_id']) == ('default', project):
                return group
        group = {'id': str(uuid.uuid4()), 'name': 'default',
                 'description': 'Default security group',
                 'tenant_id': project, 'project_id': project}
        store.put('security_groups', group)
        for ethertype in ('IPv4', 'IPv6'):
            store.put('security_group_rules', {
                'id': str(uuid.uuid4()), 'direction': 'ingress',
                'ethertype': ethertype, 'security_group_id': group['id'],
                'protocol': None, 'port_range_min': None,
                'port_range_max': None, 'remote_ip_prefix': None,
                'remote_group_id': group['id'], 'tenant_id': project,
                'project_id': project, 'description': ''})
        return group


def chosen(documents: Iterable[http.Document],
           query: dict[str, list[str]]) -> list[http.Document]:
    """The documents whose fields have one of the queried values each."""
    wanted = {name: values for name, values in query.items()
              if name not in ('fields', 'limit', 'marker', 'sort_key',
                              'sort_dir', 'page_reverse')}
    found = [document for document in documents
             if all(_has(document, name, values)
                    for name, values in wanted.items())]
    fields = query.get('fields')
    if fields:
        found = [{name: document[name] for name in fields
                  if name in document} for document in found]
    return found


def _has(document: http.Document, name: str, values: list[str]) -> bool:
    if name == 'fixed_ips':
        pairs = dict(value.partition('=')[::2] for value in values)
        return any(all(str(address.get(field)) == value
                       for field, value in pairs.items())
                   for address in document.get('fixed_ips', ()))
    actual: Any = document.get(name)
    if isinstance(actual, bool):
        return any(value.lower() == str(actual).lower() for value in values)
    if isinstance(actual, list):
        return any(value in actual for value in values)
    return str(actual) in values


def _lister(store: cloud_store.Store,
            plural: str) -> Callable[[http.Call], http.Reply]:
    def handler(call: http.Call) -> http.Reply:
        return http.Reply(200, {
            plural: chosen(store.all(plural), dict(call.query))})

    return handler


def _shower(store: cloud_store.Store, plural: str,
            singular: str) -> Callable[[http.Call], http.Reply]:
    def handler(call: http.Call) -> http.Reply:
        document = store.get(plural, call.arguments['id'])
        if document is None:
            raise _missing(singular.capitalize(), call.arguments['id'])
        return http.Reply(200, {singular: document})

    return handler


def _extension(alias: str) -> http.Document:
    return {'alias': alias, 'name': alias, 'description': alias,
            'links': [], 'updated': '2026-01-01T00:00:00-00:00'}


def _missing(what: str, name: str) -> http.ApiError:
    return http.ApiError(404, f'{what}NotFound',
                         f'{what} {name} could not be found.')


def _mac(number: int) -> str:
    low = f'{number:06x}'
    return f'fa:16:3e:{low[:2]}:{low[2:4]}:{low[4:]}'
