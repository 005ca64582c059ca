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
"""Requests that wait in the queues of a taskmanager, with low limits."""

from typing import Any

from trove.common import cfg
from trove.guestagent import models as agent_models

from tests.functional import base
from trove_pxc import conf
from trove_pxc import queued
from trove_pxc.taskmanager import manager as taskmanager
from trove_pxc import waiting

LEASE = 6
CONF = cfg.CONF


class AdmissionTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.override('operation_lease', LEASE, 'mariadb')
        self.limit(long_operations=1, member_creations=1)

    def limit(self, **numbers: int) -> None:
        for option, number in numbers.items():
            self.override(option, number, conf.OWN_GROUP)

    def created(self, name: str, number: int = 3) -> str:
        response = self.create(name, number)
        self.assertEqual(200, response.status_int, response.text)
        return str(response.json['cluster']['id'])

    def task(self, cluster_id: str) -> Any:
        return self.show(cluster_id)['task']

    def wait_queued(self, cluster_id: str, number: int) -> str:
        """Return the description of its task, when it has this place."""
        def probe() -> str:
            task = self.task(cluster_id)
            if task.get('queued_before') != number:
                raise waiting.NotYet(str(task))
            return str(task['description'])
        return waiting.until('its place', probe, 60, 0.1)

    def stop_servers_from_booting(self) -> Any:
        """Servers are created, but their guests never start."""
        booted, self.cloud.booted = self.cloud.booted, lambda server: None
        return booted


class BurstTest(AdmissionTest):

    def test_create_that_waits_longer_than_a_step_may_take(self) -> None:
        self.override('member_ready_timeout', 600, 'mariadb')
        booted = self.stop_servers_from_booting()
        self.start_taskmanager()
        first, second = [self.created(f'c{number}') for number in range(2)]
        self.assertEqual(
            'Building the initial cluster: queued, 0 before it.',
            self.wait_queued(second, 0))
        self.override('member_ready_timeout', 20, 'mariadb')
        waiting.pause(60)
        self.cloud.booted = booted
        self.request('DELETE', f'/clusters/{first}')
        self.wait_for_task(second)
        shown = self.show(second)
        self.assertEqual(['ACTIVE'] * 3, [
            one['status'] for one in shown['instances']])
        self.assertNotIn('queued_before', shown['task'])
        self.wait_notified('dbaas.cluster_create.end')
        self.stop_taskmanager()
        waiting.pause(2 * LEASE)
        self.assertEqual([], agent_models.AgentHeartBeat.find_all().all())

    def test_list_shows_what_waits(self) -> None:
        self.stop_servers_from_booting()
        self.start_taskmanager()
        first, second = [self.created(f'c{number}') for number in range(2)]
        self.wait_queued(second, 0)
        response = self.request('GET', '/clusters')
        tasks = {one['id']: one['task'] for one in response.json['clusters']}
        self.assertEqual(
            'Building the initial cluster: queued, 0 before it.',
            tasks[second]['description'])
        self.assertIn('the creation of 2 members is queued, 0 before it',
                      tasks[first]['description'])


class ShortTest(AdmissionTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        self.cluster_id = self.created('whole')
        self.wait_for_task(self.cluster_id)
        self.settle()
        self.booted = self.stop_servers_from_booting()
        self.built = [self.created(f'c{number}') for number in range(2)]
        self.wait_queued(self.built[1], 0)

    def test_restart_does_not_wait_for_creates(self) -> None:
        self.galera.events.clear()
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'restart': {}})
        self.assertEqual(202, response.status_int, response.text)
        waiting.pause(5)
        self.assertIn('stop whole-1', self.galera.events)
        self.wait_for_task(self.cluster_id)

    def test_cluster_whose_create_waits_is_deleted(self) -> None:
        """Neither its operation nor its members begin any more."""
        for cluster_id in reversed(self.built):
            self.request('DELETE', f'/clusters/{cluster_id}')
            self.wait_deleted(cluster_id)
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.stop_taskmanager()
        self.assertEqual(4, self.cloud.calls.count('servers.create'))
        waiting.pause(2 * LEASE)
        self.assert_nothing_left()


class DeadTest(AdmissionTest):
    """A taskmanager dies in which operations and creations wait."""

    def setUp(self) -> None:
        super().setUp()
        self.override('operation_start_timeout', 10000, 'mariadb')
        self.override('creation_stall_timeout', 30, 'mariadb')
        self.override('member_ready_timeout', 600, 'mariadb')
        self.booted = self.stop_servers_from_booting()
        self.start_taskmanager()
        self.built = [self.created(f'c{number}') for number in range(2)]
        self.wait_queued(self.built[1], 0)
        self.other = taskmanager.Manager()

    def look(self) -> None:
        self.other.resume_operations(None)
        self.other.take_creations(None)

    def dies(self) -> None:
        """It shows no life, and begins nothing any more."""
        admission = self.rpc_manager._admission
        admission._sign = admission._begin = lambda: None
        assert admission._signs is not None
        admission._signs.__exit__()
        for lane in admission._lanes.values():
            lane._begin = lambda: None
        self.rpc_manager = None

    def test_nothing_is_taken_from_one_that_lives(self) -> None:
        with waiting.Regularly(0.2, self.look):
            waiting.pause(10 * LEASE)
        self.assertFalse(self.other._admission.busy)

    def test_what_waited_runs_on_another_one(self) -> None:
        self.dies()
        self.cloud.booted = self.booted
        with waiting.Regularly(0.2, self.look):
            self.wait_for_task(self.built[1])
        shown = self.show(self.built[1])
        self.assertEqual(['ACTIVE'] * 3, [
            one['status'] for one in shown['instances']])
        ended = self.wait_notified('dbaas.cluster_create.end')
        self.assertEqual(self.built[1], ended['cluster_id'])

    def test_creation_whose_message_is_not_stored_is_reported(self) -> None:
        for instance_id, start in queued.creations().items():
            queued.leave(instance_id, start)
            assert start.place is not None
            queued.enter_creation(instance_id, start.place, '')
        self.dies()
        with waiting.Regularly(0.2, self.look):
            self.wait_for_task(self.built[1])
        faults = {self.fault(row.id)
                  for row in self.instance_rows(self.built[1])}
        self.assertIn('its request was lost: the taskmanager on',
                      ' '.join(faults))
