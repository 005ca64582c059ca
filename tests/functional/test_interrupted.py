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

"""A create that is interrupted at any point is completed by another run.

The taskmanager dies between any two calls to a guest: before the call, or
after the guest has carried it out but before the taskmanager has the answer.
"""

from typing import Any

from oslo_serialization import jsonutils
from trove.cluster import tasks
from trove.taskmanager import manager
from trove.taskmanager import models as task_models

from tests.functional import base
from tests.functional import galera
from trove_pxc.guestagent import api as guest_api
from trove_pxc.taskmanager.cloud import certificate_authority
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.steps import formation

_LAST_CALL = 100


class Killed(BaseException):
    """Not an Exception, so no code handles it, like a kill -9."""


class MortalClient(guest_api.GaleraGuestAPI):
    """The real client, in a taskmanager that dies at its n-th call.

    It calls the guests without a transport, because there are thousands of
    calls.

    :cvar lives: how many more calls are made.
    :cvar answered: whether the last of them reaches the guest.
    """

    lives = _LAST_CALL
    answered = False
    galera = galera.FakeGalera()

    def call_guest(self, method: str, seconds: float, version: str, /,
                   **arguments: Any) -> Any:
        cls = MortalClient
        cls.lives -= 1
        if cls.lives < 0 and not cls.answered:
            raise Killed(method)
        guest = cls.galera.guests[self.id]
        sent = jsonutils.loads(jsonutils.dumps(arguments))
        answer = getattr(guest, method)(self.context, **sent)
        if cls.lives < 0:
            raise Killed(method)
        return answer


def mortal_client(context: Any, instance_id: str,
                  datastore_manager: str | None = None) -> Any:
    return MortalClient(context, instance_id)


def resumed(context: Any, cluster_id: str) -> Any:
    """The tasks of a taskmanager that has seen that the lease expired."""
    loaded = task_models.load_cluster_tasks(context, cluster_id)
    loaded.lost = loaded.db_info.updated
    return loaded


class WithoutClusters(manager.Manager):
    """A taskmanager that died before it took the cast for the cluster."""

    def create_cluster(self, context: Any, cluster_id: str) -> None:
        return


class InterruptedTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager(WithoutClusters())
        self.override('remote_guest_client',
                      'tests.functional.test_interrupted.mortal_client')
        MortalClient.lives = _LAST_CALL
        MortalClient.galera = self.galera

    def test_create_killed_before_any_call_is_completed(self) -> None:
        self._kill_at_each_call(answered=False)

    def test_create_killed_after_any_call_is_completed(self) -> None:
        self._kill_at_each_call(answered=True)

    def test_secrets_of_any_member_are_kept(self) -> None:
        cluster_id = self._instances_of_cluster()
        secrets: dict[str, Any] = dict.fromkeys(
            ('admin_password', 'root_password', 'sst_password'), 'kept')
        secrets['authorities'] = [
            certificate_authority.new(cluster_id, 1).reveal()]
        operation = self._operation(cluster_id)
        facts = formation.facts(operation, operation.members[1])
        self.galera.named('products-2').settings = {
            'facts': facts.to_dict(), 'secrets': secrets}
        create.run(operation)
        for guest in self.galera.component:
            assert guest.settings is not None
            self.assertEqual(secrets, guest.settings['secrets'])

    def _kill_at_each_call(self, answered: bool) -> None:
        cluster_id = self._instances_of_cluster()
        calls, finished = 0, False
        while not finished:
            finished = self._killed_at(cluster_id, calls, answered)
            calls += 1
        # Three members: each is at least configured, started, asked for a
        # report, completed and read from.
        self.assertGreater(calls, 15)

    def _killed_at(self, cluster_id: str, calls: int,
                   answered: bool) -> bool:
        """Create the cluster; return whether it ended before this call."""
        self.galera.forget()
        self.cluster_row(cluster_id).update(
            task_status=tasks.ClusterTasks.BUILDING_INITIAL)
        MortalClient.answered = answered
        MortalClient.lives = calls
        finished = True
        try:
            create.run(self._operation(cluster_id))
        except Killed:
            finished = False
        MortalClient.lives = _LAST_CALL
        resumed(self.context(), cluster_id).create_cluster(
            self.context(), cluster_id)
        self._look_at(cluster_id, calls)
        return finished

    def _instances_of_cluster(self) -> str:
        """Everything that happens before this plugin's part of the create."""
        cluster_id = str(self.create().json['cluster']['id'])
        for number in (1, 2, 3):
            self.wait_for_event(f'prepared products-{number}')
        return cluster_id

    def _operation(self, cluster_id: str) -> formation.Formation:
        loaded = task_models.load_cluster_tasks(self.context(), cluster_id)
        return formation.Formation('create', self.context(), loaded)

    def _look_at(self, cluster_id: str, calls: int) -> None:
        events = self.galera.events
        self.assertEqual(1, events.count('bootstrap products-1'),
                         f'killed at call {calls}: {events}')
        for guest in self.galera.component:
            self.assertTrue(guest.synced)
        self.assertEqual(3, len(self.galera.component))
        secrets = [guest.settings['secrets']
                   for guest in self.galera.component if guest.settings]
        self.assertEqual([secrets[0]] * 3, secrets)
        row = self.cluster_row(cluster_id)
        self.assertEqual('NONE', row.task_status.name)
        self.assertEqual(['ACTIVE'] * 3, [
            instance['status']
            for instance in self.show(cluster_id)['instances']])
