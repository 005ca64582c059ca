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

"""Resize and restart through the API, the taskmanager and the guests."""

from typing import Any

import fixtures
from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks
import webob

from tests.functional import base

NAMES = ('products-1', 'products-2', 'products-3')


class ActionTest(base.TroveTest):
    """Each test begins with a complete cluster of three."""

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        self.cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.settle()
        self.galera.events.clear()
        self.galera.sizes.clear()
        self.before = self.used()

    def act(self, body: Any) -> webob.Response:
        return self.request('POST', f'/clusters/{self.cluster_id}', body)

    def accept(self, body: Any) -> Any:
        """Send an action and wait until it is over."""
        response = self.act(body)
        self.assertEqual(202, response.status_int, response.text)
        self.assertNotEqual('NONE', response.json['cluster']['task']['name'])
        self.wait_for_task(self.cluster_id)
        return self.show(self.cluster_id)

    def refuse(self, code: int, words: str, body: Any) -> None:
        """Send an action, and check that it was not begun."""
        response = self.act(body)
        self.assertEqual(code, response.status_int, response.text)
        (error,) = response.json.values()
        self.assertIn(words, error['message'])
        self.assertEqual(self.before, self.used())
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)
        self.assertEqual([], self.galera.events)

    def member(self, number: int) -> str:
        return str(self.instance_rows(self.cluster_id)[number - 1].id)

    def assert_whole(self) -> None:
        """All members serve, and at most one was missing at any time."""
        self.assertEqual(set(NAMES), {
            guest.name for guest in self.galera.component})
        self.assertEqual({2}, set(self.galera.sizes))
        for row in self.instance_rows(self.cluster_id):
            self.assertEqual(InstanceTasks.NONE, row.task_status)


class RestartTest(ActionTest):

    def test_all_members_restart_one_after_another(self) -> None:
        shown = self.accept({'restart': {}})
        self.assertEqual(
            [f'{what} {name}' for name in NAMES
             for what in ('stop', 'start')], self.galera.events)
        self.assertEqual(['ACTIVE'] * 3, [
            instance['status'] for instance in shown['instances']])
        self.assert_whole()
        self.wait_notified('dbaas.cluster_restart.end')
        self.assertEqual(self.before, self.used())

    def test_one_member_restarts(self) -> None:
        self.accept({'restart': {'instance': self.member(2)}})
        self.assertEqual(['stop products-2', 'start products-2'],
                         self.galera.events)
        self.assert_whole()

    def test_body_null_is_accepted(self) -> None:
        """The client sends it so."""
        self.accept({'restart': None})
        self.assert_whole()

    def test_member_that_is_down_is_started(self) -> None:
        self.galera.named('products-2').stop_db(None)
        self.galera.sizes.clear()
        self.accept({'restart': {'instance': self.member(2)}})
        self.assert_whole()

    def test_no_member_is_stopped_while_another_is_down(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.named('products-2').stop_db(None)
        self.galera.events.clear()
        self.accept({'restart': {'instance': self.member(1)}})
        self.assertEqual([], self.galera.events)
        error = self.wait_notified('dbaas.cluster_restart.error')
        self.assertIn('products-1 was not changed', error['message'])
        self.assertIn('products-2', error['message'])
        self.assertIn('products-2', self.fault(self.member(1)))

    def test_next_member_is_not_stopped_if_one_does_not_return(self) -> None:
        self.galera.habits['products-1'] = {'crashes': True}
        self.accept({'restart': {}})
        error = self.wait_notified('dbaas.cluster_restart.error')
        self.assertIn('"return of products-1" failed', error['message'])
        self.assertIn('does not serve', error['message'])
        self.assertNotIn('stop products-2', self.galera.events)
        self.assertIn('disk is 100% full', self.fault(self.member(1)))
        self.assertEqual('', self.fault(self.member(2)))

    def test_old_faults_are_removed(self) -> None:
        self.galera.habits['products-1'] = {'crashes': True}
        self.accept({'restart': {'instance': self.member(1)}})
        self.assertNotEqual('', self.fault(self.member(1)))
        self.galera.habits.clear()
        self.accept({'restart': {'instance': self.member(1)}})
        self.assertEqual('', self.fault(self.member(1)))

    def test_delete_ends_the_restart(self) -> None:
        self.galera.habits['products-1'] = {'stalls': True}
        self.act({'restart': {}})
        self.wait_for_event('start products-1')
        response = self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.assertEqual(202, response.status_int)
        self.wait_deleted(self.cluster_id)
        self.wait_notified('dbaas.cluster_restart.error')
        self.assert_nothing_left()


class FlavorTest(ActionTest):

    def test_all_members_are_resized_one_after_another(self) -> None:
        shown = self.accept({'resize': {'flavorRef': '2'}})
        self.assertEqual(
            [f'{what} {name}' for name in NAMES
             for what in ('stop', 'configure', 'reboot')],
            self.galera.events)
        self.assertEqual(['2'] * 3, [
            instance['flavor']['id'] for instance in shown['instances']])
        self.assert_whole()
        self.wait_notified('dbaas.cluster_resize_flavor.end')
        self.assertEqual(dict(self.before, ram=3 * 1024), self.used())
        for name in NAMES:
            self.assertEqual(
                1024, self.galera.named(name).ran_with['memory_mb'])
        for server in self.cloud.servers.values():
            self.assertEqual(('ACTIVE', '2'),
                             (server.status, server.flavor['id']))

    def test_one_member_is_resized(self) -> None:
        shown = self.accept({'resize': {
            'flavorRef': 'http://a.cloud/flavors/2',
            'instance': self.member(2)}})
        self.assertEqual(['1', '2', '1'], [
            instance['flavor']['id'] for instance in shown['instances']])
        self.assertEqual(512 + 1024 + 512, self.used()['ram'])
        self.assert_whole()

    def test_members_that_have_the_flavor_are_not_changed(self) -> None:
        self.accept({'resize': {'flavorRef': '2',
                                'instance': self.member(2)}})
        self.galera.events.clear()
        self.accept({'resize': {'flavorRef': '2'}})
        self.assertNotIn('stop products-2', self.galera.events)
        self.assertEqual(3 * 1024, self.used()['ram'])

    def test_smaller_flavor_returns_quota(self) -> None:
        self.accept({'resize': {'flavorRef': '2'}})
        self.accept({'resize': {'flavorRef': '1'}})
        self.assertEqual(self.before, self.used())

    def test_delete_returns_the_quota_of_members_not_yet_resized(self) -> None:
        self.galera.habits['products-2'] = {'stalls': True}
        self.act({'resize': {'flavorRef': '2'}})
        self.wait_for_event('reboot products-2')
        response = self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.assertEqual(202, response.status_int)
        self.wait_deleted(self.cluster_id)
        self.wait_notified('dbaas.cluster_resize_flavor.error')
        self.assert_nothing_left()

    def fail(self, words: str, **more: Any) -> None:
        """The first member cannot be resized; nothing has changed."""
        shown = self.accept({'resize': {'flavorRef': '2'}})
        error = self.wait_notified('dbaas.cluster_resize_flavor.error')
        self.assertIn(words, error['message'])
        self.assertNotIn('stop products-2', self.galera.events)
        self.assertIn('resize flavor', self.fault(self.member(1)))
        self.assertEqual(['1'] * 3, [
            instance['flavor']['id'] for instance in shown['instances']])
        self.assertEqual([('ACTIVE', '1')] * 3, [
            (server.status, server.flavor['id'])
            for server in self.cloud.servers.values()])
        self.assertEqual([True] * 3, [
            guest.synced for guest in self.galera.component])
        self.assertEqual(self.before, self.used())

    def test_nova_refuses_the_resize(self) -> None:
        self.cloud.faults['servers.resize'] = 1
        self.fail('servers.resize: a fault that the test wants')
        self.assert_whole()
        self.assertEqual(
            512, self.galera.named('products-1').ran_with['memory_mb'])

    def test_server_that_nova_does_not_resize_is_reported(self) -> None:
        self.override('server_resize_timeout', 5, 'mariadb')
        self.cloud.stubborn.add('products-1')
        self.fail('Nova did not change the flavor')
        self.assert_whole()

    def test_server_that_does_not_return_is_reverted(self) -> None:
        """It hangs with the new flavor, and serves with the old one."""
        guest = self.galera.named('products-1')
        self.override('join_stall_timeout', 10, 'mariadb')
        self.galera.habits['products-1'] = {'stalls': True}
        revert = self.cloud.call

        def call(name: str) -> None:
            if name == 'servers.revert_resize':
                self.galera.habits.clear()
            revert(name)
        self.cloud.call = call  # type: ignore[method-assign]
        self.fail('"return of products-1" failed')
        self.assert_whole()
        self.assertEqual(512, guest.ran_with['memory_mb'])

    def test_no_member_is_stopped_while_another_is_down(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.named('products-2').stop_db(None)
        self.galera.events.clear()
        self.accept({'resize': {'flavorRef': '2',
                                'instance': self.member(1)}})
        self.assertEqual([], self.galera.events)
        self.assertNotIn('servers.resize', self.cloud.calls)
        self.assertIn('was not changed', self.fault(self.member(1)))
        self.assertEqual(self.before, self.used())

    def test_later_failure_keeps_the_completed_resizes(self) -> None:
        self.override('server_resize_timeout', 5, 'mariadb')
        self.cloud.stubborn.add('products-2')
        shown = self.accept({'resize': {'flavorRef': '2'}})
        self.assertEqual(['2', '1', '1'], [
            instance['flavor']['id'] for instance in shown['instances']])
        self.assertEqual(1024 + 2 * 512, self.used()['ram'])
        self.assert_whole()


class VolumeTest(ActionTest):

    def sizes(self) -> list[int]:
        return [instance['volume']['size'] for instance in
                self.show(self.cluster_id)['instances']]

    def test_all_members_grow_one_after_another(self) -> None:
        self.accept({'resize': {'volume': {'size': 3}}})
        self.assertEqual([3, 3, 3], self.sizes())
        self.assertEqual(
            [f'{what} {name}' for name in NAMES for what in (
                'stop', 'unmount', 'grow', 'mount', 'configure', 'start')],
            self.galera.events)
        self.assert_whole()
        self.wait_notified('dbaas.cluster_resize_volume.end')
        self.assertEqual(dict(self.before, volumes=9), self.used())
        for volume in self.cloud.volumes.values():
            self.assertEqual((3, 'in-use'), (volume.size, volume.status))
        for name in NAMES:
            self.assertEqual(3, self.galera.named(name).ran_with['volume_gb'])

    def test_one_member_grows(self) -> None:
        self.accept({'resize': {'volume': {'size': '2'},
                                'instance': self.member(3)}})
        self.assertEqual([1, 1, 2], self.sizes())
        self.assertEqual(4, self.used()['volumes'])
        self.assert_whole()

    def test_volume_stays_attached_where_the_cloud_supports_it(self) -> None:
        self.override('online_volume_resize', True)
        self.accept({'resize': {'volume': {'size': 2}}})
        self.assertEqual([2, 2, 2], self.sizes())
        self.assertNotIn('unmount products-1', self.galera.events)
        self.assertNotIn('delete_server_volume', self.cloud.calls)
        self.assert_whole()

    def test_cinder_refuses_the_resize(self) -> None:
        self.cloud.faults['volumes.extend'] = 1
        self.accept({'resize': {'volume': {'size': 2}}})
        error = self.wait_notified('dbaas.cluster_resize_volume.error')
        self.assertIn('"extend the volume of products-1" failed',
                      error['message'])
        self.assertEqual([1, 1, 1], self.sizes())
        self.assertEqual(self.before, self.used())
        self.assertNotIn('stop products-2', self.galera.events)
        self.assert_whole()

    def test_file_system_that_does_not_grow_is_reported(self) -> None:
        self.override('volume_resize_timeout', 5, 'mariadb')
        self.galera.habits['products-1'] = {'cannot_grow': True}
        self.accept({'resize': {'volume': {'size': 2}}})
        fault = self.fault(self.member(1))
        self.assertIn('attach the volume', fault)
        self.assertIn('The member does not serve', fault)
        self.assertEqual({'products-2', 'products-3'}, {
            guest.name for guest in self.galera.component})
        self.galera.habits.clear()
        self.accept({'resize': {'volume': {'size': 2}}})
        self.assertEqual([2, 2, 2], self.sizes())
        self.assertEqual(6, self.used()['volumes'])


class RefusalTest(ActionTest):

    def test_flavor_that_all_members_have_is_refused(self) -> None:
        self.refuse(400, 'products-1, products-2, products-3 already have '
                    'the flavor 1', {'resize': {'flavorRef': '1'}})
        self.refuse(400, 'products-1 already has the flavor 1', {'resize': {
            'flavorRef': 1, 'instance': self.member(1)}})

    def test_unknown_flavor_is_refused(self) -> None:
        self.refuse(400, 'Flavor 77 cannot be found',
                    {'resize': {'flavorRef': '77'}})

    def test_flavor_with_an_ephemeral_disk_is_refused(self) -> None:
        self.cloud.flavors['2'].ephemeral = 10
        self.refuse(400, 'has an ephemeral disk',
                    {'resize': {'flavorRef': '2'}})

    def test_volume_that_is_not_larger_is_refused(self) -> None:
        self.accept({'resize': {'volume': {'size': 3},
                                'instance': self.member(2)}})
        self.galera.events.clear()
        self.before = self.used()
        self.refuse(400, 'cannot be made smaller: products-2 has more than '
                    '2 GB', {'resize': {'volume': {'size': 2}}})
        self.refuse(400, 'products-2 already has a volume of 3 GB',
                    {'resize': {'volume': {'size': 3},
                                'instance': self.member(2)}})

    def test_volume_that_is_too_large_is_refused(self) -> None:
        self.override('max_accepted_volume_size', 5)
        self.refuse(413, 'cannot exceed maximum',
                    {'resize': {'volume': {'size': 6}}})

    def test_quota_is_enforced(self) -> None:
        self.override('max_ram_per_tenant', 3 * 1024 - 1)
        self.override('max_volumes_per_tenant', 5)
        self.refuse(413, 'ram', {'resize': {'flavorRef': '2'}})
        self.refuse(413, 'volumes', {'resize': {'volume': {'size': 2}}})

    def test_instance_of_another_cluster_is_refused(self) -> None:
        for body in ({'flavorRef': '2'}, {'volume': {'size': 2}}):
            self.refuse(400, 'is not a member of cluster products', {
                'resize': dict(body, instance=self.unknown_id())})
        self.refuse(400, 'is not a member', {
            'restart': {'instance': self.unknown_id()}})

    def test_ambiguous_bodies_are_refused(self) -> None:
        for body in ({}, {'flavorRef': '2', 'volume': {'size': 2}}):
            self.refuse(400, 'exactly one of flavorRef and volume',
                        {'resize': body})
        for body in (None, [], 'all', {'size': 2}, {'volume': 2},
                     {'volume': {}}, {'volume': {'size': 0}},
                     {'volume': {'size': -1}}, {'volume': {'size': 1.5}},
                     {'flavorRef': ''}, {'flavorRef': '2', 'instance': 'x'},
                     {'volume': {'size': 2, 'type': 'fast'}}):
            self.refuse(400, 'Validation error: resize', {'resize': body})
        for body in ([], 'all', {'delay': 1}, {'instance': 'products-1'}):
            self.refuse(400, 'Validation error: restart', {'restart': body})

    def test_unsupported_actions_are_refused(self) -> None:
        for action, body in (
                ('upgrade', {'datastore_version': '10.11'}),
                ('configuration_attach', {'configuration_id': 'x'}),
                ('configuration_attach', {}), ('configuration_detach', {})):
            self.refuse(400, 'yet' if action != 'configuration_attach'
                        else 'when you create a cluster', {action: body})
        self.refuse(400, 'not supported', {'add_shard': {}})
        self.refuse(400, 'not supported', {'dance': {}})

    def test_action_during_another_operation_is_refused(self) -> None:
        row = self.cluster_row(self.cluster_id)
        row.update(task_status=ClusterTasks.RESTARTING_CLUSTER)
        for body in ({'restart': {}}, {'resize': {'flavorRef': '2'}},
                     {'resize': {'volume': {'size': 2}}}):
            response = self.act(body)
            self.assertEqual(422, response.status_int)
            self.assertIn('RESTARTING_CLUSTER', response.text)
        self.assertEqual(self.before, self.used())
        row.update(task_status=ClusterTasks.NONE)

    def test_second_of_two_simultaneous_requests_is_refused(self) -> None:
        """Another request takes the cluster while this one is checked."""
        call = self.cloud.call

        def meanwhile(name: str) -> None:
            self.cluster_row(self.cluster_id).update(
                task_status=ClusterTasks.RESTARTING_CLUSTER)
            call(name)
        self.cloud.call = meanwhile  # type: ignore[method-assign]
        response = self.act({'resize': {'flavorRef': '2'}})
        self.assertEqual(422, response.status_int, response.text)
        self.assertEqual(ClusterTasks.RESTARTING_CLUSTER,
                         self.cluster_row(self.cluster_id).task_status)
        self.assertEqual(self.before, self.used())
        self.assertEqual([], self.galera.events)

    def test_busy_or_failed_member_is_refused(self) -> None:
        row = self.instance_rows(self.cluster_id)[1]
        row.update(task_status=InstanceTasks.BUILDING_ERROR_SERVER)
        self.refuse(422, 'products-2', {'restart': {}})
        self.refuse(422, 'products-2', {'resize': {'flavorRef': '2'}})

    def test_another_project_is_refused(self) -> None:
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'restart': {}}, project='strangers')
        self.assertEqual(404, response.status_int)

    def test_cast_that_fails_leaves_no_task(self) -> None:
        with no_broker():
            response = self.act({'resize': {'flavorRef': '2'}})
        self.assertEqual(500, response.status_int)
        self.assertEqual(self.before, self.used())
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)

    def test_reset_status_is_handled_by_trove(self) -> None:
        row = self.cluster_row(self.cluster_id)
        row.update(task_status=ClusterTasks.UPDATING_CLUSTER)
        response = self.act({'reset-status': {}})
        self.assertIn(response.status_int, (202, 403))


def no_broker() -> fixtures.MonkeyPatch:
    """There is no message broker when a cast is made."""
    def unreachable(context: Any) -> Any:
        raise ConnectionError('no broker')
    return fixtures.MonkeyPatch(
        'trove_pxc.taskmanager.api.GaleraTaskAPI', unreachable)
