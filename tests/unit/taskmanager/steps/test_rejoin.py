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

"""A member joins a component again, by itself or after a restart."""

import dataclasses
import itertools

from trove.common import exception

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rejoin

STATES = view.ServerState
PATIENCE = 30       # self_recovery_timeout
STALL = 300         # join_stall_timeout
ANEW = ['c-3 halt_member', 'c-3 start_member']


class RejoinTestCase(fakes.ClusterTestCase):
    """The first two form the component; the third is outside."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.guests[1].enters()
        self.guests[2].enters()
        self.guest = self.guests[3]
        self.operation = formation.Formation('recover', None, self.cluster)
        workflow.set_found(self.operation, dataclasses.replace(
            self.operation.found, history=fakes.HISTORY))
        self.operation.at = rejoin.JOIN
        self.member = self.operation.members[2]
        self.operation.subject = self.member

    def join(self) -> None:
        rejoin.join(self.operation, self.member)
        self.assertTrue(rejoin.joined(self.operation, self.member))


class JoinedTest(RejoinTestCase):

    def joined(self) -> bool:
        return rejoin.joined(self.operation, self.member)

    def test_one_that_is_synced_however_large_the_component(self) -> None:
        self.guest.enters()
        self.assertTrue(self.joined())
        self.guest.sees = {'cluster_size': 7}
        self.assertTrue(self.joined())

    def test_one_that_is_outside_down_or_in_another_history(self) -> None:
        self.guest.stands(STATES.RUNNING)
        self.assertFalse(self.joined())
        self.guest.stands(STATES.STOPPED)
        self.assertFalse(self.joined())
        self.guest.enters()
        self.guest.sees = {'cluster_uuid': fakes.FOREIGN}
        self.assertFalse(self.joined())

    def test_one_that_is_not_synced(self) -> None:
        self.guest.enters()
        self.guest.sees = {'local_state': view.LocalState.JOINED}
        self.assertFalse(self.joined())


class JoinTest(RejoinTestCase):

    def test_one_that_stopped_is_started(self) -> None:
        for state in (STATES.STOPPED, STATES.ABSENT):
            self.guest.stands(state)
            self.join()
        self.assertEqual(['c-3 start_member'] * 2, self.galera.told)
        self.assertEqual(0, self.clock.now)

    def test_one_that_crashed_or_hangs_is_stopped_before(self) -> None:
        for state in (STATES.CRASHED, STATES.UNRESPONSIVE):
            self.guest.stands(state)
            self.join()
        self.assertEqual(ANEW * 2, self.galera.told)
        self.assertEqual(0, self.clock.now)

    def test_one_that_comes_by_itself_is_let(self) -> None:
        for state in (STATES.STARTING, STATES.RUNNING):
            self.guest.stands(state)
            self.clock.after(PATIENCE - 1, self.guest.enters)
            self.join()
        self.assertEqual([], self.galera.told)

    def test_one_that_does_not_is_started_anew(self) -> None:
        for state in (STATES.STARTING, STATES.RUNNING):
            began = self.clock.now
            self.guest.stands(state)
            self.join()
            self.assertEqual(PATIENCE, self.clock.now - began)
        self.assertEqual(ANEW * 2, self.galera.told)

    def test_one_that_is_locked_or_does_not_replicate(self) -> None:
        """It is primary, so halt_member would not stop it."""
        def starts() -> None:
            self.guest.sees.clear()
            self.guest.enters()
        for sees in ({'local_state': view.LocalState.DONOR},
                     {'local_state': view.LocalState.UNKNOWN,
                      'altered': ('wsrep_on',)}):
            self.guest.enters()
            self.guest.sees = dict(sees)
            self.guest.looks = {'giving': False}
            self.guest.will('start_member', starts)
            self.join()
        self.assertEqual(['c-3 stop_member', 'c-3 start_member'] * 2,
                         self.galera.told)

    def test_the_last_of_the_primary_component_is_not_stopped(self) -> None:
        """Also while others are joining: they do not have the data yet."""
        for state in (STATES.STOPPED, STATES.STARTING):
            self.guests[1].stands(state)
            self.guests[2].always('member_report', exception.GuestTimeout())
            self.guest.enters()
            self.guest.sees = {'local_state': view.LocalState.DONOR}
            self.guest.looks = {'giving': False}
            last = self.assertRaises(exceptions.MemberFailed, self.join)
            self.assertIn('no other member has joined', last.cause)
            self.assertIn('wsrep_desync = OFF', last.advice)
        self.assertEqual([], self.galera.told)

    def test_who_keeps_the_component(self) -> None:
        self.guest.enters()
        for sees, keeps in (
                ({}, True),
                ({'local_state': view.LocalState.DONOR}, True),
                ({'local_state': view.LocalState.JOINING}, False),
                ({'cluster_uuid': fakes.FOREIGN}, False)):
            self.guest.sees = dict(sees)
            self.assertEqual(keeps, rejoin.keeps_primary(
                self.guest.member_report(), fakes.HISTORY), sees)

    def test_a_donor_is_left_alone(self) -> None:
        """And one whose agent is too old to report it."""
        self.guest.enters()
        self.guest.sees = {'local_state': view.LocalState.DONOR}
        for giving in (True, None):
            self.guest.looks = {'giving': giving}
            self.assertFalse(rejoin.held_back(self.guest.member_report()))

    def test_while_data_arrives_it_is_not_started_anew(self) -> None:
        self.guest.stands(STATES.STARTING)
        for minute in range(1, 11):
            self.clock.after(20 * minute, lambda: self.guest.looks.update(
                data_bytes=self.clock.now))
        self.clock.after(220, self.guest.enters)
        self.join()
        self.assertEqual([], self.galera.told)

    def ends_and_starts(self) -> None:
        """Its server ends at each start, and each check sees it."""
        states = itertools.cycle((STATES.STARTING, STATES.CRASHED))

        def report() -> view.MemberReport:
            return view.MemberReport(
                server=next(states), view=None, data_bytes=0, started=True,
                exit_code=1, error='no space')
        self.guest.always('member_report', report)

    def test_one_that_keeps_ending_is_given_its_time(self) -> None:
        def comes() -> None:
            self.guest.answers.clear()
            self.guest.enters()
        self.guest.stands(STATES.STARTING)
        self.ends_and_starts()
        self.clock.after(3 * PATIENCE, comes)
        self.join()
        self.assertEqual([], self.galera.told)

    def test_one_that_keeps_ending_after_that_has_failed(self) -> None:
        self.guest.stands(STATES.CRASHED)
        self.guest.will('start_member', self.ends_and_starts)
        error = self.assertRaises(exceptions.MemberFailed, self.join)
        self.assertEqual('c-3', error.member)
        self.assertIn('ended 4 times (exit code 1): no space', error.cause)
        self.assertEqual(ANEW, self.galera.told)

    def test_it_is_started_anew_once(self) -> None:
        self.guest.stands(STATES.RUNNING)
        self.guest.always('start_member', lambda: self.guest.stands(
            STATES.RUNNING))
        error = self.assertRaises(exceptions.DeadlineExceeded, self.join)
        self.assertEqual(ANEW, self.galera.told)
        self.assertEqual(PATIENCE + STALL, self.clock.now)
        self.assertIn('c-3 to be Synced in the cluster', str(error))
        self.assertIn('non-Primary', error.last_seen)

    def test_however_long_it_takes_then_it_is_not_given_up(self) -> None:
        self.guest.stands(STATES.STOPPED)
        self.guest.will('start_member', lambda: self.guest.stands(
            STATES.STARTING))
        for part in range(1, 11):
            self.clock.after(200 * part, lambda: self.guest.looks.update(
                data_bytes=self.clock.now))
        self.clock.after(2200, self.guest.enters)
        self.join()
        self.assertGreaterEqual(self.clock.now, 2200)

    def test_orders_whose_answer_was_lost_are_given_again(self) -> None:
        self.guest.stands(STATES.CRASHED)
        self.guest.will('start_member', exception.GuestTimeout())
        self.join()
        self.assertEqual(
            ['c-3 halt_member', 'c-3 start_member', 'c-3 start_member'],
            self.galera.told)

    def test_another_history_is_not_waited_for(self) -> None:
        for state in (STATES.STOPPED, STATES.RUNNING):
            self.guest.stands(state)
            self.guest.always('start_member', self.guest.enters)
            self.clock.after(10, self.guest.enters)
            self.guest.sees = {'cluster_uuid': fakes.FOREIGN}
            error = self.assertRaises(exceptions.MemberFailed, self.join)
            self.assertIn(f'the UUID {fakes.FOREIGN}, not '
                          f'{fakes.HISTORY}', error.cause)
        self.assertLessEqual(self.clock.now, 11)
