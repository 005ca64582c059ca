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

"""Members find each other, or one is bootstrapped or promoted."""

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.operations import test_recover
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import primary

PATIENCE = test_recover.PATIENCE
STATES = test_recover.STATES


class LookingTest(test_recover.RecoverTestCase):
    """Servers run or start, and search for each other."""

    def starting(self, may_meet: bool) -> None:
        for guest in self.guests.values():
            guest.stands(STATES.STARTING, view_present=may_meet)

    def test_those_that_can_meet_are_let(self) -> None:
        self.starting(may_meet=True)
        for guest in self.guests.values():
            self.clock.after(10, guest.enters)
        self.recover()
        self.assertEqual(test_recover.PROBE, self.told)
        self.assertLess(self.clock.now, PATIENCE)

    def test_those_that_could_meet_and_do_not(self) -> None:
        self.starting(may_meet=True)
        self.recover()
        self.assertEqual(
            ['c-1 halt_member', 'c-2 halt_member', 'c-3 halt_member',
             'c-1 continue_member', 'c-2 start_member', 'c-3 start_member',
             *test_recover.PROBE], self.galera.told)
        self.assertGreaterEqual(self.clock.now, PATIENCE)

    def test_those_that_look_in_vain_are_stopped_at_once(self) -> None:
        self.starting(may_meet=False)
        self.recover()
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.galera.stopped)
        self.assertLess(self.clock.now, 1)

    def test_one_that_loops_is_stopped_to_read_its_disk(self) -> None:
        self.guests[2].stands(STATES.CRASHED)
        self.recover()
        self.assertEqual(['c-2'], self.galera.stopped)

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
        self.assertEqual([], self.galera.stopped)

    def test_one_that_somebody_starts_meanwhile_may_meet_others(self) -> None:
        self.guests[2].always('member_position', self._somebody_starts)
        self.recover()
        self.assertEqual(['c-2'], self.galera.stopped)
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
        self.assertEqual([], self.galera.stopped)
        self.assertEqual([], self.galera.was_told('continue_member'))
        self.assertEqual(['c-1', 'c-3'],
                         self.galera.was_told('start_member'))

    def test_only_disks_of_those_that_start_tell_whether_to_wait(
            self) -> None:
        self.guests[2].stands(STATES.STARTING)
        operation = self.new()
        operation.at = primary.WAIT_FOR_SELF_RECOVERY
        (operation.subject,) = formation.first_member(operation)
        found = primary.WAIT_FOR_SELF_RECOVERY.do(operation, operation.subject)
        self.assertEqual(['c-2'], list(found.survey.positions))

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
        self.guests[1].unresponsive = True
        self.clock.after(5, lambda: setattr(
            self.guests[1], 'unresponsive', False))
        self.recover()
        self.assertEqual(['c-1'], self.galera.was_told('promote_member'))
        self.assertGreaterEqual(self.clock.now, 5)

    def test_one_that_is_busy_when_others_stop_is_waited_for(self) -> None:
        def stops() -> bool:
            self.guests[2].stands(STATES.STOPPED)
            self.guests[1].unresponsive = True
            self.clock.after(5, lambda: setattr(
                self.guests[1], 'unresponsive', False))
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
        self.assertEqual(['c-1'], self.galera.stopped)
        self.assertEqual(PATIENCE, self.clock.now)


class SurvivorTest(test_recover.RecoverTestCase):
    """One or more run outside a primary component."""

    def test_it_is_promoted_where_it_stands(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        operation = self.recover()
        self.assertEqual((fakes.HISTORY, 100),
                         self.galera.given['c-2 promote_member'])
        self.assertEqual(
            ['c-2 promote_member', 'c-1 start_member', 'c-3 start_member',
             *test_recover.PROBE], self.told)
        self.assertTrue(operation.order_given)

    def test_it_is_told_again_while_its_component_changes(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[2].will('promote_member', False, False)
        self.recover()
        self.assertEqual(['c-2'] * 3, self.galera.was_told('promote_member'))
        self.assertEqual([], self.galera.stopped)

    def test_if_it_never_counts_them_it_is_stopped_and_continued(
            self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[1].place = self.guests[3].place = (
            fakes.dataclasses.replace(fakes.AT_REST, seqno=99))
        self.guests[2].always('promote_member', False)
        self.recover()
        self.assertEqual(['c-2'], self.galera.stopped)
        self.assertEqual(['c-2'], self.galera.was_told('continue_member'))
        self.assertEqual(PATIENCE, self.clock.now)

    def test_if_the_first_refuses_the_next_is_asked(self) -> None:
        self.guests[1].stands(STATES.RUNNING)
        self.guests[2].stands(STATES.RUNNING)
        self.guests[1].always('promote_member', False)
        self.recover()
        self.assertEqual(['c-1'], self.galera.stopped)
        self.assertEqual('c-2', self.galera.was_told('promote_member')[-1])
        self.assertEqual([], self.galera.was_told('continue_member'))

    def test_if_all_refuse_one_of_them_is_continued(self) -> None:
        for guest in self.guests.values():
            guest.stands(STATES.RUNNING)
            guest.always('promote_member', False)
        self.recover()
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.galera.stopped)
        self.assertEqual(['c-1'], self.galera.was_told('continue_member'))

    def test_one_that_is_behind_is_stopped_first(self) -> None:
        self.guests[2].stands(STATES.RUNNING, 90)
        self.recover()
        self.assertEqual(['c-2'], self.galera.stopped)
        self.assertLess(self.galera.told.index('c-2 halt_member'),
                        self.galera.told.index('c-1 continue_member'))

    def test_while_one_is_primary_the_others_join_it(self) -> None:
        self.guests[3].enters()
        operation = self.recover()
        self.assertEqual(['c-1 start_member', 'c-2 start_member',
                          *test_recover.PROBE],
                         self.told)
        self.assertEqual(
            (fakes.HISTORY, 'c-3'),
            (operation.found.history, operation.found.source.name))

    def test_what_is_whole_is_left_alone(self) -> None:
        for guest in self.guests.values():
            guest.enters()
        self.recover()
        self.assertEqual(test_recover.PROBE, self.told)
        self.assertEqual(0, self.clock.now)
