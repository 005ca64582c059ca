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

"""Which members can join and leave, and how instances are converted."""

from typing import Any

import testtools
from trove.common import exception

from tests.unit.api import base
from trove_pxc.api import growth

GONE = '0b7a5d2e-3c40-4a4e-9f10-6f7a8b9c0d1e'


class ShrinkTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster(members=4)
        self.cluster = self.load(self.row)
        self.neutron.list_ports.return_value = {'ports': [
            {'id': row.id, 'name': f'trove-{row.id}', 'network_id': 'n',
             'fixed_ips': [{'ip_address': '10.0.0.1'}]}
            for row in self.members(self.row)]}
        self.ids = [row.id for row in self.members(self.row)]

    def check(self, *ids: str) -> Any:
        return growth.check_shrink(self.cluster, [{'id': one} for one in ids])

    def test_who_leaves(self) -> None:
        self.assertEqual([self.ids[3]], self.check(self.ids[3].upper()))

    def test_a_stranger(self) -> None:
        error = self.assertRaises(exception.BadRequest, self.check, GONE)
        self.assertIn(f'Instance {GONE} is not a member of cluster c.',
                      str(error))

    def test_too_many(self) -> None:
        error = self.assertRaises(
            exception.BadRequest, self.check, *self.ids[:3])
        self.assertIn('has 4 members and must keep at least', str(error))

    def test_the_cast(self) -> None:
        growth.shrink(self.cluster, base.request(), self.check(self.ids[3]))
        self.task_api.shrink_cluster.assert_called_once_with(
            self.row.id, [self.ids[3]])
        self.assertEqual([self.ids[3]],
                         self.notifier.payloads[0]['instance_ids'])


class InstanceTest(testtools.TestCase):

    def test_as_trove_understands_an_instance(self) -> None:
        self.assertEqual(
            {'name': 'a', 'flavor_id': '2', 'volume_size': 3,
             'volume_type': 'fast', 'nics': None, 'modules': None,
             'availability_zone': 'here', 'region_name': 'r'},
            growth._instance({
                'name': 'a', 'flavorRef': 'http://a.cloud/flavors/2',
                'volume': {'size': '3', 'type': 'fast'},
                'availability_zone': 'here', 'region': 'r'}))

    def test_what_is_absent(self) -> None:
        found = growth._instance({'flavorRef': 2})
        self.assertEqual('2', found.pop('flavor_id'))
        self.assertEqual({None}, set(found.values()))
