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

"""Clusters on networks with IPv6, and on those with both versions."""

from typing import Any
import uuid

from tests.functional import base
from tests.functional import cloud as clouds

SUBNET = str(uuid.UUID(int=0x1090))
ON_IPV6 = {'flavorRef': '1', 'volume': {'size': 1}, 'nics': [
    {'network_id': clouds.NETWORK, 'subnet_id': SUBNET}]}
ANYWHERE = {**ON_IPV6, 'nics': [{'network_id': clouds.NETWORK}]}


class Ipv6Test(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.cloud.add_subnet(SUBNET, 'fd00:7::/64')

    def only_ipv6(self) -> None:
        del self.cloud.subnets[clouds.SUBNET]

    def complete(self, **request: Any) -> Any:
        created = self.create(**request).json['cluster']
        self.wait_for_task(created['id'])
        return self.show(created['id'])

    def facts(self, number: int) -> Any:
        settings = self.galera.named(f'products-{number}').settings
        assert settings is not None
        return settings['facts']

    def rules(self) -> set[tuple[Any, ...]]:
        return {(rule['ethertype'], rule['remote_ip_prefix'],
                 int(rule['port_range_min']))
                for rule in self.cloud.rules.values()}

    def assert_ipv6(self, shown: Any) -> None:
        addresses = [one['ip'][0] for one in shown['instances']]
        self.assertEqual(3, len({*addresses}))
        for address in addresses:
            self.assertTrue(address.startswith('fd00:7::'), address)
        self.assertEqual(addresses, [
            address for _, address in self.facts(1)['members']])
        self.assertEqual(addresses[0], self.facts(1)['member_address'])
        between = {('IPv6', f'{address}/128', port)
                   for address in addresses for port in (4444, 4567)}
        users = {('IPv4', None, 3306), ('IPv6', None, 3306)}
        self.assertEqual(between | users, self.rules())

    def test_network_with_ipv6_alone_is_supported(self) -> None:
        self.start_taskmanager()
        self.only_ipv6()
        self.assert_ipv6(self.complete())

    def test_ipv6_subnet_of_a_network_with_both_is_used(self) -> None:
        self.start_taskmanager()
        self.assert_ipv6(self.complete(instances=3 * [ON_IPV6]))

    def test_members_as_instances_show_ipv6(self) -> None:
        self.start_taskmanager()
        self.only_ipv6()
        for member in self.complete()['instances']:
            shown = self.request('GET', f'/instances/{member["id"]}').json
            self.assertEqual(member['ip'], shown['instance']['ip'])
            self.assertEqual(
                [{'address': member['ip'][0], 'type': 'private',
                  'network': clouds.NETWORK}], shown['instance']['addresses'])
        for path in ('/instances', '/instances/detail'):
            listed = self.request(
                'GET', f'{path}?include_clustered=true').json['instances']
            self.assertEqual({'fd00:7:'}, {
                one['ip'][0].rsplit(':', 1)[0] for one in listed})

    def test_network_with_both_versions_uses_ipv4(self) -> None:
        self.start_taskmanager()
        shown = self.complete()
        for one in shown['instances']:
            self.assertEqual(['10.0.0'], [
                address.rsplit('.', 1)[0] for address in one['ip']])
        self.assertEqual('10.0.0', self.facts(1)['member_address'].rsplit(
            '.', 1)[0])
        self.assertEqual({'IPv4'}, {one for one, *_ in self.rules()})

    def refuse(self, words: str, **request: Any) -> None:
        response = self.create(**request)
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn(words, response.text)
        self.assert_nothing_left()

    def test_members_with_different_versions_are_refused(self) -> None:
        self.refuse('products-1 IPv6, products-2 IPv4',
                    instances=[ON_IPV6, ANYWHERE, ANYWHERE])

    def test_server_version_without_ipv6_is_refused(self) -> None:
        self.only_ipv6()
        self.add_datastore('pxc', '5.6')
        self.refuse('Percona XtraDB Cluster 5.6 cannot use IPv6',
                    datastore={'type': 'pxc', 'version': '5.6'})

    def test_network_without_subnets_is_refused(self) -> None:
        self.cloud.subnets.clear()
        self.refuse('has no subnet')

    def test_new_members_must_use_the_version_of_the_others(self) -> None:
        self.start_taskmanager()
        cluster = self.complete(instances=3 * [ON_IPV6])
        refused = self.request('POST', f'/clusters/{cluster["id"]}', {
            'grow': [ANYWHERE]})
        self.assertEqual(400, refused.status_int, refused.text)
        self.assertIn('products-3 IPv6, products-4 IPv4', refused.text)
        grown = self.request('POST', f'/clusters/{cluster["id"]}', {
            'grow': [ON_IPV6]})
        self.assertEqual(202, grown.status_int, grown.text)
        self.wait_for_task(cluster['id'])
        last = self.show(cluster['id'])['instances'][-1]
        self.assertEqual('products-4', last['name'])
        self.assertTrue(last['ip'][0].startswith('fd00:7::'))
