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

"""Members leave a cluster that keeps serving."""

from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from tests.functional import test_actions
from tests.functional import test_grow

OLD = test_grow.OLD
node = test_grow.node


class ShrinkingTest(test_grow.GrowthTest):
    """Each test begins with five members."""

    more = 2

    def setUp(self) -> None:
        super().setUp()
        self.start = self.before
        self.all = self.names(self.grow(*[node()] * self.more))
        self.settle()
        self.galera.events.clear()
        self.galera.sizes.clear()
        self.before = self.used()

    def assert_left(self, *names: str) -> None:
        """These members form the cluster; of the others nothing is left."""
        shown = self.show(self.cluster_id)
        self.assertEqual(list(names), self.names(shown))
        self.assert_serving(*names)
        for name in names:
            self.assertEqual(shown['ip'], self.addresses_told(name))
            self.assertEqual(InstanceTasks.NONE,
                             self.named(name).task_status)
        for things in (self.cloud.servers, self.cloud.ports,
                       self.cloud.volumes, self.cloud.groups):
            self.assertEqual(len(names), len(things))
        self.assertEqual({'instances': len(names), 'ram': 512 * len(names),
                          'volumes': len(names)}, self.used())


class ShrinkTest(ShrinkingTest):

    def test_one_member_is_removed(self) -> None:
        self.shrink('products-2')
        self.assertEqual(
            ['stop products-2', 'configure products-1',
             'configure products-3', 'configure products-4',
             'configure products-5'], self.galera.events)
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')
        self.wait_notified('dbaas.cluster_shrink.start')
        self.wait_notified('dbaas.cluster_shrink.end')

    def test_two_members_are_removed_one_after_another(self) -> None:
        self.shrink('products-1', 'products-4')
        self.assertEqual([4, 3], self.galera.sizes)
        self.assert_left('products-2', 'products-3', 'products-5')

    def test_same_member_given_twice_counts_once(self) -> None:
        row = self.named('products-5')
        self.accept({'shrink': [{'id': row.id}, {'id': row.id.upper()}]})
        self.assert_left(*self.all[:4])

    def test_answer_shows_the_task_and_the_members(self) -> None:
        answered = self.act({'shrink': [
            {'id': self.named('products-5').id}]}).json['cluster']
        self.assertEqual('SHRINKING_CLUSTER', answered['task']['name'])
        self.wait_for_task(self.cluster_id)

    def test_member_that_is_down_is_removed_at_once(self) -> None:
        self.override('guest_silence_timeout', 600, 'mariadb')
        self.galera.named('products-2').die()
        self.shrink('products-2')
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')

    def test_member_whose_server_was_stopped_is_removed(self) -> None:
        self.galera.named('products-2').stop_db(None)
        self.shrink('products-2')
        self.assertEqual(1, self.galera.events.count('stop products-2'))
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')

    def test_member_whose_server_keeps_crashing_is_removed(self) -> None:
        guest = self.galera.named('products-2')
        guest.leave()
        self.galera.habits['products-2'] = {'crashes': True}
        self.shrink('products-2')
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')

    def test_unresponsive_member_that_serves_is_removed_if_quorum_remains(
            self) -> None:
        self.override('guest_silence_timeout', 5, 'mariadb')
        self.galera.named('products-2').fall_silent()
        self.shrink('products-2')
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')

    def test_member_whose_server_cannot_be_stopped_is_removed(self) -> None:
        self.override('member_stop_timeout', 5, 'mariadb')
        self.galera.habits['products-2'] = {'cannot_stop': True}
        self.shrink('products-2')
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')


class QuorumTest(ShrinkingTest):
    """Six members, of which three do not answer but count for the quorum."""

    more = 3

    def test_shrink_fails_if_quorum_could_be_lost(self) -> None:
        self.override('guest_silence_timeout', 5, 'mariadb')
        for name in self.all[3:]:
            self.galera.named(name).fall_silent()
        self.shrink(*self.all[3:])
        error = self.wait_notified('dbaas.cluster_shrink.error')
        self.assertIn('could lose their quorum', error['message'])
        self.assertEqual(6, len(self.cloud.servers))
        self.assertEqual(6, len(self.galera.component))
        self.assertEqual(self.before, self.used())


class FailureTest(ShrinkingTest):

    def test_shrink_fails_while_another_member_does_not_serve(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.named('products-3').die()
        self.shrink('products-2')
        error = self.wait_notified('dbaas.cluster_shrink.error')
        self.assertIn('products-3 has a guest agent that does not answer',
                      error['message'])
        self.assertEqual([], self.galera.events)
        row = self.named('products-2')
        self.assertEqual(InstanceTasks.NONE, row.task_status)
        self.assertIn('products-3', self.fault(row.id))
        self.assertEqual(self.before, self.used())
        self.shrink('products-2', 'products-3')
        self.assert_left('products-1', 'products-4', 'products-5')

    def test_server_that_cannot_be_deleted_is_reported(self) -> None:
        self.override('cluster_delete_time_out', 5)
        row = self.named('products-2')
        self.cloud.servers_that_stay.add(row.compute_instance_id)
        shown = self.shrink('products-2')
        self.assertEqual('ERROR', shown['instances'][1]['status'])
        self.assertIn(f'server {row.compute_instance_id}',
                      self.fault(row.id))
        self.wait_notified('dbaas.cluster_shrink.error')
        self.assertEqual(4, len(self.galera.component))
        self.cloud.servers_that_stay.clear()
        self.shrink('products-2')
        self.assert_left('products-1', 'products-3', 'products-4',
                         'products-5')

    def test_delete_ends_the_shrink(self) -> None:
        self.galera.habits['products-2'] = {'cannot_stop': True}
        self.act({'shrink': [{'id': self.named('products-2').id}]})
        self.wait_for_task(self.cluster_id, 'SHRINKING_CLUSTER')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.wait_notified('dbaas.cluster_shrink.error')
        self.assert_nothing_left()


class RefusalTest(ShrinkingTest):

    def refuse_ids(self, words: str, *ids: str) -> None:
        self.refuse(400, words, {'shrink': [{'id': one} for one in ids]})
        self.assertEqual(5, len(self.instance_rows(self.cluster_id)))

    def ids(self, number: int) -> list[str]:
        return [row.id for row in
                self.instance_rows(self.cluster_id)[:number]]

    def test_fewer_than_three_remaining_members_are_refused(self) -> None:
        self.refuse_ids('must keep at least 3; 2 would remain',
                        *self.ids(3))
        self.refuse_ids('must keep at least 3; 0 would remain',
                        *self.ids(5))
        self.override('min_cluster_member_count', 5, 'mariadb')
        self.refuse_ids('must keep at least 5', *self.ids(1))

    def test_removal_of_all_members_is_refused_with_every_minimum(
            self) -> None:
        self.override('min_cluster_member_count', 0, 'mariadb')
        self.refuse_ids('0 would remain', *self.ids(5))

    def test_instance_that_is_no_member_is_refused(self) -> None:
        self.refuse_ids('is not a member of cluster products',
                        self.unknown_id())

    def test_invalid_bodies_are_refused(self) -> None:
        for body in ([], {}, None, 'products-2', [{}], [{'id': 'products-2'}],
                     [{'id': self.ids(1)[0], 'force': True}]):
            self.refuse(400, '', {'shrink': body})

    def test_shrink_during_another_operation_is_refused(self) -> None:
        row = self.cluster_row(self.cluster_id)
        row.update(task_status=ClusterTasks.GROWING_CLUSTER)
        response = self.act({'shrink': [{'id': self.ids(1)[0]}]})
        self.assertEqual(422, response.status_int, response.text)
        row.update(task_status=ClusterTasks.NONE)

    def test_cast_that_fails_leaves_no_task(self) -> None:
        with test_actions.no_broker():
            response: Any = self.act({'shrink': [{'id': self.ids(1)[0]}]})
        self.assertEqual(500, response.status_int)
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)
