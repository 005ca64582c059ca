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

"""The rules that a member's security group gets and loses."""

from typing import Any

from neutronclient.common import exceptions as neutron_exceptions

from tests.unit.taskmanager import fakes
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.taskmanager.cloud import ports
from trove_pxc import waiting

PEERS = ('10.0.0.2', '10.0.0.3')


class PortsTest(fakes.ClusterTestCase):

    size = 1

    def setUp(self) -> None:
        super().setUp()
        self.neutron = self.cloud.neutron
        self.neutron.groups[f'trove_sg-{self.id_of(1)}'] = 'group'
        (self.member,) = self._load(None, self.cluster)

    def security_groups(self, *peers: str) -> ports.SecurityGroups:
        return ports.SecurityGroups(self.member, peers or PEERS)

    def add_rule(self, first: int | None, last: int | None,
                 prefix: str | None = '0.0.0.0/0', **others: Any) -> None:
        self.neutron.rules.append({
            'id': len(self.neutron.rules) + 100, 'direction': 'ingress',
            'security_group_id': 'group', 'port_range_min': first,
            'port_range_max': last, 'remote_ip_prefix': prefix, **others})

    def rules(self) -> set[tuple[Any, ...]]:
        return {(rule['remote_ip_prefix'], rule['port_range_min'],
                 rule['port_range_max']) for rule in self.neutron.rules}

    def admitted(self, *peers: str) -> set[tuple[Any, ...]]:
        return {(f'{peer}/32', first, last) for peer in peers
                for first, last in ((4444, 4444), (4567, 4568))}

    def set_right(self, *peers: str) -> None:
        self.assertFalse(self.security_groups(*peers).right())
        self.security_groups(*peers).set_right()
        self.assertTrue(self.security_groups(*peers).right())

    def test_members_are_let_in_and_nobody_else(self) -> None:
        self.set_right()
        self.assertEqual(self.admitted(*PEERS), self.rules())
        self.assertEqual(['create'], self.neutron.calls)

    def test_a_rule_as_neutron_takes_it(self) -> None:
        self.set_right('10.0.0.2')
        self.assertEqual(
            [{'id': 1, 'direction': 'ingress', 'ethertype': 'IPv4',
              'protocol': 'tcp', 'security_group_id': 'group',
              'port_range_min': 4444, 'port_range_max': 4444,
              'remote_ip_prefix': '10.0.0.2/32'},
             {'id': 2, 'direction': 'ingress', 'ethertype': 'IPv4',
              'protocol': 'tcp', 'security_group_id': 'group',
              'port_range_min': 4567, 'port_range_max': 4568,
              'remote_ip_prefix': '10.0.0.2/32'}], self.neutron.rules)

    def test_what_trove_opened_to_everyone_is_closed(self) -> None:
        self.add_rule(4444, 4444)
        self.add_rule(4567, 4567)
        self.add_rule(4568, 4568, prefix=None)
        self.set_right()
        self.assertEqual(self.admitted(*PEERS), self.rules())
        self.assertIn('removing the rule for 0.0.0.0/0', self.log.output)
        self.assertIn('removing the rule for all addresses', self.log.output)

    def test_members_are_let_in_before_others_are_shut_out(self) -> None:
        self.add_rule(4567, 4568)
        self.set_right()
        self.assertEqual(['create', 'delete'], self.neutron.calls)

    def test_other_ports_are_left_alone(self) -> None:
        for first, last in ((3306, 3306), (22, 22), (4443, 4444),
                            (4568, 4569), (1, 65535), (None, None)):
            self.add_rule(first, last)
        before = self.rules()
        self.set_right()
        self.assertEqual(before | self.admitted(*PEERS), self.rules())

    def test_what_leads_out_is_left_alone(self) -> None:
        self.add_rule(4567, 4568, direction='egress')
        self.set_right()
        self.assertEqual(5, len(self.neutron.rules))

    def test_a_range_of_them_is_closed(self) -> None:
        self.add_rule(4444, 4568)
        self.add_rule(4500, 4510)
        self.set_right()
        self.assertEqual(self.admitted(*PEERS), self.rules())

    def test_what_is_right_is_not_touched(self) -> None:
        self.set_right()
        self.neutron.calls.clear()
        self.security_groups().set_right()
        self.assertEqual([], self.neutron.calls)

    def test_one_who_comes_and_one_who_goes(self) -> None:
        self.set_right()
        self.neutron.calls.clear()
        self.set_right('10.0.0.3', '10.0.0.4')
        self.assertEqual(self.admitted('10.0.0.3', '10.0.0.4'), self.rules())
        self.assertEqual(['create', 'delete', 'delete'], self.neutron.calls)

    def test_a_request_whose_answer_was_lost_is_looked_for(self) -> None:
        security_groups = self.security_groups()
        self.set_right()
        error = self.assertRaises(waiting.NotYet, security_groups.set_right)
        self.assertIn('Neutron already has a rule of c-1', str(error))
        self.assertTrue(self.security_groups().right())

    def test_a_quota_is_no_rule_that_is_there(self) -> None:
        self.neutron.full = True
        self.assertRaises(neutron_exceptions.OverQuotaClient,
                          self.security_groups().set_right)

    def test_a_rule_that_is_gone_already(self) -> None:
        self.add_rule(4444, 4444)
        security_groups = self.security_groups()
        self.neutron.rules.clear()
        security_groups.set_right()
        self.assertEqual(self.admitted(*PEERS), self.rules())

    def test_the_rules_of_other_groups_do_not_count(self) -> None:
        self.add_rule(4444, 4444, security_group_id='another')
        self.set_right()
        self.assertIn(('0.0.0.0/0', 4444, 4444), self.rules())

    def use_ipv6(self) -> None:
        port, = self.neutron.ports[f'trove-{self.id_of(1)}']
        port['fixed_ips'] = [{'ip_address': 'fd00::1'}]

    def test_members_with_ipv6(self) -> None:
        self.use_ipv6()
        self.set_right('fd00::2')
        self.assertEqual(
            {('IPv6', 'fd00::2/128', 4444), ('IPv6', 'fd00::2/128', 4567),
             ('IPv6', None, 3306)},
            {(rule['ethertype'], rule['remote_ip_prefix'],
              rule['port_range_min']) for rule in self.neutron.rules})

    def test_users_with_ipv6_come_from_a_network(self) -> None:
        self.use_ipv6()
        self.override(conf.OWN_GROUP, ipv6_users_cidr='fd01::/16')
        self.override(tcp_ports=['3306', '4567', '9104-9105'])
        self.set_right('fd00::2')
        self.assertEqual(
            {('fd01::/16', 3306, 3306), ('fd01::/16', 9104, 9105)},
            {rule for rule in self.rules() if 'fd01' in rule[0]})

    def test_nobody_with_ipv6_where_users_are_few(self) -> None:
        self.use_ipv6()
        self.override(None, trove_security_group_rule_cidr='10.0.0.0/8')
        self.set_right('fd00::2')
        self.assertEqual({'fd00::2/128'}, {one for one, *_ in self.rules()})

    def test_users_that_are_let_in_already(self) -> None:
        self.use_ipv6()
        self.add_rule(3306, 3306, prefix='::/0', ethertype='IPv6')
        self.set_right('fd00::2')
        self.assertEqual(3, len(self.neutron.rules))

    def test_peers_of_another_version(self) -> None:
        failed = self.assertRaises(
            exceptions.MemberFailed, self.security_groups,
            '10.0.0.2', 'fd00::2')
        self.assertIn('its address is 10.0.0.1, and the cluster also has '
                      'fd00::2', str(failed))

    def test_without_a_group_there_is_nothing_to_do(self) -> None:
        self.neutron.groups.clear()
        self.assertTrue(self.security_groups().right())
        self.security_groups().set_right()
        self.assertEqual([], self.neutron.calls)

    def test_without_security_groups_neither(self) -> None:
        self.override(None, trove_security_groups_support=False)
        self.assertTrue(self.security_groups().right())
        self.security_groups().set_right()
        self.assertEqual([], self.neutron.calls)
