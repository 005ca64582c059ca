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

"""A create that fails reports where and why, and can be deleted at once."""

from typing import Any

import fixtures
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import models as task_models

from tests.functional import base
from trove_pxc import waiting


class FailureTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def fail(self, *words: str, blamed: tuple[int, ...],
             **request: Any) -> Any:
        """Create, expect a failure, and check everything that it leaves.

        :param words: texts that the fault of each blamed member contains.
        :param blamed: the numbers of the members that are at fault.
        """
        created = self.create(**request).json['cluster']
        self.wait_for_task(created['id'])
        notified = self.wait_notified('dbaas.cluster_create.error')
        self.assertEqual([], self.notified('dbaas.cluster_create.end'))
        for word in words:
            self.assertIn(word, notified['message'])
        shown = self.show(created['id'])
        self.assertEqual('NONE', shown['task']['name'])
        for number, instance in enumerate(shown['instances'], start=1):
            fault = self.fault(instance['id'])
            if number in blamed:
                self.assertEqual('ERROR', instance['status'])
                for word in (*words, 'Next: delete the cluster'):
                    self.assertIn(word, fault)
            else:
                self.assertEqual('BUILD', instance['status'])
                self.assertIn('not at fault', fault)
                self.assertIn(f'products-{blamed[0]}', fault)
        self.assertEqual(202, self.request(
            'DELETE', f'/clusters/{created["id"]}').status_int)
        self.wait_deleted(created['id'])
        self.assert_nothing_left()
        return created

    def test_failed_creation_of_a_server_is_reported(self) -> None:
        # The third call, because the calls of the members come in this order.
        self.cloud.faults['servers.create'] = 1
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        self.wait_notified('dbaas.cluster_create.error')
        statuses = sorted(instance['status'] for instance in self.show(
            created['id'])['instances'])
        self.assertEqual(['BUILD', 'BUILD', 'ERROR'], statuses)

    def test_failed_creation_of_a_volume_is_reported(self) -> None:
        self.cloud.faults['volumes.create'] = 1
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        self.wait_notified('dbaas.cluster_create.error')
        self.request('DELETE', f'/clusters/{created["id"]}')
        self.wait_deleted(created['id'])
        self.assert_nothing_left()

    def test_server_in_error_state_is_reported(self) -> None:
        boot = self.cloud.booted

        def boot_badly(server: Any) -> None:
            if server.name == 'products-2':
                server.status = 'ERROR'
                server.fault = {'message': 'No valid host was found'}
            else:
                boot(server)
        self.cloud.booted = boot_badly
        self.fail('products-2', 'No valid host', blamed=(2,))

    def test_failed_prepare_is_reported(self) -> None:
        self.galera.habits['products-1'] = {'fails_to_prepare': True}
        self.fail('products-1', 'no such image', blamed=(1,))
        self.assertNotIn('configure products-1', self.galera.events)

    def test_failed_prepare_is_reported_if_its_taskmanager_has_died(
            self) -> None:
        """The taskmanager that created the instances has died."""
        self.override('member_ready_timeout', 3600, 'mariadb')
        self.useFixture(fixtures.MockPatchObject(
            task_models.FreshInstanceTasks, 'wait_for_instance',
            autospec=True))
        self.galera.habits['products-2'] = {'fails_to_prepare': True}
        self.fail('products-2', 'no such image', blamed=(2,))

    def test_guest_that_never_becomes_ready_is_reported(self) -> None:
        self.override('member_ready_timeout', 10, 'mariadb')
        self.galera.habits['products-2'] = {'unprepared': True}
        self.fail('"prepare of products-2"', 'timed out after 10 s',
                  blamed=(2,))

    def test_crash_of_the_server_during_bootstrap_is_reported(self) -> None:
        self.galera.habits['products-1'] = {'crashes': True}
        self.fail('"bootstrap of products-1"', 'exit code 1',
                  'disk is 100% full', blamed=(1,))

    def test_initialisation_that_always_fails_is_reported_at_once(
            self) -> None:
        """Each start ends before the server is up; no timeout expires."""
        self.override('bootstrap_timeout', 3600, 'mariadb')
        self.galera.habits['products-1'] = {'dies_at_once': True}
        self.fail('"bootstrap of products-1"', 'its server ended',
                  'exit code 1', 'disk is 100% full', blamed=(1,))

    def test_joiner_that_does_not_start_is_reported(self) -> None:
        self.override('join_stall_timeout', 3600, 'mariadb')
        self.galera.habits['products-2'] = {'dies_at_once': True}
        self.fail('"join of products-2"', 'its server ended',
                  'disk is 100% full', blamed=(2,))

    def test_donor_that_stops_during_a_transfer_is_reported(self) -> None:
        """The fault names the donor, not only the joiner that waits for it."""
        self.override('join_stall_timeout', 10, 'mariadb')
        self.galera.habits['products-2'] = {'stalls': True}

        def die(event: str) -> None:
            tell(event)
            if event == 'join products-2':
                self.galera.habits['products-1'] = {'dies_at_once': True}
        tell = self.galera.tell
        self.galera.tell = die  # type: ignore[method-assign]
        self.fail('"join of products-2"', 'products-1: it left the cluster '
                  'while products-2 joined', 'disk is 100% full',
                  blamed=(1,))

    def test_fault_is_written_after_troves_own_work_on_the_instance(
            self) -> None:
        """Otherwise Trove clears the fault when it finds the guest ready."""
        self.override('usage_sleep_time', 5)
        self.galera.habits['products-1'] = {'crashes': True}
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])

        def made() -> None:
            if len(self.notified('trove.instance.create')) < 3:
                raise waiting.NotYet('other notifications')
        waiting.until('Trove to be done', made, 60, 0.1)
        self.assertEqual(
            [InstanceTasks.BUILDING_ERROR_SERVER, InstanceTasks.NONE,
             InstanceTasks.NONE],
            [row.task_status for row in self.instance_rows(created['id'])])

    def test_delete_does_not_wait_for_troves_own_work(self) -> None:
        """And no error replaces the deletion."""
        self.override('usage_sleep_time', 20)
        self.galera.habits['products-1'] = {'crashes': True}
        created = self.create().json['cluster']
        waiting.until('a crash', self.crashed_for_good, 60, 0.1)
        self.request('DELETE', f'/clusters/{created["id"]}')
        self.wait_deleted(created['id'])
        self.assert_nothing_left()
        self.wait_notified('dbaas.cluster_create.error')
        self.assertEqual([''] * 3, [
            self.fault(instance['id']) for instance in created['instances']])

    def crashed_for_good(self) -> None:
        crashes = self.galera.named('products-1').crashes
        if crashes < 7:
            raise waiting.NotYet(f'{crashes} reports')

    def test_crash_of_the_server_during_join_is_reported(self) -> None:
        self.galera.habits['products-3'] = {'crashes': True}
        self.fail('"join of products-3"', 'exit code 1', blamed=(3,))
        self.assertNotIn('write products-3', self.galera.events)

    def test_member_that_never_becomes_synced_is_reported(self) -> None:
        self.override('join_stall_timeout', 10, 'mariadb')
        self.galera.habits['products-2'] = {'stalls': True}
        self.fail('"join of products-2"', 'timed out after 10 s',
                  blamed=(2,))
        self.assertNotIn('join products-3', self.galera.events)

    def test_guest_that_stops_reporting_is_reported(self) -> None:
        self.override('guest_silence_timeout', 5, 'mariadb')
        self.galera.habits['products-2'] = {'silent': True}
        self.fail('products-2', 'timed out after 5 s waiting for the guest of '
                  'products-2 to answer', blamed=(2,))

    def test_lost_answers_are_requested_again(self) -> None:
        """The message broker restarts during the operation."""
        self.override('member_call_timeout', 2, 'mariadb')
        self.override('member_start_timeout', 5, 'mariadb')
        for number in (1, 2):
            self.galera.habits[f'products-{number}'] = {
                'deaf': ['member_context', 'member_position', 'read_probe'],
                'for_seconds': 7}
        created = self.create().json['cluster']
        self.wait_notified('dbaas.cluster_create.end')
        self.assertEqual(['ACTIVE'] * 3, [
            instance['status']
            for instance in self.show(created['id'])['instances']])
        self.assertEqual([], self.galera.habits['products-1']['deaf'])
        # It may not have been prepared when the positions were requested.
        self.assertIn(self.galera.habits['products-2']['deaf'],
                      ([], ['member_position']))

    def test_write_that_is_not_replicated_is_reported(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.habits['products-1'] = {'forgets': True}
        self.fail('"replicate of products-3"', 'products-1', blamed=(1,))
        self.assertNotIn('complete products-1', self.galera.events)

    def test_data_on_a_member_prevents_a_bootstrap(self) -> None:
        self.galera.habits['products-1'] = {
            'other_history': 'deadbeef-0000-0000-0000-000000000001'}
        created = self.create().json['cluster']
        self.wait_for_task(created['id'])
        error = self.wait_notified('dbaas.cluster_create.error')['message']
        self.assertIn('deadbeef', error)
        self.assertIn('check the data', error)
        self.assertNotIn('bootstrap products-1', self.galera.events)

    def test_cast_that_fails_half_way_leaves_nothing(self) -> None:
        """The third instance cannot be created; nothing is left."""
        flavors = []

        def no_more(name: str) -> None:
            flavors.append(name)
        self.cloud.faults['flavors.get.4'] = 1
        call = self.cloud.call

        def failing(name: str) -> None:
            if name == 'flavors.get':
                no_more(name)
                name = f'{name}.{len(flavors)}'
            call(name)
        self.cloud.call = failing  # type: ignore[method-assign]
        response = self.create()
        self.assertEqual(500, response.status_int, response.text)

        def gone() -> None:
            listed = self.request('GET', '/clusters').json['clusters']
            if listed:
                raise waiting.NotYet(str(listed))
        waiting.until('no cluster', gone, 20, 0.1)
        self.assert_nothing_left()
