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

"""The waiting commands, and the faults that members show.

The real commands call the real API; there is no network between them.
"""

import contextlib
import dataclasses
import io
import types
from typing import Any

import fixtures
import mock
from osc_lib import exceptions
from trove.common import notification
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks
from troveclient.v1 import clusters

from tests.functional import base
from trove_pxc import exceptions as our_exceptions
from trove_pxc import faults
from trove_pxc.osc import cluster
from trove_pxc.osc import progress
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.operations import restart
from trove_pxc import waiting


class _Client:
    """python-troveclient's client, with the router instead of a network."""

    def __init__(self, test: base.TroveTest) -> None:
        self._test = test

    def get(self, url: str) -> tuple[Any, Any]:
        return self._answer(self._test.request('GET', url))

    def post(self, url: str, body: Any) -> tuple[Any, Any]:
        return self._answer(self._test.request('POST', url, body))

    @staticmethod
    def _answer(response: Any) -> tuple[Any, Any]:
        return (types.SimpleNamespace(status_code=response.status_int),
                response.json if response.body else None)


class WaitTest(base.TroveTest):
    """A complete cluster of three."""

    def setUp(self) -> None:
        super().setUp()
        # trove-api and trove-taskmanager do the same when they start.
        self.useFixture(fixtures.MockPatchObject(
            notification.DBaaSAPINotification, 'notify_callback',
            instance_models.persist_instance_fault))
        self.start_taskmanager()
        self.cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.settle()
        shown = self.show(self.cluster_id)
        self.app = mock.Mock()
        database = self.app.client_manager.database
        database.client = _Client(self)
        database.clusters.get.return_value = clusters.Cluster(
            mock.Mock(), shown)
        self.rows = self.instance_rows(self.cluster_id)

    def run_command(self, kind: Any, *words: str) -> None:
        command = kind(self.app, None, cmd_name='x')
        with contextlib.redirect_stderr(io.StringIO()):
            command.take_action(command.get_parser('x').parse_args(
                ['products', *words]))

    def refused_request(self, number: int) -> None:
        """A request for one member stores a fault for it."""
        row = self.rows[number - 1]
        waiting.pause(2 * progress.LATE_SECONDS)
        response = self.request('DELETE', f'/instances/{row.id}/users/no')
        self.assertEqual(404, response.status_int, response.text)
        self.settle()
        self.assertNotEqual('', self.fault(row.id))

    def test_fault_of_a_refused_request_does_not_end_the_wait(self) -> None:
        self.refused_request(2)
        self.run_command(cluster.WaitForCluster)
        self.run_command(cluster.RestartCluster, '--wait')
        self.refused_request(2)
        self.run_command(cluster.RestartCluster, '--member', 'products-1',
                         '--wait')
        self.run_command(cluster.WaitForCluster)
        self.refused_request(2)
        self.run_command(cluster.WaitForCluster)

    def test_fault_of_a_member_that_failed_before_does_not_end_the_wait(
            self) -> None:
        row = self.rows[2]
        row.update(task_status=InstanceTasks.GROWING_ERROR)
        faults.save_fault(row.id, 'grow: no room', '')
        with mock.patch.object(restart, 'OPERATION', dataclasses.replace(
                restart.OPERATION, run=lambda operation: None)):
            self.run_command(cluster.RestartCluster, '--member',
                             'products-1', '--wait')
        self.assertEqual('grow: no room', self.fault(row.id))
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.WaitForCluster)
        self.assertEqual('products-3: grow: no room', str(error))

    def test_fault_of_the_operation_is_reported(self) -> None:
        """Also by a command that starts when the operation is over."""
        self.override('verify_timeout', 5, 'mariadb')
        self.galera.named('products-3').stop_db(None)
        for kind, words in (
                (cluster.RestartCluster, (
                    '--member', 'products-1', '--wait')),
                (cluster.WaitForCluster, ())):
            error = self.assertRaises(
                exceptions.CommandError, self.run_command, kind, *words)
            self.assertIn('products-1: restart', str(error))

    def test_fault_that_trove_writes_again_is_reported(self) -> None:
        """It comes with the notification, when the operation has ended."""
        for guest in self.rows:
            self.galera.named(guest.name).stop_db(None)
        self.override('guest_silence_timeout', 5, 'mariadb')
        with mock.patch.object(recover, 'OPERATION', dataclasses.replace(
                recover.OPERATION, run=mock.Mock(
                    side_effect=our_exceptions.ClusterInconsistent(
                        'no disk')))):
            for kind, words in (
                    (cluster.RecoverCluster, (
                        '--force', 'products-1', '--wait')),
                    (cluster.WaitForCluster, ())):
                error = self.assertRaises(
                    exceptions.CommandError, self.run_command, kind, *words)
                self.assertIn('no disk', str(error))
                self.settle()
