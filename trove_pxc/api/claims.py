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

"""Taking a cluster's task for an operation, and handing it over.

Imported by api/changes and api/growth. The task in the cluster's row and the
order with its members are what the operation is known by.
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
    """Take the cluster's task and what is needed of the quota, and cast.

    :param more: what each target will use more of it, by its id.
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
    """Set the task and the orders, unless another request was quicker.

    :raises trove.common.exception.UnprocessableEntity: it was.
    :raises trove.common.exception.QuotaExceeded: there is not enough.
    """
    claimed = pending.claim(cluster.id, task, instance_ids, order, use=use)
    cluster.know_row()
    if not claimed:
        cluster.validate_cluster_available()


def forget_faults(cluster: Cluster) -> None:
    """Those of members that did not fail, when an operation begins.

    One that is there when it has ended is of this operation, or came later.
    """
    faults.forget_of(members.rows(cluster.id, cluster.name))


def _withdraw(context: Context, targets: Sequence[InstanceRow],
              order: pending.Order) -> None:
    """Nobody is to carry the order out, or to use what it has taken."""
    pending.give_back(context, [
        row for target in targets
        for row in (instance_models.DBInstance.find_by(id=target.id),)
        if pending.of(row) == order])
