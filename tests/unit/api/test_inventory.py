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

"""Servers and addresses in Nova and Neutron, for many members at once."""

import types
from typing import Any

import fixtures
import mock
from neutronclient.v2_0 import client as neutron_client
from novaclient import api_versions
from novaclient import exceptions as nova_exceptions
from novaclient.v2 import servers
import testtools
from trove.common import cfg
from trove.common import clients
from trove.instance.tasks import InstanceTasks

from tests.unit.api import base
from tests.unit import specs
from trove_pxc.api import inventory

CONF = cfg.CONF


def row(number: int, server: str | None = 'server-{}',
        task: Any = InstanceTasks.NONE) -> Any:
    return types.SimpleNamespace(
        id=f'id-{number}', task_status=task,
        compute_instance_id=server and server.format(number))


def server(number: int, status: str = 'ACTIVE') -> Any:
    return types.SimpleNamespace(id=f'server-{number}', status=status)


def port(number: int, network: str = 'users', *addresses: str,
         name: str | None = None) -> dict[str, Any]:
    return {'id': f'port-{number}', 'network_id': network,
            'name': name or f'trove-id-{number}',
            'fixed_ips': [{'ip_address': one} for one in addresses]}


class InventoryTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.nova = types.SimpleNamespace(
            api_version=api_versions.APIVersion('2.26'),
            servers=specs.spec(servers.ServerManager),
            server_groups=specs.spec(base.ServerGroups))
        self.nova.servers.list.return_value = []
        self.nova.servers.get.side_effect = nova_exceptions.NotFound(404)
        self.neutron = mock.Mock(spec=neutron_client.Client)
        self.neutron.list_floatingips.return_value = {'floatingips': []}
        self.create_nova, self.create_neutron = (
            self.useFixture(fixtures.MockPatchObject(
                clients, name, autospec=True, return_value=client)).mock
            for name, client in (
                ('create_nova_client', self.nova),
                ('create_neutron_client', self.neutron)))

    def inventory(self, *rows: Any) -> inventory.Inventory:
        return inventory.Inventory('context', 'region-1', rows)


class ServersTest(InventoryTestCase):

    def test_one_that_was_deleted_in_nova(self) -> None:
        self.nova.servers.list.return_value = [server(1)]
        rows = [row(1), row(2), row(3, server=None)]
        found = self.inventory(*rows)
        self.assertEqual([False, True, False],
                         [found.server_gone(one) for one in rows])

    def test_by_their_tags(self) -> None:
        rows = [row(1), row(2)]
        self.nova.servers.list.return_value = [
            server(2, 'REBOOT'), server(1)]
        found = self.inventory(*rows)
        self.assertEqual(['ACTIVE', 'REBOOT'],
                         [found.server_status(one) for one in rows])
        self.nova.servers.list.assert_called_once_with(
            search_opts={'tags-any': 'trove_instance_id_id-1,'
                                     'trove_instance_id_id-2'}, limit=-1)
        self.create_nova.assert_called_once_with('context', 'region-1')

    def test_the_missing_ones_are_looked_up_by_id(self) -> None:
        self.nova.servers.list.return_value = [server(1)]
        self.nova.servers.get.side_effect = [
            server(2, 'REBOOT'), nova_exceptions.NotFound(404),
            server(4, 'SOFT_DELETED')]
        rows = [row(number) for number in range(1, 5)]
        found = self.inventory(*rows)
        self.assertEqual(['ACTIVE', 'REBOOT', 'SHUTDOWN', 'SHUTDOWN'],
                         [found.server_status(one) for one in rows])
        self.assertEqual([False, False, True, True],
                         [found.server_gone(one) for one in rows])
        self.nova.servers.list.assert_called_once()
        self.assertEqual(
            [mock.call(f'server-{number}') for number in (2, 3, 4)],
            self.nova.servers.get.mock_calls)

    def test_nova_that_cannot_tell(self) -> None:
        """A server is gone only if Nova reports that."""
        self.nova.servers.get.side_effect = nova_exceptions.Forbidden(403)
        self.assertRaises(nova_exceptions.Forbidden,
                          self.inventory(row(1)).server_gone, row(1))

    def test_many_missing_ones_are_sought_among_all(self) -> None:
        rows = [row(number) for number in range(inventory.BY_ID + 2)]
        self.nova.servers.list.side_effect = [
            [server(0)], [server(number) for number in range(1, 5)]]
        found = self.inventory(*rows)
        self.assertEqual(
            {number: number < 5 for number in range(len(rows))},
            {number: not found.server_gone(one)
             for number, one in enumerate(rows)})
        self.assertEqual(mock.call(limit=-1),
                         self.nova.servers.list.mock_calls[1])
        self.nova.servers.get.assert_not_called()

    def test_a_nova_that_knows_no_tags(self) -> None:
        self.nova.api_version = api_versions.APIVersion('2.25')
        self.nova.servers.get.side_effect = [server(1)]
        self.assertEqual('ACTIVE', self.inventory(row(1)).server_status(
            row(1)))
        self.nova.servers.list.assert_not_called()

    def test_a_call_has_room_for_so_many(self) -> None:
        number = inventory.AT_ONCE + 1
        rows = [row(one) for one in range(number)]
        self.nova.servers.list.side_effect = [
            [server(one) for one in range(number - 1)],
            [server(number - 1)]]
        found = self.inventory(*rows)
        self.assertEqual({'ACTIVE'},
                         {found.server_status(one) for one in rows})
        first, second = (call.kwargs['search_opts']['tags-any'].split(',')
                         for call in self.nova.servers.list.mock_calls)
        self.assertEqual(inventory.AT_ONCE, len(first))
        self.assertEqual([f'trove_instance_id_id-{number - 1}'], second)

    def test_nobody_has_a_server(self) -> None:
        found = self.inventory(row(1, None), row(2, None))
        self.assertEqual('SHUTDOWN', found.server_status(row(1, None)))
        self.nova.servers.list.assert_not_called()

    def test_what_stands_for_a_server_there_is_not(self) -> None:
        self.nova.servers.list.return_value = []
        building = InstanceTasks.BUILDING
        for one, status in (
                (row(1, None, building), 'BUILD'),
                (row(1, None, InstanceTasks.BUILDING_ERROR_SERVER), 'BUILD'),
                (row(1, None), 'SHUTDOWN'),
                (row(1, task=building), 'SHUTDOWN'),
                (row(1), 'SHUTDOWN')):
            self.assertEqual(status, self.inventory(one).server_status(one))


class AddressesTest(InventoryTestCase):

    def addresses(self, *ports: Any, floating: Any = ()) -> Any:
        self.neutron.list_ports.return_value = {'ports': list(ports)}
        self.neutron.list_floatingips.return_value = {
            'floatingips': list(floating)}
        return self.inventory(row(1), row(2)).addresses(row(1))

    def test_private_ones(self) -> None:
        self.assertEqual(
            [{'address': '10.0.0.1', 'type': 'private',
              'network': 'users'}],
            self.addresses(port(1, 'users', '10.0.0.1'),
                           port(2, 'users', '10.0.0.2')))
        self.neutron.list_ports.assert_called_once_with(
            name=['trove-id-1', 'trove-id-2'])
        self.create_neutron.assert_called_once_with('context', 'region-1')

    def test_only_those_that_the_server_listens_on(self) -> None:
        for there, used in ((['fd00::1'], ['fd00::1']),
                            (['fd00::1', '10.0.0.1'], ['10.0.0.1']),
                            (['fe80::1', 'fd00::1'], ['fd00::1'])):
            found = self.addresses(port(1, 'users', *there))
            self.assertEqual(used, [one['address'] for one in found])

    def test_public_ones(self) -> None:
        self.assertEqual(
            [{'address': '10.0.0.1', 'type': 'private', 'network': 'users'},
             {'address': '192.0.2.1', 'type': 'public'}],
            self.addresses(
                port(1, 'users', '10.0.0.1'), port(2, 'users', '10.0.0.2'),
                floating=[
                    {'floating_ip_address': '192.0.2.2',
                     'port_id': 'port-2'},
                    {'floating_ip_address': '192.0.2.1',
                     'port_id': 'port-1'}]))
        self.neutron.list_floatingips.assert_called_once_with(
            port_id=['port-1', 'port-2'])

    def test_management_networks_are_not_shown(self) -> None:
        CONF.set_override('management_networks', ['internal'])
        self.addCleanup(CONF.clear_override, 'management_networks')
        self.assertEqual([], self.addresses(
            port(1, 'internal', '10.9.0.1')))
        self.neutron.list_floatingips.assert_not_called()

    def test_each_service_is_asked_once(self) -> None:
        self.neutron.list_ports.return_value = {'ports': [
            port(1, 'users', '10.0.0.1')]}
        self.nova.servers.list.return_value = [server(1), server(2)]
        found = self.inventory(row(1), row(2))
        for _ in range(3):
            found.addresses(row(1))
            found.server_status(row(2))
        for call in (self.neutron.list_ports, self.nova.servers.list,
                     self.neutron.list_floatingips):
            call.assert_called_once()


class GroupTest(InventoryTestCase):

    def test_the_group_of_any_of_the_servers(self) -> None:
        groups = [types.SimpleNamespace(members=members) for members in (
            ['x'], ['server-2', 'y'], [])]
        self.nova.server_groups.list.return_value = groups
        found = self.inventory()
        self.assertIs(groups[1], found.server_group(
            {'server-1', 'server-2'}))
        self.assertIsNone(found.server_group({'server-1'}))
        self.nova.server_groups.list.assert_called_once_with()
