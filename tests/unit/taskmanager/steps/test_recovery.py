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

"""The knowledge of a recovery, and the order of its joins."""

import dataclasses
from typing import Any

from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager.operations import test_recover
from trove_pxc.galera import plan
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation
from trove_pxc import waiting


class ChoiceTest(test_recover.RecoverTestCase):
    """The state is that of the last reports."""

    def test_a_position_that_was_read_before_is_not_kept(self) -> None:
        operation = self.new()
        found = operation.read(operation.look(operation.found), ['c-1'])
        self.assertEqual(100, found.survey.positions['c-1'].seqno)
        self.guests[1].silent = True
        self.assertEqual({}, operation.read(found, ['c-1']).survey.positions)

    def test_a_report_that_was_given_before_is_not_kept(self) -> None:
        operation = self.new()
        found = operation.look(operation.found)
        self.assertEqual([], found.survey.silent)
        self.guests[1].silent = True
        survey = operation.look(found).survey
        self.assertEqual(['c-1'], [member.name for member in survey.silent])
        self.assertIs(plan.Step.REFUSE, operation.choose(survey).step)

    def test_no_primary_is_met_where_there_is_none(self) -> None:
        operation = self.new()
        self.assertIsNone(operation.meet_primary(
            operation.look(operation.found)))

    def test_a_look_alone_changes_nothing(self) -> None:
        operation = self.new()
        before = vars(operation).copy()
        self.guests[1].enters()
        found = operation.read(operation.look(operation.found), ['c-2'])
        self.assertEqual('c-1', operation.meet_primary(found).source.name)
        self.assertEqual(before, vars(operation))

    def test_one_that_was_silent_is_given_less_time(self) -> None:
        self.guests[2].silent = True
        operation = self.new()
        found = operation.look(operation.found)
        self.assertEqual((None,), self.galera.given['c-2 member_report'])
        found = operation.look(found)
        self.assertEqual((3,), self.galera.given['c-2 member_report'])
        self.assertEqual((None,), self.galera.given['c-1 member_report'])
        self.guests[2].silent = False
        operation.look(operation.look(found))
        self.assertEqual((None,), self.galera.given['c-2 member_report'])

    def test_until_all_tell_their_state(self) -> None:
        self.guests[1].stands(test_recover.STATES.RUNNING)
        self.guests[1].unresponsive = True
        operation, waits = self.new(), []

        def wait(probe: Any, what: str, seconds: float) -> None:
            waits.append((what, seconds))
            self.assertRaises(waiting.NotYet, probe)
            self.guests[1].unresponsive = False
            probe()
        found = operation.look_closely(operation.found, wait)
        self.assertEqual(
            [('the servers to report their state', test_recover.PATIENCE)],
            waits)
        self.assertIsNotNone(found.survey.reports['c-1'].view)

    def test_what_is_never_told_stays_unknown(self) -> None:
        self.guests[1].stands(test_recover.STATES.RUNNING)
        self.guests[1].unresponsive = True
        operation = self.new()
        found = operation.look_closely(
            operation.found, lambda probe, what, seconds: waiting.until(
                what, probe, seconds, 1))
        self.assertIsNone(found.survey.reports['c-1'].view)
        self.assertEqual(test_recover.PATIENCE, self.clock.now)


class JoinersTest(test_recover.RecoverTestCase):

    def order(self, source: int) -> list[str]:
        operation = self.new()
        found = operation.look(operation.found)
        found = operation.read(found, list(found.survey.all_members))
        workflow.set_found(operation, dataclasses.replace(
            found, source=operation.all_members[source - 1]))
        return [member.name for member in formation.joiners(operation)]

    def test_who_lacks_least_comes_first(self) -> None:
        self.stopped(80, 100, 90)
        self.assertEqual(['c-3', 'c-1'], self.order(source=2))

    def test_equals_come_in_member_order(self) -> None:
        self.assertEqual(['c-1', 'c-2'], self.order(source=3))

    def test_silent_ones_come_last(self) -> None:
        self.guests[1].silent = True
        self.assertEqual(['c-3', 'c-1'], self.order(source=2))

    def test_failed_ones_are_left_out(self) -> None:
        self.change(1, task_status=InstanceTasks.GROWING_ERROR)
        self.assertEqual(['c-3'], self.order(source=2))
