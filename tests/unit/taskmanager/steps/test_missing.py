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

"""Members whose servers were deleted in Nova, and the next action."""

from typing import Any

from novaclient import exceptions as nova_exceptions
from trove.cluster.tasks import ClusterTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.steps import missing
from trove_pxc.taskmanager.steps import recovery


class MissingTest(fakes.ClusterTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.cloud.nova.servers.get = self.get

    def get(self, server_id: str) -> Any:
        if server_id not in self.cloud.servers:
            raise nova_exceptions.NotFound(404)
        return self.cloud.servers[server_id]

    def lose(self, *numbers: int) -> None:
        for number in numbers:
            del self.cloud.servers[f'server-{number}']

    def start(self, operation: recovery.Recovery) -> None:
        workflow.set_found(operation, operation.begin())

    def recovery(self, force: str | None = None) -> recovery.Recovery:
        return recovery.Recovery(None, self.cluster, force)

    def test_all_are_there(self) -> None:
        operation = restart.OPERATION.state(None, self.cluster, ())
        operation.begin()
        recovery = self.recovery()
        self.start(recovery)
        self.assertEqual((), recovery.found.lost)
        self.assertIs(recovery.found,
                      missing.refuse_without_primary(recovery))
        missing.tell(recovery)

    def test_one_that_is_gone_is_named_with_what_to_do(self) -> None:
        self.lose(2)
        operation = restart.OPERATION.state(None, self.cluster, ())
        gone = self.assertRaises(exceptions.ServerGone, operation.begin)
        self.assertEqual(self.id_of(2), gone.instance_id)
        self.assertIn('its server server-2 is gone', gone.cause)
        self.assertIn(f'shrink c {self.id_of(2)}', gone.advice)
        self.assertIs(missing.LOOK, operation.at)

    def test_one_that_has_no_server_yet_is_not_gone(self) -> None:
        self.lose(2)
        self.change(2, compute_instance_id=None)
        restart.OPERATION.state(None, self.cluster, ()).begin()

    def test_a_recovery_is_of_the_others(self) -> None:
        self.lose(2)
        recovery = self.recovery()
        self.start(recovery)
        self.assertEqual(['c-2'], [one.name for one in recovery.found.lost])
        self.assertEqual(['c-1', 'c-3'],
                         [one.name for one in recovery.members])
        recovery.look(recovery.found)
        self.assertNotIn('c-2 member_report', self.galera.asked)
        gone = self.assertRaises(exceptions.ServerGone, missing.tell,
                                 recovery)
        self.assertIn('cluster grow c --instance', gone.advice)

    def test_a_second_look_forgets_nobody(self) -> None:
        """The first try failed with a temporary error."""
        self.lose(2)
        recovery = self.recovery()
        self.start(recovery)
        self.start(recovery)
        self.assertEqual(['c-2'], [one.name for one in recovery.found.lost])
        self.assertRaises(exceptions.RecoveryRefused,
                          missing.refuse_without_primary, recovery)

    def test_without_a_primary_component_it_is_refused(self) -> None:
        self.lose(2)
        recovery = self.recovery()
        self.start(recovery)
        refused = self.assertRaises(
            exceptions.RecoveryRefused, missing.refuse_without_primary,
            recovery)
        self.assertIn('the server of c-2 is gone', refused.cause)
        self.assertEqual((self.id_of(2),), refused.named)
        self.guests[1].enters()
        missing.refuse_without_primary(recovery)

    def test_an_operator_may_answer_for_one(self) -> None:
        self.lose(2)
        recovery = self.recovery(self.id_of(1))
        self.start(recovery)
        missing.refuse_without_primary(recovery)

    def test_all_are_gone(self) -> None:
        self.lose(1, 2, 3)
        refused = self.assertRaises(exceptions.RecoveryRefused,
                                    self.recovery().begin)
        self.assertIn('Delete the cluster', refused.advice)
