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

"""A grow step by step: who joins, who is configured, who is stopped."""

import datetime
import types

from trove.common import exception
from trove.extensions.common import models as root_models
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import grow

STATES = view.ServerState
CONTEXT = types.SimpleNamespace(user_id='someone')


class GrowTestCase(fakes.ClusterTestCase):
    """Three members serve; the instance of a fourth is ready."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        for number, guest in self.guests.items():
            guest.enters()
            guest.membership = Membership(
                fakes.facts(), fakes.secrets(f'secret of {number}'))
        self.new_one(4)

    def new_one(self, number: int) -> None:
        self.add_member(number, task=InstanceTasks.BUILDING)
        for one in range(4, number + 1):
            self.change(one, shard_id=f'{one}/{number}')

    def new(self, *numbers: int) -> grow.Growth:
        return grow.Growth(CONTEXT, self.cluster, [
            self.id_of(number) for number in numbers or (4,)])

    def grow(self, *numbers: int) -> grow.Growth:
        operation = self.new(*numbers)
        grow.run(operation)
        return operation


class GrowTest(GrowTestCase):

    def test_it_is_let_in_and_the_others_are_told(self) -> None:
        operation = self.grow()
        self.assertEqual(
            ['c-4 configure_member', 'c-4 join_member', 'c-4 write_probe',
             'c-4 drop_probe', 'c-4 cluster_complete',
             'c-1 configure_member', 'c-2 configure_member',
             'c-3 configure_member'], self.galera.told)
        self.assertEqual((), operation.found.passing)
        self.assertEqual(InstanceTasks.NONE, self.task(4))
        self.assertEqual(4, len(self.galera.inside))

    def test_it_gets_its_data_from_a_cluster_that_serves(self) -> None:
        self.grow()
        self.assertEqual((False,), self.galera.given['c-4 join_member'])

    def test_what_it_writes_all_read(self) -> None:
        self.grow()
        for number in self.guests:
            self.assertIn(f'c-{number} read_probe', self.galera.asked)

    def test_one_that_has_lost_its_port_is_not_let_in(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        del self.cloud.neutron.ports[f'trove-{self.id_of(2)}']
        self.grow()
        self.assertEqual(
            ['c-1', 'c-3', 'c-4'],
            [name for name, _ in self.guests[4].membership.facts.members])

    def test_it_shares_the_secrets_of_who_serves(self) -> None:
        self.grow()
        self.assertEqual(fakes.secrets('secret of 1'),
                         self.guests[4].membership.secrets)

    def test_all_know_all_and_keep_their_own_secrets(self) -> None:
        self.grow()
        for number, guest in self.guests.items():
            self.assertEqual(
                [f'c-{one}' for one in self.guests],
                [name for name, _ in guest.membership.facts.members])
            if number < 4:
                self.assertEqual(fakes.secrets(f'secret of {number}'),
                                 guest.membership.secrets)

    def test_all_let_it_in_and_it_lets_them_in(self) -> None:
        neutron = self.cloud.neutron
        for number in self.guests:
            neutron.groups[f'trove_sg-{self.id_of(number)}'] = str(number)
        self.grow()
        self.assertEqual(
            {(str(one), f'10.0.0.{other}/32') for one in self.guests
             for other in self.guests if one != other},
            {(rule['security_group_id'], rule['remote_ip_prefix'])
             for rule in neutron.rules})

    def test_two_come_one_after_another(self) -> None:
        self.new_one(5)
        self.grow(4, 5)
        told = self.galera.told
        self.assertLess(told.index('c-3 configure_member'),
                        told.index('c-5 configure_member'))
        self.assertNotIn('do not contain', self.log.output)
        self.assertEqual(5, len(self.galera.inside))

    def test_one_that_is_down_may_be_missing(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        self.grow()
        self.assertNotIn('c-2 configure_member', self.galera.told)
        self.assertIn('WARNING Cluster', self.log.output)
        self.assertIn('do not serve (c-2) do not contain c-4',
                      self.log.output)

    def test_one_that_comes_back_meanwhile(self) -> None:
        self.guests[2].stands(STATES.STOPPED)

        def joins() -> None:
            self.guests[4].enters()
            self.guests[2].enters()
        self.guests[4].will('join_member', joins)
        self.grow()
        self.assertEqual(4, len(self.galera.inside))

    def test_one_that_serves_and_is_silent_is_not_taken_for_lost(
            self) -> None:
        self.guests[2].silent = True
        error = self.assertRaises(exceptions.ClusterInconsistent, self.grow)
        self.assertIn('has 3 members', str(error))
        self.assertEqual([], self.galera.told)

    def test_the_old_are_not_to_blame_for_how_they_are(self) -> None:
        """An old member that fails meanwhile does not stop the new one."""
        self.change(2, task_status=InstanceTasks.SHRINKING_ERROR)
        self.grow()
        self.assertEqual(4, len(self.galera.inside))

    def test_one_that_fails_to_prepare(self) -> None:
        self.report_status(4, fakes.Statuses.FAILED)
        self.change(4, task_status=InstanceTasks.NONE)
        self.guests[4].looks = {'error': 'no image'}
        error = self.assertRaises(exceptions.MemberFailed, self.grow)
        self.assertEqual(('c-4', 'no image'), (error.member, error.cause))

    def test_nobody_was_made(self) -> None:
        operation = self.new(9)
        error = self.assertRaises(
            exceptions.ClusterInconsistent, grow.run, operation)
        self.assertIn('none of the new members', str(error))
        self.assertEqual('repeat the grow', operation.remedy)

    def test_not_all_were_made(self) -> None:
        self.change(4, shard_id='4/5')
        error = self.assertRaises(exceptions.ClusterInconsistent, self.grow)
        self.assertIn('member 5 of', str(error))
        self.assertEqual([], self.galera.told)

    def test_delete_ends_it(self) -> None:
        self.guests[4].will('join_member', self.delete_cluster)
        self.assertRaises(exceptions.ClusterBeingDeleted, self.grow)

    def test_one_that_serves_and_has_no_settings(self) -> None:
        self.guests[1].membership = None
        error = self.assertRaises(exceptions.MemberFailed, self.grow)
        self.assertEqual('c-1', error.member)

    def test_what_is_done_is_not_done_again(self) -> None:
        self.grow()
        self.galera.told.clear()
        self.grow()
        self.assertEqual(['c-4 write_probe', 'c-4 drop_probe'],
                         self.galera.told)

    def test_one_that_trove_will_never_finish(self) -> None:
        self.report_status(4, fakes.Statuses.NEW)
        self.change(4, compute_instance_id=None)
        self.guests[4].silent = True
        operation = self.new()
        self.assertFalse(operation.creations.interrupted)
        operation = grow.Growth(CONTEXT, self.cluster, [self.id_of(4)],
                                interrupted=True)
        error = self.assertRaises(exceptions.MemberFailed, grow.run,
                                  operation)
        self.assertIn('it has no server', error.cause)
        self.assertLess(self.clock.now, 80)

    def test_another_run_brings_it_to_its_end(self) -> None:
        moment = 0
        while self.killed_at(moment, self.grow):
            self.grow()
            self.assertEqual(4, len(self.galera.inside))
            self.assertEqual(4, len(self.guests[1].membership.facts.members))
            moment += 1
            self.guests[4].stands(STATES.ABSENT)
            self.guests[4].started, self.guests[4].place = (
                False, fakes.NOTHING)
            self.guests[4].membership = None
            self.report_status(4, fakes.Statuses.INSTANCE_READY)
            for number in (1, 2, 3):
                self.guests[number].membership = Membership(
                    fakes.facts(), fakes.secrets('known'))
        self.assertEqual(2 * 8, moment)


class RootTest(GrowTestCase):
    """The rows of a new member get the same state as the others."""

    def setUp(self) -> None:
        super().setUp()
        # A column that the class does not list.
        root_models.RootHistory.deleted_at = None
        self.addCleanup(delattr, root_models.RootHistory, 'deleted_at')

    def is_enabled(self) -> bool:
        self.grow()
        return root_models.RootHistory.load(
            None, self.id_of(4)) is not None

    def test_it_is_enabled_where_it_is_for_another(self) -> None:
        root_models.RootHistory.create(CONTEXT, self.id_of(2))
        self.assertTrue(self.is_enabled())

    def test_it_is_not_where_it_was_disabled_since(self) -> None:
        history = root_models.RootHistory.create(CONTEXT, self.id_of(2))
        history.created -= datetime.timedelta(days=1)
        history.delete()
        self.assertFalse(self.is_enabled())

    def test_it_is_not_where_it_is_for_nobody(self) -> None:
        self.assertFalse(self.is_enabled())


class GiveUpTest(GrowTestCase):

    def given_up(self, *numbers: int) -> grow.Growth:
        """Run it as tasks does."""
        operation = self.new(*numbers)
        error = self.assertRaises(exceptions.GaleraError, grow.run,
                                  operation)
        for number in numbers or (4,):
            self.change(number, task_status=InstanceTasks.NONE)
        failure = workflow.failure(operation, error)
        failure.__cause__ = error
        self.galera.told.clear()
        grow.OPERATION.record(operation, failure)
        return operation

    def crashes(self, number: int) -> None:
        guest = self.guests[number]
        guest.always('join_member', lambda: guest.stands(STATES.CRASHED))
        guest.looks = {'error': 'no disk'}
        self.clock.after(5, lambda: guest.looks.update(restarts=9))

    def test_it_is_in_error_tells_why_and_is_stopped(self) -> None:
        self.crashes(4)
        self.given_up()
        self.assertEqual(InstanceTasks.GROWING_ERROR, self.task(4))
        fault = self.tables.faults[self.id_of(4)]
        self.assertIn('no disk', fault)
        self.assertIn('Next: remove it with a shrink, then grow again', fault)
        self.assertIn('MemberFailed', self.tables.details)
        self.assertNotIn('StepFailed', self.tables.details)
        self.assertEqual(['c-4 stop_member'], self.galera.told)
        self.assertEqual([self.id_of(4)], list(self.tables.faults))

    def test_the_old_ones_are_not_touched(self) -> None:
        self.crashes(4)
        self.given_up()
        self.assertEqual([InstanceTasks.NONE] * 3,
                         [self.task(number) for number in (1, 2, 3)])
        self.assertEqual(3, len(self.galera.inside))

    def test_the_first_of_two_stays(self) -> None:
        self.new_one(5)
        self.crashes(5)
        self.given_up(4, 5)
        self.assertEqual(
            [InstanceTasks.NONE, InstanceTasks.GROWING_ERROR],
            [self.task(number) for number in (4, 5)])
        self.assertEqual(['c-5 stop_member'], self.galera.told)

    def test_the_second_says_at_whom_it_ended(self) -> None:
        self.new_one(5)
        self.crashes(4)
        self.given_up(4, 5)
        self.assertIn('c-5 did not join: the grow failed at c-4; see its '
                      'fault. Next: remove it with a shrink',
                      self.tables.faults[self.id_of(5)])
        self.assertEqual(InstanceTasks.GROWING_ERROR, self.task(5))
        self.assertEqual(['c-4 stop_member'], self.galera.told)

    def test_one_that_cannot_be_stopped(self) -> None:
        self.crashes(4)
        self.guests[4].always('stop_member', exception.GuestError(
            original_message='busy'))
        self.given_up()
        self.assertIn('WARNING The server of c-4, which did not join, could '
                      'not be stopped and may still run', self.log.output)

    def test_one_that_is_silent_is_not_told(self) -> None:
        self.guests[4].stands(STATES.CRASHED)
        self.guests[4].silent = True
        grow.OPERATION.record(self.new(), exceptions.StepFailed(
            'grow', 'a', 'b', 'c'))
        self.assertEqual([], self.galera.told)
        self.assertEqual(InstanceTasks.GROWING_ERROR, self.task(4))
        self.assertIn('StepFailed', self.tables.details)

    def test_trove_s_own_creation_is_let_end_before_it_is_marked(
            self) -> None:
        self.clock.after(4, lambda: self.change(
            4, task_status=InstanceTasks.NONE))
        grow.OPERATION.record(self.new(), exceptions.StepFailed(
            'grow', 'a', 'b', 'c'))
        self.assertEqual(InstanceTasks.GROWING_ERROR, self.task(4))
        self.assertGreaterEqual(self.clock.now, 4)

    def test_a_cluster_that_is_deleted_meanwhile_is_left_alone(self) -> None:
        operation = self.new()
        self.delete_cluster()
        self.assertRaises(
            exceptions.ClusterBeingDeleted, grow.OPERATION.record, operation,
            exceptions.StepFailed('grow', 'a', 'b', 'c'))
        self.assertEqual({}, self.tables.faults)
        self.assertEqual(InstanceTasks.BUILDING, self.task(4))
