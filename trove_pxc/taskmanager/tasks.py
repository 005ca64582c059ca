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

"""The taskmanager's RPC entry: what came of an operation, told to Trove.

Loaded through strategy. A failure ends in statuses, faults and a cluster
that can be deleted, and is raised again: Trove's manager sends the *error*
notification for what is raised, and *end* for everything else.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
import functools
from typing import Any

from oslo_concurrency import lockutils
from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import notification
from trove.instance import models as instance_models
from trove.taskmanager import models as task_models

from trove_pxc import exceptions
from trove_pxc import orders
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import outcome
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.operations import delete
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.operations import rotate
from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rolling

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class GaleraClusterTasks(task_models.ClusterTasks):
    """The operations on a Galera cluster.

    :ivar lost: the value of the lease of the operation whose taskmanager
        died, for the one that takes it up; None: it is new.
    """

    lost: datetime.datetime | None = None

    def create_cluster(self, context: Any, cluster_id: str) -> None:
        """Make one cluster of the instances that Trove is creating.

        :raises StepFailed: and then the members at fault are in ERROR, and
            the cluster has no task.
        :raises OperationStopped: and then nothing was marked.
        """
        with self._lease(ClusterTasks.BUILDING_INITIAL) as held:
            operation = formation.Formation('create', context, self)
            operation.held = held
            operation.interrupted = self.lost is not None
            try:
                create.run(operation)
            except exceptions.OperationStopped as stopped:
                LOG.info('%s', stopped)
                raise
            except Exception as error:
                self._create_failed(operation, error)
                held.end()
                raise workflow.failure(operation, error) from error
            outcome.release(operation.members)
            held.end()
            LOG.info('Cluster %s is complete', cluster_id)

    def grow_cluster(self, context: Any, cluster_id: str,
                     new_instance_ids: Sequence[str]) -> None:
        """Let new instances in, one after another.

        :raises StepFailed: and then those that did not come in are in
            ERROR, the old members are as they were, and the cluster has no
            task.
        """
        self._to_the_end(
            ClusterTasks.GROWING_CLUSTER, grow.run, grow.give_up,
            functools.partial(grow.Growth, context, self, new_instance_ids,
                              interrupted=self.lost is not None))

    def shrink_cluster(self, context: Any, cluster_id: str,
                       instance_ids: Sequence[str]) -> None:
        """Take members out and remove them.

        :raises StepFailed: and then those that are left and do not serve
            are in ERROR, and the cluster has no task.
        """
        self._to_the_end(
            ClusterTasks.SHRINKING_CLUSTER, shrink.run, shrink.give_up,
            functools.partial(shrink.Shrinking, context, self,
                              instance_ids))

    def restart_members(self, context: Any,
                        instance_ids: Sequence[str]) -> None:
        """Restart members one after another.

        :raises StepFailed: and then the member at fault tells why, and the
            cluster has no task.
        """
        self._roll(ClusterTasks.RESTARTING_CLUSTER, restart.run,
                   functools.partial(rolling.Rolling, 'restart', context,
                                     self, instance_ids))

    def resize_flavor_of_members(self, context: Any,
                                 instance_ids: Sequence[str],
                                 flavor_id: str) -> None:
        """Give members another flavor, one after another; as a restart."""
        self._roll(ClusterTasks.UPDATING_CLUSTER, resize.run_flavor,
                   functools.partial(resize.FlavorResize, context, self,
                                     instance_ids, flavor_id))

    def resize_volume_of_members(self, context: Any,
                                 instance_ids: Sequence[str],
                                 volume_gb: int) -> None:
        """Give members larger volumes, one after another; as a restart."""
        self._roll(ClusterTasks.UPDATING_CLUSTER, resize.run_volume,
                   functools.partial(resize.VolumeResize, context, self,
                                     instance_ids, volume_gb))

    def rotate_certificates(self, context: Any) -> None:
        """Give all members certificates of a new authority; as a restart."""
        self._roll(ClusterTasks.UPDATING_CLUSTER, rotate.run,
                   functools.partial(rotate.Rotation, context, self))

    def recover_cluster(self, context: Any,
                        force: str | None = None) -> None:
        """Bring back a cluster that serves nobody, or not with all.

        :param force: id of the member that the operator answers for.
        :raises StepFailed: and then the members that are named tell why,
            and the cluster has no task.
        """
        self._to_the_end(
            ClusterTasks.RESTARTING_CLUSTER, recover.run, recover.give_up,
            functools.partial(recover.Recovery, context, self, force))

    def _to_the_end(self, task: Any, run: Callable[[Any], None],
                    give_up: Callable[[Any, exceptions.StepFailed], None],
                    make: Callable[[], Any]) -> None:
        with self._lease(task) as held:
            operation = make()
            operation.held = held
            try:
                run(operation)
            except exceptions.OperationStopped as stopped:
                LOG.info('%s', stopped)
                raise
            except Exception as error:
                operation.check_wanted()
                failure = workflow.failure(operation, error)
                failure.__cause__ = error
                LOG.error('Cluster %s: %s', self.id, failure, exc_info=error)
                give_up(operation, failure)
                held.end()
                raise failure from error
            held.end()
            LOG.info('%s of cluster %s is complete', operation.name, self.id)

    def carry_out_orders(self, context: Any) -> None:
        """Go on with what members were ordered; its taskmanager died."""
        rows = instance_models.DBInstance.find_all(
            cluster_id=self.id, deleted=False).all()
        order, ids = orders.waiting(rows)
        task = self.db_info.task_status
        if task in (ClusterTasks.GROWING_CLUSTER,
                    ClusterTasks.SHRINKING_CLUSTER):
            self._go_on_changing_size(context, order, rows)
        elif order is None:
            with self._lease(task) as held:
                LOG.warning('No member of cluster %s has an order left; its '
                            'task %s is over', self.id, task.name)
                held.end()
        elif order.action == orders.RESTART:
            self.restart_members(context, ids)
        elif order.action in (orders.RECOVER, orders.FORCE):
            self.recover_cluster(context, order.value or None)
        elif order.action == orders.CERTIFICATES:
            self.rotate_certificates(context)
        elif order.action == orders.FLAVOR:
            self.resize_flavor_of_members(context, ids, order.value)
        else:
            self.resize_volume_of_members(context, ids, int(order.value))

    def _go_on_changing_size(self, context: Any, order: orders.Order | None,
                             rows: Sequence[Any]) -> None:
        """Let in who was to come, or take out who was to go.

        :raises StepFailed: it is not known who that is, since a version
            before this one was asked, or since a new member was renamed.
        """
        ids = None
        task = self.db_info.task_status
        if order is not None and order.action == orders.GROW:
            ids = orders.newcomers(order, self.name, rows)
            if ids is not None:
                self.grow_cluster(context, self.id, ids)
        elif order is not None and order.action == orders.SHRINK:
            ids = orders.leaving(order, rows)
            if ids is not None:
                self.shrink_cluster(context, self.id, ids)
        if ids is None:
            with self._lease(task) as held:
                held.end()
            raise exceptions.StepFailed(
                task.name.lower(), 'all', 'its taskmanager has died',
                'look at the members, shrink away those that did not come '
                'in or were to go, and ask for it again')

    def _roll(self, task: Any, run: Callable[[Any], None],
              make: Callable[[], rolling.Rolling]) -> None:
        with self._lease(task) as held:
            operation = make()
            operation.held = held
            try:
                self._run_while_wanted(operation, run)
            except exceptions.ClusterBeingDeleted as deleted:
                LOG.info('%s', deleted)
                rolling.return_quota(operation)
                raise
            except exceptions.LeaseLost as lost:
                LOG.info('%s', lost)
                raise
            finally:
                if held.held():
                    rolling.free(operation)
                    held.end()
            LOG.info('%s of cluster %s is complete', operation.name, self.id)

    def _run_while_wanted(self, operation: rolling.Rolling,
                          run: Callable[[Any], None]) -> None:
        """Run it; what fails is put back, unless the cluster goes anyway."""
        try:
            run(operation)
        except exceptions.OperationStopped:
            raise
        except Exception as error:
            operation.check_wanted()
            raise self._roll_back(operation, error) from error

    def _roll_back(self, operation: rolling.Rolling,
                   error: Exception) -> exceptions.StepFailed:
        """What there is to tell, when the member serves again if it can."""
        failure = workflow.failure(operation, error)
        LOG.error('Cluster %s: %s', self.id, failure, exc_info=error)
        failure.__cause__ = error
        rolling.record(operation, failure)
        try:
            obstacle = rolling.put_back(operation)
        except exceptions.OperationStopped:
            raise
        except Exception as unexpected:
            LOG.exception('Cluster %s: a member could not be put back',
                          self.id)
            raise self._not_put_back(
                operation, failure, error, str(unexpected)) from error
        if obstacle:
            failure = self._not_put_back(operation, failure, error, obstacle)
        return failure

    @staticmethod
    def _not_put_back(operation: rolling.Rolling,
                      failure: exceptions.StepFailed, error: Exception,
                      obstacle: str) -> exceptions.StepFailed:
        failure = failure.with_obstacle(obstacle)
        failure.__cause__ = error
        rolling.record(operation, failure)
        return failure

    def delete_cluster(self, context: Any, cluster_id: str) -> None:
        """Remove all of a cluster.

        :raises StepFailed: and then the cluster has no task, so that the
            state does not claim a deletion that nobody runs.
        :raises OperationStopped: and then someone else is at it.
        """
        with contextlib.ExitStack() as until_done:
            try:
                held = until_done.enter_context(
                    self._lease(ClusterTasks.DELETING))
            except exceptions.ClusterBeingDeleted:
                LOG.info('Cluster %s is deleted already', cluster_id)
                return
            self._delete(context, held)

    def _delete(self, context: Any, held: lease.Lease) -> None:
        operation = delete.Deletion(context, self)
        operation.held = held
        try:
            delete.run(operation)
        except exceptions.OperationStopped as stopped:
            LOG.info('%s', stopped)
            raise
        except Exception as error:
            held.check()
            failure = workflow.failure(operation, error)
            LOG.exception('%s', failure)
            outcome.record_failure(failure, operation.members)
            held.end()
            raise failure from error

    def _create_failed(self, operation: formation.Formation,
                       error: Exception) -> None:
        operation.check_wanted()
        failure = workflow.failure(operation, error)
        failure.__cause__ = error
        LOG.error('Cluster %s: %s', self.id, failure, exc_info=error)
        outcome.let_trove_finish(
            outcome.at_fault(failure, operation.members))
        operation.check_wanted()
        outcome.record_failure(failure, operation.members)

    @contextlib.contextmanager
    def _lease(self, task: Any) -> Iterator[lease.Lease]:
        """Hold the lease of the cluster's task, when it is free here.

        In one process a second run waits until the first is over, and
        then finds what is left to do.
        """
        seconds = CONF.get(self.ds_version.manager).operation_lease
        with (lockutils.lock(f'trove-pxc-{task.name}-{self.id}'),
              lease.Lease(self.id, task, seconds, self.lost) as held):
            yield held


def _action(name: str) -> Callable[..., None]:
    """What Trove's manager calls for a cast that it has no method for."""
    def entry(context: Any, cluster_id: str, **arguments: Any) -> None:
        with notification.EndNotification(context, cluster_id=cluster_id):
            cluster_tasks = task_models.load_cluster_tasks(
                context, cluster_id)
            getattr(cluster_tasks, name)(context, **arguments)
    return entry


ACTIONS: Mapping[str, Callable[..., None]] = {
    name: _action(name) for name in (
        'restart_members', 'resize_flavor_of_members',
        'resize_volume_of_members', 'rotate_certificates', 'recover_cluster')}
