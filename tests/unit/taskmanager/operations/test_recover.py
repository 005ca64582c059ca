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

"""A recovery of a cluster whose servers are down, also if interrupted."""

from tests.unit import specs
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import recovery

STATES = view.ServerState
PROBE = ['c-3 write_probe', 'c-3 drop_probe']
PATIENCE = 30       # self_recovery_timeout


class RecoverTestCase(fakes.ClusterTestCase):
    """All members were in a complete cluster, then something failed."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.stopped(100, 100, 100)

    def stopped(self, *seqnos: int) -> None:
        for number, seqno in enumerate(seqnos, start=1):
            self.guests[number].stands(STATES.STOPPED, seqno)

    @property
    def told(self) -> list[str]:
        """All orders except halt_member, which most members get."""
        return [order for order in self.galera.told
                if not order.endswith('halt_member')]

    def new(self, force: int | None = None) -> recovery.Recovery:
        return recovery.Recovery(
            None, self.cluster, force and self.id_of(force))

    def recover(self, force: int | None = None) -> recovery.Recovery:
        operation = self.new(force)
        recover.run(operation)
        self.assertEqual(
            [f'c-{number}' for number in self.guests],
            sorted(guest.name for guest in self.galera.inside))
        return operation


class StoppedTest(RecoverTestCase):
    """All servers are down, and their positions are read from disk."""

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
            """The lease is lost after the last step of the last member."""
            if (operation.at is recover.STEPS[-1].steps[-1]
                    and operation.subject.name == 'c-3'):
                last.append('look')
            if len(last) == 2:
                raise exceptions.LeaseLost('gone')
        operation.held.check.side_effect = check
        operation.held.shown_by.return_value = False
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


class InterruptedTest(RecoverTestCase):
    """The taskmanager is killed at any order; another one resumes."""

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
