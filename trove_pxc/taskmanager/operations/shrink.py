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

"""Shrinks a cluster: members leave, and their resources are deleted.

Imported by tasks. All remaining members must be Synced before the first
member leaves and after each one. A member that leaves is stopped cleanly. A
member that is down, was never started, or does not answer is removed too, if
the others keep their quorum without it.
"""

from collections.abc import Sequence
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import allow_peers
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import leave
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import verify

Member = members.Member
Each = workflow.Each

STEPS: tuple[Each[Any], ...] = (
    Each(formation.first_member, (
        online.LOOK,                # the remaining members are all Synced
    )),
    Each(formation.passing, (
        leave.MARK,
    )),
    Each(formation.passing, (       # one after another
        online.LOOK,
        leave.TAKE_OUT,             # the others report one less, and serve
    )),
    Each(formation.every_member, (
        allow_peers.ALLOW_PEERS,    # before the addresses are used again
        configure.CONFIGURE,        # for their next start
    )),
    Each(formation.passing, (
        leave.REMOVE,               # server, port, volume, group; rows
    )),
    Each(formation.every_member, (
        verify.AGREE,               # one UUID, the new size, Synced
    )),
)


def run(operation: 'Shrinking') -> None:
    """Remove all members of the request, or those that are left."""
    workflow.begin(operation)
    workflow.run(operation, STEPS)


class Shrinking(supervision.Supervised):
    """The state of one run; its members are the remaining members."""

    remedy = ('check the health of the cluster; when all remaining members '
              'serve, repeat the shrink')

    def __init__(self, context: Context, cluster: Cluster,
                 instance_ids: Sequence[str]) -> None:
        super().__init__('shrink', context, cluster)
        stay = tuple(member for member in self.all_members
                     if member.id not in instance_ids)
        self.found = Found(stay, stay, needed=stay, passing=tuple(
            member for member in self.all_members if member not in stay))

    def examine(self, state: rows.State) -> None:
        """Check that members remain; the steps check whether they serve."""
        if not self.members:
            raise exceptions.ClusterInconsistent(
                f'cluster {self.cluster_id} would have no members left')


def _record(operation: Shrinking, failure: exceptions.StepFailed) -> None:
    """Save the faults of a failure.

    A member that was to leave and still serves is a member as before; one
    that does not serve is in ERROR until a shrink removes it.
    """
    left = [member for member in operation.found.passing
            if member.find_row() is not None]
    for member in left:
        _restore(member)
    told = [*left, *(member for member in operation.members
                     if member.id in failure.blamed)]
    for member in told:
        failures.save_fault(member.id, failure)


def _restore(member: Member) -> None:
    row = member.find_row()
    if row is None or row.task_status != InstanceTasks.DELETING:
        return
    report = online.glimpse(member)
    serves = (report is not None and report.view is not None
              and report.view.serves)
    row.update(task_status=InstanceTasks.NONE if serves
               else InstanceTasks.SHRINKING_ERROR)


OPERATION = runner.Operation(
    ClusterTasks.SHRINKING_CLUSTER, Shrinking, run, _record)
