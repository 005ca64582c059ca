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

"""Deleting a cluster in every state and twice; nothing is left."""

from trove.instance import models as instance_models
from trove.quota import quota

from tests.functional import base
from trove_pxc import waiting


class DeleteTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def delete(self, cluster_id: str, code: int = 202) -> None:
        response = self.request('DELETE', f'/clusters/{cluster_id}')
        self.assertEqual(code, response.status_int, response.text)

    def made(self) -> str:
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        return str(created['id'])

    def gone(self, cluster_id: str) -> None:
        self.wait_deleted(cluster_id)
        self.assert_nothing_left()
        self.delete(cluster_id, 404)
        self.assertEqual([], self.request(
            'GET', '/clusters').json['clusters'])

    def test_complete_cluster_is_deleted(self) -> None:
        cluster_id = self.made()
        self.assertEqual(
            {'instances': 3, 'ram': 1536, 'volumes': 3}, self.used())
        self.delete(cluster_id)
        self.gone(cluster_id)
        self.wait_notified('dbaas.cluster_delete.end')

    def test_empty_server_group_is_deleted(self) -> None:
        """Another cluster of the same name keeps its own."""
        self.cloud.faults['servers.create'] = 3
        failed = self.create(locality='affinity').json['cluster']
        self.wait_for_task(failed['id'])
        kept = self.create(locality='affinity').json['cluster']
        self.wait_for_task(kept['id'])
        self.assertEqual(2, len(self.cloud.server_groups))
        self.delete(failed['id'])
        self.wait_deleted(failed['id'])
        (group,) = self.cloud.server_groups.values()
        self.assertEqual(3, len(group.members))
        self.delete(kept['id'])
        self.gone(kept['id'])

    def test_second_delete_is_accepted(self) -> None:
        cluster_id = self.made()
        self.delete(cluster_id)
        self.delete(cluster_id)
        self.gone(cluster_id)

    def test_only_one_of_two_clusters_of_one_name_is_deleted(self) -> None:
        first, second = self.made(), None
        self.galera.history = ''
        second = self.made()
        self.delete(first)
        self.wait_deleted(first)
        self.assertEqual(3, len(self.instance_rows(second)))
        self.assertEqual(3, len(self.cloud.servers))
        self.assertEqual({'instances': 3, 'ram': 1536, 'volumes': 3},
                         self.used())

    def test_dead_guests_do_not_delay_the_deletion(self) -> None:
        cluster_id = self.made()
        for guest in self.galera.guests.values():
            guest.die()
        self.delete(cluster_id)
        self.gone(cluster_id)

    def test_delete_while_building(self) -> None:
        for event in ('configure products-1', 'bootstrap products-1',
                      'join products-2', 'join products-3'):
            self.galera.events.clear()
            self.galera.history = ''
            created = self.create().json['cluster']
            self.wait_for_event(event)
            self.delete(created['id'])
            self.gone(created['id'])
        self.assertEqual([], [fault.message for fault in
                              instance_models.DBInstanceFault.find_all(
                                  deleted=False).all()])

    def test_delete_directly_after_create(self) -> None:
        created = self.create().json['cluster']
        self.delete(created['id'])
        self.gone(created['id'])
        error = self.wait_notified('dbaas.cluster_create.error')
        self.assertIn('being deleted', error['message'])

    def test_delete_while_trove_creates_the_instances(self) -> None:
        self.cloud.delays = {'create_port': 0.5, 'volumes.create': 1}
        created = self.create().json['cluster']
        self.wait_for_call('create_port')
        self.delete(created['id'])
        self.gone(created['id'])
        # What was being created at that time must not appear afterwards.
        waiting.pause(3)
        self.assert_nothing_left()

    def test_delete_before_any_taskmanager_runs(self) -> None:
        self.stop_taskmanager()
        created = self.create().json['cluster']
        self.delete(created['id'])
        self.start_taskmanager()
        self.gone(created['id'])

    def test_delete_is_resumed_if_its_taskmanager_dies(self) -> None:
        cluster_id = self.made()
        self.stop_taskmanager()
        base.clouds.use(self.cloud)
        row = self.cluster_row(cluster_id)
        row.update(task_status=base.cluster_models.ClusterTasks.DELETING)
        self.start_taskmanager()
        self.delete(cluster_id)
        self.gone(cluster_id)

    def test_server_that_cannot_be_deleted_is_reported(self) -> None:
        """The deletion ends, names the server, and can be repeated."""
        self.override('cluster_delete_time_out', 5)
        cluster_id = self.made()
        row = self.instance_rows(cluster_id)[1]
        self.cloud.servers_that_stay.add(row.compute_instance_id)
        self.delete(cluster_id)
        error = self.wait_notified('dbaas.cluster_delete.error')
        words = f'products-2: server {row.compute_instance_id}'
        self.assertIn(words, error['message'])
        self.assertEqual(
            'NONE', self.cluster_row(cluster_id).task_status.name)
        self.cloud.servers_that_stay.clear()
        self.delete(cluster_id)
        self.gone(cluster_id)

    def test_quota_of_a_resize_that_ends_meanwhile_is_returned(self) -> None:
        cluster_id = self.made()
        row = self.instance_rows(cluster_id)[1]
        quota.run_with_quotas(base.PROJECT, {'ram': 512}, dict)
        delete = self.cloud.call

        def call(name: str) -> None:
            if name == 'servers.delete':
                row.update(flavor_id='2')
            delete(name)
        self.cloud.call = call  # type: ignore[method-assign]
        self.delete(cluster_id)
        self.gone(cluster_id)

    def test_reset_status_does_not_change_a_deletion(self) -> None:
        self.override('cluster_delete_time_out', 6)
        cluster_id = self.made()
        row = self.instance_rows(cluster_id)[1]
        self.cloud.servers_that_stay.add(row.compute_instance_id)
        self.delete(cluster_id)
        self.wait_for_call('servers.delete')
        response = self.request(
            'POST', f'/clusters/{cluster_id}', {'reset-status': {}},
            role='admin')
        self.assertEqual(202, response.status_int, response.text)
        self.assertEqual(
            'DELETING', self.cluster_row(cluster_id).task_status.name)
        self.wait_notified('dbaas.cluster_delete.error')
        self.cloud.servers_that_stay.clear()
        self.delete(cluster_id)
        self.gone(cluster_id)
