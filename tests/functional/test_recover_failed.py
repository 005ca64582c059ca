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

"""Recovery of a cluster with members that never joined or were to leave.

They cannot be removed while no member serves, so they must not prevent a
recovery.
"""

from typing import Any

from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from tests.functional import galera
from tests.functional import test_grow
from trove_pxc.taskmanager.watchers import automatic

OLD = test_grow.OLD
NEW = 'products-4'
STOPPED = galera.ServerState.STOPPED
Statuses = service_status.ServiceStatuses


class FailedMemberTest(test_grow.GrowthTest):

    def grow_in_vain(self, **habit: Any) -> None:
        self.galera.habits[NEW] = habit
        self.grow()
        self.galera.habits.clear()
        self.assertTrue(self.named(NEW).task_status.is_error)
        self.assertNotEqual('', self.fault(self.named(NEW).id))

    def fall(self) -> None:
        """All members have stopped; the first has the latest position."""
        for number, name in enumerate(OLD):
            self.galera.stand(name, STOPPED, 30 - number)
            self.galera.named(name).report_status(Statuses.SHUTDOWN)
        self.galera.promotions = 0
        self.galera.events.clear()

    def assert_back(self) -> None:
        self.wait_notified('dbaas.cluster_recover.end')
        self.assert_serving(*OLD)
        self.assertEqual(['continue products-1'], [
            event for event in self.galera.events
            if event.startswith('continue')])
        self.assertNotIn(f'start {NEW}', self.galera.events)
        new = self.named(NEW)
        self.assertTrue(new.task_status.is_error)
        self.assertEqual(new.task_status.db_text, new.task_description)
        self.assertNotEqual('', self.fault(new.id))
        self.shrink(NEW)
        self.assertEqual(self.before, self.used())

    def test_new_member_that_crashed_does_not_prevent_a_recovery(self) -> None:
        self.grow_in_vain(crashes=True)
        self.galera.named(NEW).leave()
        self.galera.named(NEW).server = STOPPED
        self.fall()
        self.accept({'recover': {}})
        self.assert_back()

    def test_new_member_that_was_never_prepared_does_not_prevent_it(
            self) -> None:
        self.override('member_ready_timeout', 10, 'mariadb')
        self.grow_in_vain(unprepared=True)
        self.galera.named(NEW).die()
        self.fall()
        self.accept({'recover': {}})
        self.assert_back()

    def test_new_member_that_failed_to_prepare_does_not_prevent_it(
            self) -> None:
        self.grow_in_vain(fails_to_prepare=True)
        self.fall()
        self.accept({'recover': {}})
        self.assert_back()

    def test_failed_new_member_does_not_prevent_automatic_recovery(
            self) -> None:
        self.grow_in_vain(crashes=True)
        self.galera.named(NEW).leave()
        self.galera.named(NEW).server = STOPPED
        self.fall()
        self.assertIn(self.cluster_id,
                      automatic.nobody_serves([self.cluster_id]))
        self.assertTrue(automatic.attend(self.cluster_row(self.cluster_id)))
        self.wait_for_task(self.cluster_id)
        self.assert_back()

    def test_new_member_that_was_started_has_to_answer(self) -> None:
        """It may have joined, and may have the latest position."""
        self.override('member_call_timeout', 1, 'mariadb')
        self.grow_in_vain(crashes=True)
        self.galera.named(NEW).die()
        self.fall()
        self.accept({'recover': {}})
        error = self.wait_notified('dbaas.cluster_recover.error')
        self.assertIn(f'{NEW} did not answer', error['message'])
        self.assertEqual([], self.galera.component)

    def test_failed_new_member_cannot_be_forced(self) -> None:
        self.grow_in_vain(crashes=True)
        response = self.act({'recover': {'force': self.named(NEW).id}})
        self.assertEqual(400, response.status_int, response.text)

    def test_cluster_that_was_never_complete_is_refused(self) -> None:
        self.galera.forget()
        self.galera.habits['others-2'] = {'crashes': True}
        self.cluster_id = self.create(name='others').json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.settle()
        self.assertEqual(InstanceTasks.BUILDING_ERROR_SERVER,
                         self.named('others-2').task_status)
        told = self.fault(self.named('others-2').id)
        response = self.act({'recover': {}})
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn('The create of the cluster failed', response.text)
        self.assertIn('Then create it again', response.text)
        self.assertEqual(told, self.fault(self.named('others-2').id))
