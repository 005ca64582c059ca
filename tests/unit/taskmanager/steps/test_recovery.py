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


"""What a recovery knows, and in which order members join."""

from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager.operations import test_recover
from trove_pxc.galera import plan
from trove_pxc.taskmanager.steps import recovery


class ChoiceTest(test_recover.RecoverTestCase):
    """What a run knows is what members told it last."""

    def test_a_position_that_was_read_before_is_not_kept(self) -> None:
        operation = self.new()
        operation.look()
        operation.read(['c-1'])
        self.assertEqual(100, operation.positions['c-1'].seqno)
        self.guests[1].silent = True
        operation.read(['c-1'])
        self.assertEqual({}, operation.positions)

    def test_a_report_that_was_given_before_is_not_kept(self) -> None:
        operation = self.new()
        operation.look()
        self.assertEqual([], operation.silent)
        self.guests[1].silent = True
        operation.look()
        self.assertEqual(
            ['c-1'], [member.name for member in operation.silent])
        self.assertIs(plan.Step.REFUSE, operation.choose().step)

    def test_no_primary_is_met_where_there_is_none(self) -> None:
        operation = self.new()
        operation.look()
        self.assertFalse(operation.meet_primary())
        self.assertIsNone(operation.founder)

    def test_one_that_was_silent_is_given_less_time(self) -> None:
        self.guests[2].silent = True
        operation = self.new()
        operation.look()
        self.assertEqual((None,), self.galera.given['c-2 member_report'])
        operation.look()
        self.assertEqual((3,), self.galera.given['c-2 member_report'])
        self.assertEqual((None,), self.galera.given['c-1 member_report'])
        self.guests[2].silent = False
        operation.look()
        operation.look()
        self.assertEqual((None,), self.galera.given['c-2 member_report'])


class JoinersTest(test_recover.RecoverTestCase):

    def order(self, founder: int, **positions: int) -> list[str]:
        operation = self.new()
        operation.look()
        operation.founder = operation.members[founder - 1]
        operation.read([name for name in operation.everyone])
        return [member.name for member in recovery.joiners(operation)]

    def test_who_lacks_least_comes_first(self) -> None:
        self.stopped(80, 100, 90)
        self.assertEqual(['c-3', 'c-1'], self.order(founder=2))

    def test_equals_come_in_member_order(self) -> None:
        self.assertEqual(['c-1', 'c-2'], self.order(founder=3))

    def test_silent_ones_come_last(self) -> None:
        self.guests[1].silent = True
        self.assertEqual(['c-3', 'c-1'], self.order(founder=2))

    def test_failed_ones_are_left_out(self) -> None:
        self.change(1, task_status=InstanceTasks.GROWING_ERROR)
        operation = self.new()
        operation.look()
        operation.founder = operation.everyone['c-2']
        self.assertEqual(['c-3'], [
            member.name for member in recovery.joiners(operation)])
