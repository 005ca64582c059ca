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

"""GET /clusters: its contents, and that its cost is constant."""

from typing import Any

import fixtures
from novaclient import api_versions
from oslo_serialization import jsonutils
from trove.backup import models as backup_models
from trove.backup import state as backup_state
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.instance import models as instance_models
from trove.instance import service as instance_service
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from tests.functional import base
from tests.functional import cloud as clouds
from tests.functional import sql
from trove_pxc import faults

Statuses = service_status.ServiceStatuses


class _Rows(base.TroveTest):
    """Complete clusters, whose rows are made without a build."""

    def setUp(self) -> None:
        super().setUp()
        self.override('clusters_page_size', 50)
        self.neutron = clouds.neutron(self.context())
        self.nova = clouds.nova(self.context())

    def add(self, name: str, members: int = 3, manager: str = 'mariadb',
            version: str = '10.11') -> str:
        _, found = base.datastore_models.get_datastore_version(
            type=manager, version=version)
        cluster = cluster_models.DBCluster.create(
            name=name, tenant_id=base.PROJECT,
            datastore_version_id=found.id, task_status=ClusterTasks.NONE)
        # In reverse order, because the order of the rows must not matter.
        for number in range(members, 0, -1):
            self.add_member(cluster.id, f'{name}-{number}', found.id)
        return str(cluster.id)

    def add_member(self, cluster_id: str | None, name: str, version: str,
                   task: Any = InstanceTasks.NONE,
                   status: Any = Statuses.HEALTHY) -> Any:
        row = instance_models.DBInstance.create(
            name=name, tenant_id=base.PROJECT, cluster_id=cluster_id,
            flavor_id='1', volume_size=1, type='member', task_status=task,
            datastore_version_id=version)
        instance_models.InstanceServiceStatus.create(
            instance_id=row.id, status=status)
        if task == InstanceTasks.NONE:
            port = self.neutron.create_port({'port': {
                'name': f'trove-{row.id}', 'network_id': clouds.NETWORK}})
            server = self.nova.servers.create(
                name, clouds.IMAGE, '1',
                nics=[{'port-id': port['port']['id']}],
                meta={'trove_instance_id': row.id},
                tags=[f'trove_instance_id_{row.id}'])
            row.update(compute_instance_id=server.id)
        return row


class ListTest(_Rows):
    """GET /clusters."""

    def listed(self, query: str = '') -> Any:
        response = self.request('GET', f'/clusters{query}')
        self.assertEqual(200, response.status_int, response.text)
        return response.json['clusters']

    def cost(self) -> tuple[list[str], list[str]]:
        """The SQL statements and the calls of one list."""
        self.cloud.calls.clear()
        with sql.statements() as statements:
            self.listed()
        return statements, list(self.cloud.calls)

    def test_cost_does_not_depend_on_the_number_of_clusters(self) -> None:
        self.add('one')
        statements, calls = self.cost()
        self.assertEqual(
            ['list_floatingips', 'list_ports', 'server_groups.list',
             'servers.list'], sorted(calls))
        self.assertEqual(6, len(statements), '\n'.join(statements))
        for number in range(19):
            self.add(f'more{number}', members=3 + number % 3)
        many_statements, many_calls = self.cost()
        self.assertEqual(20, len(self.listed()))
        self.assertEqual(sorted(calls), sorted(many_calls))
        self.assertEqual(len(statements), len(many_statements))

    def test_an_empty_list_makes_no_calls_to_the_cloud(self) -> None:
        statements, calls = self.cost()
        self.assertEqual([], calls)
        self.assertEqual(1, len(statements))

    def test_members_and_addresses_are_listed_in_order(self) -> None:
        cluster_id = self.add('products', members=11)
        (cluster,) = self.listed()
        self.assertEqual(
            [f'products-{number}' for number in range(1, 12)],
            [member['name'] for member in cluster['instances']])
        self.assertEqual(
            [address for member in cluster['instances']
             for address in member['ip']], cluster['ip'])
        self.assertEqual(11, len(set(cluster['ip'])))
        for member in cluster['instances']:
            self.assertEqual(
                ('ACTIVE', '1', {'size': 1}),
                (member['status'], member['flavor']['id'],
                 member['volume']))
        shown = self.show(cluster_id)
        for member in shown['instances']:
            # A list calls no guest.
            del member['role']
        self.assertEqual(shown, cluster)

    def test_servers_without_tags_are_listed(self) -> None:
        self.add('products')
        for server in list(self.cloud.servers.values())[1:]:
            server.tags.clear()
        self.assertEqual(['ACTIVE'] * 3, self.shown_statuses())
        self.assertEqual(1, self.cloud.calls.count('servers.list'))
        self.assertEqual(2, self.cloud.calls.count('servers.get'))

    def test_a_nova_without_tags_is_supported(self) -> None:
        self.add('products')
        for server in self.cloud.servers.values():
            server.tags.clear()
        self.useFixture(fixtures.MonkeyPatch(
            'tests.functional.cloud.Nova.api_version',
            api_versions.APIVersion('2.12')))
        self.assertEqual(['ACTIVE'] * 3, self.shown_statuses())
        self.assertEqual(0, self.cloud.calls.count('servers.list'))
        self.assertEqual(3, self.cloud.calls.count('servers.get'))
        self.add('more', members=8)
        self.cloud.calls.clear()
        self.listed()
        self.assertEqual(0, self.cloud.calls.count('servers.get'))
        self.assertEqual(1, self.cloud.calls.count('servers.list'))

    def test_a_server_deleted_in_nova_is_looked_up_alone(self) -> None:
        """Only this server is looked up; other projects are not listed."""
        for name in ('products', 'others'):
            self.add(name, members=12)
        (gone, *_) = self.cloud.servers
        del self.cloud.servers[gone]
        self.cloud.calls.clear()
        statuses = [member['status'] for cluster in self.listed()
                    for member in cluster['instances']]
        self.assertEqual(23, statuses.count('ACTIVE'))
        self.assertEqual(1, statuses.count('SHUTDOWN'))
        self.assertEqual(1, self.cloud.calls.count('servers.get'))
        self.assertEqual(1, self.cloud.calls.count('servers.list'))

    def shown_statuses(self) -> list[str]:
        self.cloud.calls.clear()
        (cluster,) = self.listed()
        return [member['status'] for member in cluster['instances']]

    def test_each_cluster_has_its_own_status(self) -> None:
        for name in ('a', 'b'):
            self.add(name)
        found = {cluster['name']: cluster for cluster in self.listed()}
        self.assertEqual(6, len({*found['a']['ip'], *found['b']['ip']}))
        for name, cluster in found.items():
            self.assertEqual(
                [f'{name}-1', f'{name}-2', f'{name}-3'],
                [member['name'] for member in cluster['instances']])

    def test_pages_follow_each_other(self) -> None:
        for number in range(5):
            self.add(f'c{number}')
        first = self.request('GET', '/clusters?limit=2').json
        self.assertEqual(2, len(first['clusters']))
        marker = first['clusters'][-1]['id']
        self.assertIn(f'marker={marker}', first['links'][0]['href'])

    def test_invalid_limits_are_refused(self) -> None:
        for limit in ('abc', '-1', '1.5', '1e3', '%C2%B2'):
            response = self.request('GET', f'/clusters?limit={limit}')
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn('limit must be an integer', response.text)

    def test_floating_addresses_follow_the_private_one(self) -> None:
        self.add('products')
        for port in self.cloud.ports.values():
            self.cloud.floating.append({
                'port_id': port['id'], 'floating_ip_address': '203.0.113.'
                + port['fixed_ips'][0]['ip_address'].split('.')[-1]})
        (cluster,) = self.listed()
        self.assertEqual(6, len(cluster['ip']))
        for member in cluster['instances']:
            self.assertEqual(
                ['private', 'public'],
                [address['type'] for address in member['addresses']])

    def test_a_cluster_that_is_built_lists_what_is_known(self) -> None:
        """Values that are not known yet are absent."""
        _, version = base.datastore_models.get_datastore_version(
            type='mariadb', version='10.11')
        cluster_id = self.add('products', members=0)
        row = self.add_member(
            cluster_id, 'products-1', version.id,
            InstanceTasks.BUILDING, Statuses.NEW)
        (cluster,) = self.listed()
        self.assertNotIn('ip', cluster)
        (member,) = cluster['instances']
        self.assertEqual(row.id, member['id'])
        self.assertEqual('BUILD', member['status'])
        self.assertNotIn('ip', member)
        self.assertNotIn('addresses', member)

    def test_deleted_servers_and_backups_change_the_status(self) -> None:
        cluster_id = self.add('products')
        first, second, _ = self.instance_rows(cluster_id)
        self.cloud.servers.pop(first.compute_instance_id)
        backup_models.DBBackup.create(
            tenant_id=base.PROJECT, name='b', instance_id=second.id,
            state=backup_state.BackupState.BUILDING)
        (cluster,) = self.listed()
        self.assertEqual(
            ['SHUTDOWN', 'BACKUP', 'ACTIVE'],
            [member['status'] for member in cluster['instances']])

    def test_a_guest_that_stopped_reporting_is_not_healthy(self) -> None:
        """Its last report is too old to count."""
        self.add('products')
        self.override('agent_heartbeat_expiry', 0)
        (cluster,) = self.listed()
        self.assertEqual(
            ['ERROR'] * 3,
            [member['operating_status'] for member in cluster['instances']])

    def test_locality_is_listed(self) -> None:
        cluster_id = self.add('products')
        group = self.nova.server_groups.create('locality_products',
                                               ['anti-affinity'])
        group.members.extend(
            row.compute_instance_id for row in
            self.instance_rows(cluster_id))
        self.add('other')
        self.assertEqual(
            {'products': 'anti-affinity', 'other': None},
            {cluster['name']: cluster.get('locality')
             for cluster in self.listed()})

    def test_clusters_of_other_datastores_are_listed_as_in_trove(self) -> None:
        """Trove's strategies list them as before."""
        self.override(
            'api_strategy', 'trove.common.strategies.cluster.experimental.'
            'galera_common.api.GaleraCommonAPIStrategy', 'pxc')
        self.add_datastore('pxc', '5.7')
        self.add('ours')
        self.add('theirs', manager='pxc', version='5.7')
        found = {cluster['name']: cluster for cluster in self.listed()}
        self.assertEqual(3, len(found['ours']['ip']))
        self.assertEqual(3, len(found['theirs']['instances']))
        self.assertNotIn('ip', found['theirs'])

    def test_other_projects_are_not_shown(self) -> None:
        self.add('products')
        response = self.request('GET', '/clusters', project='other')
        self.assertEqual([], response.json['clusters'])


class InstancesTest(_Rows):
    """GET /instances with members, and with instances that are none."""

    def setUp(self) -> None:
        super().setUp()
        self.override('instances_page_size', 50)
        self.useFixture(fixtures.MonkeyPatch(
            'trove.instance.models.Instances.DEFAULT_LIMIT', 50))

    def add_single(self, name: str) -> Any:
        self.add_datastore('mysql', '8.0')
        _, found = base.datastore_models.get_datastore_version(
            type='mysql', version='8.0')
        row = self.add_member(None, name, found.id)
        row.update(type=None)
        return row

    def instances(self, path: str = '/instances', query: str = '') -> Any:
        response = self.request(
            'GET', f'{path}?include_clustered=true{query}')
        self.assertEqual(200, response.status_int, response.text)
        return response.json

    def by_trove(self, path: str, role: str = 'member') -> Any:
        """The answer of Trove's own controller."""
        request = base.wsgi.Request.blank(
            f'/{base.PROJECT}{path}?include_clustered=true')
        request.environ[base.wsgi.CONTEXT_KEY] = self.context(role=role)
        controller = instance_service.InstanceController()
        listed = (controller.detail if path.endswith('detail')
                  else controller.index)(request, base.PROJECT)
        return jsonutils.loads(jsonutils.dumps(
            listed.data('application/json'), default=str))

    def by_us(self, path: str, role: str = 'member') -> Any:
        response = self.request(
            'GET', f'{path}?include_clustered=true', role=role)
        return response.json

    def test_the_answer_is_that_of_trove(self) -> None:
        """Members in each state, and instances of others."""
        self.add_single('alone')
        first = self.instance_rows(self.add('a'))
        second = self.instance_rows(self.add('b', members=2))
        base.clouds.nova(self.context()).servers.delete(
            first[0].compute_instance_id)
        first[1].update(task_status=InstanceTasks.BUILDING_ERROR_SERVER)
        faults.save_fault(first[1].id, 'no disk', 'a trace')
        faults.save_fault(second[0].id, 'no network', 'a trace')
        second[1].update(task_status=InstanceTasks.DELETING)
        instance_models.InstanceServiceStatus.find_by(
            instance_id=first[2].id).delete()
        backup_models.DBBackup.create(
            tenant_id=base.PROJECT, name='b', instance_id=second[0].id,
            state=backup_state.BackupState.BUILDING)
        for path in ('/instances', '/instances/detail'):
            for role in ('member', 'admin'):
                ours, troves = (
                    sorted(answer['instances'], key=lambda one: one['name'])
                    for answer in (self.by_us(path, role),
                                   self.by_trove(path, role)))
                self.assertEqual(5, len(ours))
                for one, other in zip(ours, troves, strict=True):
                    for key in ('links', 'flavor', 'created', 'updated',
                                'service_status_updated'):
                        one.pop(key, None), other.pop(key, None)
                    one.get('fault', {}).pop('created', None)
                    other.get('fault', {}).pop('created', None)
                    if one['name'] == 'a-1':
                        # Its port exists, although its server is gone.
                        for key in ('ip', 'addresses', 'access'):
                            one.pop(key), other.pop(key, None)
                    self.assertEqual(other, one)

    def price(self) -> tuple[int, list[str]]:
        self.cloud.calls.clear()
        with sql.statements() as statements:
            self.instances()
        return len(statements), sorted(self.cloud.calls)

    def test_cost_does_not_depend_on_the_number_of_members(self) -> None:
        self.add('one')
        price = self.price()
        self.assertEqual(
            (5, ['list_floatingips', 'list_ports', 'servers.list']), price)
        for number in range(10):
            self.add(f'more{number}')
        self.assertEqual(33, len(self.instances()['instances']))
        self.assertEqual(price, self.price())

    def test_pages_of_instances_follow_each_other(self) -> None:
        self.add_single('alone')
        self.add('a')
        self.add('b')
        names, query = [], '&limit=3'
        for size in (3, 3, 1):
            answer = self.instances(query=query)
            self.assertEqual(size, len(answer['instances']))
            names += [one['name'] for one in answer['instances']]
            marker = max(one['id'] for one in answer['instances'])
            query = f'&limit=3&marker={marker}'
        self.assertNotIn('links', answer)
        self.assertEqual(
            ['a-1', 'a-2', 'a-3', 'alone', 'b-1', 'b-2', 'b-3'],
            sorted(names))
