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

"""Claims of a cluster's task for an operation.

Imported by api/changes and api/growth. The task in the row of the cluster and
the pending operations of its members identify the operation.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib

from trove.cluster.tasks import ClusterTasks
from trove.instance import models as instance_models

from trove_pxc.api import members
from trove_pxc.api.model import Cluster
from trove_pxc import faults
from trove_pxc import pending
from trove_pxc.protocols import ClusterTask
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow


def hand_over(cluster: Cluster, targets: Sequence[InstanceRow],
              task: ClusterTask,
              order: pending.Order, cast: Callable[..., None],
              more: Mapping[str, int] | None = None,
              **arguments: object) -> None:
    """Set the task, count the use of the quota, and cast.

    :param more: the additional use of the quota by each target, by its id.
    """
    use = None if more is None else pending.Use(cluster.tenant_id, more)
    claim(cluster, task, [row.id for row in targets], order, use)
    with contextlib.ExitStack() as undo:
        undo.callback(cluster.update_db, task_status=ClusterTasks.NONE)
        undo.callback(_withdraw, cluster.context, targets, order)
        forget_faults(cluster)
        cast(cluster.ds_version.manager, cluster.id,
             [row.id for row in targets], **arguments)
        undo.pop_all()


def claim(cluster: Cluster, task: ClusterTask, instance_ids: Sequence[str],
          order: pending.Order | None, use: pending.Use | None = None) -> None:
    """Set the task and the pending operations.

    :raises trove.common.exception.UnprocessableEntity: if another request has
        set a task before.
    :raises trove.common.exception.QuotaExceeded: if the quota is not enough.
    """
    claimed = pending.claim(cluster.id, task, instance_ids, order, use=use,
                            request_id=cluster.context.request_id)
    cluster.know_row()
    if not claimed:
        cluster.validate_cluster_available()


def forget_faults(cluster: Cluster) -> None:
    """Delete the faults of members that did not fail.

    Called when an operation begins. A fault that exists when the operation has
    ended is therefore a fault of this operation, or a later one.
    """
    faults.forget_of(members.rows(cluster.id, cluster.name))


def _withdraw(context: Context, targets: Sequence[InstanceRow],
              order: pending.Order) -> None:
    """Withdraw the pending operation and its use of the quota."""
    pending.give_back(context, [
        row for target in targets
        for row in (instance_models.DBInstance.find_by(id=target.id),)
        if pending.of(row) == order])
