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

"""Shrink a cluster: members leave it, and all that is theirs goes.

Imported by tasks. Those that stay must all be Synced before any leaves and
after each. A member that leaves is stopped cleanly; one that is down, was
never started, or does not answer while the others can do without it, goes
all the same.
"""

from collections.abc import Sequence
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
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
        online.LOOK,                # those that stay are all Synced
    )),
    Each(formation.passing, (
        leave.MARK,
    )),
    Each(formation.passing, (       # one after another
        online.LOOK,
        leave.TAKE_OUT,             # the others see one less, and serve
    )),
    Each(formation.every_member, (
        allow_peers.ALLOW_PEERS,    # before the addresses are anyone's
        configure.CONFIGURE,        # the next start knows the new members
    )),
    Each(formation.passing, (
        leave.REMOVE,               # server, port, volume, group; rows
    )),
    Each(formation.every_member, (
        verify.AGREE,               # one UUID, the new size, Synced
    )),
)


def run(operation: 'Shrinking') -> None:
    """Take all out, or those of them that are left."""
    workflow.begin(operation)
    workflow.run(operation, STEPS)


class Shrinking(supervision.Supervised):
    """The state of one run: its members are those that stay."""

    remedy = ('look at the health of the cluster; when those that stay all '
              'serve, ask for it again')

    def __init__(self, context: Context, cluster: Cluster,
                 instance_ids: Sequence[str]) -> None:
        super().__init__('shrink', context, cluster)
        stay = tuple(member for member in self.all_members
                     if member.id not in instance_ids)
        self.found = Found(stay, stay, needed=stay, passing=tuple(
            member for member in self.all_members if member not in stay))

    def check(self) -> None:
        """Whether those that stay serve is looked at by the steps."""
        self.check_wanted()
        if not self.members:
            raise exceptions.ClusterInconsistent(
                f'cluster {self.cluster_id} would have no members left')


def _record(operation: Shrinking, failure: exceptions.StepFailed) -> None:
    """Tell what happened where users look for it.

    A member that was to go and still serves is a member as before; one
    that does not is in ERROR until it is shrunk away.
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
