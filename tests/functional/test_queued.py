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

"""Requests that wait in the queue of the taskmanagers, behind many others.

No taskmanager takes a cast until start_taskmanager(): the casts wait in
oslo.messaging's fake transport.
"""

import contextlib
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.common import notification

from tests.functional import cloud as clouds
from tests.functional import test_interrupted as interrupted
from tests.functional import test_resume
from trove_pxc import starts
from trove_pxc.taskmanager import api as task_api
from trove_pxc.taskmanager.watchers import resume
from trove_pxc import waiting

LEASE = test_resume.LEASE
LONG = 100 * LEASE


class QueuedTest(test_resume.ResumptionTest):

    def setUp(self) -> None:
        super().setUp()
        self.override('operation_start_timeout', LONG, 'mariadb')
        self.watcher = resume.Resumption()

    def supervised(self) -> contextlib.AbstractContextManager[Any]:
        return waiting.Regularly(0.2, self.watcher.look)

    def start_of(self, cluster_id: str) -> starts.Start | None:
        row = self.cluster_row(cluster_id)
        return starts.of({cluster_id: row.task_id}).get(cluster_id)

    def wait_started(self, cluster_id: str) -> None:
        def probe() -> None:
            start = self.start_of(cluster_id)
            if start is None or not start.number:
                raise waiting.NotYet(str(start))
        waiting.until('the start of the operation', probe, 60, 0.1)

    def assert_ended_once(self, action: str) -> None:
        """All casts ran; exactly one of them notified."""
        self.wait_notified(f'dbaas.{action}.end')
        self.stop_taskmanager()
        self.assertEqual(1, len(self.notified(f'dbaas.{action}.end')))
        self.assertEqual([], self.notified(f'dbaas.{action}.error'))

    def faults(self, cluster_id: str) -> set[str]:
        return {self.fault(row.id) for row in self.instance_rows(cluster_id)}


class CreateTest(QueuedTest):

    def test_create_that_waits_is_not_resumed(self) -> None:
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            waiting.pause(10 * LEASE)
            self.assertEqual({}, self.watcher._running)
            start = self.start_of(cluster_id)
            assert start is not None
            self.assertEqual(0, start.number)
            self.start_taskmanager()
            self.wait_for_task(cluster_id)
        self.assertEqual({}, self.watcher._running)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))
        self.assertEqual({''}, self.faults(cluster_id))
        self.assert_ended_once('cluster_create')

    def test_create_whose_instances_wait_does_not_fail(self) -> None:
        """It was started elsewhere, and its casts arrive much later."""
        self.override('operation_start_timeout', LEASE, 'mariadb')
        self.override('member_ready_timeout', 30, 'mariadb')
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_started(cluster_id)
            waiting.pause(60)
            self.assertEqual('BUILDING', self.cluster_row(
                cluster_id).task_status.name)
            self.assertEqual({''}, self.faults(cluster_id))
            self.start_taskmanager()
            self.wait_for_task(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))
        self.assert_ended_once('cluster_create')

    def test_cast_that_comes_after_the_end_is_ignored(self) -> None:
        self.start_taskmanager(interrupted.WithoutClusters())
        self.override('operation_start_timeout', LEASE, 'mariadb')
        created = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_for_task(created)
        self.stop_taskmanager()
        self.start_taskmanager()
        self.galera.events.clear()
        self.cast_again(created)
        self.assertEqual([], self.galera.events)
        self.assert_ended_once('cluster_create')

    def cast_again(self, cluster_id: str) -> None:
        """Send the cast of a create, as if it had waited."""
        context = self.context()
        context.notification = notification.DBaaSClusterCreate(
            context, request_id=context.request_id, server_type='taskmanager',
            tenant_id=context.project_id, client_ip='192.0.2.1',
            server_ip='192.0.2.2')
        task_api.GaleraTaskAPI(context).create_cluster(cluster_id)
        waiting.pause(5)

    def test_instance_that_is_not_begun_within_hours_is_reported(
            self) -> None:
        self.override('operation_start_timeout', LEASE, 'mariadb')
        self.override('creation_start_timeout', 20, 'mariadb')
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_for_task(cluster_id)
        error = self.wait_notified('dbaas.cluster_create.error')
        self.assertIn('did not begin to create it within 20 s',
                      error['message'])


class OtherTest(QueuedTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        self.cluster_id = str(self.create().json['cluster']['id'])
        self.wait_for_task(self.cluster_id)
        self.settle()
        self.stop_taskmanager()
        self.galera.events.clear()

    def act(self, body: Any, role: str = 'member') -> None:
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                body, role=role)
        self.assertEqual(202, response.status_int, response.text)

    def test_cast_of_a_request_that_was_reset_is_ignored(self) -> None:
        """It would restart another member, with its old parameters."""
        first, second = [row.id for row in
                         self.instance_rows(self.cluster_id)[:2]]
        self.act({'restart': {'instance': first}})
        self.act({'reset-status': {}}, role='admin')
        self.act({'restart': {'instance': second}})
        self.start_taskmanager()
        self.wait_for_task(self.cluster_id)
        self.assertIn('stop products-2', self.galera.events)
        self.assertNotIn('stop products-1', self.galera.events)
        self.assert_ended_once('cluster_restart')

    def test_second_delete_does_not_displace_the_first(self) -> None:
        self.override('cluster_delete_time_out', 600)
        row = self.instance_rows(self.cluster_id)[1]
        self.cloud.servers_that_stay.add(row.compute_instance_id)
        self.start_taskmanager()
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_for_call('servers.delete')
        for _ in range(3):
            self.request('DELETE', f'/clusters/{self.cluster_id}')
        waiting.pause(5)
        start = self.start_of(self.cluster_id)
        assert start is not None
        self.assertEqual((ClusterTasks.DELETING.code, 1),
                         (start.task_id, start.number))
        self.cloud.servers_that_stay.clear()
        clouds.nova(self.context()).servers.delete(row.compute_instance_id)
        self.wait_deleted(self.cluster_id)
        self.assert_ended_once('cluster_delete')
        self.assert_nothing_left()
