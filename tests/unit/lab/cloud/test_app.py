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

"""The cloud's API, without guests."""

import json
import pathlib
import tempfile
from typing import Any

import testtools
from werkzeug import test

from lab.cloud import app
from lab.cloud import seed
from lab import home as lab_home

GROUPS = '/network/demo/v2.0/security-groups'
RULES = '/network/demo/v2.0/security-group-rules'
PORTS = '/network/demo/v2.0/ports'
SUBNETS = '/network/demo/v2.0/subnets'
VOLUMES = '/volume/demo/v3/volumes'
SERVERS = '/compute/demo/v2.1/servers'


class CloudTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = lab_home.Home(pathlib.Path(folder.name))
        self.home.make()
        self.client = test.Client(app.Application(self.home))

    def call(self, method: str, path: str, body: Any = None,
             status: int = 200) -> Any:
        """Send a request, check its status and return the JSON answer."""
        answer = self.client.open(path, method=method, json=body) if body \
            is not None else self.client.open(path, method=method)
        self.assertEqual(status, answer.status_code, answer.text)
        return answer.json if answer.text else None

    def port(self, **fields: Any) -> Any:
        return self.call('POST', PORTS, {'port': {
            'network_id': seed.NETWORK_ID, **fields}}, 201)['port']

    def test_it_is_well(self) -> None:
        self.assertEqual({'status': 'ok'}, self.call('GET', '/healthcheck'))

    def test_the_subnet_has_a_router(self) -> None:
        found = self.call(
            'GET', f'{PORTS}?device_owner=network:router_interface'
                   f'&fixed_ips=subnet_id={seed.SUBNET_ID}')
        self.assertEqual(1, len(found['ports']))
        none = self.call(
            'GET', f'{PORTS}?device_owner=network:router_interface'
                   '&fixed_ips=subnet_id=other')
        self.assertEqual([], none['ports'])

    def test_every_port_has_an_address_of_its_own(self) -> None:
        ports = [self.port(name=str(number)) for number in range(3)]
        addresses = {port['fixed_ips'][0]['ip_address'] for port in ports}
        self.assertEqual(3, len(addresses))
        self.assertEqual(3, len({port['mac_address'] for port in ports}))

    def test_an_address_is_not_given_again_at_once(self) -> None:
        first = self.port()
        self.call('DELETE', f'{PORTS}/{first["id"]}', status=204)
        self.assertNotEqual(first['fixed_ips'], self.port()['fixed_ips'])

    def test_a_wanted_address(self) -> None:
        wanted = {'fixed_ips': [{'ip_address': '10.88.7.7'}]}
        self.assertEqual('10.88.7.7', self.port(**wanted)[
            'fixed_ips'][0]['ip_address'])
        body = {'port': {'network_id': seed.NETWORK_ID, **wanted}}
        self.call('POST', PORTS, body, 409)

    def test_a_port_has_an_address_of_each_version(self) -> None:
        for network, prefixes in ((seed.NETWORK_ID, ['10.88.0.']),
                                  (seed.IPV6_NETWORK_ID, ['fd10:88::']),
                                  (seed.DUAL_NETWORK_ID,
                                   ['10.89.0.', 'fd10:89::'])):
            given = [one['ip_address'] for one in self.port(
                network_id=network)['fixed_ips']]
            self.assertEqual(len(prefixes), len(given))
            for address, prefix in zip(given, prefixes, strict=True):
                self.assertTrue(address.startswith(prefix), address)

    def test_a_wanted_subnet(self) -> None:
        subnets = self.call(
            'GET', f'{SUBNETS}?network_id={seed.DUAL_NETWORK_ID}')
        by_version = {one['ip_version']: one for one in subnets['subnets']}
        for wish in ({'subnet_id': by_version[6]['id']},
                     {'ip_address': 'fd10:89::7'}):
            given, = self.port(network_id=seed.DUAL_NETWORK_ID,
                               fixed_ips=[wish])['fixed_ips']
            self.assertEqual(by_version[6]['id'], given['subnet_id'])
        self.call('POST', PORTS, {'port': {
            'network_id': seed.NETWORK_ID, 'fixed_ips': [
                {'subnet_id': by_version[6]['id']}]}}, 404)

    def test_the_version_of_a_rule_is_that_of_its_network(self) -> None:
        group = self.call('POST', GROUPS, {'security_group': {
            'name': 'g'}}, 201)['security_group']
        for ethertype, prefix, status in (
                ('IPv6', 'fd10:88::a/128', 201), ('IPv6', '::/0', 201),
                ('IPv4', 'fd10:88::a/128', 400),
                ('IPv6', '10.88.0.10/32', 400), ('IPv5', None, 400)):
            self.call('POST', RULES, {'security_group_rule': {
                'direction': 'ingress', 'ethertype': ethertype,
                'protocol': 'tcp', 'port_range_min': 3306,
                'port_range_max': 3306, 'remote_ip_prefix': prefix,
                'security_group_id': group['id']}}, status)

    def test_a_port_needs_a_network_that_exists(self) -> None:
        refused = self.call('POST', PORTS, {'port': {'network_id': 'x'}},
                            404)
        self.assertEqual('NetworkNotFound', refused['NeutronError']['type'])

    def test_a_group_in_use_stays(self) -> None:
        group = self.call('POST', GROUPS, {'security_group': {
            'name': 'g'}}, 201)['security_group']
        port = self.port(security_groups=[group['id']])
        self.call('DELETE', f'{GROUPS}/{group["id"]}', status=409)
        self.call('DELETE', f'{PORTS}/{port["id"]}', status=204)
        self.call('DELETE', f'{GROUPS}/{group["id"]}', status=204)
        self.assertEqual([], self.call(
            'GET', f'{RULES}?security_group_id={group["id"]}')[
                'security_group_rules'])

    def test_a_rule_is_made_once(self) -> None:
        group = self.call('POST', GROUPS, {'security_group': {
            'name': 'g'}}, 201)['security_group']
        rule = {'security_group_rule': {
            'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp',
            'port_range_min': 3306, 'port_range_max': 3306,
            'remote_ip_prefix': '0.0.0.0/0',
            'security_group_id': group['id']}}
        self.call('POST', RULES, rule, 201)
        self.call('POST', RULES, rule, 409)

    def test_a_volume_needs_a_size(self) -> None:
        self.call('POST', VOLUMES, {'volume': {'size': 0}}, 400)

    def test_volumes_end_at_the_limit(self) -> None:
        self.call('PUT', '/lab/limits', {'gigabytes': 2})
        self.call('POST', VOLUMES, {'volume': {'size': 2}}, 202)
        refused = self.call('POST', VOLUMES, {'volume': {'size': 1}}, 413)
        self.assertIn('2G', refused['overLimit']['message'])

    def test_a_server_needs_a_flavor_and_an_image(self) -> None:
        server = {'name': 'one', 'flavorRef': '99', 'imageRef': 'x'}
        refused = self.call('POST', SERVERS, {'server': server}, 400)
        self.assertIn('Flavor 99', refused['badRequest']['message'])
        server['flavorRef'] = '1'
        refused = self.call('POST', SERVERS, {'server': server}, 400)
        self.assertIn('Image x', refused['badRequest']['message'])

    def test_a_server_that_is_refused_takes_no_volume(self) -> None:
        folder = self.home.images / 'an-image'
        folder.mkdir(parents=True)
        (folder / 'image.json').write_text(json.dumps({
            **dict.fromkeys(('name', 'manager', 'version', 'reference',
                             'digest', 'source', 'created'), ''),
            'id': 'an-image', 'size': 1, 'tags': []}))
        volume = self.call('POST', VOLUMES, {'volume': {'size': 1}},
                           202)['volume']['id']
        self.call('POST', SERVERS, {'server': {
            'name': 'one', 'flavorRef': '1', 'imageRef': 'an-image',
            'block_device_mapping_v2': [{
                'source_type': 'volume', 'uuid': volume}],
            'networks': [{'port': 'gone'}]}}, 400)
        self.assertEqual('available', self.call(
            'GET', f'{VOLUMES}/{volume}')['volume']['status'])

    def test_a_fault_comes_as_often_as_asked_for(self) -> None:
        self.call('POST', '/lab/faults', {
            'operation': 'server-create', 'message': 'no host'})
        body = {'server': {'name': 'one'}}
        refused = self.call('POST', SERVERS, body, 500)
        self.assertEqual('no host', refused['computeFault']['message'])
        self.call('POST', SERVERS, body, 400)

    def test_an_unknown_fault_is_refused(self) -> None:
        self.call('POST', '/lab/faults', {'operation': 'x'}, 400)

    def test_what_is_not_there(self) -> None:
        for path in ('/compute/demo/v2.1/flavors/99', f'{SERVERS}/x',
                     f'{VOLUMES}/x', f'{PORTS}/x', f'{GROUPS}/x',
                     '/image/demo/v2/images/x', '/nothing'):
            self.call('GET', path, status=404)

    def test_the_microversion_is_answered(self) -> None:
        answer = self.client.get(
            '/compute/demo/v2.1/flavors',
            headers={'OpenStack-API-Version': 'compute 2.57'})
        self.assertEqual('compute 2.57',
                         answer.headers['OpenStack-API-Version'])
