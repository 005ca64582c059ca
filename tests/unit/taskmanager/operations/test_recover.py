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


"""The ways in which a recovery brings a cluster back."""

from trove.instance.tasks import InstanceTasks

from tests.unit import specs
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.steps import complete

STATES = view.ServerState
PROBE = ['c-3 write_probe', 'c-3 drop_probe']
PATIENCE = 30       # self_recovery_timeout


class RecoverTestCase(fakes.ClusterTestCase):
    """All members were in a complete cluster; then something happened."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.stopped(100, 100, 100)

    def stopped(self, *seqnos: int) -> None:
        for number, seqno in enumerate(seqnos, start=1):
            self.guests[number].stands(STATES.STOPPED, seqno)

    @property
    def told(self) -> list[str]:
        """All orders but to halt, which most get in case they run."""
        return [order for order in self.galera.told
                if not order.endswith('halt_member')]

    def new(self, force: int | None = None) -> recover.Recovery:
        return recover.Recovery(
            None, self.cluster, force and self.id_of(force))

    def recover(self, force: int | None = None) -> recover.Recovery:
        operation = self.new(force)
        recover.run(operation)
        self.assertEqual(
            [f'c-{number}' for number in self.guests],
            sorted(guest.name for guest in self.galera.inside))
        return operation


class StoppedTest(RecoverTestCase):
    """All servers are down, and their disks tell where they stand."""

    def test_the_furthest_is_continued_and_the_others_join_it(self) -> None:
        self.stopped(90, 100, 95)
        self.guests[2].place = fakes.AT_REST
        self.recover()
        self.assertEqual(
            ['c-2 continue_member', 'c-3 start_member', 'c-1 start_member',
             *PROBE], self.told)
        self.assertEqual((fakes.HISTORY, 100),
                         self.galera.given['c-2 continue_member'])
        self.assertLess(self.clock.now, PATIENCE)

    def test_all_disks_are_read_before_one_is_chosen(self) -> None:
        self.recover()
        questions = self.galera.asked
        first_join = questions.index('c-1 read_probe')
        for name in ('c-1', 'c-2', 'c-3'):
            self.assertIn(f'{name} member_position', questions[:first_join])

    def test_one_history_and_one_component_only(self) -> None:
        self.recover()
        self.assertEqual(['c-1'], self.galera.was_told('continue_member'))
        self.assertEqual([], self.galera.was_told('bootstrap_member'))
        self.assertEqual([], self.galera.was_told('promote_member'))

    def test_its_members_forget_their_faults(self) -> None:
        for number in self.guests:
            faults.save_fault(self.id_of(number), 'it was down', '')
        self.assertEqual(3, len(self.tables.faults))
        self.recover()
        self.assertEqual({}, self.tables.faults)

    def test_all_must_be_reported_healthy_in_the_end(self) -> None:
        self.report_status(2, fakes.Statuses.BLOCKED)
        self.clock.after(20, lambda: self.report_status(
            2, fakes.Statuses.HEALTHY))
        self.recover()
        self.assertGreaterEqual(self.clock.now, 20)

    def test_one_that_never_gets_healthy(self) -> None:
        self.report_status(2, fakes.Statuses.BLOCKED)
        operation = self.new()
        self.assertRaises(exceptions.DeadlineExceeded, recover.run,
                          operation)
        self.assertEqual('c-2', operation.subject.name)
        self.assertIs(complete.BE_HEALTHY, operation.at)

    def test_one_that_crashes_when_it_is_continued(self) -> None:
        self.stopped(90, 100, 90)
        self.guests[2].always('continue_member', lambda: self.guests[2]
                              .stands(STATES.CRASHED))
        self.guests[2].looks = {'error': 'no space'}
        self.clock.after(20, lambda: self.guests[2].looks.update(
            restarts=9))
        operation = self.new()
        error = self.assertRaises(exceptions.MemberFailed, recover.run,
                                  operation)
        self.assertEqual('c-2', error.member)
        self.assertIn('no space', error.cause)
        self.assertEqual([], self.galera.was_told('start_member'))

    def test_one_that_never_becomes_primary_is_to_blame(self) -> None:
        self.stopped(90, 100, 90)
        self.guests[2].always('continue_member', None)
        operation = self.new()
        error = self.assertRaises(exceptions.DeadlineExceeded, recover.run,
                                  operation)
        self.assertIn('c-2 to be Synced in a primary component', str(error))
        self.assertEqual(300, error.seconds)
        self.assertEqual('c-2', operation.subject.name)

    def test_faults_stay_if_another_has_taken_the_operation(self) -> None:
        faults.save_fault(self.id_of(1), 'it was down', '')
        operation = self.new()
        operation.held = specs.spec(lease.Lease)
        last: list[str] = []

        def check() -> None:
            """Lost when the last member has had its last step."""
            if (operation.at is recover.STEPS[-1].steps[-1]
                    and operation.subject.name == 'c-3'):
                last.append('look')
            if len(last) == 2:
                raise exceptions.LeaseLost('gone')
        operation.held.check.side_effect = check
        self.assertRaises(exceptions.LeaseLost, recover.run, operation)
        self.assertIn(self.id_of(1), self.tables.faults)

    def test_nothing_is_forced_that_nobody_has_ordered(self) -> None:
        self.recover()
        self.assertNotIn('WARNING', self.log.output)

    def test_the_order_is_given_again_while_its_answer_is_lost(self) -> None:
        self.guests[1].will('continue_member',
                            fakes.exception.GuestTimeout())
        self.recover()
        self.assertEqual(['c-1', 'c-1'],
                         self.galera.was_told('continue_member'))


class LookingTest(RecoverTestCase):
    """Servers run or start, and look for each other."""

    def starting(self, may_meet: bool) -> None:
        for guest in self.guests.values():
            guest.stands(STATES.STARTING, view_present=may_meet)

    def test_those_that_can_meet_are_let(self) -> None:
        self.starting(may_meet=True)
        for guest in self.guests.values():
            self.clock.after(10, guest.enters)
        self.recover()
        self.assertEqual(PROBE, self.told)
        self.assertLess(self.clock.now, PATIENCE)

    def test_those_that_could_meet_and_do_not(self) -> None:
        self.starting(may_meet=True)
        self.recover()
        self.assertEqual(
            ['c-1 halt_member', 'c-2 halt_member', 'c-3 halt_member',
             'c-1 continue_member', 'c-2 start_member', 'c-3 start_member',
             *PROBE], self.galera.told)
        self.assertGreaterEqual(self.clock.now, PATIENCE)

    def test_those_that_look_in_vain_are_stopped_at_once(self) -> None:
        self.starting(may_meet=False)
        self.recover()
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.galera.halted)
        self.assertLess(self.clock.now, 1)

    def test_one_that_loops_is_stopped_to_read_its_disk(self) -> None:
        self.guests[2].stands(STATES.CRASHED)
        self.recover()
        self.assertEqual(['c-2'], self.galera.halted)

    def test_one_that_was_never_started_is_not(self) -> None:
        self.guests[2].stands(STATES.CRASHED)
        self.guests[2].started = False
        self.recover()
        before = self.galera.told[:self.galera.told.index(
            'c-1 continue_member')]
        self.assertEqual(['c-1 halt_member', 'c-3 halt_member'], before)

    def test_one_that_runs_is_not(self) -> None:
        self.guests[1].stands(STATES.RUNNING)
        self.recover()
        self.assertEqual([], self.galera.halted)

    def test_one_that_somebody_starts_meanwhile_may_meet_others(self) -> None:
        self.guests[2].always('member_position', self._somebody_starts)
        self.recover()
        self.assertEqual(['c-2'], self.galera.halted)
        self.assertEqual(['c-1'], self.galera.was_told('continue_member'))

    def _somebody_starts(self) -> object:
        del self.guests[2].answers['member_position']
        self.guests[2].stands(STATES.STARTING)
        return fakes.AT_REST

    def test_it_is_given_time_for_that(self) -> None:
        def starts() -> object:
            del self.guests[2].answers['member_position']
            self.guests[2].stands(STATES.STARTING, view_present=True)
            self.clock.after(10, self.guests[2].enters)
            return fakes.AT_REST
        self.guests[2].always('member_position', starts)
        self.recover()
        self.assertEqual([], self.galera.halted)
        self.assertEqual([], self.galera.was_told('continue_member'))
        self.assertEqual(['c-1', 'c-3'],
                         self.galera.was_told('start_member'))

    def test_only_disks_of_those_that_start_tell_whether_to_wait(
            self) -> None:
        self.guests[2].stands(STATES.STARTING)
        operation = self.new()
        operation.at = recover.LET_MEET
        (operation.subject,) = recover.first_member(operation)
        recover.LET_MEET.do(operation, operation.subject)
        self.assertEqual(['c-2'], list(operation.positions))

    def test_a_component_that_comes_about_meanwhile_is_joined(self) -> None:
        def meet() -> object:
            del self.guests[2].answers['member_position']
            self.guests[2].enters()
            return fakes.AT_REST
        self.guests[2].always('member_position', meet)
        operation = self.recover()
        self.assertEqual([], self.galera.was_told('continue_member'))
        self.assertFalse(operation.order_given)
        self.assertEqual(['c-1', 'c-3'],
                         self.galera.was_told('start_member'))

    def test_one_that_is_busy_is_waited_for(self) -> None:
        self.guests[1].stands(STATES.RUNNING)
        self.guests[1].mute = True
        self.clock.after(5, lambda: setattr(self.guests[1], 'mute', False))
        self.recover()
        self.assertEqual(['c-1'], self.galera.was_told('promote_member'))
        self.assertGreaterEqual(self.clock.now, 5)

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

    def test_one_that_is_busy_when_others_stop_is_waited_for(self) -> None:
        def stops() -> bool:
            self.guests[2].stands(STATES.STOPPED)
            self.guests[1].mute = True
            self.clock.after(5, lambda: setattr(
                self.guests[1], 'mute', False))
            return True
        self.guests[1].stands(STATES.RUNNING)
        self.guests[2].stands(STATES.STARTING)
        self.guests[2].will('halt_member', stops)
        self.recover()
        self.assertEqual(['c-1'], self.galera.was_told('promote_member'))

    def test_who_is_primary_is_not_kept_waiting_by_one_that_starts(
            self) -> None:
        self.guests[3].enters()
        self.guests[1].stands(STATES.STARTING, view_present=True)
        self.recover()
        self.assertEqual(['c-1'], self.galera.halted)
        self.assertEqual(PATIENCE, self.clock.now)


class SurvivorTest(RecoverTestCase):
    """One or more run outside a primary component."""

    def test_it_is_promoted_where_it_stands(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        operation = self.recover()
        self.assertEqual((fakes.HISTORY, 100),
                         self.galera.given['c-2 promote_member'])
        self.assertEqual(
            ['c-2 promote_member', 'c-1 start_member', 'c-3 start_member',
             *PROBE], self.told)
        self.assertTrue(operation.order_given)

    def test_it_is_told_again_while_its_component_changes(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[2].will('promote_member', False, False)
        self.recover()
        self.assertEqual(['c-2'] * 3, self.galera.was_told('promote_member'))
        self.assertEqual([], self.galera.halted)

    def test_if_it_never_counts_them_it_is_stopped_and_continued(
            self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[1].place = self.guests[3].place = (
            fakes.dataclasses.replace(fakes.AT_REST, seqno=99))
        self.guests[2].always('promote_member', False)
        self.recover()
        self.assertEqual(['c-2'], self.galera.halted)
        self.assertEqual(['c-2'], self.galera.was_told('continue_member'))
        self.assertEqual(PATIENCE, self.clock.now)

    def test_if_the_first_refuses_the_next_is_asked(self) -> None:
        self.guests[1].stands(STATES.RUNNING)
        self.guests[2].stands(STATES.RUNNING)
        self.guests[1].always('promote_member', False)
        self.recover()
        self.assertEqual(['c-1'], self.galera.halted)
        self.assertEqual('c-2', self.galera.was_told('promote_member')[-1])
        self.assertEqual([], self.galera.was_told('continue_member'))

    def test_if_all_refuse_one_of_them_is_continued(self) -> None:
        for guest in self.guests.values():
            guest.stands(STATES.RUNNING)
            guest.always('promote_member', False)
        self.recover()
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.galera.halted)
        self.assertEqual(['c-1'], self.galera.was_told('continue_member'))

    def test_one_that_is_behind_is_stopped_first(self) -> None:
        self.guests[2].stands(STATES.RUNNING, 90)
        self.recover()
        self.assertEqual(['c-2'], self.galera.halted)
        self.assertLess(self.galera.told.index('c-2 halt_member'),
                        self.galera.told.index('c-1 continue_member'))

    def test_while_one_is_primary_the_others_join_it(self) -> None:
        self.guests[3].enters()
        operation = self.recover()
        self.assertEqual(['c-1 start_member', 'c-2 start_member', *PROBE],
                         self.told)
        self.assertEqual((fakes.HISTORY, 'c-3'),
                         (operation.history, operation.founder.name))

    def test_what_is_whole_is_left_alone(self) -> None:
        for guest in self.guests.values():
            guest.enters()
        self.recover()
        self.assertEqual(PROBE, self.told)
        self.assertEqual(0, self.clock.now)


class JoinersTest(RecoverTestCase):

    def order(self, founder: int, **positions: int) -> list[str]:
        operation = self.new()
        operation.look()
        operation.founder = operation.members[founder - 1]
        operation.read([name for name in operation.everyone])
        return [member.name for member in recover.joiners(operation)]

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
            member.name for member in recover.joiners(operation)])


class InterruptedTest(RecoverTestCase):
    """The taskmanager is killed at any of its orders; another goes on."""

    def disaster(self) -> None:
        self.galera.inside.clear()
        self.galera.told.clear()
        self.stopped(90, 100, 95)
        self.guests[1].stands(STATES.STARTING, 90)

    def test_another_run_brings_it_to_its_end(self) -> None:
        moment = 0
        self.disaster()
        while self.killed_at(moment, lambda: recover.run(self.new())):
            self.recover()
            told = self.galera.was_told('continue_member')
            self.assertEqual({'c-2'}, set(told), moment)
            self.assertEqual([], self.galera.was_told('bootstrap_member'))
            moment += 1
            self.disaster()
        self.assertEqual(2 * 8, moment)
