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

"""A grow or shrink that was interrupted is resumed by another taskmanager.

The first one dies at a call to a guest, or after any of the steps.
"""

from typing import Any

from trove.cluster import tasks
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import manager
from trove.taskmanager import models as task_models

from tests.functional import test_grow
from tests.functional import test_interrupted
from trove_pxc import pending
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import shrink

ClusterTasks = tasks.ClusterTasks
MortalClient = test_interrupted.MortalClient
Killed = test_interrupted.Killed
OLD = test_grow.OLD
NEW = 'products-4'

_ALL = 10 ** 6


class Forgetful(manager.Manager):
    """A taskmanager that died before it took the casts."""

    def grow_cluster(self, context: Any, cluster_id: str,
                     new_instance_ids: list[str]) -> None:
        return

    def shrink_cluster(self, context: Any, cluster_id: str,
                       instance_ids: list[str]) -> None:
        return


class InterruptedTest(test_grow.GrowthTest):

    def setUp(self) -> None:
        super().setUp()
        self.stop_taskmanager()
        self.start_taskmanager(Forgetful())
        self.override('remote_guest_client',
                      'tests.functional.test_interrupted.mortal_client')
        self.lives(_ALL)
        MortalClient.galera = self.galera
        self.addCleanup(self.lives, test_interrupted._LAST_CALL)

    def lives(self, calls: int) -> None:
        MortalClient.lives = calls

    def tasks(self) -> Any:
        return task_models.load_cluster_tasks(
            self.context(), self.cluster_id)

    def ask_for_one_more(self) -> str:
        """Its row, its server and its guest exist, and nothing more."""
        self.assertEqual(202, self.act(
            {'grow': [test_grow.node()]}).status_int)
        name = f'products-{self.highest_number()}'
        self.wait_for_event(f'prepared {name}')
        return name

    def highest_number(self) -> int:
        return max(int(row.name.split('-')[1])
                   for row in self.instance_rows(self.cluster_id))

    def again(self) -> None:
        """Another taskmanager resumes it, which did not get the request."""
        test_interrupted.resumed(
            self.context(), self.cluster_id).carry_out_pending(self.context())
        self.assertEqual({None}, {
            pending.of(row) for row in self.instance_rows(self.cluster_id)})

    def make_new_again(self) -> None:
        """As if it was just prepared, and the others did not know it."""
        guest = self.galera.named(NEW)
        guest.leave()
        guest.begin()
        guest.report_status(test_interrupted.galera.Statuses.INSTANCE_READY)
        self.named(NEW).update(task_status=InstanceTasks.BUILDING)
        pending.end(self.cluster_id, ClusterTasks.GROWING_CLUSTER)
        self.assertTrue(pending.claim(
            self.cluster_id, ClusterTasks.GROWING_CLUSTER,
            [self.named(name).id for name in OLD],
            pending.Order(pending.GROW, '4')))
        self.galera.events.clear()

    def check_grown(self, message: str) -> None:
        self.assert_serving(*OLD, NEW)
        self.assertEqual(1, self.galera.events.count(f'join {NEW}'), message)
        self.assertNotIn('stop', str(self.galera.events), message)
        shown = self.show(self.cluster_id)
        for name in (*OLD, NEW):
            self.assertEqual(shown['ip'], self.addresses_told(name), message)
        self.assertEqual(['ACTIVE'] * 4, [
            instance['status'] for instance in shown['instances']], message)
        self.assertEqual('NONE', shown['task']['name'])


class InterruptedGrowTest(InterruptedTest):

    def _killed_at_each_call(self, answered: bool) -> None:
        self.ask_for_one_more()
        calls, finished = 0, False
        while not finished:
            self.make_new_again()
            MortalClient.answered = answered
            self.lives(calls)
            try:
                grow.run(grow.Growth(self.context(), self.tasks(),
                                     [self.named(NEW).id]))
                finished = True
            except Killed:
                calls += 1
            self.lives(_ALL)
            self.again()
            self.check_grown(f'killed at call {calls}')
        self.assertGreater(calls, 20)

    def test_grow_killed_before_any_call_is_completed(self) -> None:
        self._killed_at_each_call(answered=False)

    def test_grow_killed_after_any_call_is_completed(self) -> None:
        self._killed_at_each_call(answered=True)


class InterruptedShrinkTest(InterruptedTest):

    def cut_short(self, number: int, name: str) -> bool:
        """Do this number of steps; return whether there were more."""
        operation = shrink.Shrinking(
            self.context(), self.tasks(), [self.named(name).id])
        for phase in shrink.STEPS:
            for member in phase.of(operation):
                for step in phase.steps:
                    if not number:
                        return True
                    workflow.run(operation, [workflow.Each(
                        lambda _, one=member: [one], (step,))])
                    number -= 1
        return False

    def test_shrink_is_resumed_after_each_step(self) -> None:
        number, unfinished = 1, True
        while unfinished:
            name = self.ask_for_one_more()
            self.again()
            row = self.named(name)
            self.galera.events.clear()
            self.act({'shrink': [{'id': row.id}]})
            unfinished = self.cut_short(number, name)
            self.again()
            self.check_shrunk(name, number)
            number += 1
        # Discovery, a mark, discovery, a stop, three times two settings, one
        # deletion and three final checks.
        self.assertEqual(15, number)

    def check_shrunk(self, name: str, number: int) -> None:
        self.assert_serving(*OLD)
        self.assertEqual(
            1, self.galera.events.count(f'stop {name}'), number)
        shown = self.show(self.cluster_id)
        self.assertEqual(list(OLD), self.names(shown))
        for old in OLD:
            self.assertEqual(shown['ip'], self.addresses_told(old), number)
        self.assertEqual('NONE', shown['task']['name'])
        self.assertEqual(self.before, self.used())
        self.assertEqual(3, len(self.cloud.servers))
        self.assertTrue(instance_models.DBInstance.find_by(
            name=name, deleted=True).cluster_id)
