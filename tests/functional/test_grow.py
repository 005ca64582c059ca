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

"""Members join a cluster that serves."""

from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.extensions.common import models as root_models
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from tests.functional import cloud as clouds
from tests.functional import test_actions
from trove_pxc import waiting

OLD = test_actions.NAMES


def node(**changes: Any) -> dict[str, Any]:
    return {'flavorRef': '1', 'volume': {'size': 1},
            'nics': [{'network_id': clouds.NETWORK}], **changes}


class GrowthTest(test_actions.ActionTest):

    def grow(self, *nodes: dict[str, Any]) -> Any:
        return self.accept({'grow': list(nodes or [node()])})

    def shrink(self, *names: str) -> Any:
        return self.accept({'shrink': [
            {'id': self.named(name).id} for name in names]})

    def named(self, name: str) -> Any:
        return next(row for row in self.instance_rows(self.cluster_id)
                    if row.name == name)

    def names(self, shown: Any) -> list[str]:
        return [instance['name'] for instance in shown['instances']]

    def events_of_old(self) -> list[str]:
        return [event for event in self.galera.events
                if event.split()[-1] in OLD]

    def addresses_told(self, name: str) -> list[str]:
        settings = self.galera.named(name).settings
        assert settings is not None
        return [address for _, address in settings['facts']['members']]

    def assert_serving(self, *names: str) -> None:
        """These members form the component, and no others."""
        self.assertEqual(set(names), {
            guest.name for guest in self.galera.component if guest.synced})
        self.assertEqual(len(names), len(self.galera.component))


class GrowTest(GrowthTest):

    def test_one_member_is_added(self) -> None:
        shown = self.grow()
        self.assertEqual(
            ['prepared products-4', 'configure products-4',
             'join products-4', 'write products-4', 'complete products-4',
             'configure products-1', 'configure products-2',
             'configure products-3'], self.galera.events)
        self.assertEqual([*OLD, 'products-4'], self.names(shown))
        self.assertEqual([('ACTIVE', 'HEALTHY')] * 4, [
            (instance['status'], instance['operating_status'])
            for instance in shown['instances']])
        self.assert_serving(*OLD, 'products-4')
        self.wait_notified('dbaas.cluster_grow.start')
        self.wait_notified('dbaas.cluster_grow.end')
        self.assertEqual(
            {'instances': 4, 'ram': 2048, 'volumes': 4}, self.used())

    def test_all_members_know_all_addresses(self) -> None:
        shown = self.grow()
        for name in self.names(shown):
            self.assertEqual(shown['ip'], self.addresses_told(name))
        self.assertEqual(1, len({
            str(guest.settings['secrets'])
            for guest in self.galera.component if guest.settings}))

    def test_new_member_joins_a_serving_cluster(self) -> None:
        self.grow()
        self.assertIs(False, self.galera.named('products-4').joined_forming)
        self.assertIs(True, self.galera.named('products-3').joined_forming)

    def test_two_members_are_added_one_after_another(self) -> None:
        shown = self.grow(node(), node(flavorRef='2'))
        self.assertEqual([*OLD, 'products-4', 'products-5'],
                         self.names(shown))
        events = self.galera.events
        self.assertLess(events.index('complete products-4'),
                        events.index('join products-5'))
        self.assert_serving(*OLD, 'products-4', 'products-5')
        for name in self.names(shown):
            self.assertEqual(shown['ip'], self.addresses_told(name))

    def test_answer_shows_the_new_members(self) -> None:
        answered = self.act({'grow': [node()]}).json['cluster']
        self.assertEqual('GROWING_CLUSTER', answered['task']['name'])
        self.assertEqual(('products-4', 'BUILD'), tuple(
            answered['instances'][3][key] for key in ('name', 'status')))
        self.wait_for_task(self.cluster_id)

    def test_numbers_are_not_reused(self) -> None:
        self.grow()
        self.shrink('products-4')
        self.assertIn('products-5', self.names(self.grow()))
        self.shrink('products-2')
        shown = self.grow()
        self.assertEqual(['products-1', 'products-3', 'products-5',
                          'products-6'], self.names(shown))

    def test_number_of_a_renamed_member_is_not_reused(self) -> None:
        self.grow()
        self.named('products-4').update(name='renamed')
        self.shrink('renamed')
        self.assertIn('products-5', self.names(self.grow()))

    def test_given_name_is_kept_and_uses_up_a_number(self) -> None:
        shown = self.grow(node(name='reports'), node())
        self.assertEqual([*OLD, 'reports', 'products-5'], self.names(shown))
        self.assertEqual('4/5', self.named('reports').shard_id)

    def test_values_of_the_request_reach_the_instance(self) -> None:
        self.grow(node(availability_zone='here', type='member',
                       region='RegionOne',
                       volume={'size': '1', 'type': 'fast'}))
        row = self.named('products-4')
        self.assertEqual('RegionOne', row.region_id)
        server = self.cloud.servers[row.compute_instance_id]
        self.assertEqual('here', server.asked['availability_zone'])
        volume = self.cloud.volumes[row.volume_id]
        self.assertEqual((1, 'fast'), (volume.size, volume.volume_type))
        (port,) = (port for port in self.cloud.ports.values()
                   if port['name'].endswith(row.id))
        self.assertEqual(clouds.NETWORK, port['network_id'])

    def test_network_is_that_of_the_members(self) -> None:
        """Also if there are several networks."""
        self.cloud.networks['other'] = {
            'id': 'other', 'project_id': test_actions.base.PROJECT}
        self.grow({'flavorRef': '1', 'volume': {'size': 1}})
        self.assertEqual({clouds.NETWORK}, {
            port['network_id'] for port in self.cloud.ports.values()})

    def test_locality_applies_to_new_members(self) -> None:
        self.galera.forget()
        self.cluster_id = self.create(
            name='apart', locality='anti-affinity').json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.grow()
        (group,) = self.cloud.server_groups.values()
        self.assertEqual(4, len(group.members))

    def test_root_is_enabled_for_a_new_member_as_for_the_others(self) -> None:
        self.request('POST', f'/clusters/{self.cluster_id}/root')
        self.grow()
        new = self.named('products-4').id
        self.assertIsNotNone(
            root_models.RootHistory.load(self.context(), new))
        self.shrink('products-4')
        gone = self.request('DELETE', f'/instances/{self.member(1)}/root')
        self.assertEqual(204, gone.status_int, gone.text)
        self.grow()
        self.assertIsNone(root_models.RootHistory.load(
            self.context(), self.named('products-5').id))

    def test_deleted_cluster_has_no_rows_of_former_members(self) -> None:
        """A row with its ID would prevent the purge of the cluster."""
        self.grow()
        self.shrink('products-4')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assertEqual([], instance_models.DBInstance.find_all(
            cluster_id=self.cluster_id).all())
        self.assert_nothing_left()


class LostMemberTest(GrowthTest):
    """A member is lost for good, and a new one replaces it."""

    def test_powered_off_member_is_replaced(self) -> None:
        self.galera.named('products-2').die()
        shown = self.grow()
        self.assert_serving('products-1', 'products-3', 'products-4')
        self.assertEqual(shown['ip'], self.addresses_told('products-1'))
        shown = self.shrink('products-2')
        self.assertEqual(['products-1', 'products-3', 'products-4'],
                         self.names(shown))
        self.assert_serving('products-1', 'products-3', 'products-4')
        self.assertEqual(shown['ip'], self.addresses_told('products-4'))
        self.assertNotIn('stop products-2', self.galera.events)
        self.assertEqual(self.before, self.used())
        self.assertEqual(3, len(self.cloud.servers))

    def test_member_whose_server_was_deleted_is_replaced(self) -> None:
        lost = self.named('products-2')
        clouds.nova(None).servers.delete(lost.compute_instance_id)
        for port in [port for port in self.cloud.ports.values()
                     if port['name'].endswith(lost.id)]:
            clouds.neutron(None).delete_port(port['id'])
        self.grow()
        self.shrink('products-2')
        self.assert_serving('products-1', 'products-3', 'products-4')

    def test_new_member_joins_if_the_lost_one_comes_back(self) -> None:
        lost = self.galera.named('products-2')
        lost.fall_silent()
        lost.leave()
        self.galera.habits['products-4'] = {'stalls': True}
        self.act({'grow': [node()]})
        self.wait_for_event('join products-4')
        lost.come_back()
        lost.listen()
        self.galera.habits.clear()
        self.wait_for_task(self.cluster_id)
        self.wait_notified('dbaas.cluster_grow.end')
        self.assertIn(self.galera.named('products-4'), self.galera.component)

    def test_unresponsive_member_that_serves_does_not_count_as_lost(
            self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.named('products-2').fall_silent()
        self.grow()
        error = self.wait_notified('dbaas.cluster_grow.error')
        self.assertIn('the component has 3 members, but only products-1, '
                      'products-3 report', error['message'])
        self.assertNotIn('join products-4', self.galera.events)

    def test_grow_without_a_primary_component_fails(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        for name in OLD:
            self.galera.named(name).leave()
        self.grow()
        error = self.wait_notified('dbaas.cluster_grow.error')
        self.assertIn('no member is in a primary component',
                      error['message'])
        self.assertEqual([], self.events_of_old())


class FailureTest(GrowthTest):
    """The old members are not changed, the new one is in ERROR."""

    def fail(self, *words: str, failed: tuple[str, ...] = ('products-4',),
             number: int = 1) -> Any:
        shown = self.grow(*[node()] * number)
        error = self.wait_notified('dbaas.cluster_grow.error')
        self.assertEqual([], self.notified('dbaas.cluster_grow.end'))
        for word in words:
            self.assertIn(word, error['message'])
            self.assertIn(word, self.fault(self.named(failed[0]).id))
        # For failures of its own, Trove may write its own message.
        for name in failed if words else ():
            self.assertIn('remove it with a shrink',
                          self.fault(self.named(name).id))
        self.assertEqual(
            {name: 'ERROR' for name in failed},
            {instance['name']: instance['status']
             for instance in shown['instances']
             if instance['status'] != 'ACTIVE'})
        for row in self.instance_rows(self.cluster_id):
            if row.name in OLD:
                self.assertEqual('', self.fault(row.id))
        self.assertNotIn('stop', {
            event.split()[0] for event in self.events_of_old()})
        return shown

    def shrink_away(self, *names: str) -> None:
        self.shrink(*names)
        self.assertEqual(self.before, self.used())
        self.assertEqual(3, len(self.cloud.servers))
        self.assertEqual(3, len(self.cloud.volumes))
        self.assertEqual(3, len(self.cloud.ports))
        self.assert_serving(*OLD)
        self.wait_notified('dbaas.cluster_shrink.end')

    def test_failed_creation_of_a_server_is_reported(self) -> None:
        self.cloud.faults['servers.create'] = 1
        self.fail()
        self.assertEqual([], self.events_of_old())
        self.shrink_away('products-4')

    def test_guest_that_never_becomes_ready_is_reported(self) -> None:
        self.override('member_ready_timeout', 10, 'mariadb')
        self.galera.habits['products-4'] = {'unprepared': True}
        self.fail('"prepare of products-4"', 'timed out after 10 s')
        self.assertEqual([], self.events_of_old())
        self.shrink_away('products-4')

    def test_failed_prepare_is_reported(self) -> None:
        self.override('usage_sleep_time', 3)
        self.galera.habits['products-4'] = {'fails_to_prepare': True}
        self.fail('no such image')
        self.assertEqual([], self.events_of_old())
        self.assertNotIn('configure products-4', self.galera.events)
        self.shrink_away('products-4')

    def test_server_that_crashes_is_reported(self) -> None:
        self.galera.habits['products-4'] = {'crashes': True}
        self.fail('"join of products-4"', 'disk is 100% full')
        self.assertEqual([], self.events_of_old())
        self.assert_serving(*OLD)
        self.galera.habits.clear()
        self.shrink_away('products-4')

    def test_fault_is_written_after_troves_own_work_on_the_instance(
            self) -> None:
        """Otherwise Trove clears the fault when it finds the guest ready."""
        self.override('usage_sleep_time', 5)
        self.galera.habits['products-4'] = {'crashes': True}
        self.fail('"join of products-4"')

        def created() -> None:
            if len(self.notified('trove.instance.create')) < 4:
                raise waiting.NotYet('other notifications')
        waiting.until('Trove to be done', created, 60, 0.1)
        self.assertEqual(InstanceTasks.GROWING_ERROR,
                         self.named('products-4').task_status)

    def test_member_that_never_becomes_synced_is_stopped(self) -> None:
        self.override('join_stall_timeout', 10, 'mariadb')
        self.galera.habits['products-4'] = {'stalls': True}
        self.fail('"join of products-4"', 'timed out after 10 s')
        self.assertIn('stop products-4', self.galera.events)
        self.assert_serving(*OLD)
        self.shrink_away('products-4')

    def test_first_of_two_stays_if_the_second_fails(self) -> None:
        self.galera.habits['products-5'] = {'crashes': True}
        self.fail('"join of products-5"', failed=('products-5',), number=2)
        self.assert_serving(*OLD, 'products-4')
        self.galera.habits.clear()
        self.shrink_away('products-4', 'products-5')

    def test_second_member_is_not_tried_if_the_first_fails(self) -> None:
        self.galera.habits['products-4'] = {'crashes': True}
        self.fail('"join of products-4"', number=2,
                  failed=('products-4', 'products-5'))
        self.assertIn('did not join: the grow failed at products-4',
                      self.fault(self.named('products-5').id))
        self.assertNotIn('join products-5', self.galera.events)
        self.galera.habits.clear()
        self.shrink_away('products-4', 'products-5')

    def test_grow_succeeds_beside_a_failed_member(self) -> None:
        self.galera.habits['products-4'] = {'crashes': True}
        self.fail('"join of products-4"')
        self.galera.habits.clear()
        shown = self.grow()
        self.assertEqual([*OLD, 'products-4', 'products-5'],
                         self.names(shown))
        self.assert_serving(*OLD, 'products-5')
        self.shrink_away('products-4', 'products-5')

    def test_delete_ends_the_grow(self) -> None:
        self.galera.habits['products-4'] = {'stalls': True}
        self.act({'grow': [node()]})
        self.wait_for_event('join products-4')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.wait_notified('dbaas.cluster_grow.error')
        self.assert_nothing_left()


class RefusalTest(GrowthTest):

    def refuse_node(self, code: int, words: str, **changes: Any) -> None:
        self.refuse(code, words, {'grow': [node(**changes)]})
        self.assertEqual(3, len(self.instance_rows(self.cluster_id)))

    def test_volume_of_another_size_is_refused(self) -> None:
        self.refuse_node(400, 'size as the other members: 1 GB, not 2 GB',
                         volume={'size': 2})
        self.refuse(400, 'volume size is required', {
            'grow': [{'flavorRef': '1'}]})
        self.refuse(400, 'volume', {'grow': [
            node(), node(volume={'size': 2})]})

    def test_volume_of_the_size_of_any_member_is_accepted(self) -> None:
        self.accept({'resize': {'volume': {'size': 2},
                                'instance': self.member(1)}})
        self.grow(node(volume={'size': 2}))

    def test_invalid_flavor_and_network_are_refused(self) -> None:
        self.refuse_node(400, 'Flavor 77 cannot be found', flavorRef='77')
        self.cloud.networks['5' * 8 + '-5555' * 3 + '-' + '5' * 12] = {}
        self.refuse_node(400, 'must be the same', nics=[
            {'network_id': '5' * 8 + '-5555' * 3 + '-' + '5' * 12}])

    def test_quota_is_enforced(self) -> None:
        for name in ('instances', 'volumes', 'ram'):
            self.override(f'max_{name}_per_tenant', self.before[name])
            self.refuse_node(413, name)

    def test_name_of_another_member_is_refused(self) -> None:
        self.refuse_node(400, 'same name', name='products-2')
        self.refuse(400, 'same name', {'grow': [
            node(name='a'), node(name='a')]})

    def test_invalid_bodies_are_refused(self) -> None:
        for body in ([], {}, None, 'one', [{}], [{'volume': {'size': 1}}],
                     [node(related_to='x')], [node(type='arbiter')],
                     [node(name='')], [node(volume={'size': 0})],
                     [node(), 5], [node(nics=[{'net': 'x'}])]):
            self.refuse(400, '', {'grow': body})

    def test_grow_during_another_operation_is_refused(self) -> None:
        row = self.cluster_row(self.cluster_id)
        row.update(task_status=ClusterTasks.RESTARTING_CLUSTER)
        response = self.act({'grow': [node()]})
        self.assertEqual(422, response.status_int, response.text)
        self.assertEqual(3, len(self.instance_rows(self.cluster_id)))
        row.update(task_status=ClusterTasks.NONE)

    def test_another_project_is_refused(self) -> None:
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'grow': [node()]}, project='strangers')
        self.assertEqual(404, response.status_int)

    def test_cast_that_fails_leaves_members_that_can_be_removed(self) -> None:
        with test_actions.no_broker():
            response = self.act({'grow': [node()]})
        self.assertEqual(500, response.status_int)
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)
        self.wait_for_event('prepared products-4')
        self.shrink('products-4')
        self.assertEqual(self.before, self.used())

    def test_second_instance_that_cannot_be_created_removes_the_first(
            self) -> None:
        """The first instance is removed again; nothing is left."""
        call, asked = self.cloud.call, []

        def failing(name: str) -> None:
            if name == 'flavors.get':
                asked.append(name)
                # The check calls it once, and each instance once.
                if len(asked) == 3:
                    raise RuntimeError('Nova is gone')
            call(name)
        self.cloud.call = failing  # type: ignore[method-assign]
        response = self.act({'grow': [node(), node()]})
        self.assertEqual(500, response.status_int, response.text)
        self.cloud.call = call  # type: ignore[method-assign]
        self.wait_for_task(self.cluster_id)
        self.assertEqual(list(OLD), self.names(self.show(self.cluster_id)))
        self.assertEqual(self.before, self.used())
        self.assertEqual(3, len(self.cloud.servers))
