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

"""Creating a cluster through the API, the taskmanager and the guests."""

from trove.common.strategies.cluster import strategy

from tests.functional import base
from tests.functional import cloud as clouds
from trove_pxc.api import cluster
from trove_pxc.api import views
from trove_pxc.guestagent import api as guest_api
from trove_pxc.taskmanager import tasks


class LoaderTest(base.TroveTest):
    """Trove loads this plugin through its options alone."""

    def test_trove_loads_the_classes_of_this_plugin(self) -> None:
        for manager in base.MANAGERS:
            in_api = strategy.load_api_strategy(manager)
            in_taskmanager = strategy.load_taskmanager_strategy(manager)
            of_guest = strategy.load_guestagent_strategy(manager)
            self.assertIs(cluster.GaleraCluster, in_api.cluster_class)
            self.assertIs(views.GaleraClusterView, in_api.cluster_view_class)
            self.assertIs(views.GaleraMgmtClusterView,
                          in_api.mgmt_cluster_view_class)
            self.assertIs(tasks.GaleraClusterTasks,
                          in_taskmanager.task_manager_cluster_tasks_class)
            self.assertIs(guest_api.GaleraGuestAPI,
                          of_guest.guest_client_class)


class CreateTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def test_three_members_become_one_cluster(self) -> None:
        response = self.create()
        self.assertEqual(200, response.status_int, response.text)
        answered = response.json['cluster']
        self.assertEqual('BUILDING', answered['task']['name'])
        self.assertEqual(
            [('products-1', 'BUILD'), ('products-2', 'BUILD'),
             ('products-3', 'BUILD')],
            [(instance['name'], instance['status'])
             for instance in answered['instances']])
        self.wait_for_task(answered['id'])
        self.wait_notified('dbaas.cluster_create.end')
        self.assertEqual([], self.notified('dbaas.cluster_create.error'))
        shown = self.show(answered['id'])
        self.assertEqual(
            [('products-1', 'ACTIVE', 'HEALTHY'),
             ('products-2', 'ACTIVE', 'HEALTHY'),
             ('products-3', 'ACTIVE', 'HEALTHY')],
            [(instance['name'], instance['status'],
              instance['operating_status'])
             for instance in shown['instances']])

    def test_order_of_events(self) -> None:
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        events = [event for event in self.galera.events
                  if not event.startswith('prepared')]
        self.assertEqual(
            ['configure products-1', 'bootstrap products-1',
             'configure products-2', 'configure products-3',
             'join products-2', 'join products-3',
             'write products-3', 'complete products-1',
             'complete products-2', 'complete products-3'], events)
        self.assertEqual(set(), self.galera.rows)

    def test_settings_that_members_get(self) -> None:
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        first, second, third = (
            self.galera.named(f'products-{number}').settings
            for number in (1, 2, 3))
        assert first and second and third
        self.assertEqual(first['secrets'], second['secrets'])
        self.assertEqual(first['secrets'], third['secrets'])
        passwords = {first['secrets'][name] for name in (
            'admin_password', 'root_password', 'sst_password')}
        self.assertEqual(3, len(passwords))
        shown = self.show(created['id'])
        expected = [[instance['name'], instance['ip'][0]]
                    for instance in shown['instances']]
        self.assertEqual(expected, first['facts']['members'])
        self.assertEqual(created['id'].replace('-', ''),
                         third['facts']['cluster_name'])
        self.assertEqual(
            ('products-3', expected[2][1], 512, 1),
            tuple(third['facts'][key] for key in (
                'member_name', 'member_address', 'memory_mb', 'volume_gb')))
        for settings in (first, second, third):
            self.assertEqual(
                [['character_set_server', 'utf8mb4'],
                 ['collation_server', 'utf8mb4_general_ci'],
                 ['wsrep_mode', 'STRICT_REPLICATION,DISALLOW_LOCAL_GTID']],
                settings['facts']['defaults'])

    def test_show_and_list(self) -> None:
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        shown = self.show(created['id'])
        listed = self.request('GET', '/clusters').json['clusters']
        addresses = [address for instance in shown['instances']
                     for address in instance['ip']]
        self.assertEqual(3, len(set(addresses)))
        for cluster_seen in (shown, *listed):
            self.assertEqual(addresses, cluster_seen['ip'])
            self.assertEqual('products', cluster_seen['name'])
            self.assertEqual({'type': 'mariadb', 'version': '10.11'},
                             cluster_seen['datastore'])
            for instance in cluster_seen['instances']:
                self.assertEqual('1', instance['flavor']['id'])
                self.assertEqual({'size': 1}, instance['volume'])
                self.assertEqual('ACTIVE', instance['status'])
                self.assertEqual('member', instance['type'])
        self.assertEqual(1, len(listed))
        instance_id = shown['instances'][0]['id']
        path = f'/clusters/{created["id"]}/instances/{instance_id}'
        one = self.request('GET', path).json['instance']
        self.assertEqual('products-1', one['name'])
        self.assertEqual(created['id'], one['cluster_id'])
        self.assertEqual([addresses[0]], one['ip'])

    def test_more_than_nine_members_keep_their_order(self) -> None:
        self.override('max_instances_per_tenant', 12)
        created = self.create(number=11).json['cluster']
        self.wait_for_task(created['id'])
        names = [instance['name']
                 for instance in self.show(created['id'])['instances']]
        self.assertEqual([f'products-{number}' for number in range(1, 12)],
                         names)

    def test_values_that_equal_the_defaults_are_accepted(self) -> None:
        for number, said in enumerate((
                {'access': {'is_public': False, 'allowed_cidrs': []}},
                {'users': [], 'databases': []}, {'access': {}})):
            response = self.create(f'c{number}', **said)
            self.assertEqual(200, response.status_int, response.text)

    def test_flavors_may_differ(self) -> None:
        usual = {'volume': {'size': 1},
                 'nics': [{'network_id': clouds.NETWORK}]}
        created = self.create(instances=[
            dict(usual, flavorRef=flavor) for flavor in '121'])
        cluster_id = created.json['cluster']['id']
        self.wait_for_task(cluster_id)
        memory = [self.galera.named(f'products-{number}').settings['facts'][
            'memory_mb'] for number in (1, 2, 3)]
        self.assertEqual([512, 1024, 512], memory)

    def test_without_networks_the_only_network_is_used(self) -> None:
        usual = {'flavorRef': '1', 'volume': {'size': 1}}
        created = self.create(instances=[usual] * 3)
        cluster_id = created.json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.assertEqual(3, len(self.show(cluster_id)['ip']))

    def test_a_name_that_is_no_host_name_is_accepted(self) -> None:
        created = self.create(name="Müller's, 50% \"off\"")
        cluster_id = created.json['cluster']['id']
        self.wait_for_task(cluster_id)
        settings = self.galera.guests.values()
        names = {name for guest in settings
                 for name, _ in guest.settings['facts']['members']}
        self.assertEqual({'member-1', 'member-2', 'member-3'}, names)

    def test_first_member_does_not_wait_for_the_others(self) -> None:
        self.galera.habits['products-3'] = {'unprepared': True}
        created = self.create().json['cluster']
        self.wait_for_event('join products-2')
        self.assertEqual('BUILD', self.show(
            created['id'])['instances'][0]['status'])
        third = self.galera.named('products-3')
        self.galera.habits.clear()
        third.report_status(base.galera.Statuses.INSTANCE_READY)
        self.wait_for_task(created['id'])

    def test_locality_is_shown_and_deleted(self) -> None:
        created = self.create(locality='anti-affinity').json['cluster']
        self.assertEqual('anti-affinity', created['locality'])
        self.wait_for_task(created['id'])
        self.assertEqual('anti-affinity',
                         self.show(created['id'])['locality'])
        self.request('DELETE', f'/clusters/{created["id"]}')
        self.wait_deleted(created['id'])
        self.assert_nothing_left()
