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

"""The rules of a member's security group.

Imported by steps/allow_peers. Trove creates a security group for each
instance and opens [group] tcp_ports in it to users. The Galera ports are
only open to the addresses of the other members. Trove allows users from the
network of trove_security_group_rule_cidr, by default an IPv4 network; a
member with IPv6 gets rules for users with IPv6 here.
"""

from collections.abc import Sequence
import ipaddress
from typing import NamedTuple

from neutronclient.common import exceptions as neutron_exceptions
from oslo_log import log as logging
from trove.common import cfg

from trove_pxc import conf
from trove_pxc.galera import addresses
from trove_pxc.protocols import Record
from trove_pxc.taskmanager.cloud import members
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

#: SST; group communication and IST
GALERA = ((4444, 4444), (4567, 4568))


class PeerRule(NamedTuple):
    """The source and the ports of a rule.

    :ivar prefix: None for all sources.
    """

    ethertype: str
    prefix: str | None
    first: int
    last: int


class SecurityGroups:
    """The rules of one member's security group on its Galera ports.

    :param peers: the addresses that are allowed.
    :raises MemberFailed: if one has another IP version than the member.
    """

    def __init__(self, member: members.Member, peers: Sequence[str]) -> None:
        self._member = member
        own = addresses.version(member.address)
        strangers = [peer for peer in peers if addresses.version(peer) != own]
        if strangers:
            raise member.failed(
                f'its address is {member.address}, and the cluster also has '
                f'{", ".join(strangers)}; all members must use the same '
                'version of the Internet Protocol',
                'Delete it, and create it with a network or subnet that has '
                'the version of the others.')
        self._wanted = {
            PeerRule(*addresses.rule(peer), first, last)
            for peer in peers for first, last in GALERA}
        self._users = _users(member) if own == addresses.IPV6 else set()
        self._groups = self._find_groups()
        self._rules = {group: self._incoming(group)
                       for group in self._groups}

    def right(self) -> bool:
        """Whether the peers are allowed on the Galera ports, and no others.

        Without security groups, or without that of Trove, nothing is done.
        """
        return all(
            {_peer_rule(rule) for rule in rules
             if _on_galera_ports(rule)} == self._wanted
            and not self._missing(rules) for rules in self._rules.values())

    def set_right(self) -> None:
        """Allow the peers on the Galera ports; remove all other rules."""
        for group, rules in self._rules.items():
            missing = self._missing(rules)
            if missing:
                self._allow_peers(group, sorted(missing, key=str))
            for rule in rules:
                if (_on_galera_ports(rule)
                        and _peer_rule(rule) not in self._wanted):
                    LOG.info('Security group %s of %s: removing the rule for '
                             '%s', group, self._member.name,
                             rule.get('remote_ip_prefix') or 'all addresses')
                    self._close(rule['id'])

    def _missing(self, rules: Sequence[Record]) -> set[PeerRule]:
        return (self._wanted | self._users) - {
            _peer_rule(rule) for rule in rules}

    def _find_groups(self) -> list[str]:
        if not CONF.trove_security_groups_support:
            return []
        name = (f'{CONF.trove_security_group_name_prefix}-'
                f'{self._member.id}')
        found = self._member.neutron.list_security_groups(name=name)
        return [str(group['id']) for group in found['security_groups']]

    def _incoming(self, group: str) -> list[Record]:
        found = self._member.neutron.list_security_group_rules(
            security_group_id=group, direction='ingress')
        return [rule for rule in found['security_group_rules']
                if rule['port_range_min'] is not None]

    def _allow_peers(self, group: str, missing: Sequence[PeerRule]) -> None:
        """Create all missing rules with one request.

        :raises waiting.NotYet: one of them exists: an earlier request, whose
            answer was lost, created it. Read the rules again.
        """
        try:
            self._member.neutron.create_security_group_rule({
                'security_group_rules': [{
                    'direction': 'ingress', 'ethertype': who.ethertype,
                    'protocol': 'tcp', 'security_group_id': group,
                    'port_range_min': who.first,
                    'port_range_max': who.last,
                    'remote_ip_prefix': who.prefix} for who in missing]})
        except neutron_exceptions.OverQuotaClient:
            raise       # it also has the code 409
        except neutron_exceptions.Conflict as there:
            raise waiting.NotYet(
                f'Neutron already has a rule of {self._member.name}: '
                f'{there}') from there

    def _close(self, rule_id: str) -> None:
        try:
            self._member.neutron.delete_security_group_rule(rule_id)
        except neutron_exceptions.NotFound:
            LOG.debug('Rule %s was deleted already', rule_id)


def _peer_rule(rule: Record) -> PeerRule:
    """Convert a rule of Neutron; without a prefix it allows all sources."""
    prefix = rule.get('remote_ip_prefix')
    network = prefix and ipaddress.ip_network(prefix, strict=False)
    return PeerRule(
        str(rule.get('ethertype') or 'IPv4'),
        str(network) if network and network.prefixlen else None,
        int(rule['port_range_min']), int(rule['port_range_max']))


def _on_galera_ports(rule: Record) -> bool:
    return _between_members(int(rule['port_range_min']),
                            int(rule['port_range_max']))


def _between_members(first: int, last: int) -> bool:
    return GALERA[0][0] <= first and last <= GALERA[-1][-1]


def _users(member: members.Member) -> set[PeerRule]:
    """The rules for users with IPv6, like those of Trove for IPv4."""
    network = conf.ipv6_users(CONF)
    if network is None:
        return set()
    prefix = str(network) if network.prefixlen else None
    ports = {(int(ports[0]), int(ports[-1]))
             for ports in member.options.tcp_ports}
    return {PeerRule('IPv6', prefix, first, last)
            for first, last in ports if not _between_members(first, last)}
