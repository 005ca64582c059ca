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


"""Who bootstraps, who joins, and what they all must see of it."""

import itertools

from trove.common import exception

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import test_formation
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.steps import formation

STATES = test_formation.STATES
VERIFY = 60         # verify_timeout
STALL = 300         # join_stall_timeout


class BootstrapTest(test_formation.FormationTestCase):

    def test_the_first_is_told_when_all_are_proven_empty(self) -> None:
        self.assertFalse(self.done(formation.BOOTSTRAP, 1))
        self.do(formation.BOOTSTRAP, 1)
        self.assertEqual(['c-1 bootstrap_member'], self.galera.told)
        for number in self.guests:
            self.assertIn(f'c-{number} member_position', self.galera.asked)
        self.assertEqual((self.members[0], fakes.HISTORY), (
            self.operation.founder, self.operation.history))

    def test_one_that_is_not_prepared_is_not_asked(self) -> None:
        self.report_status(3, fakes.Statuses.NEW)
        self.guests[3].silent = True
        self.do(formation.BOOTSTRAP, 1)
        self.assertNotIn('c-3 member_position', self.galera.asked)

    def refused(self, *words: str) -> None:
        error = self.fails(
            exceptions.BootstrapRefused, formation.BOOTSTRAP, 1)
        for word in words:
            self.assertIn(word, str(error))
        self.assertEqual([], self.galera.told)

    def test_not_beside_data(self) -> None:
        self.guests[2].place = fakes.AT_REST
        self.refused('c-2 holds data')

    def test_not_beside_one_that_was_started(self) -> None:
        self.guests[3].started = True
        self.refused('c-3 was started before')

    def test_not_beside_one_that_is_silent(self) -> None:
        self.guests[2].silent = True
        error = self.fails(
            exceptions.MemberFailed, formation.BOOTSTRAP, 1)
        self.assertEqual('c-2', error.member)
        self.assertEqual([], self.galera.told)

    def test_not_beside_one_whose_disk_is_not_told(self) -> None:
        self.guests[2].always('member_position', exception.GuestTimeout())
        error = self.fails(
            exceptions.MemberFailed, formation.BOOTSTRAP, 1)
        self.assertEqual('c-2', error.member)
        self.assertEqual([], self.galera.told)

    def test_it_is_not_told_twice(self) -> None:
        def starts_and_nobody_hears() -> None:
            self.guests[1].stands(STATES.STARTING)
            self.clock.after(60, self.guests[1].enters)
            raise exception.GuestTimeout()
        self.guests[1].will('bootstrap_member', starts_and_nobody_hears)
        self.do(formation.BOOTSTRAP, 1)
        self.assertEqual(['c-1'], self.galera.was_told('bootstrap_member'))
        self.assertGreaterEqual(self.clock.now, 60)

    def test_any_member_that_is_primary_is_the_founder(self) -> None:
        self.guests[3].enters()
        self.assertTrue(self.done(formation.BOOTSTRAP, 1))
        self.assertEqual('c-3', self.operation.founder.name)
        self.assertEqual(fakes.HISTORY, self.operation.history)

    def starts(self) -> None:
        self.guests[1].stands(STATES.STARTING)

    def test_a_server_that_keeps_ending(self) -> None:
        states = itertools.cycle((STATES.STARTING, STATES.CRASHED))
        reports = (view.MemberReport(
            server=state, view=None, data_bytes=0, started=True,
            exit_code=1, error='no memory') for state in states)
        self.guests[1].will('bootstrap_member', lambda: setattr(
            self.guests[1], 'answers', {'member_report': reports}))
        error = self.fails(
            exceptions.MemberFailed, formation.BOOTSTRAP, 1)
        self.assertIn('ended 4 times (exit code 1): no memory', error.cause)

    def test_one_that_takes_too_long(self) -> None:
        self.guests[1].will('bootstrap_member', self.starts)
        error = self.fails(
            exceptions.DeadlineExceeded, formation.BOOTSTRAP, 1)
        self.assertEqual((300, 'server starting'),
                         (error.seconds, error.last_seen))

    def test_it_is_over_when_it_is_primary_and_synced(self) -> None:
        for wrong in ({'cluster_status': view.ClusterStatus.NON_PRIMARY},
                      {'local_state': view.LocalState.JOINED}):
            self.guests[1].stands(STATES.ABSENT)
            self.guests[1].started = False
            self.guests[1].place = fakes.NOTHING
            self.guests[1].sees = wrong
            self.fails(exceptions.DeadlineExceeded, formation.BOOTSTRAP, 1)


class JoinTest(test_formation.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1)

    def test_it_is_started_and_all_see_one_more(self) -> None:
        self.assertFalse(self.done(formation.JOIN, 2))
        self.do(formation.JOIN, 2)
        self.assertEqual(['c-2 join_member'], self.galera.told)
        self.assertIn('c-1 member_report', self.galera.asked)
        self.do(formation.JOIN, 3)
        self.assertEqual(3, len(self.galera.inside))

    def test_it_is_told_whether_the_cluster_is_still_empty(self) -> None:
        self.do(formation.JOIN, 2)
        self.assertEqual((True,), self.galera.given['c-2 join_member'])
        self.operation.forming = False
        self.do(formation.JOIN, 3)
        self.assertEqual((False,), self.galera.given['c-3 join_member'])

    def test_one_that_is_inside_is_done(self) -> None:
        self.guests[2].enters()
        self.assertTrue(self.done(formation.JOIN, 2))
        self.guests[2].sees = {'local_state': view.LocalState.DONOR}
        self.assertFalse(self.done(formation.JOIN, 2))
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        self.assertFalse(self.done(formation.JOIN, 2))

    def test_one_that_starts_already_is_not_told(self) -> None:
        self.guests[2].stands(STATES.STARTING)
        self.clock.after(100, self.guests[2].enters)
        self.do(formation.JOIN, 2)
        self.assertEqual([], self.galera.told)

    def test_one_that_has_stopped_or_crashed_is(self) -> None:
        for state in (STATES.STOPPED, STATES.CRASHED):
            self.guests[2].stands(state)
            self.do(formation.JOIN, 2)
        self.assertEqual(2, len(self.galera.told))

    def test_a_component_of_another_size_is_not_it(self) -> None:
        self.guests[2].sees = {'cluster_size': 3}
        error = self.fails(exceptions.DeadlineExceeded, formation.JOIN, 2)
        self.assertIn('size 3', error.last_seen)
        self.assertEqual(STALL, self.clock.now)

    def test_while_data_arrives_it_is_waited_for(self) -> None:
        self.guests[2].will('join_member', lambda: self.guests[2].stands(
            STATES.STARTING))
        for part in range(1, 6):
            self.clock.after(200 * part, lambda: self.guests[2].looks.update(
                data_bytes=self.clock.now))
        self.clock.after(1200, self.guests[2].enters)
        self.do(formation.JOIN, 2)

    def test_a_server_that_keeps_ending(self) -> None:
        self.guests[2].always('join_member', None)
        self.guests[2].server = STATES.CRASHED
        self.clock.after(5, lambda: self.guests[2].looks.update(
            restarts=8, error='no space'))
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertEqual('c-2', error.member)
        self.assertIn('no space', error.cause)
        self.assertLess(self.clock.now, 60)

    def test_another_history_is_not_waited_for(self) -> None:
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertIn(f'not {fakes.HISTORY}', error.cause)
        self.assertEqual(0, self.clock.now)

    def test_one_that_tells_no_history_is(self) -> None:
        self.guests[2].sees = {'cluster_uuid': None}
        self.clock.after(10, self.guests[2].sees.clear)
        self.do(formation.JOIN, 2)

    def test_one_outside_may_come_from_another_history(self) -> None:
        """What it holds goes when it receives the others' data."""
        self.guests[2].stands(STATES.RUNNING, uuid=fakes.FOREIGN)
        self.clock.after(10, self.guests[2].enters)
        self.do(formation.JOIN, 2)

    def test_the_donor_is_blamed_if_it_was_lost(self) -> None:
        def donor_dies() -> None:
            self.guests[1].stands(STATES.CRASHED)
            self.guests[2].stands(STATES.STARTING)
        self.guests[2].will('join_member', donor_dies)
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('it left its cluster while c-2 joined, and is: server '
                      'crashed; c-2: server starting', error.cause)

    def test_also_if_the_joiner_crashes_of_it(self) -> None:
        def both_die() -> None:
            self.guests[1].stands(STATES.RUNNING)
            self.guests[2].stands(STATES.CRASHED)
            self.guests[2].looks = {'error': 'no donor'}
            self.clock.after(5, lambda: self.guests[2].looks.update(
                restarts=8))
        self.guests[2].always('join_member', both_die)
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('non-Primary', error.cause)
        self.assertIn('no donor', error.cause)

    def test_nobody_else_is_blamed_for_one_that_failed_itself(self) -> None:
        self.guests[2].will('join_member', lambda: self.guests[2].stands(
            STATES.STARTING))
        self.clock.after(60, lambda: self.report_status(
            3, fakes.Statuses.FAILED))
        self.guests[3].looks = {'error': 'no image'}
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertEqual(('c-3', 'no image'), (error.member, error.cause))

    def test_another_that_never_sees_it_is_blamed(self) -> None:
        self.guests[1].sees = {'cluster_size': 1}
        error = self.fails(exceptions.MemberFailed, formation.JOIN, 2)
        self.assertEqual('c-1', error.member)
        self.assertIn('c-1 to see 2 members and be Synced', error.cause)
        self.assertEqual(VERIFY, self.clock.now)


class AgreeTest(test_formation.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1, 2, 3)

    def test_all_see_all(self) -> None:
        self.assertTrue(self.done(formation.AGREE, 2))

    def test_it_is_waited_for(self) -> None:
        self.guests[2].sees = {'cluster_size': 2}
        self.assertFalse(self.done(formation.AGREE, 2))
        self.clock.after(30, self.guests[2].sees.clear)
        self.do(formation.AGREE, 2)

    def test_one_that_never_agrees(self) -> None:
        self.guests[2].sees = {'local_state': view.LocalState.JOINED}
        error = self.fails(
            exceptions.DeadlineExceeded, formation.AGREE, 2)
        self.assertEqual(VERIFY, self.clock.now)
        self.assertIn('c-2 to see 3 members and be Synced', str(error))

    def test_another_history(self) -> None:
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        self.fails(exceptions.MemberFailed, formation.AGREE, 2)
        self.assertEqual(0, self.clock.now)


class ReplicateTest(test_formation.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1, 2, 3)

    def test_what_one_writes_all_read_and_nothing_is_left(self) -> None:
        self.assertFalse(self.done(formation.REPLICATE, 3))
        self.do(formation.REPLICATE, 3)
        self.assertEqual(['c-3 write_probe', 'c-3 drop_probe'],
                         self.galera.told)
        token = self.galera.given['c-3 write_probe']
        for number in self.guests:
            self.assertEqual(token,
                             self.galera.given[f'c-{number} read_probe'])

    def test_another_run_writes_something_else(self) -> None:
        self.do(formation.REPLICATE, 3)
        first = self.galera.given['c-3 write_probe']
        self.do(formation.REPLICATE, 3)
        self.assertNotEqual(first, self.galera.given['c-3 write_probe'])

    def test_it_is_waited_for(self) -> None:
        self.guests[1].will('read_probe', False, exception.GuestTimeout(),
                            False)
        self.do(formation.REPLICATE, 3)
        self.assertEqual(4, self.galera.asked.count('c-1 read_probe'))

    def test_one_that_never_reads_it_is_blamed(self) -> None:
        self.guests[2].always('read_probe', False)
        error = self.fails(exceptions.MemberFailed, formation.REPLICATE, 3)
        self.assertEqual('c-2', error.member)
        self.assertIn('c-2 to read what c-3 wrote', error.cause)
        self.assertEqual(VERIFY, self.clock.now)

    def test_one_that_does_not_read_its_own_is_the_step_s(self) -> None:
        self.guests[3].always('read_probe', False)
        self.fails(exceptions.DeadlineExceeded, formation.REPLICATE, 3)

    def test_a_write_whose_answer_was_lost_is_done_again(self) -> None:
        self.guests[3].will('write_probe', exception.GuestTimeout())
        self.do(formation.REPLICATE, 3)
        self.assertEqual(['c-3', 'c-3'], self.galera.was_told('write_probe'))
