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

"""The values that a request gives for the instances reach each of them."""

from typing import Any

from trove.configuration import models as configuration_models
from trove.module import models as module_models

from tests.functional import base
from tests.functional import cloud as clouds


class PassingOnTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def made(self, of_each: list[dict[str, Any]],
             **changes: Any) -> list[Any]:
        """The rows of a cluster whose instances have these values."""
        response = self.create(
            instances=[{'flavorRef': '1', 'volume': {'size': 1},
                        'nics': [{'network_id': clouds.NETWORK}], **one}
                       for one in of_each], **changes)
        self.assertEqual(200, response.status_int, response.text)
        cluster_id = response.json['cluster']['id']
        self.wait_for_task(cluster_id)
        return self.instance_rows(cluster_id)

    def server(self, row: Any) -> Any:
        return self.cloud.servers[row.compute_instance_id]

    def test_availability_zones_reach_the_instances(self) -> None:
        rows = self.made([{'availability_zone': f'az{number}'}
                          for number in range(3)])
        self.assertEqual(
            ['az0', 'az1', 'az2'],
            [self.server(row).asked['availability_zone'] for row in rows])

    def test_locality_reaches_the_instances(self) -> None:
        rows = self.made([{}] * 3, locality='anti-affinity')
        (group,) = self.cloud.server_groups.values()
        self.assertEqual(['anti-affinity'], group.policies)
        for row in rows:
            self.assertEqual({'group': group.id}, self.server(row).hints)

    def test_volume_type_reaches_the_instances(self) -> None:
        rows = self.made([{'volume': {'size': 2, 'type': 'fast'}}] * 3)
        for row in rows:
            volume = self.cloud.volumes[row.volume_id]
            self.assertEqual((2, 'fast'), (volume.size, volume.volume_type))

    def test_fixed_address_reaches_the_instances(self) -> None:
        """The port is created with subnet and address."""
        rows = self.made([{'nics': [{
            'network_id': clouds.NETWORK, 'subnet_id': clouds.SUBNET,
            'ip_address': f'10.0.0.{number}'}]} for number in (7, 8, 9)])
        asked = [self.cloud.ports[self.server(row).ports[0]]['asked']
                 for row in rows]
        self.assertEqual(['10.0.0.7', '10.0.0.8', '10.0.0.9'],
                         [address['ip_address'] for (address,) in asked])

    def test_region_reaches_the_instances(self) -> None:
        rows = self.made([{'region_name': 'RegionOne'}] * 3)
        self.assertEqual(['RegionOne'] * 3, [row.region_id for row in rows])

    def test_configuration_group_reaches_the_instances(self) -> None:
        _, version = base.datastore_models.get_datastore_version(
            type='mariadb', version='10.11')
        group = configuration_models.Configuration.create(
            'c', '', base.PROJECT, None, version.id)
        configuration_models.Configuration.create_items(
            group.id, {'max_connections': '77'})
        rows = self.made([{}] * 3, configuration=group.id)
        for row in rows:
            self.assertEqual(group.id, row.configuration_id)
            told = self.galera.guests[row.id].prepared_with
            self.assertEqual({'max_connections': '77'}, told['overrides'])
        shown = self.show(rows[0].cluster_id)
        self.assertEqual(group.id, shown['configuration'])

    def test_modules_reach_the_instances(self) -> None:
        module = module_models.Module.create(
            self.context(), 'm', 'ping', 'message=x', '', base.PROJECT,
            'mariadb', '10.11', False, True, False, False, 5, None)
        rows = self.made([{'modules': [{'id': module.id}]}] * 3)
        for row in rows:
            (told,) = self.galera.guests[row.id].prepared_with['modules']
            self.assertEqual(module.id, told['module']['id'])
