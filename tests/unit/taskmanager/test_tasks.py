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

"""The results of an operation: statuses, faults, the task, and errors."""

import contextlib
import dataclasses
import datetime
import types
from typing import Any

import fixtures
import mock
from oslo_db import exception as db_exceptions
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import quotas
from trove_pxc import starts
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.operations import delete
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager import tasks

ERROR = InstanceTasks.BUILDING_ERROR_SERVER


class TasksTestCase(fakes.ClusterTestCase):
    """The tasks of a cluster with replaced operations.

    :ivar ran: the operations that ran, in order.
    """

    def setUp(self) -> None:
        super().setUp()
        self.ran: list[Any] = []
        self.tasks = self.new()

    def new(self, lost: datetime.datetime | None = None
            ) -> tasks.GaleraClusterTasks:
        """The tasks of a taskmanager that has just got the cast."""
        made = tasks.GaleraClusterTasks(
            None, cluster_models.DBCluster.get_by(id=fakes.CLUSTER),
            datastore=object(), datastore_version=types.SimpleNamespace(
                manager=fakes.MANAGER))
        made.lost = lost
        return made

    def replace(self, module: Any, name: str, does: Any = None,
                operation: str = 'OPERATION') -> Any:
        """Replace a function of an operation.

        :param name: of the function: "run", "record" and so on; or of a
            function of a module that is not an operation.
        :param does: called with the operation; or an error to raise.
        """
        def run(operation: Any, *more: Any) -> Any:
            self.ran.append(operation)
            if isinstance(does, Exception):
                raise does
            return does(operation, *more) if does else None
        defined = getattr(module, operation, None)
        if defined is None:
            return self.useFixture(fixtures.MockPatchObject(
                module, name, autospec=True, side_effect=run)).mock
        made = mock.Mock(side_effect=run)
        self.useFixture(fixtures.MockPatchObject(
            module, operation, dataclasses.replace(defined, **{name: made})))
        return made

    def failed(self, number: int) -> exceptions.MemberFailed:
        return exceptions.MemberFailed(
            f'c-{number}', self.id_of(number), 'no disk')

    def is_over(self) -> bool:
        return bool(self.cluster_task == ClusterTasks.NONE)


class CreateTest(TasksTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.begin(ClusterTasks.BUILDING_INITIAL)

    def create(self, lost: datetime.datetime | None = None) -> None:
        self.new(lost).create_cluster(None, fakes.CLUSTER)

    def fails(self, error: Exception) -> exceptions.StepFailed:
        self.replace(create, 'run', error)
        failure = self.assertRaises(exceptions.StepFailed, self.create)
        self.assertIs(error, failure.__cause__)
        return failure

    def test_members_are_active_and_the_task_is_over(self) -> None:
        self.change(2, task_status=InstanceTasks.BUILDING)
        self.replace(create, 'run')
        self.create()
        (operation,) = self.ran
        self.assertIsInstance(operation, formation.Formation)
        self.assertEqual('create', operation.name)
        self.assertFalse(operation.creations.interrupted)
        self.assertEqual(InstanceTasks.NONE, self.task(2))
        self.assertTrue(self.is_over())

    def test_it_runs_under_the_lease(self) -> None:
        def others_have_it(operation: Any) -> None:
            operation.held.check()
            self.begin(ClusterTasks.NONE)
            operation.held.check()
        self.replace(create, 'run', others_have_it)
        self.assertRaises(exceptions.LeaseLost, self.create)

    def test_one_that_is_taken_up_was_interrupted(self) -> None:
        self.replace(create, 'run')
        self.create(lost=self.tables.cluster(fakes.CLUSTER).updated)
        self.assertTrue(self.ran[0].creations.interrupted)

    def test_one_that_another_has_taken_up_is_not_run(self) -> None:
        self.replace(create, 'run')
        self.create(lost=datetime.datetime(2000, 1, 1))
        self.assertIn('another taskmanager runs it', self.log.output)
        self.assertEqual([], self.ran)
        self.assertEqual(ClusterTasks.BUILDING_INITIAL, self.cluster_task)

    def test_who_failed_is_in_error_and_the_others_are_not(self) -> None:
        failure = self.fails(self.failed(2))
        self.assertEqual((self.id_of(2),), failure.blamed)
        self.assertEqual(
            [InstanceTasks.NONE, ERROR, InstanceTasks.NONE],
            [self.task(number) for number in self.guests])
        self.assertIn('failed: c-2: no disk. Next: delete the cluster',
                      self.tables.faults[self.id_of(2)])
        for number in (1, 3):
            self.assertIn(f'c-{number} is not at fault',
                          self.tables.faults[self.id_of(number)])
        self.assertTrue(self.is_over())

    def test_administrators_see_the_cause(self) -> None:
        self.fails(ZeroDivisionError('a mistake of ours'))
        self.assertIn('ZeroDivisionError: a mistake', self.tables.details)
        self.assertIn('ERROR Cluster', self.log.output)

    def test_if_nobody_is_at_fault_all_are_in_error(self) -> None:
        self.fails(exceptions.ClusterInconsistent('two histories'))
        self.assertEqual([ERROR] * 3,
                         [self.task(number) for number in self.guests])

    def test_trove_s_own_creation_is_let_end_before_it_is_marked(
            self) -> None:
        """Trove would remove the error again."""
        self.override(None, usage_sleep_time=5)
        self.change(2, task_status=InstanceTasks.BUILDING)
        self.clock.after(10, lambda: self.change(
            2, task_status=InstanceTasks.NONE))
        self.fails(self.failed(2))
        self.assertEqual(ERROR, self.task(2))
        self.assertGreaterEqual(self.clock.now, 10)

    def test_of_those_who_are_not_marked_it_is_not_waited_for(self) -> None:
        self.change(1, task_status=InstanceTasks.BUILDING)
        self.fails(self.failed(2))
        self.assertEqual(0, self.clock.now)

    def test_a_cluster_that_is_deleted_meanwhile_is_left_alone(self) -> None:
        def deleted(operation: Any) -> None:
            self.delete_cluster()
            raise self.failed(2)
        self.change(2, task_status=InstanceTasks.BUILDING)
        self.replace(create, 'run', deleted)
        self.assertRaises(exceptions.ClusterBeingDeleted, self.create)
        self.assertEqual(InstanceTasks.BUILDING, self.task(2))
        self.assertEqual(0, self.clock.now)
        self.assertEqual({}, self.tables.faults)
        self.assertEqual(ClusterTasks.DELETING, self.cluster_task)

    def test_also_one_that_is_while_trove_is_waited_for(self) -> None:
        self.change(2, task_status=InstanceTasks.BUILDING)
        self.clock.after(4, self.delete_cluster)
        self.replace(create, 'run', self.failed(2))
        self.assertRaises(exceptions.ClusterBeingDeleted, self.create)
        self.assertEqual(InstanceTasks.BUILDING, self.task(2))
        self.assertEqual({}, self.tables.faults)

    def test_one_that_stopped_left_everything_as_it_is(self) -> None:
        self.change(2, task_status=InstanceTasks.BUILDING)
        self.replace(create, 'run', exceptions.LeaseLost('it is gone'))
        self.assertRaises(exceptions.LeaseLost, self.create)
        self.assertEqual(InstanceTasks.BUILDING, self.task(2))
        self.assertEqual(ClusterTasks.BUILDING_INITIAL, self.cluster_task)
        self.assertIn('INFO it is gone', self.log.output)

    def test_what_is_no_error_is_not_taken_for_one(self) -> None:
        self.replace(create, 'run', lambda operation: self._killed())
        self.assertRaises(fakes.Killed, self.create)
        self.assertEqual(ClusterTasks.BUILDING_INITIAL, self.cluster_task)
        self.assertEqual({}, self.tables.faults)

    @staticmethod
    def _killed() -> None:
        raise fakes.Killed()

    def test_the_story_from_instances_to_a_cluster(self) -> None:
        self.create()
        self.assertEqual(3, len(self.galera.inside))
        self.assertTrue(self.is_over())


class LeaseTest(TasksTestCase):

    def test_in_one_process_runs_follow_each_other(self) -> None:
        locked: list[str] = []

        @contextlib.contextmanager
        def lock(name: str, blocking: bool) -> Any:
            locked.append(name)
            yield
            locked.append('free')
        self.useFixture(fixtures.MockPatchObject(
            runner.lockutils, 'lock', side_effect=lock))
        self.replace(create, 'run',
                     lambda operation: self.assertEqual(1, len(locked)))
        self.begin(ClusterTasks.BUILDING_INITIAL)
        self.tasks.create_cluster(None, fakes.CLUSTER)
        self.assertEqual(
            [f'trove-pxc-BUILDING-{fakes.CLUSTER}', 'free'], locked)

    def test_the_second_run_finds_that_nothing_is_left(self) -> None:
        self.replace(create, 'run')
        self.begin(ClusterTasks.BUILDING_INITIAL)
        self.tasks.create_cluster(None, fakes.CLUSTER)
        self.tasks.create_cluster(None, fakes.CLUSTER)
        self.assertEqual(1, len(self.ran))

    def test_it_lasts_as_long_as_the_option_says(self) -> None:
        self.override(operation_lease=60)

        def cut_off(operation: Any) -> None:
            """The lease cannot be renewed any more."""
            self.useFixture(fixtures.MockPatchObject(
                cluster_models.DBCluster, 'query', autospec=True,
                side_effect=db_exceptions.DBError))
            self.clock.advance(59)
            operation.held.check()
            self.clock.advance(1)
            operation.held.check()
        self.replace(create, 'run', cut_off)
        self.begin(ClusterTasks.BUILDING_INITIAL)
        self.assertRaises(exceptions.LeaseLost, self.tasks.create_cluster,
                          None, fakes.CLUSTER)

    def test_it_is_renewed_however_long_an_operation_takes(self) -> None:
        def takes_long(operation: Any) -> None:
            self.clock.advance(3600)
            operation.held.check()
        self.replace(create, 'run', takes_long)
        self.begin(ClusterTasks.BUILDING_INITIAL)
        self.tasks.create_cluster(None, fakes.CLUSTER)


class BeginTest(TasksTestCase):
    """Which cast starts an operation, and which one ends without it."""

    def setUp(self) -> None:
        super().setUp()
        for module in (create, delete, recover):
            self.replace(module, 'run')
        self.context = types.SimpleNamespace(
            request_id='req-1', notification=types.SimpleNamespace(
                needs_end_notification=True))

    def recover(self, request_id: str = 'req-1') -> bool:
        """Run the cast of a request; return whether it notifies its end."""
        self.context.request_id = request_id
        self.context.notification.needs_end_notification = True
        self.tasks.recover_cluster(self.context)
        return bool(self.context.notification.needs_end_notification)

    def requested(self, task: Any, request_id: str = 'req-1') -> None:
        """As trove-api records a request."""
        self.begin(task)
        with quotas.transaction() as session:
            starts.request(session, fakes.CLUSTER, task, request_id)

    def hold(self, task: Any, request_id: str = 'req-1') -> None:
        """Another taskmanager starts the operation."""
        before = self.tables.cluster(fakes.CLUSTER).updated
        self.assertTrue(starts.begin(
            fakes.CLUSTER, task, before,
            before + datetime.timedelta(seconds=5), request_id))

    def test_cast_of_the_request_starts_it(self) -> None:
        self.requested(ClusterTasks.RESTARTING_CLUSTER)
        self.assertTrue(self.recover())
        self.assertEqual(1, len(self.ran))
        self.assertTrue(self.is_over())

    def test_cast_of_an_older_request_does_not(self) -> None:
        self.requested(ClusterTasks.RESTARTING_CLUSTER, 'req-2')
        self.assertFalse(self.recover('req-1'))
        self.assertEqual([], self.ran)
        self.assertIn('INFO the operation RESTARTING_CLUSTER of cluster '
                      f'{fakes.CLUSTER} does not begin on this host: the '
                      'request req-1 is over', self.log.output)
        self.assertTrue(self.recover('req-2'))
        self.assertEqual(1, len(self.ran))

    def test_cast_does_not_displace_a_holder(self) -> None:
        self.override(None, host='192.0.2.7')
        self.requested(ClusterTasks.RESTARTING_CLUSTER)
        self.hold(ClusterTasks.RESTARTING_CLUSTER)
        held = self.tables.cluster(fakes.CLUSTER).updated
        self.assertFalse(self.recover())
        self.assertEqual([], self.ran)
        self.assertEqual(held, self.tables.cluster(fakes.CLUSTER).updated)
        self.assertIn('by the taskmanager on 192.0.2.7', self.log.output)

    def test_cast_that_may_not_start_does_not_wait_for_the_lock(self) -> None:
        lock = self.useFixture(fixtures.MockPatchObject(
            runner.lockutils, 'lock')).mock
        self.requested(ClusterTasks.RESTARTING_CLUSTER)
        self.hold(ClusterTasks.RESTARTING_CLUSTER)
        self.recover()
        lock.assert_not_called()

    def test_cast_whose_operation_has_ended_notifies_nothing(self) -> None:
        self.requested(ClusterTasks.RESTARTING_CLUSTER)
        self.assertTrue(self.recover())
        self.assertFalse(self.recover())
        self.assertEqual(1, len(self.ran))

    def test_request_of_an_older_trove_api_is_started(self) -> None:
        """It writes no record, and leaves that of the operation before."""
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.assertTrue(self.recover())
        self.requested(ClusterTasks.GROWING_CLUSTER, 'req-0')
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.assertTrue(self.recover())
        self.assertEqual(2, len(self.ran))

    def test_any_request_starts_an_operation_without_parameters(self) -> None:
        self.requested(ClusterTasks.BUILDING_INITIAL, 'req-2')
        self.tasks.create_cluster(self.context, fakes.CLUSTER)
        self.requested(ClusterTasks.DELETING, 'req-2')
        self.tasks.delete_cluster(self.context, fakes.CLUSTER)
        self.assertEqual(2, len(self.ran))

    def test_second_request_does_not_displace_a_deletion(self) -> None:
        self.requested(ClusterTasks.DELETING)
        self.hold(ClusterTasks.DELETING)
        self.context.request_id = 'req-2'
        self.tasks.delete_cluster(self.context, fakes.CLUSTER)
        self.assertEqual([], self.ran)
        self.assertFalse(self.context.notification.needs_end_notification)

    def test_expired_lease_is_taken_from_its_holder(self) -> None:
        self.requested(ClusterTasks.RESTARTING_CLUSTER)
        self.hold(ClusterTasks.RESTARTING_CLUSTER)
        self.tasks.lost = self.tables.cluster(fakes.CLUSTER).updated
        self.assertTrue(self.recover('req-of-the-resumption'))
        self.assertEqual(1, len(self.ran))

    def test_task_without_orders_is_left_to_its_holder(self) -> None:
        for task in (ClusterTasks.UPDATING_CLUSTER,
                     ClusterTasks.GROWING_CLUSTER):
            self.requested(task)
            self.hold(task)
            self.new().carry_out_pending(self.context)
            self.assertEqual(task, self.cluster_task)


class ToTheEndTest(TasksTestCase):
    """Grow, shrink and recover: reported alike, undone differently."""

    def entries(self) -> list[tuple[Any, Any, Any]]:
        """Task, module and call of each operation."""
        return [
            (ClusterTasks.GROWING_CLUSTER, grow,
             lambda: self.tasks.grow_cluster(
                 None, fakes.CLUSTER, [self.id_of(3)])),
            (ClusterTasks.SHRINKING_CLUSTER, shrink,
             lambda: self.tasks.shrink_cluster(
                 None, fakes.CLUSTER, [self.id_of(3)])),
            (ClusterTasks.RESTARTING_CLUSTER, recover,
             lambda: self.tasks.recover_cluster(None, self.id_of(2)))]

    def test_what_is_run(self) -> None:
        for task, module, call in self.entries():
            self.replace(module, 'run', lambda operation:
                         operation.held.check())
            record = self.replace(module, 'record')
            self.begin(task)
            call()
            self.assertTrue(self.is_over())
            record.assert_not_called()
        growth, shrinking, recovery = self.ran
        self.assertEqual(['c-3'], [one.name for one in growth.joining])
        self.assertFalse(growth.creations.interrupted)
        self.assertEqual(
            ['c-3'], [one.name for one in shrinking.found.passing])
        self.assertEqual('c-2', recovery.forced)

    def test_another_task_is_nobody_s_to_run(self) -> None:
        for _, module, call in self.entries():
            self.replace(module, 'run')
            self.begin(ClusterTasks.UPDATING_CLUSTER)
            call()
        self.assertEqual([], self.ran)

    def test_a_growth_that_is_taken_up_was_interrupted(self) -> None:
        self.replace(grow, 'run')
        self.begin(ClusterTasks.GROWING_CLUSTER)
        self.tasks = self.new(self.tables.cluster(fakes.CLUSTER).updated)
        self.tasks.grow_cluster(None, fakes.CLUSTER, [])
        self.assertTrue(self.ran[0].creations.interrupted)

    def test_a_recovery_without_force(self) -> None:
        self.replace(recover, 'run')
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.tasks.recover_cluster(None)
        self.assertIsNone(self.ran[0].forced)

    def test_a_failure_is_given_up_told_and_raised(self) -> None:
        for task, module, call in self.entries():
            error = self.failed(2)
            self.replace(module, 'run', error)
            record = self.replace(
                module, 'record', lambda operation, failure:
                self.assertFalse(self.is_over()))
            self.begin(task)
            failure = self.assertRaises(exceptions.StepFailed, call)
            self.assertIs(error, failure.__cause__)
            self.assertEqual((self.id_of(2),), failure.blamed)
            record.assert_called_once_with(self.ran[-1], failure)
            self.assertTrue(self.is_over())
            self.assertIn('ERROR Cluster', self.log.output)

    def test_the_failure_has_its_cause_when_it_is_given_up(self) -> None:
        error = self.failed(2)
        self.replace(recover, 'run', error)
        self.replace(recover, 'record', lambda operation, failure:
                     self.assertIs(error, failure.__cause__))
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.assertRaises(exceptions.StepFailed, self.tasks.recover_cluster,
                          None)

    def test_one_that_stopped_left_everything_as_it_is(self) -> None:
        for task, module, call in self.entries():
            self.replace(module, 'run', exceptions.LeaseLost('it is gone'))
            record = self.replace(module, 'record')
            self.begin(task)
            self.assertRaises(exceptions.LeaseLost, call)
            record.assert_not_called()
            self.assertEqual(task, self.cluster_task)
        self.assertIn('INFO it is gone', self.log.output)

    def test_a_failure_of_what_is_deleted_meanwhile_is_none(self) -> None:
        for task, module, call in self.entries():
            def deleted(operation: Any) -> None:
                self.delete_cluster()
                raise self.failed(2)
            self.replace(module, 'run', deleted)
            record = self.replace(module, 'record')
            self.begin(task)
            self.assertRaises(exceptions.ClusterBeingDeleted, call)
            record.assert_not_called()
            self.assertEqual(ClusterTasks.DELETING, self.cluster_task)


class DeleteTest(TasksTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cloud.nova.servers.list = lambda search_opts: []
        self.delete_cluster()

    def delete(self) -> None:
        self.tasks.delete_cluster(None, fakes.CLUSTER)

    def test_it_is_run_under_the_lease(self) -> None:
        self.replace(delete, 'run', lambda operation: operation.check())
        self.delete()
        (operation,) = self.ran
        self.assertIsNotNone(operation.held)
        self.assertEqual(3, len(operation.members))

    def test_what_is_deleted_already_is_no_error(self) -> None:
        self.replace(delete, 'run')
        self.tables.change(cluster_models.DBCluster, fakes.CLUSTER,
                           deleted=True)
        self.delete()
        self.assertEqual([], self.ran)

    def test_what_is_not_to_be_deleted_is_not(self) -> None:
        self.replace(delete, 'run')
        self.begin(ClusterTasks.NONE)
        self.delete()
        self.assertEqual([], self.ran)

    def test_a_failure_is_told_and_the_task_is_over(self) -> None:
        error = exceptions.DeadlineExceeded(
            'the members to be gone', 180, 'c-2: server')
        self.replace(delete, 'run', error)
        failure = self.assertRaises(exceptions.StepFailed, self.delete)
        self.assertIs(error, failure.__cause__)
        self.assertIn('timed out after 180 s', failure.cause)
        self.assertEqual([ERROR] * 3,
                         [self.task(number) for number in self.guests])
        self.assertEqual(3, len(self.tables.faults))
        self.assertTrue(self.is_over())

    def test_only_the_subject_is_in_error(self) -> None:
        def fails(operation: Any) -> None:
            operation.subject = operation.members[1]
            raise exception.TroveError('no quota')
        self.replace(delete, 'run', fails)
        self.assertRaises(exceptions.StepFailed, self.delete)
        self.assertEqual(
            [InstanceTasks.NONE, ERROR, InstanceTasks.NONE],
            [self.task(number) for number in self.guests])

    def test_one_that_another_runs_is_left_to_it(self) -> None:
        self.replace(delete, 'run', exceptions.LeaseLost('it is gone'))
        self.assertRaises(exceptions.LeaseLost, self.delete)
        self.assertEqual(ClusterTasks.DELETING, self.cluster_task)
        self.assertEqual({}, self.tables.faults)

    def test_a_failure_of_what_another_has_taken_up_is_none(self) -> None:
        def taken(operation: Any) -> None:
            self.tables.change(
                cluster_models.DBCluster, fakes.CLUSTER,
                updated=datetime.datetime(2030, 1, 1))
            raise self.failed(2)
        self.replace(delete, 'run', taken)
        self.assertRaises(exceptions.LeaseLost, self.delete)
        self.assertEqual({}, self.tables.faults)
        self.assertEqual(ClusterTasks.DELETING, self.cluster_task)
