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

"""Which members join, and which is at fault if a join fails."""

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.steps import join

STATES = view.ServerState
VERIFY = 60         # verify_timeout
STALL = 300         # join_stall_timeout


class JoinTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1)

    def test_it_is_started_and_all_see_one_more(self) -> None:
        self.assertFalse(self.done(join.JOIN, 2))
        self.do(join.JOIN, 2)
        self.assertEqual(['c-2 join_member'], self.galera.told)
        self.assertIn('c-1 member_report', self.galera.asked)
        self.do(join.JOIN, 3)
        self.assertEqual(3, len(self.galera.inside))

    def test_it_is_told_whether_the_cluster_is_still_empty(self) -> None:
        self.do(join.JOIN, 2)
        self.assertEqual((True,), self.galera.given['c-2 join_member'])
        self.know(forming=False)
        self.do(join.JOIN, 3)
        self.assertEqual((False,), self.galera.given['c-3 join_member'])

    def test_one_that_is_inside_is_done(self) -> None:
        self.guests[2].enters()
        self.assertTrue(self.done(join.JOIN, 2))
        self.guests[2].sees = {'local_state': view.LocalState.DONOR}
        self.assertFalse(self.done(join.JOIN, 2))
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        self.assertFalse(self.done(join.JOIN, 2))

    def test_one_that_starts_already_is_not_told(self) -> None:
        self.guests[2].stands(STATES.STARTING)
        self.clock.after(100, self.guests[2].enters)
        self.do(join.JOIN, 2)
        self.assertEqual([], self.galera.told)

    def test_one_that_has_stopped_or_crashed_is(self) -> None:
        for state in (STATES.STOPPED, STATES.CRASHED):
            self.guests[2].stands(state)
            self.do(join.JOIN, 2)
        self.assertEqual(2, len(self.galera.told))

    def test_a_component_of_another_size_is_not_it(self) -> None:
        self.guests[2].sees = {'cluster_size': 3}
        error = self.fails(exceptions.DeadlineExceeded, join.JOIN, 2)
        self.assertIn('size 3', error.last_seen)
        self.assertEqual(STALL, self.clock.now)

    def test_while_data_arrives_it_is_waited_for(self) -> None:
        self.guests[2].will('join_member', lambda: self.guests[2].stands(
            STATES.STARTING))
        for part in range(1, 6):
            self.clock.after(200 * part, lambda: self.guests[2].looks.update(
                data_bytes=self.clock.now))
        self.clock.after(1200, self.guests[2].enters)
        self.do(join.JOIN, 2)

    def test_a_server_that_keeps_ending(self) -> None:
        self.guests[2].always('join_member', None)
        self.guests[2].server = STATES.CRASHED
        self.clock.after(5, lambda: self.guests[2].looks.update(
            restarts=8, error='no space'))
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertEqual('c-2', error.member)
        self.assertIn('no space', error.cause)
        self.assertLess(self.clock.now, 60)

    def test_another_history_is_not_waited_for(self) -> None:
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertIn(f'not {fakes.HISTORY}', error.cause)
        self.assertEqual(0, self.clock.now)

    def test_one_that_tells_no_history_is(self) -> None:
        self.guests[2].sees = {'cluster_uuid': None}
        self.clock.after(10, self.guests[2].sees.clear)
        self.do(join.JOIN, 2)

    def test_one_outside_may_come_from_another_history(self) -> None:
        """Its data is replaced by that of the donor."""
        self.guests[2].stands(STATES.RUNNING, uuid=fakes.FOREIGN)
        self.clock.after(10, self.guests[2].enters)
        self.do(join.JOIN, 2)

    def test_the_donor_is_blamed_if_it_was_lost(self) -> None:
        def donor_dies() -> None:
            self.guests[1].stands(STATES.CRASHED)
            self.guests[2].stands(STATES.STARTING)
        self.guests[2].will('join_member', donor_dies)
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('it left the cluster while c-2 joined; its state: '
                      'server crashed; c-2: server starting', error.cause)

    def test_also_if_the_joiner_crashes_of_it(self) -> None:
        def both_die() -> None:
            self.guests[1].stands(STATES.RUNNING)
            self.guests[2].stands(STATES.CRASHED)
            self.guests[2].looks = {'error': 'no donor'}
            self.clock.after(5, lambda: self.guests[2].looks.update(
                restarts=8))
        self.guests[2].always('join_member', both_die)
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('non-Primary', error.cause)
        self.assertIn('no donor', error.cause)

    def test_nobody_else_is_blamed_for_one_that_failed_itself(self) -> None:
        self.guests[2].will('join_member', lambda: self.guests[2].stands(
            STATES.STARTING))
        self.clock.after(60, lambda: self.report_status(
            3, fakes.Statuses.FAILED))
        self.guests[3].looks = {'error': 'no image'}
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertEqual(('c-3', 'no image'), (error.member, error.cause))

    def test_another_that_never_sees_it_is_blamed(self) -> None:
        self.guests[1].sees = {'cluster_size': 1}
        error = self.fails(exceptions.MemberFailed, join.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('c-1 to be Synced in a component of 2', error.cause)
        self.assertEqual(VERIFY, self.clock.now)
