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

"""Deletes a cluster: its resources in the cloud, then its rows.

Imported by tasks. All members are deleted at the same time. cloud/cleanup
deletes one of them.
"""

from collections.abc import Callable
import functools
from typing import Any

from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import timeutils

from trove_pxc import exceptions
from trove_pxc.galera import naming
from trove_pxc.protocols import Context
from trove_pxc import quotas
from trove_pxc import starts
from trove_pxc.taskmanager.cloud import cleanup
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import transient
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


def run(operation: 'Deletion') -> None:
    """Delete servers, ports, volumes and groups, then the rows.

    :raises DeadlineExceeded: names each member and the resources left.
    """
    operation.wait('the servers of the members', lambda: operation.leftovers)
    groups = operation.wait('the server groups of the cluster',
                            functools.partial(_server_groups, operation))
    _remove_resources(operation)
    for member in operation.members:
        operation.subject = member
        operation.wait(
            f'the rows of {member.name} to be deleted', functools.partial(
                cleanup.delete_rows, operation.context, member))
    operation.subject = None
    for group in groups:
        operation.wait('a server group to be deleted',
                       functools.partial(
                           cleanup.ignoring_absence, group.delete))
    operation.wait('the row of the cluster to be deleted',
                   functools.partial(_delete_cluster_row, operation))


class Deletion:
    """The state of one run; it may run again at any time.

    :ivar members: the members whose rows are not deleted yet.
    :ivar held: the lease; the operation stops when it is lost.
    """

    held: lease.Lease | None = None

    name = 'delete'
    remedy = 'delete the cluster'
    at: workflow.Step[Any] | None = None
    subject: members.Member | None = None

    def __init__(self, context: Context,
                 cluster: cluster_models.Cluster) -> None:
        self.context = context
        self.cluster_id = str(cluster.id)
        self.members = members.load(context, cluster)

    @functools.cached_property
    def leftovers(self) -> list[cleanup.Leftovers]:
        """The remaining resources of each member; finds their servers."""
        return [cleanup.Leftovers(member) for member in self.members]

    def check(self) -> None:
        """Raise OperationStopped if the lease is lost."""
        if self.held is not None:
            self.held.check()

    check_wanted = check

    def wait(self, what: str, probe: Callable[[], Any]) -> Any:
        """Call a probe until it returns.

        A temporary error of the cloud or of Trove's database counts as
        NotYet.

        :raises DeadlineExceeded: after Trove's cluster_delete_time_out.
        """
        def supervised() -> Any:
            self.check()
            return probe()
        intervals = [member.options.cloud_poll_interval
                     for member in self.members]
        return waiting.until(what, transient.awaited(what, supervised),
                             float(CONF.cluster_delete_time_out),
                             min(intervals, default=0.5))


def _remove_resources(operation: Deletion) -> None:
    def probe() -> None:
        left = []
        for leftovers in operation.leftovers:
            operation.subject = leftovers.member
            left.extend(leftovers.clean_up())
        operation.subject = None
        if left:
            raise waiting.NotYet('; '.join(left))
    operation.wait('the members to be gone from the cloud', probe)


def _server_groups(operation: Deletion) -> list[Any]:
    """The server groups (affinity, anti-affinity) of this cluster."""
    servers = {leftovers.server_id for leftovers in operation.leftovers
               if leftovers.server_id}
    name = naming.server_group_name(operation.cluster_id)
    nova = clients.create_nova_client(operation.context)
    return [group for group in nova.server_groups.list()
            if group.name == name or servers & set(group.members)]


def _delete_cluster_row(operation: Deletion) -> None:
    cleanup.forget_former_members(operation.cluster_id)
    row = cluster_models.DBCluster.get_by(
        id=operation.cluster_id, deleted=False)
    if row is None:
        LOG.info('Cluster %s was deleted already', operation.cluster_id)
        return
    with quotas.transaction() as session:
        starts.forget(session, operation.cluster_id)
    row.update(deleted=True, deleted_at=timeutils.utcnow(),
               task_status=ClusterTasks.NONE, configuration_id=None)
    LOG.info('Cluster %s is deleted', operation.cluster_id)


def _record(operation: Deletion, failure: exceptions.StepFailed) -> None:
    failures.record_failure(failure, operation.members)


OPERATION = runner.Operation(
    ClusterTasks.DELETING, Deletion, run, _record, ends_task=False)
