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

"""Operations that change one member after another, and pending operations."""

import dataclasses
import datetime
import types
from typing import Any

import fixtures
import mock
from trove.cluster.tasks import ClusterTasks
from trove.common import notification
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import models as task_models

from tests.unit import specs
from tests.unit.taskmanager import fakes
from tests.unit.taskmanager import test_tasks
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.operations import rotate
from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import rolling
from trove_pxc.taskmanager import tasks

RESTART = pending.Order(pending.RESTART)
FLAVOR = pending.Order(pending.FLAVOR, '7', 0)
VOLUME = pending.Order(pending.VOLUME, '30')
CERTIFICATES = pending.Order(pending.CERTIFICATES)


class RollTestCase(test_tasks.TasksTestCase):
    """A cluster whose last two members have a pending restart."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.order(RESTART, 2, 3)

    def order(self, order: pending.Order, *numbers: int) -> None:
        for number in numbers:
            self.change(number, task_description=order.text)

    def ordered(self) -> list[int]:
        """The members with a pending operation."""
        return [number for number in self.guests if pending.of(
            self.tables.instance(self.id_of(number)))]


class RollTest(RollTestCase):

    def restart(self) -> None:
        self.tasks.restart_members(None, [self.id_of(2), self.id_of(3)])

    def in_turn(self, operation: rolling.Rolling) -> None:
        """The second member is being changed."""
        workflow.set_found(operation, dataclasses.replace(
            operation.found, history=fakes.HISTORY))
        operation.at = rolling.RETURN
        operation.subject = operation.members[1]
        operation.subject.row().update(task_status=operation.change.busy,
                                       task_description=RESTART.text)

    def fails(self) -> exceptions.StepFailed:
        def run(operation: rolling.Rolling) -> None:
            self.in_turn(operation)
            raise self.failed(2)
        self.replace(restart, 'run', run)
        return self.assertRaises(exceptions.StepFailed, self.restart)

    def test_members_are_free_and_the_task_is_over(self) -> None:
        self.replace(restart, 'run', self.in_turn)
        self.restart()
        self.assertEqual([InstanceTasks.NONE] * 3,
                         [self.task(number) for number in self.guests])
        self.assertEqual([], self.ordered())
        self.assertTrue(self.is_over())
        self.assertEqual({}, self.tables.faults)

    def test_what_is_run(self) -> None:
        for task, module, name, operation, call in (
                (ClusterTasks.RESTARTING_CLUSTER, restart, 'restart',
                 'OPERATION', self.restart),
                (ClusterTasks.UPDATING_CLUSTER, resize, 'resize flavor',
                 'FLAVOR', lambda: self.tasks.resize_flavor_of_members(
                     None, [self.id_of(2)], '7')),
                (ClusterTasks.UPDATING_CLUSTER, resize, 'resize volume',
                 'VOLUME', lambda: self.tasks.resize_volume_of_members(
                     None, [self.id_of(2)], 30)),
                (ClusterTasks.UPDATING_CLUSTER, rotate,
                 'rotate certificates', 'OPERATION',
                 lambda: self.tasks.rotate_certificates(None))):
            self.replace(module, 'run', lambda operation:
                         operation.held.check(), operation)
            self.begin(task)
            call()
            self.assertEqual(name, self.ran[-1].name)
            self.assertTrue(self.is_over())
        restarted, _, _, rotation = self.ran
        self.assertEqual(['c-2', 'c-3'],
                         [one.name for one in restarted.targets])
        self.assertEqual([RESTART, FLAVOR, VOLUME, CERTIFICATES],
                         [one.change.order for one in self.ran])
        self.assertEqual(3, len(rotation.targets))

    def test_a_failure_is_told_at_the_member_and_raised(self) -> None:
        for guest in self.guests.values():
            guest.enters()
        failure = self.fails()
        self.assertEqual((self.id_of(2),), failure.blamed)
        self.assertEqual('no disk', failure.cause)
        self.assertEqual([self.id_of(2)], list(self.tables.faults))
        self.assertIn('MemberFailed', self.tables.details)
        self.assertEqual([], self.ordered())
        self.assertTrue(self.is_over())
        self.assertIsInstance(failure.__cause__, exceptions.MemberFailed)

    def test_the_member_is_put_back(self) -> None:
        self.guests[1].enters()
        self.guests[3].enters()
        self.guests[2].stands(fakes.ServerState.STOPPED)
        failure = self.fails()
        self.assertEqual(['c-2 start_member'], self.galera.told)
        self.assertEqual('no disk', failure.cause)
        self.assertEqual(InstanceTasks.NONE, self.task(2))

    def test_one_that_cannot_be_put_back(self) -> None:
        self.guests[1].enters()
        self.guests[3].enters()
        self.guests[2].stands(fakes.ServerState.STOPPED)
        self.guests[2].always('start_member', fakes.exception.GuestError(
            original_message='no port'))
        failure = self.fails()
        for text in (failure.cause, self.tables.faults[self.id_of(2)]):
            self.assertIn('no disk; and the member could not be started', text)
        self.assertIn('no port', failure.cause)
        self.assertIsInstance(failure.__cause__, exceptions.MemberFailed)
        self.assertIn('no disk', self.tables.details)
        self.assertIn('cluster recover', failure.next_action)
        self.assertEqual(InstanceTasks.NONE, self.task(2))
        self.assertTrue(self.is_over())

    def test_in_which_order(self) -> None:
        done: list[str] = []
        for name, does in (
                ('record', 'record'), ('put_back', 'put back'),
                ('free', 'free')):
            self.replace(restart, name, lambda operation, *more, does=does:
                         done.append(does))
        self.fails()
        self.assertEqual(['record', 'put back', 'free'], done)

    def test_what_was_to_be_used_is_given_back_after_a_failure(self) -> None:
        self.gives_back_after(lambda: None)

    def test_and_after_one_that_the_way_back_does_not_expect(self) -> None:
        self.guests[2].stands(fakes.ServerState.STOPPED)
        self.guests[2].always('start_member', KeyError('a mistake'))
        failure = self.gives_back_after(lambda: self.guests[2].stands(
            fakes.ServerState.STOPPED))
        for text in (failure.cause, self.tables.faults[self.id_of(2)]):
            self.assertIn('no disk; and the member could not be started', text)
        self.assertIn('a mistake', failure.cause)

    def gives_back_after(self, prepare: Any) -> exceptions.StepFailed:
        for guest in self.guests.values():
            guest.enters()
        prepare()
        back = self.replace(
            pending, 'give_back', lambda context, rows: given.extend(
                row.id for row in rows if pending.of(row)))
        given: list[str] = []
        failure = self.fails()
        self.assertEqual([self.id_of(2), self.id_of(3)], given)
        back.assert_called()
        self.assertEqual([], self.ordered())
        self.assertTrue(self.is_over())
        return failure

    def test_nothing_is_given_back_when_all_went_well(self) -> None:
        quota = self.replace(restart, 'deleted')
        self.replace(restart, 'run')
        self.restart()
        quota.assert_not_called()

    def deleted(self, operation: rolling.Rolling) -> None:
        self.in_turn(operation)
        self.delete_cluster()
        operation.check()

    def test_one_that_is_deleted_gives_its_quota_back(self) -> None:
        quota = self.replace(restart, 'deleted')
        free = self.replace(restart, 'free')
        self.replace(restart, 'run', self.deleted)
        self.assertRaises(exceptions.ClusterBeingDeleted, self.restart)
        quota.assert_called_once_with(self.ran[0])
        free.assert_not_called()
        self.assertEqual(ClusterTasks.DELETING, self.cluster_task)
        self.assertEqual({}, self.tables.faults)

    def test_a_failure_of_what_is_deleted_meanwhile_is_none(self) -> None:
        def run(operation: rolling.Rolling) -> None:
            self.in_turn(operation)
            self.delete_cluster()
            raise self.failed(2)
        self.replace(restart, 'run', run)
        self.assertRaises(exceptions.ClusterBeingDeleted, self.restart)
        self.assertEqual({}, self.tables.faults)

    def test_one_that_another_has_taken_up_is_left_to_it(self) -> None:
        def run(operation: rolling.Rolling) -> None:
            self.in_turn(operation)
            raise exceptions.LeaseLost('it is gone')
        quota = self.replace(restart, 'deleted')
        self.replace(restart, 'run', run)
        self.assertRaises(exceptions.LeaseLost, self.restart)
        quota.assert_not_called()
        self.assertIn('INFO it is gone', self.log.output)

    def test_whoever_lost_the_lease_frees_nobody(self) -> None:
        def run(operation: rolling.Rolling) -> None:
            self.in_turn(operation)
            self.begin(ClusterTasks.UPDATING_CLUSTER)
            operation.check()
        self.replace(restart, 'run', run)
        self.assertRaises(exceptions.LeaseLost, self.restart)
        self.assertEqual(InstanceTasks.REBOOTING, self.task(2))
        self.assertEqual([2, 3], self.ordered())
        self.assertEqual(ClusterTasks.UPDATING_CLUSTER, self.cluster_task)

    def test_even_a_mistake_of_ours_ends_the_task(self) -> None:
        for guest in self.guests.values():
            guest.enters()
        self.replace(restart, 'run', ZeroDivisionError('a mistake'))
        failure = self.assertRaises(exceptions.StepFailed, self.restart)
        self.assertIn('a mistake', failure.cause)
        self.assertEqual([], self.ordered())
        self.assertTrue(self.is_over())


class OrdersTest(RollTestCase):
    """A taskmanager has died; another resumes the pending operation."""

    def setUp(self) -> None:
        super().setUp()
        self.change(2, task_description='')
        self.change(3, task_description='')
        for module in (restart, rotate, recover, grow, shrink):
            self.replace(module, 'run')
        for operation in ('FLAVOR', 'VOLUME'):
            self.replace(resize, 'run', operation=operation)
        # The tables of quotas do not exist in these tests.
        self.useFixture(fixtures.MockPatchObject(
            pending, 'give_back', autospec=True))

    def carry_out(self, task: Any, order: pending.Order | None = None,
                  *numbers: int) -> Any:
        """The operations that ran."""
        if order is not None:
            self.order(order, *numbers)
        self.begin(task)
        self.tasks = self.new(self.tables.cluster(fakes.CLUSTER).updated)
        self.tasks.carry_out_pending(None)
        self.assertTrue(self.is_over())
        self.assertLessEqual(len(self.ran), 1)
        return self.ran[0] if self.ran else None

    def test_a_restart_of_those_who_are_left(self) -> None:
        operation = self.carry_out(
            ClusterTasks.RESTARTING_CLUSTER, RESTART, 3)
        self.assertEqual('restart', operation.name)
        self.assertEqual(['c-3'], [one.name for one in operation.targets])

    def test_a_recovery(self) -> None:
        operation = self.carry_out(
            ClusterTasks.RESTARTING_CLUSTER, pending.recovery(None), 1, 2)
        self.assertEqual(('recover', None),
                         (operation.name, operation.forced))

    def test_a_recovery_by_force(self) -> None:
        operation = self.carry_out(
            ClusterTasks.RESTARTING_CLUSTER,
            pending.recovery(self.id_of(2)), 1, 2)
        self.assertEqual('c-2', operation.forced)

    def test_certificates(self) -> None:
        operation = self.carry_out(
            ClusterTasks.UPDATING_CLUSTER, CERTIFICATES, 1)
        self.assertEqual('rotate certificates', operation.name)
        self.assertTrue(rotate._is_ending(operation))

    def test_a_flavor(self) -> None:
        operation = self.carry_out(
            ClusterTasks.UPDATING_CLUSTER, FLAVOR, 2)
        self.assertEqual(('resize flavor', '7', ['c-2']), (
            operation.name, operation.change.order.value,
            [one.name for one in operation.targets]))

    def test_a_volume(self) -> None:
        operation = self.carry_out(
            ClusterTasks.UPDATING_CLUSTER, VOLUME, 3)
        self.assertEqual(('resize volume', '30', ['c-3']), (
            operation.name, operation.change.order.value,
            [one.name for one in operation.targets]))

    def test_nothing_is_left(self) -> None:
        self.assertIsNone(self.carry_out(ClusterTasks.RESTARTING_CLUSTER))
        self.assertIn('WARNING No member of cluster', self.log.output)

    def test_only_who_has_the_lease_may_say_that(self) -> None:
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.tasks = self.new(datetime.datetime(2000, 1, 1))
        self.tasks.carry_out_pending(None)
        self.assertNotIn('No member of cluster', self.log.output)
        self.assertFalse(self.is_over())

    def test_those_who_were_to_come(self) -> None:
        operation = self.carry_out(
            ClusterTasks.GROWING_CLUSTER, pending.Order(pending.GROW, '3'),
            1, 2)
        self.assertEqual(['c-3'], [one.name for one in operation.joining])
        self.assertTrue(operation.creations.interrupted)

    def test_those_who_were_to_go(self) -> None:
        operation = self.carry_out(
            ClusterTasks.SHRINKING_CLUSTER,
            pending.shrinking([self.id_of(3)]), 1, 2)
        self.assertEqual(
            ['c-3'], [one.name for one in operation.found.passing])

    def unknown(self, task: Any, order: pending.Order | None,
                *numbers: int) -> None:
        failure = self.assertRaises(
            exceptions.StepFailed, self.carry_out, task, order, *numbers)
        self.assertIn('remove those that did not join',
                      failure.next_action)
        self.assertIn('its taskmanager died', failure.cause)
        self.assertEqual('growing_cluster' if (
            task is ClusterTasks.GROWING_CLUSTER) else 'shrinking_cluster',
            failure.operation)
        self.assertEqual([], self.ran)
        self.assertTrue(self.is_over())

    def test_it_is_not_known_who_was_to_come(self) -> None:
        self.change(3, name='renamed', shard_id=None)
        self.unknown(ClusterTasks.GROWING_CLUSTER,
                     pending.Order(pending.GROW, '3'), 1, 2)

    def test_it_is_not_known_who_was_to_go(self) -> None:
        self.add_member(4)
        self.change(4, id=self.id_of(3)[:8] + '-other')
        self.unknown(ClusterTasks.SHRINKING_CLUSTER,
                     pending.shrinking([self.id_of(3)]), 1, 2)

    def test_it_was_never_written_down(self) -> None:
        for task in (ClusterTasks.GROWING_CLUSTER,
                     ClusterTasks.SHRINKING_CLUSTER):
            self.unknown(task, None)

    def test_another_order_does_not_tell(self) -> None:
        for task in (ClusterTasks.GROWING_CLUSTER,
                     ClusterTasks.SHRINKING_CLUSTER):
            self.unknown(task, RESTART, 1)

    def test_those_of_other_clusters_do_not_count(self) -> None:
        self.change(2, cluster_id='another')
        self.assertIsNone(self.carry_out(
            ClusterTasks.RESTARTING_CLUSTER, RESTART, 2))

    def test_members_that_are_gone_have_no_order(self) -> None:
        self.change(2, deleted=True)
        self.assertIsNone(self.carry_out(
            ClusterTasks.RESTARTING_CLUSTER, RESTART, 2))


class ActionsTest(test_tasks.TasksTestCase):
    """The functions that Trove's manager finds for casts it does not know."""

    def setUp(self) -> None:
        super().setUp()
        self.cluster_tasks = specs.spec(tasks.GaleraClusterTasks)
        self.load = self.useFixture(fixtures.MockPatchObject(
            task_models, 'load_cluster_tasks', autospec=True,
            return_value=self.cluster_tasks)).mock
        self.told = mock.create_autospec(
            notification.DBaaSClusterRestart, instance=True)
        self.told.server_type = 'taskmanager'
        self.told.payload = {}
        self.context: Any = types.SimpleNamespace(notification=self.told)

    def test_each_runs_what_it_is_called(self) -> None:
        for name, arguments in (
                ('restart_members', {'instance_ids': ['a']}),
                ('resize_flavor_of_members',
                 {'instance_ids': ['a'], 'flavor_id': '7'}),
                ('resize_volume_of_members',
                 {'instance_ids': ['a'], 'volume_gb': 3}),
                ('rotate_certificates', {}),
                ('recover_cluster', {'force': 'a'})):
            self.cluster_tasks.reset_mock()
            tasks.ACTIONS[name](self.context, fakes.CLUSTER, **arguments)
            getattr(self.cluster_tasks, name).assert_called_once_with(
                self.context, **arguments)
            self.assertEqual(1, len(self.cluster_tasks.method_calls))
            self.load.assert_called_with(self.context, fakes.CLUSTER)
        self.assertEqual(5, len(tasks.ACTIONS))

    def test_the_end_is_told(self) -> None:
        tasks.ACTIONS['rotate_certificates'](self.context, fakes.CLUSTER)
        self.told.notify_end.assert_called_once_with()
        self.assertEqual({'cluster_id': fakes.CLUSTER}, self.told.payload)

    def test_a_failure_is_told_and_raised_again(self) -> None:
        self.cluster_tasks.recover_cluster.side_effect = (
            exceptions.LeaseLost('it is gone'))
        self.assertRaises(
            exceptions.LeaseLost, tasks.ACTIONS['recover_cluster'],
            self.context, fakes.CLUSTER)
        self.told.notify_end.assert_not_called()
        self.assertEqual(
            'it is gone', self.told.notify_exc_info.call_args.args[0])
