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

"""The order of the steps of a shrink, and a shrink that fails."""

import testtools
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager.steps import test_leave
from trove_pxc import exceptions
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import allow_peers
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import leave
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import verify


class StoryTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.story = [(phase.of, step) for phase in shrink.STEPS
                      for step in phase.steps]
        self.steps = [step for _, step in self.story]

    def test_before_each_stop_the_others_are_looked_at(self) -> None:
        (phase,) = (phase for phase in shrink.STEPS
                    if leave.TAKE_OUT in phase.steps)
        self.assertEqual((online.LOOK, leave.TAKE_OUT), phase.steps)
        self.assertIs(formation.passing, phase.of)

    def test_doors_are_closed_before_an_address_is_free(self) -> None:
        places = [self.steps.index(step) for step in (
            leave.TAKE_OUT, allow_peers.ALLOW_PEERS, configure.CONFIGURE,
            leave.REMOVE)]
        self.assertEqual(sorted(places), places)

    def test_nothing_is_marked_before_a_look(self) -> None:
        self.assertIs(online.LOOK, self.steps[0])
        self.assertIs(leave.MARK, self.steps[1])

    def test_those_that_stay_have_the_last_word(self) -> None:
        self.assertEqual((formation.every_member, verify.AGREE),
                         self.story[-1])


class GiveUpTest(test_leave.ShrinkTestCase):

    def given_up(self, failure: exceptions.StepFailed,
                 *numbers: int) -> None:
        for number in numbers:
            self.change(number, task_status=InstanceTasks.DELETING)
        shrink.OPERATION.record(self.new(*numbers), failure)

    def failure(self, *blamed: int) -> exceptions.StepFailed:
        return workflow.failure(
            self.new(5), exceptions.MemberFailed(
                'c-2', self.id_of(blamed[0]), 'no disk')
            if blamed else exceptions.ClusterInconsistent('no quorum'))

    def test_one_that_still_serves_is_a_member_as_before(self) -> None:
        self.given_up(self.failure(), 5)
        self.assertEqual(InstanceTasks.NONE, self.task(5))
        self.assertIn('no quorum', self.tables.faults[self.id_of(5)])

    def test_one_that_does_not_is_in_error(self) -> None:
        self.guests[4].stands(test_leave.STATES.STOPPED)
        self.guests[5].silent = True
        self.given_up(self.failure(), 4, 5)
        self.assertEqual([InstanceTasks.SHRINKING_ERROR] * 2,
                         [self.task(number) for number in (4, 5)])

    def test_one_that_was_not_marked_stays_as_it_is(self) -> None:
        self.guests[5].stands(test_leave.STATES.STOPPED)
        self.change(5, task_status=InstanceTasks.BUILDING)
        shrink.OPERATION.record(self.new(5), self.failure())
        self.assertEqual(InstanceTasks.BUILDING, self.task(5))

    def test_who_stays_tells_it_if_it_is_to_blame(self) -> None:
        self.given_up(self.failure(2), 5)
        self.assertEqual({self.id_of(2), self.id_of(5)},
                         set(self.tables.faults))

    def test_who_is_gone_tells_nothing(self) -> None:
        operation = self.new(4, 5)
        self.change(4, deleted=True)
        shrink.OPERATION.record(operation, self.failure())
        self.assertEqual([self.id_of(5)], list(self.tables.faults))
