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

"""Neutron's security groups, and the filter rules of each port."""

from collections.abc import Callable
import ipaddress
import uuid

from lab.cloud import http
from lab.cloud import network
from lab.cloud import store as cloud_store
from lab.guest import firewall

PROTOCOLS = {'6': 'tcp', '17': 'udp', '1': 'icmp', '58': 'ipv6-icmp',
             'icmpv6': 'ipv6-icmp'}
KNOWN_PROTOCOLS = ('tcp', 'udp', 'icmp', 'ipv6-icmp', 'sctp', 'esp', 'ah',
                   'gre')
VERSIONS = {'IPv4': 4, 'IPv6': 6}


class GroupService:
    """Security groups and their rules."""

    def __init__(self, store: cloud_store.Store,
                 changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed

    def routes(self) -> list[http.Route]:
        groups, rules = '/v2.0/security-groups', '/v2.0/security-group-rules'
        return [
            http.Route('GET', groups, self._list),
            http.Route('POST', groups, self._create),
            http.Route('GET', f'{groups}/<id>', self._show),
            http.Route('PUT', f'{groups}/<id>', self._update),
            http.Route('DELETE', f'{groups}/<id>', self._delete),
            http.Route('GET', rules, self._list_rules),
            http.Route('POST', rules, self._create_rule),
            http.Route('GET', f'{rules}/<id>', self._show_rule),
            http.Route('DELETE', f'{rules}/<id>', self._delete_rule),
        ]

    def ingress(self, port: http.Document) -> list[firewall.Ingress]:
        """The packets that the groups of a port allow."""
        addresses = self._addresses_by_group()
        allowed = []
        for rule in self._store.all('security_group_rules'):
            mine = (rule['security_group_id'] in port['security_groups']
                    and rule['direction'] == 'ingress')
            if mine:
                allowed.append(_ingress(rule, addresses))
        return allowed

    def _addresses_by_group(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for port in self._store.all('ports'):
            own = tuple(address['ip_address']
                        for address in port['fixed_ips'])
            for group in port['security_groups']:
                found[group] = (*found.get(group, ()), *own)
        return found

    def _list(self, call: http.Call) -> http.Reply:
        network.default_group(self._store, call.project)
        found = network.chosen(self._store.all('security_groups'),
                               dict(call.query))
        return http.Reply(200, {'security_groups': [
            self._view(group) for group in found]})

    def _create(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'security_group')
        group = {'id': str(uuid.uuid4()),
                 'name': str(wanted.get('name', '')),
                 'description': str(wanted.get('description', '')),
                 'tenant_id': call.project, 'project_id': call.project,
                 'created_at': http.now()}
        self._store.put('security_groups', group)
        for ethertype in ('IPv4', 'IPv6'):
            self._add_rule(call.project, {
                'direction': 'egress', 'ethertype': ethertype,
                'security_group_id': group['id']})
        return http.Reply(201, {'security_group': self._view(group)})

    def _show(self, call: http.Call) -> http.Reply:
        group = self._group(call.arguments['id'])
        return http.Reply(200, {'security_group': self._view(group)})

    def _update(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'security_group')
        group = self._group(call.arguments['id'])
        group.update({name: wanted[name] for name in ('name', 'description')
                      if name in wanted})
        self._store.put('security_groups', group)
        return http.Reply(200, {'security_group': self._view(group)})

    def _delete(self, call: http.Call) -> http.Reply:
        group = self._group(call.arguments['id'])
        with self._store.exclusive():
            for port in self._store.all('ports'):
                if group['id'] in port['security_groups']:
                    raise http.ApiError(
                        409, 'SecurityGroupInUse',
                        f'Security Group {group["id"]} in use by port '
                        f'{port["id"]}.')
            for rule in self._rules(group['id']):
                self._store.delete('security_group_rules', rule['id'])
            self._store.delete('security_groups', group['id'])
        return http.Reply(204)

    def _list_rules(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'security_group_rules': network.chosen(
            self._store.all('security_group_rules'), dict(call.query))})

    def _create_rule(self, call: http.Call) -> http.Reply:
        several = call.body.get('security_group_rules')
        if isinstance(several, list):
            return http.Reply(201, {'security_group_rules': self._add_rules(
                call.project, several)})
        (rule,) = self._add_rules(call.project, [
            http.required(call.body, 'security_group_rule')])
        return http.Reply(201, {'security_group_rule': rule})

    def _add_rules(self, project: str,
                   wanted: list[http.Document]) -> list[http.Document]:
        for rule in wanted:
            self._group(str(rule.get('security_group_id')))
        added = [self._add_rule(project, rule) for rule in wanted]
        self._changed()
        return added

    def _show_rule(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'security_group_rule':
                                self._rule(call.arguments['id'])})

    def _delete_rule(self, call: http.Call) -> http.Reply:
        rule = self._rule(call.arguments['id'])
        self._store.delete('security_group_rules', rule['id'])
        self._changed()
        return http.Reply(204)

    def _add_rule(self, project: str, wanted: http.Document) -> http.Document:
        rule = {name: wanted.get(name) for name in (
            'protocol', 'port_range_min', 'port_range_max',
            'remote_ip_prefix', 'remote_group_id', 'security_group_id')}
        rule.update({
            'id': str(uuid.uuid4()), 'description': '',
            'direction': wanted.get('direction', 'ingress'),
            'ethertype': wanted.get('ethertype', 'IPv4'),
            'tenant_id': project, 'project_id': project})
        _check_rule(rule)
        with self._store.exclusive():
            for other in self._rules(str(rule['security_group_id'])):
                if {**other, 'id': ''} == {**rule, 'id': ''}:
                    raise http.ApiError(
                        409, 'SecurityGroupRuleExists',
                        f'Security group rule already exists. Rule id is '
                        f'{other["id"]}.')
            self._store.put('security_group_rules', rule)
        return rule

    def _rules(self, group: str) -> list[http.Document]:
        return [rule for rule in self._store.all('security_group_rules')
                if rule['security_group_id'] == group]

    def _view(self, group: http.Document) -> http.Document:
        return {**group, 'security_group_rules': self._rules(group['id'])}

    def _group(self, key: str) -> http.Document:
        group = self._store.get('security_groups', key)
        if group is None:
            raise http.ApiError(404, 'SecurityGroupNotFound',
                                f'Security group {key} does not exist')
        return group

    def _rule(self, key: str) -> http.Document:
        rule = self._store.get('security_group_rules', key)
        if rule is None:
            raise http.ApiError(404, 'SecurityGroupRuleNotFound',
                                f'Security group rule {key} does not exist')
        return rule


def _check_rule(rule: http.Document) -> None:
    if rule['ethertype'] not in VERSIONS:
        raise http.ApiError(
            400, 'HTTPBadRequest',
            f'Invalid input for ethertype: {rule["ethertype"]}.')
    protocol = rule['protocol']
    if protocol is not None:
        protocol = str(protocol).lower()
        rule['protocol'] = PROTOCOLS.get(protocol, protocol)
        if rule['protocol'] not in KNOWN_PROTOCOLS:
            raise http.ApiError(
                400, 'SecurityGroupRuleInvalidProtocol',
                f'Security group rule protocol {protocol} not supported.')
    prefix = rule['remote_ip_prefix']
    if prefix:
        try:
            version = ipaddress.ip_network(prefix, strict=False).version
        except ValueError as error:
            raise http.ApiError(
                400, 'InvalidCIDR', f'Invalid CIDR {prefix}') from error
        if version != VERSIONS[rule['ethertype']]:
            raise http.ApiError(
                400, 'SecurityGroupRuleParameterConflict',
                f'Conflicting value ethertype {rule["ethertype"]} for CIDR '
                f'{prefix}')
    first, last = rule['port_range_min'], rule['port_range_max']
    if first is not None and (last is None or int(first) > int(last)):
        raise http.ApiError(
            400, 'SecurityGroupInvalidPortRange',
            'For TCP/UDP protocols, port_range_min must be <= '
            'port_range_max')


def _ingress(rule: http.Document,
             addresses: dict[str, tuple[str, ...]]) -> firewall.Ingress:
    ports = None
    if rule['port_range_min'] is not None:
        ports = (int(rule['port_range_min']), int(rule['port_range_max']))
    version = VERSIONS[rule['ethertype']]
    sources: tuple[str, ...] | None = None
    if rule['remote_group_id']:
        sources = tuple(
            address for address in addresses.get(rule['remote_group_id'], ())
            if ipaddress.ip_address(address).version == version)
    elif rule['remote_ip_prefix']:
        network_ = ipaddress.ip_network(rule['remote_ip_prefix'],
                                        strict=False)
        sources = None if network_.prefixlen == 0 else (str(network_),)
    return firewall.Ingress(version, rule['protocol'], ports, sources)
