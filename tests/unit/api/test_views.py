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

"""The views of a cluster for users and for operators."""

from typing import Any

import mock
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import reading
from trove_pxc.api import views
from trove_pxc import queued
from trove_pxc import quotas
from trove_pxc import starts


class ViewTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster(members=0)
        self.member = tables.add_member(
            self.row, 'c-1', flavor_id='7', volume_size=5)
        self.positions = self.patch(
            reading, 'positions', {self.member.id: 'donor'})
        self.addresses('10.0.0.1')
        self.nova.servers.list.return_value = [mock.Mock(
            id='server-of-c-1', status='ACTIVE')]

    def addresses(self, *addresses: str) -> None:
        self.neutron.list_ports.return_value = {'ports': [
            {'id': f'port-{address}', 'network_id': 'users',
             'name': f'trove-{self.member.id}',
             'fixed_ips': [{'ip_address': address}]}
            for address in addresses]}

    def shown(self, kind: type = views.GaleraClusterView,
              servers: bool = False) -> Any:
        return kind(self.load(self.row), base.request(), servers).data()[
            'cluster']

    def test_a_member(self) -> None:
        instance, = self.shown()['instances']
        links = instance.pop('links'), instance['flavor'].pop('links')
        self.assertEqual(
            {'id': self.member.id, 'name': 'c-1', 'type': 'member',
             'status': 'ACTIVE', 'operating_status': 'HEALTHY',
             'flavor': {'id': '7'}, 'volume': {'size': 5},
             'ip': ['10.0.0.1'], 'addresses': [
                 {'address': '10.0.0.1', 'type': 'private',
                  'network': 'users'}]}, instance)
        for link, end in zip(links, (f'/instances/{self.member.id}',
                                     '/flavors/7')):
            self.assertTrue(link[0]['href'].endswith(end), link)

    def test_a_list_asks_no_guest(self) -> None:
        self.assertNotIn('role', self.shown()['instances'][0])
        self.positions.assert_not_called()

    def test_the_view_of_one_tells_its_role(self) -> None:
        self.assertEqual(
            'donor', self.shown(servers=True)['instances'][0]['role'])
        (cluster,), _ = self.positions.call_args
        self.assertEqual(self.row.id, cluster.id)

    def test_a_role_that_is_not_known(self) -> None:
        self.positions.return_value = {}
        self.assertNotIn('role', self.shown(servers=True)['instances'][0])

    def test_addresses_of_all(self) -> None:
        self.addresses('10.0.0.1', '10.0.1.1')
        self.assertEqual(['10.0.0.1', '10.0.1.1'], self.shown()['ip'])

    def test_no_address_yet(self) -> None:
        self.addresses()
        cluster = self.shown()
        for shown in (cluster, cluster['instances'][0]):
            self.assertNotIn('ip', shown)
        self.assertNotIn('addresses', cluster['instances'][0])

    def test_no_volumes(self) -> None:
        self.override('volume_support', False, 'mariadb')
        self.assertNotIn('volume', self.shown()['instances'][0])

    def test_in_member_order(self) -> None:
        for name in ('c-10', 'c-2'):
            tables.add_member(self.row, name)
        self.assertEqual(
            ['c-1', 'c-2', 'c-10'],
            [one['name'] for one in self.shown()['instances']])

    def test_a_member_is_build_until_its_cluster_is_complete(self) -> None:
        tables.add_member(self.row, 'c-2',
                          status=tables.Statuses.INSTANCE_READY)
        self.nova.servers.list.return_value.append(mock.Mock(
            id='server-of-c-2', status='ACTIVE'))
        self.assertEqual(
            ['ACTIVE', 'BUILD'],
            [one['status'] for one in self.shown()['instances']])

    def task(self, kind: type = views.GaleraClusterView) -> Any:
        task = self.shown(kind)['task']
        return task['description'], task.get('queued_before')

    def building(self) -> None:
        self.row.update(task_status=ClusterTasks.BUILDING_INITIAL)
        with quotas.transaction() as session:
            starts.request(session, self.row.id,
                           ClusterTasks.BUILDING_INITIAL, 'req-1')

    def test_operation_that_waits(self) -> None:
        self.building()
        for number in (1, 2):
            queued.enter_creation(f'm-{number}', starts.Place(
                'a1', 'long', number), 'message')
        queued.enter_operation(self.row.id, 'req-1', starts.Place(
            'a1', 'long', 3))
        for kind in (views.GaleraClusterView, views.GaleraMgmtClusterView):
            self.assertEqual(
                ('Building the initial cluster: queued, 2 before it.', 2),
                self.task(kind))

    def test_members_whose_creation_waits(self) -> None:
        self.building()
        other = tables.add_member(self.row, 'c-2')
        for number, one in enumerate(('m-1', self.member.id, 'm-2',
                                      other.id)):
            queued.enter_creation(one, starts.Place(
                'a1', 'creations', number), '')
        self.assertEqual((
            'Building the initial cluster: the creation of 2 members is '
            'queued, 1 before it.', 1), self.task())

    def test_operation_that_runs(self) -> None:
        self.building()
        self.assertEqual(('Building the initial cluster.', None), self.task())

    def test_queues_are_not_read_without_a_task(self) -> None:
        self.patch(queued, 'before', {self.row.id: 3})
        self.assertEqual(('No tasks for the cluster.', None), self.task())

    def test_a_plain_cluster_of_troves_list(self) -> None:
        plain = cluster_models.Cluster(tables.context(), self.row)
        view = views.GaleraClusterView(plain, base.request(), False)
        self.assertIs(cluster_model.GaleraCluster, type(view.cluster))
        self.assertEqual('c-1', view.data()['cluster']['instances'][0][
            'name'])

    def test_roles_unless_it_is_a_list(self) -> None:
        view = views.GaleraClusterView(self.load(self.row), base.request())
        self.assertTrue(view.load_servers)

    def test_operators_see_the_project(self) -> None:
        shown = self.shown(views.GaleraMgmtClusterView, servers=True)
        self.assertEqual((base.PROJECT, False, 'donor'), (
            shown['tenant_id'], shown['deleted'],
            shown['instances'][0]['role']))
        self.assertNotIn('tenant_id', self.shown())
