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

"""The taskmanager's RPC entry: one method for each operation.

Loaded through strategy. engine/runner runs an operation. If it raises,
Trove's manager sends the *error* notification, otherwise *end*.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
from typing import Any

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import notification
from trove.instance import models as instance_models
from trove.taskmanager import models as task_models

from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import ClusterTask
from trove_pxc.protocols import Context
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import InstanceRow
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.operations import delete
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.operations import rotate
from trove_pxc.taskmanager.operations import shrink

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class GaleraClusterTasks(task_models.ClusterTasks):
    """The operations on a Galera cluster.

    Each operation raises StepFailed if it failed: the members at fault have
    a fault, and the cluster has no task. It raises OperationStopped if it
    began, and the cluster is being deleted or another taskmanager has resumed
    the operation: then nothing was recorded. If it does not begin, because it
    has ended or another taskmanager runs it, no notification is sent.

    :ivar lost: the value of the expired lease, for an operation that is
        resumed; None for a new operation.
    """

    db_info: ClusterRow
    ds_version: DatastoreVersion
    lost: datetime.datetime | None = None

    def create_cluster(self, context: Context, cluster_id: str) -> None:
        """Form a cluster of the instances that Trove is creating."""
        self._run(create.OPERATION, context, self.lost is not None)

    def grow_cluster(self, context: Context, cluster_id: str,
                     new_instance_ids: Sequence[str]) -> None:
        """Let new instances join, one after another."""
        self._run(grow.OPERATION, context, new_instance_ids,
                  self.lost is not None)

    def shrink_cluster(self, context: Context, cluster_id: str,
                       instance_ids: Sequence[str]) -> None:
        """Stop members and remove them."""
        self._run(shrink.OPERATION, context, instance_ids)

    def restart_members(self, context: Context,
                        instance_ids: Sequence[str]) -> None:
        """Restart members one after another."""
        self._run(restart.OPERATION, context, instance_ids)

    def resize_flavor_of_members(self, context: Context,
                                 instance_ids: Sequence[str],
                                 flavor_id: str) -> None:
        """Resize members to another flavor, one after another."""
        self._run(resize.FLAVOR, context, instance_ids, flavor_id)

    def resize_volume_of_members(self, context: Context,
                                 instance_ids: Sequence[str],
                                 volume_gb: int) -> None:
        """Extend the volumes of members, one after another."""
        self._run(resize.VOLUME, context, instance_ids, volume_gb)

    def rotate_certificates(self, context: Context) -> None:
        """Replace the authority and the certificates of all members."""
        self._run(rotate.OPERATION, context)

    def recover_cluster(self, context: Context,
                        force: str | None = None) -> None:
        """Recover a cluster that does not serve, or not with all members.

        :param force: id of the member that the operator forces.
        """
        self._run(recover.OPERATION, context, force)

    def delete_cluster(self, context: Context, cluster_id: str) -> None:
        """Remove a cluster; one that was deleted already is not an error."""
        with contextlib.ExitStack() as until_done:
            try:
                held = until_done.enter_context(
                    self._begun(context, ClusterTasks.DELETING))
            except exceptions.ClusterBeingDeleted:
                LOG.info('Cluster %s was deleted already', cluster_id)
                tell_nothing(context)
                return
            if held is not None:
                runner.run(delete.OPERATION, delete.Deletion(context, self),
                           held)

    def _run(self, operation: runner.Operation[Any], context: Context,
             *order: object) -> None:
        """Run an operation with its parameters, under the lease."""
        with self._begun(context, operation.task) as held:
            if held is not None:
                runner.run(operation, operation.state(context, self, *order),
                           held)

    def carry_out_pending(self, context: Context) -> None:
        """Resume the pending operation of the members."""
        rows: list[InstanceRow] = instance_models.DBInstance.find_all(
            cluster_id=self.id, deleted=False).all()
        order, ids = pending.waiting(rows)
        task = self.db_info.task_status
        if task in (ClusterTasks.GROWING_CLUSTER,
                    ClusterTasks.SHRINKING_CLUSTER):
            self._go_on_changing_size(context, order, rows)
        elif order is None:
            with self._begun(context, task) as held:
                if held is not None:
                    LOG.warning('No member of cluster %s has a pending '
                                'operation; ending its task %s', self.id,
                                task.name)
                    held.end()
        elif order.action == pending.RESTART:
            self.restart_members(context, ids)
        elif order.action in (pending.RECOVER, pending.FORCE):
            self.recover_cluster(context, order.value or None)
        elif order.action == pending.CERTIFICATES:
            self.rotate_certificates(context)
        elif order.action == pending.FLAVOR:
            self.resize_flavor_of_members(context, ids, order.value)
        else:
            self.resize_volume_of_members(context, ids, int(order.value))

    def _go_on_changing_size(self, context: Context,
                             order: pending.Order | None,
                             rows: Sequence[InstanceRow]) -> None:
        """Resume a grow or a shrink.

        :raises StepFailed: the members of the request are not known, because
            trove-api has an older version, or a new member was renamed.
        """
        task, ids = self.db_info.task_status, None
        if order is not None and order.action == pending.GROW:
            ids = pending.joining(order, self.name, rows)
            if ids is not None:
                self.grow_cluster(context, self.id, ids)
        elif order is not None and order.action == pending.SHRINK:
            ids = pending.leaving(order, rows)
            if ids is not None:
                self.shrink_cluster(context, self.id, ids)
        if ids is None:
            with self._begun(context, task) as held:
                if held is None:
                    return
                held.end()
            raise exceptions.StepFailed(
                task.name.lower(), 'all', 'its taskmanager died',
                'check the members, remove those that did not join or were '
                'to leave with a shrink, then repeat the request')

    @contextlib.contextmanager
    def _begun(self, context: Context,
               task: ClusterTask) -> Iterator[lease.Lease | None]:
        """Hold the lease; None if the operation does not begin here."""
        with contextlib.ExitStack() as until_done:
            try:
                held = until_done.enter_context(runner.alone(
                    self.id, task,
                    CONF.get(self.ds_version.manager).operation_lease,
                    self.lost, _request(context, task)))
            except exceptions.LeaseLost as elsewhere:
                LOG.info('%s', elsewhere)
                tell_nothing(context)
                held = None
            yield held


def _request(context: Context | None, task: ClusterTask) -> str:
    """The id of the request of a cast; '' if it has no parameters."""
    if context is None or task in (ClusterTasks.BUILDING_INITIAL,
                                   ClusterTasks.DELETING):
        return ''
    return str(context.request_id)


def tell_nothing(context: Context | None) -> None:
    """Send no notification at the end; another run of it sends its own."""
    told = getattr(context, 'notification', None)
    if told is not None:
        told.needs_end_notification = False


def _action(name: str) -> Callable[..., None]:
    """Make the function for a cast that Trove's manager has no method for."""
    def entry(context: Context, cluster_id: str, **arguments: object) -> None:
        with notification.EndNotification(context, cluster_id=cluster_id):
            cluster_tasks = task_models.load_cluster_tasks(
                context, cluster_id)
            getattr(cluster_tasks, name)(context, **arguments)
    return entry


ACTIONS: Mapping[str, Callable[..., None]] = {
    name: _action(name) for name in (
        'restart_members', 'resize_flavor_of_members',
        'resize_volume_of_members', 'rotate_certificates', 'recover_cluster')}
