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

"""Recoveries that are refused, forced or given up, and their effects."""

import dataclasses

from trove.common import exception
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.operations import test_recover
from trove_pxc import exceptions
from trove_pxc.galera.reason import Reason
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.steps import recovery

PATIENCE = test_recover.PATIENCE
STATES = test_recover.STATES


class RefusalTest(test_recover.RecoverTestCase):

    def refused(self, cause: str, advice: str, *named: str,
                force: str | None = None) -> recovery.Recovery:
        """Also check that no member was ordered to become primary."""
        operation = recovery.Recovery(None, self.cluster, force)
        error = self.assertRaises(
            exceptions.RecoveryRefused, recover.run, operation)
        self.assertIn(cause, error.cause)
        self.assertIn(advice, error.advice)
        self.assertEqual(self.blame(named), error.named)
        self.assertEqual([], self.told)
        self.assertFalse(operation.order_given)
        return operation

    def test_one_that_does_not_answer(self) -> None:
        self.guests[2].silent = True
        self.refused('c-2 did not answer', 'force another member '
                     '(--force MEMBER)', 'c-2')
        self.assertGreaterEqual(self.clock.now, PATIENCE)
        self.assertEqual([], self.galera.stopped)

    def test_while_one_is_silent_the_others_go_on_looking(self) -> None:
        self.guests[1].stands(STATES.STARTING)
        self.guests[2].silent = True
        self.refused('c-2 did not answer', '', 'c-2')
        self.assertEqual([], self.galera.told)

    def test_two_primary_components(self) -> None:
        for number in (1, 2):
            self.guests[number].enters()
            self.guests[number].sees = {
                'incoming_addresses': (f'{number}',)}
        self.refused('two primary components: c-1 and c-2',
                     'Stop all writes', 'c-1', 'c-2')

    def test_a_server_that_never_answers(self) -> None:
        self.guests[3].server = STATES.UNRESPONSIVE
        self.refused('server of c-3 does not answer',
                     'reboot c-3', 'c-3')
        self.assertGreaterEqual(self.clock.now, PATIENCE)

    def test_a_server_that_never_tells_its_state(self) -> None:
        self.guests[3].stands(STATES.RUNNING)
        self.guests[3].unresponsive = True
        self.refused('server of c-3 runs but does not report its state',
                     'reboot c-3', 'c-3')

    def test_a_server_that_goes_unresponsive_when_others_stop(self) -> None:
        def stops() -> bool:
            self.guests[2].stands(STATES.STOPPED)
            self.guests[1].unresponsive = True
            return True
        self.guests[1].stands(STATES.RUNNING)
        self.guests[2].stands(STATES.STARTING)
        self.guests[2].will('halt_member', stops)
        self.refused('server of c-1 runs but does not report', '', 'c-1')
        self.assertEqual(PATIENCE, self.clock.now)

    def test_another_history(self) -> None:
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        operation = self.refused(
            f'c-2 has the history {fakes.FOREIGN}',
            '(--force MEMBER)', 'c-2')
        self.assertEqual([], operation.stopped)

    def test_behind_what_a_member_remembers(self) -> None:
        self.guests[2].stands(STATES.STOPPED, seen_seqno=120)
        self.refused('c-2 recorded position 120', 'Force c-1 only',
                     'c-1', 'c-2')

    def test_a_disk_that_cannot_be_read(self) -> None:
        self.guests[2].always('member_position', exception.GuestError(
            original_message='no such file'))
        self.refused('c-2 does not report its position', 'force', 'c-2')

    def test_one_that_hangs_was_stopped_to_know(self) -> None:
        """The position on its disk can be read only after the stop."""
        self.guests[1].stands(STATES.STARTING)
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        operation = self.refused('has the history', '', 'c-2')
        self.assertEqual(['c-1'], self.galera.stopped)
        self.assertEqual(
            ['c-1'], [member.name for member in operation.stopped])

    def test_one_that_is_behind_and_does_not_stop(self) -> None:
        self.guests[2].stands(STATES.RUNNING, 90)
        self.guests[2].always('halt_member', True)
        operation = self.new()
        error = self.assertRaises(
            exceptions.RecoveryRefused, recover.run, operation)
        self.assertIn('c-2 runs outside a primary component', error.cause)
        self.assertEqual(3, self.galera.told.count('c-2 halt_member'))
        self.assertEqual(['c-2'], [one.name for one in operation.stopped])
        self.assertEqual([], self.told)

    def test_strangers_cannot_be_forced(self) -> None:
        self.refused('stranger is not a member', 'Name one of them',
                     'c-1', 'c-2', 'c-3', force='stranger')

    def test_the_forced_one_does_not_answer(self) -> None:
        self.guests[2].silent = True
        self.refused('c-2 did not answer, so it cannot be started',
                     'force another member (--force MEMBER)', 'c-2',
                     force=self.id_of(2))
        self.assertLess(self.clock.now, PATIENCE)

    def test_a_cluster_that_was_never_complete(self) -> None:
        for number in self.guests:
            self.report_status(number, fakes.Statuses.INSTANCE_READY)
        self.refused('the cluster was never complete', 'Delete it')
        self.assertEqual([], self.galera.asked)

    def test_one_complete_member_is_enough(self) -> None:
        for number in (1, 2):
            self.report_status(number, fakes.Statuses.INSTANCE_READY)
        self.new().check()

    def test_a_cluster_without_members(self) -> None:
        for number in self.guests:
            self.change(number, deleted=True)
        self.assertRaises(exceptions.ClusterInconsistent, recover.run,
                          self.new())

    def test_a_cluster_that_is_being_deleted(self) -> None:
        self.guests[1].stands(STATES.STARTING, view_present=True)
        self.clock.after(10, self.delete_cluster)
        self.assertRaises(exceptions.ClusterBeingDeleted, recover.run,
                          self.new())
        self.assertEqual([], self.galera.told)
        self.assertLess(self.clock.now, 11)

    def test_names_that_read_like_the_text_around_them(self) -> None:
        """They are no ends of sentences, no advice, and nobody else."""
        self.change(1, name='may')
        self.change(2, name='c. Force 2')
        self.change(3, name='latest data')
        self.guests[2].silent = True
        error = self.assertRaises(
            exceptions.RecoveryRefused, recover.run, self.new())
        self.assertEqual(
            ('c. Force 2 did not answer, and may run or hold the latest data',
             (self.id_of(2),)), (error.cause, error.named))
        self.guests[2].silent = False
        self.guests[2].server = STATES.UNRESPONSIVE
        error = self.assertRaises(
            exceptions.RecoveryRefused, recover.run, self.new())
        self.assertEqual(
            ('The server of c. Force 2 does not answer, so the position of '
             'its data is unknown', (self.id_of(2),)),
            (error.cause, error.named))
        self.assertNotIn('--force', error.advice)

    def test_the_end_of_a_refusal_without_advice(self) -> None:
        error = self.new().refused(Reason('c-2 runs', named=('c-2',)))
        self.assertEqual(('c-2 runs', '', 'c-2 runs.'),
                         (error.cause, error.advice, str(error)))

    def test_only_an_advice_to_force_names_the_option(self) -> None:
        operation = self.new()
        self.assertEqual('Wait.', operation.refused(
            Reason('No', 'Wait.')).advice)
        for advice in ('Force c-1.', 'Have one started, or force c-1.'):
            self.assertEqual(
                f'{advice[:-1]} (--force MEMBER)',
                operation.refused(Reason('No', advice, force=True)).advice)

    def test_namesakes_are_told_apart(self) -> None:
        self.change(2, name='c-1')
        operation = self.new(force=2)
        twins = [f'c-1 ({self.id_of(number)})' for number in (1, 2)]
        self.assertEqual(
            [*twins, 'c-3'], list(operation.found.survey.all_members))
        self.assertEqual(twins[1], operation.forced)
        error = operation.refused(Reason(
            f'{twins[1]} did not answer', 'Wait.', (twins[1],)))
        self.assertEqual((self.id_of(2),), error.named)


class ForceTest(test_recover.RecoverTestCase):

    def forced(self, number: int) -> recovery.Recovery:
        operation = self.new(force=number)
        recover.run(operation)
        return operation

    def test_it_is_continued_though_another_is_silent(self) -> None:
        self.guests[3].silent = True
        operation = self.forced(2)
        self.assertEqual(['c-2'], self.galera.was_told('continue_member'))
        self.assertEqual(['c-1'], self.galera.was_told('start_member'))
        self.assertEqual(
            ['c-1', 'c-2'], [member.name for member in operation.members])
        self.assertLess(self.clock.now, PATIENCE)

    def test_the_log_keeps_what_the_operator_answers_for(self) -> None:
        self.stopped(100, 90, 100)
        self.forced(2)
        self.assertIn(f'WARNING Recovery of cluster {fakes.CLUSTER}: '
                      'The operator forced c-2, which is at position 90',
                      self.log.output)
        self.assertEqual((fakes.HISTORY, 90),
                         self.galera.given['c-2 continue_member'])

    def test_who_is_primary_is_joined_whoever_is_forced(self) -> None:
        self.guests[1].enters()
        operation = self.forced(2)
        self.assertEqual('c-1', operation.found.source.name)
        self.assertEqual([], self.galera.was_told('continue_member'))

    def test_silent_ones_are_brought_back_without_force(self) -> None:
        self.guests[1].enters()
        self.guests[3].silent = True
        self.clock.after(60, lambda: setattr(
            self.guests[3], 'silent', False))
        recover.run(self.new())
        self.assertEqual(['c-2', 'c-3'],
                         self.galera.was_told('start_member'))


class FailedMemberTest(test_recover.RecoverTestCase):
    """A member failed to join or to leave."""

    def setUp(self) -> None:
        super().setUp()
        self.late = self.add_member(
            4, task=InstanceTasks.GROWING_ERROR)

    def test_one_that_was_never_prepared_has_no_say(self) -> None:
        self.report_status(4, fakes.Statuses.FAILED)
        self.late.silent = True
        operation = self.new()
        self.assertNotIn('c-4', operation.found.survey.all_members)
        recover.run(operation)
        self.assertNotIn('c-4 member_report', self.galera.asked)

    def test_one_that_was_never_started_has_no_say(self) -> None:
        operation = self.new()
        self.assertIn('c-4', operation.found.survey.all_members)
        recover.run(operation)
        self.assertNotIn('c-4', operation.found.survey.all_members)
        self.assertNotIn('c-4', operation.found.survey.reports)
        self.assertEqual(3, len(self.galera.inside))

    def test_one_that_was_started_has_to_answer(self) -> None:
        self.late.silent = True
        operation = self.new()
        error = self.assertRaises(
            exceptions.RecoveryRefused, recover.run, operation)
        self.assertEqual(self.blame(['c-4']), error.named)

    def test_what_it_holds_counts(self) -> None:
        self.late.stands(STATES.STOPPED, 120)
        recover.run(self.new())
        self.assertEqual(['c-4'], self.galera.was_told('continue_member'))

    def test_one_that_is_not_marked_has_a_say_ready_or_not(self) -> None:
        self.report_status(2, fakes.Statuses.BUILDING)
        self.assertIn('c-2', self.new().found.survey.all_members)

    def test_it_is_not_brought_back(self) -> None:
        self.late.stands(STATES.STOPPED, 90)
        operation = self.new()
        recover.run(operation)
        self.assertEqual(['c-2', 'c-3'],
                         self.galera.was_told('start_member'))
        self.assertNotIn(self.late, self.galera.inside)

    def test_it_may_be_inside_all_the_same(self) -> None:
        self.late.enters()
        recover.run(self.new())
        self.assertEqual(4, len(self.galera.inside))

    def test_without_it_nobody_else_may_be(self) -> None:
        self.change(4, task_status=InstanceTasks.NONE)
        operation = self.new()
        found = dataclasses.replace(operation.found, history=fakes.HISTORY)
        for guest in self.guests.values():
            guest.enters()
        report = self.late.member_report()
        self.assertTrue(found.joined(report, 4))
        self.assertFalse(found.joined(report, 3))


class GiveUpTest(test_recover.RecoverTestCase):

    def give_up(self, operation: recovery.Recovery,
                failure: exceptions.StepFailed) -> None:
        """Record the failure as the runner does."""
        recover.OPERATION.record(operation, failure)
        recover.OPERATION.put_back(operation)

    def given_up(self) -> recovery.Recovery:
        operation = self.new()
        error = self.assertRaises(exceptions.GaleraError, recover.run,
                                  operation)
        failure = workflow.failure(operation, error)
        failure.__cause__ = error
        self.galera.told.clear()
        self.give_up(operation, failure)
        return operation

    def test_those_that_are_named_tell_why(self) -> None:
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        self.given_up()
        self.assertEqual([self.id_of(2)], list(self.tables.faults))
        fault = self.tables.faults[self.id_of(2)]
        self.assertIn('recover: "choose the member to bootstrap" failed: c-2 '
                      'has the history', fault)
        self.assertIn('--force MEMBER', fault)

    def test_administrators_see_where_it_came_from(self) -> None:
        operation = self.new()
        failure = exceptions.StepFailed('recover', 'a', 'b', 'c')
        self.give_up(operation, failure)
        self.assertIn('StepFailed: recover', self.tables.details)
        failure.__cause__ = ZeroDivisionError('the cause')
        self.give_up(operation, failure)
        self.assertIn('ZeroDivisionError: the cause', self.tables.details)
        self.assertNotIn('StepFailed', self.tables.details)

    def test_if_nobody_is_all_do(self) -> None:
        operation = self.new()
        self.give_up(operation, exceptions.StepFailed(
            'recover', 'a step', 'a cause', 'a remedy'))
        self.assertEqual({self.id_of(number) for number in (1, 2, 3)},
                         set(self.tables.faults))

    def test_what_was_stopped_to_look_at_it_runs_again(self) -> None:
        self.guests[1].stands(STATES.STARTING)
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        self.given_up()
        self.assertEqual(['c-1 start_member'], self.galera.told)

    def test_one_that_cannot_be_started_keeps_no_other_from_it(self) -> None:
        self.guests[1].stands(STATES.STARTING)
        self.guests[3].stands(STATES.CRASHED)
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        self.guests[1].always('start_member', exception.GuestError(
            original_message='no disk'))
        self.given_up()
        self.assertEqual(['c-1 start_member', 'c-3 start_member'],
                         self.galera.told)
        self.assertIn('c-1 could not be started again', self.log.output)

    def test_not_beside_one_that_may_still_become_primary(self) -> None:
        self.guests[3].stands(STATES.STARTING)
        self.guests[1].always('continue_member', lambda: self.guests[1]
                              .stands(STATES.STARTING))
        operation = self.given_up()
        self.assertTrue(operation.order_given)
        self.assertEqual([], self.galera.told)
        self.assertIn('c-3 stay stopped, because c-1 may still become primary',
                      self.log.output)

    def test_nor_beside_one_that_did_not_take_its_promotion(self) -> None:
        self.guests[1].stands(STATES.RUNNING)
        self.guests[3].stands(STATES.STARTING)
        self.guests[1].always('promote_member', True)
        self.given_up()
        self.assertEqual([], self.galera.told)

    def test_nor_if_the_promotion_itself_failed(self) -> None:
        self.guests[1].stands(STATES.STOPPED, 90)
        self.guests[2].stands(STATES.RUNNING)
        self.guests[3].stands(STATES.STARTING)
        self.guests[2].always('promote_member', exception.GuestError(
            original_message='no answer'))
        operation = self.new()
        error = self.assertRaises(exception.GuestError, recover.run,
                                  operation)
        self.galera.told.clear()
        self.give_up(operation, workflow.failure(operation, error))
        self.assertEqual([], self.galera.told)
        self.assertEqual([self.id_of(2)], list(self.tables.faults))

    def test_beside_a_component_that_there_is(self) -> None:
        self.guests[3].stands(STATES.STARTING)
        self.guests[2].always('start_member', exception.GuestError(
            original_message='no disk'))
        operation = self.new()
        self.assertRaises(exception.GuestError, recover.run, operation)
        self.galera.told.clear()
        self.give_up(operation, workflow.failure(
            operation, exception.GuestError(original_message='no disk')))
        self.assertEqual(['c-3 start_member'], self.galera.told)
        self.assertEqual([self.id_of(2)], list(self.tables.faults))
