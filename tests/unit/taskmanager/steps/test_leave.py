# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Which members leave, when, and the effect on the others."""

import types
from typing import Any

import fixtures
from trove.common import exception
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import cleanup
from trove_pxc.taskmanager.operations import shrink

STATES = view.ServerState
SILENCE = 120       # guest_silence_timeout


class ShrinkTestCase(fakes.ClusterTestCase):
    """Five members serve; the cleanup of servers and rows is replaced.

    :ivar left: the remaining resources of the leaving member at each check.
    """

    size = 5

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        for guest in self.guests.values():
            guest.enters()
            guest.membership = Membership(fakes.facts(), fakes.secrets())
        self.left: list[list[str]] = []
        self.useFixture(fixtures.MockPatchObject(
            cleanup, 'Leftovers', autospec=True, side_effect=self._remains))
        self.rows = self.useFixture(fixtures.MockPatchObject(
            cleanup, 'delete_rows', autospec=True,
            side_effect=self._delete_rows)).mock

    def _remains(self, member: Any) -> Any:
        def clean_up() -> list[str]:
            self.galera.told.append(f'{member.name} sweep')
            return self.left.pop(0) if self.left else []
        return types.SimpleNamespace(clean_up=clean_up)

    def _delete_rows(self, context: Any, member: Any,
                     cluster_goes_on: bool = False) -> None:
        self.assertTrue(cluster_goes_on)
        self.change(member.number, deleted=True)

    def new(self, *numbers: int) -> shrink.Shrinking:
        return shrink.Shrinking(None, self.cluster, [
            self.id_of(number) for number in numbers])

    def shrink(self, *numbers: int) -> shrink.Shrinking:
        operation = self.new(*numbers)
        shrink.run(operation)
        self.assertEqual(
            [f'c-{number}' for number in self.guests
             if number not in numbers],
            sorted(guest.name for guest in self.galera.inside))
        for number in numbers:
            self.assertTrue(
                self.tables.instance(self.id_of(number)).deleted)
        return operation


class ShrinkTest(ShrinkTestCase):

    def test_one_is_stopped_the_others_are_told_then_it_goes(self) -> None:
        self.shrink(5)
        self.assertEqual(
            ['c-5 stop_member',
             *(f'c-{number} configure_member' for number in (1, 2, 3, 4)),
             'c-5 sweep'], self.galera.told)

    def test_those_who_stay_do_not_know_it_any_more(self) -> None:
        self.shrink(2)
        for number in (1, 3, 4, 5):
            self.assertEqual(
                ['c-1', 'c-3', 'c-4', 'c-5'],
                [name for name, _ in
                 self.guests[number].membership.facts.members])

    def test_two_are_stopped_one_after_another(self) -> None:
        sizes: list[int] = []
        for number in (4, 5):
            guest = self.guests[number]
            guest.always('stop_member', lambda guest=guest: (
                guest.stands(STATES.STOPPED),
                sizes.append(len(self.galera.inside))))
        self.shrink(4, 5)
        self.assertEqual([4, 3], sizes)

    def test_it_is_shown_as_leaving_before_it_is_stopped(self) -> None:
        def stop() -> None:
            self.assertEqual(InstanceTasks.DELETING, self.task(5))
            self.guests[5].stands(STATES.STOPPED)
        self.guests[5].will('stop_member', stop)
        self.shrink(5)

    def test_one_that_is_building_is_left_at_that(self) -> None:
        self.guests[5].stands(STATES.ABSENT)
        self.report_status(5, fakes.Statuses.NEW)
        self.change(5, task_status=InstanceTasks.BUILDING)
        self.shrink(5)
        self.assertEqual(InstanceTasks.BUILDING, self.task(5))
        self.assertNotIn('c-5 stop_member', self.galera.told)

    def test_one_that_is_down_is_not_told(self) -> None:
        self.guests[4].stands(STATES.STOPPED)
        self.guests[5].stands(STATES.ABSENT)
        self.shrink(4, 5)
        self.assertEqual([], self.galera.was_told('stop_member'))

    def test_one_that_keeps_crashing_is_stopped(self) -> None:
        self.guests[5].stands(STATES.CRASHED)
        self.shrink(5)
        self.assertIn('c-5 stop_member', self.galera.told)

    def test_what_is_left_in_the_cloud_is_waited_for(self) -> None:
        self.left = [['server s'], ['port p']]
        self.shrink(5)
        self.assertEqual(3, self.galera.told.count('c-5 sweep'))
        self.assertEqual([4, 4], self.clock.pauses)

    def test_what_will_not_go(self) -> None:
        self.override(None, cluster_delete_time_out=60)
        self.left = [['server s']] * 99
        error = self.assertRaises(exceptions.DeadlineExceeded, self.shrink,
                                  5)
        self.assertEqual((60, 'server s'), (error.seconds, error.last_seen))
        self.rows.assert_not_called()

    def test_nobody_goes_while_one_who_stays_does_not_serve(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        error = self.assertRaises(exceptions.ClusterInconsistent,
                                  self.shrink, 5)
        self.assertIn('not all members serve: c-2', str(error))
        self.assertEqual(InstanceTasks.NONE, self.task(5))
        self.assertEqual([], self.galera.told)

    def test_somebody_must_stay(self) -> None:
        error = self.assertRaises(exceptions.ClusterInconsistent,
                                  self.shrink, 1, 2, 3, 4, 5)
        self.assertIn('would have no members left', str(error))

    def test_delete_ends_it(self) -> None:
        self.guests[5].will('stop_member', self.delete_cluster)
        self.assertRaises(exceptions.ClusterBeingDeleted, self.shrink, 5)
        self.rows.assert_not_called()

    def test_another_run_brings_it_to_its_end(self) -> None:
        moment = 0
        while self.killed_at(moment, lambda: self.shrink(4, 5)):
            self.shrink(4, 5)
            moment += 1
            for number in (4, 5):
                self.change(number, deleted=False,
                            task_status=InstanceTasks.NONE)
                self.guests[number].enters()
            for guest in self.guests.values():
                guest.membership = Membership(fakes.facts(), fakes.secrets())
        self.assertEqual(2 * 5, moment)


class WithoutItTest(ShrinkTestCase):
    """A member does not answer or does not stop."""

    def gone(self, *numbers: int) -> None:
        """Their servers were deleted, and the others do not count them."""
        for number in numbers:
            self.galera.inside.remove(self.guests[number])

    def test_a_silent_one_that_is_not_counted_goes_at_once(self) -> None:
        self.guests[5].silent = True
        self.gone(5)
        self.shrink(5)
        self.assertEqual(0, self.clock.now)
        self.assertNotIn('c-5 stop_member', self.galera.told)

    def test_a_silent_one_that_answers_in_time_is_stopped(self) -> None:
        self.guests[5].silent = True
        self.clock.after(SILENCE - 10, lambda: setattr(
            self.guests[5], 'silent', False))
        self.shrink(5)
        self.assertIn('c-5 stop_member', self.galera.told)

    def test_one_that_is_counted_goes_if_the_others_suffice(self) -> None:
        self.guests[5].silent = True
        self.rows.side_effect = lambda context, member, cluster_goes_on: (
            self.gone(5), self.change(5, deleted=True))
        self.shrink(5)
        self.assertEqual(SILENCE, self.clock.now)
        self.assertIn('WARNING Cluster', self.log.output)
        self.assertIn('c-5 was not stopped cleanly', self.log.output)

    def test_too_many_silent_ones(self) -> None:
        for number in (3, 4, 5):
            self.guests[number].silent = True
        error = self.assertRaises(exceptions.ClusterInconsistent,
                                  self.shrink, 3, 4, 5)
        self.assertIn('c-3 could not be stopped', str(error))
        self.assertIn('could lose their quorum without it', str(error))
        self.rows.assert_not_called()

    def test_one_that_cannot_be_stopped(self) -> None:
        self.guests[5].always('stop_member', exception.GuestError(
            original_message='busy'))
        self.rows.side_effect = lambda context, member, cluster_goes_on: (
            self.gone(5), self.change(5, deleted=True))
        self.shrink(5)
        self.assertIn('c-5 was not stopped cleanly', self.log.output)
        self.assertEqual(240, self.clock.now)

    def test_one_who_stays_and_still_counts_it_is_blamed(self) -> None:
        self.guests[2].sees = {'cluster_size': 5}
        error = self.assertRaises(exceptions.MemberFailed, self.shrink, 5)
        self.assertEqual('c-2', error.member)
        self.assertIn('c-2 to serve in a component of 4', error.cause)
        self.assertEqual(60, self.clock.now)

    def test_it_has_stopped_before_anything_else_is_done(self) -> None:
        guest = self.guests[5]

        def leaves() -> None:
            self.gone(5)
            self.clock.after(10, lambda: guest.stands(STATES.STOPPED))
        guest.will('stop_member', leaves)
        self.shrink(5)
        self.assertGreaterEqual(self.clock.now, 10)

    def test_nor_does_it_go_if_another_is_lost_meanwhile(self) -> None:
        self.guests[5].silent = True
        self.clock.after(SILENCE - 1, lambda: self.guests[2].stands(
            STATES.STOPPED))
        error = self.assertRaises(exceptions.ClusterInconsistent,
                                  self.shrink, 5)
        self.assertIn('not all members serve: c-2', str(error))
        self.rows.assert_not_called()
