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

import testtools

from lab.guest import firewall


class SecurityGroupsTest(testtools.TestCase):

    def test_without_rules_only_answers_come_in(self) -> None:
        text = firewall.security_groups([])
        self.assertIn('policy drop;', text)
        self.assertIn('ct state established,related accept', text)
        self.assertEqual(5, text.count('accept'))

    def test_what_belongs_to_no_connection_gets_a_refusal(self) -> None:
        text = firewall.security_groups([])
        self.assertIn('tcp flags & (syn | ack) == ack accept', text)

    def test_what_comes_from_containers_is_not_filtered(self) -> None:
        self.assertIn('iifname != "eth0" accept',
                      firewall.security_groups([]))

    def test_ports_and_sources_limit_a_rule(self) -> None:
        text = firewall.security_groups([firewall.Ingress(
            4, 'tcp', (4567, 4568), ('10.88.0.12', '10.88.0.11'))])
        self.assertIn('ip saddr { 10.88.0.11, 10.88.0.12 } '
                      'tcp dport 4567-4568 accept', text)

    def test_one_port_from_anywhere(self) -> None:
        text = firewall.security_groups([
            firewall.Ingress(4, 'tcp', (3306, 3306), None)])
        self.assertIn('    meta nfproto ipv4 tcp dport 3306 accept', text)

    def test_rules_for_ipv6(self) -> None:
        text = firewall.security_groups([
            firewall.Ingress(6, 'tcp', (3306, 3306), None),
            firewall.Ingress(6, 'tcp', (4444, 4444), ('fd10:88::a/128',)),
            firewall.Ingress(6, 'icmp', None, None)])
        for line in ('meta nfproto ipv6 tcp dport 3306 accept',
                     'ip6 saddr { fd10:88::a/128 } tcp dport 4444 accept',
                     'meta nfproto ipv6 meta l4proto ipv6-icmp accept'):
            self.assertIn(f'    {line}\n', text)

    def test_neighbours_are_found(self) -> None:
        self.assertIn('nd-neighbor-solicit, nd-neighbor-advert',
                      firewall.security_groups([]))

    def test_a_group_without_members_lets_nobody_in(self) -> None:
        rule = firewall.Ingress(4, 'tcp', (3306, 3306), ())
        self.assertEqual(firewall.security_groups([]),
                         firewall.security_groups([rule]))

    def test_a_protocol_without_ports(self) -> None:
        text = firewall.security_groups([
            firewall.Ingress(4, 'icmp', None, None)])
        self.assertIn('meta l4proto icmp accept', text)

    def test_the_same_rules_give_the_same_text(self) -> None:
        rules = [firewall.Ingress(4, 'tcp', (port, port), None)
                 for port in (3306, 4444)]
        self.assertEqual(firewall.security_groups(rules),
                         firewall.security_groups([*reversed(rules), *rules]))


class CutsTest(testtools.TestCase):

    def test_a_pair_is_cut_in_both_directions(self) -> None:
        text = firewall.cuts([], [('fa:16:3e:00:00:01',
                                   'fa:16:3e:00:00:02')])
        for one, other in ((1, 2), (2, 1)):
            self.assertIn(f'ether saddr fa:16:3e:00:00:0{one} '
                          f'ether daddr fa:16:3e:00:00:0{other} drop', text)

    def test_the_controller_is_cut_off_too(self) -> None:
        text = firewall.cuts(['fa:16:3e:00:00:01'], [])
        self.assertIn('hook prerouting', text)
        self.assertIn('hook output', text)
        self.assertEqual(2, text.count('ether daddr fa:16:3e:00:00:01 drop'))

    def test_without_cuts_nothing_is_dropped(self) -> None:
        self.assertNotIn('drop', firewall.cuts([], []))

    def test_packets_are_lost_by_chance_in_both_directions(self) -> None:
        text = firewall.cuts([], [], {'fa:16:3e:00:00:01': 20})
        for side in ('saddr', 'daddr'):
            self.assertIn(
                f'ether {side} fa:16:3e:00:00:01 numgen random mod 100 < 20 '
                f'drop', text)
