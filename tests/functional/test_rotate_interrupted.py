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

"""A rotation of certificates whose taskmanager dies is resumed.

The taskmanager is killed at calls in each of its three rounds. Every member
always trusts at least one other member; otherwise the fake guests refuse to
connect to it again.
"""

from typing import Any

from trove.instance.tasks import InstanceTasks
from trove.taskmanager import models as task_models

from tests.functional import test_interrupted as interrupted
from tests.functional import test_resume
from trove_pxc import pending
from trove_pxc.taskmanager.operations import rotate

NAMES = ('products-1', 'products-2', 'products-3')
ORDER = pending.Order(pending.CERTIFICATES)
# A prime, so that over the rounds each call is the last one once.
STRIDE = 7


class RotationTest(test_resume.ResumptionTest):

    def setUp(self) -> None:
        super().setUp()
        self.cluster_id = self.create_for_mortals(
            100 * interrupted._LAST_CALL)

    def tasks(self) -> Any:
        return task_models.load_cluster_tasks(
            self.context(), self.cluster_id)

    def ask(self) -> None:
        """Send the request; no taskmanager takes the cast."""
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'rotate_certificates': {}})
        self.assertEqual(202, response.status_int, response.text)

    def killed_at(self, calls: int) -> bool:
        interrupted.MortalClient.answered = bool(calls % 2)
        interrupted.MortalClient.lives = calls
        try:
            rotate.run(rotate.OPERATION.state(
                self.context(), self.tasks()))
        except interrupted.Killed:
            return True
        finally:
            interrupted.MortalClient.lives = 100 * interrupted._LAST_CALL
        return False

    def held(self) -> set[tuple[str, ...]]:
        return {tuple(guest.settings['secrets']['authorities'])
                for guest in self.galera.guests.values() if guest.settings}

    def known(self) -> set[str]:
        return {one for each in self.held() for one in each}

    def ordered(self) -> list[bool]:
        return [pending.of(row) == ORDER
                for row in self.instance_rows(self.cluster_id)]

    def test_rotation_is_resumed_wherever_it_was_killed(self) -> None:
        calls, killed = 0, True
        while killed:
            (before,) = self.known()
            self.galera.sizes.clear()
            self.ask()
            killed = self.killed_at(calls)
            left = self.known()
            self.assertEqual(killed, any(self.ordered()))
            interrupted.resumed(
                self.context(), self.cluster_id).carry_out_pending(
                    self.context())
            self.check_done(before)
            if len(left) > 1:
                # It is the certificate authority of the first run.
                self.assertLessEqual(self.known(), left)
            calls += STRIDE
        self.assertGreater(calls, 10 * STRIDE)

    def check_done(self, before: str) -> None:
        (after,) = self.held()
        self.assertEqual(1, len(after))
        self.assertNotIn(before, after)
        self.assertEqual(set(NAMES), {
            guest.name for guest in self.galera.component})
        self.assertLessEqual(2, min(self.galera.sizes))
        self.assertEqual('NONE', self.cluster_row(
            self.cluster_id).task_status.name)
        for row in self.instance_rows(self.cluster_id):
            self.assertEqual(InstanceTasks.NONE, row.task_status)
            self.assertIsNone(pending.of(row))

    def test_only_the_last_round_is_left(self) -> None:
        """No new certificates are made if only old ones must be removed."""
        self.ask()
        self.assertFalse(self.killed_at(100 * interrupted._LAST_CALL))
        (after,) = self.known()
        self.cluster_row(self.cluster_id).update(
            task_status=test_resume.ClusterTasks.UPDATING_CLUSTER)
        self.instance_rows(self.cluster_id)[2].update(
            task_status=InstanceTasks.REBOOTING,
            task_description=ORDER.text)
        self.galera.named('products-3').stop_db(None)
        self.galera.events.clear()
        with self.supervised():
            self.wait_for_task(self.cluster_id)
        self.assertEqual({after}, self.known())
        self.assertEqual(3, len(self.galera.component))
        self.assertEqual([False] * 3, self.ordered())
        self.assertNotIn('stop products-1', self.galera.events)
        self.wait_notified('dbaas.cluster_rotate_certificates.end')

    def test_operation_of_the_previous_release_is_resumed(self) -> None:
        """Its text in the row is that of the previous release."""
        task = test_resume.ClusterTasks.UPDATING_CLUSTER
        self.cluster_row(self.cluster_id).update(task_status=task)
        self.instance_rows(self.cluster_id)[2].update(
            task_description='Ordered: new certificates')
        self.assertEqual([False, False, True], self.ordered())
        self.assertTrue(pending.end(self.cluster_id, task))
        self.assertEqual([False] * 3, self.ordered())
