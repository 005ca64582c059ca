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

"""Grows a cluster by the instances that Trove is creating.

Imported by tasks. The new members join one after another. The servers of old
members are not changed. Old members may be down, because a lost member is
replaced by a grow, then a shrink.
"""

from collections.abc import Sequence
import dataclasses
from typing import Any

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import allow_peers
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import donors
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import join
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import prepare
from trove_pxc.taskmanager.steps import verify

LOG = logging.getLogger(__name__)

Member = members.Member
Each = workflow.Each

STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (       # one after another
        online.LOOK,                # before the wait for a server
        prepare.KNOW_ADDRESS,
        prepare.BE_PREPARED,
        online.LOOK,                # the members that serve, their history
        donors.RESTORE_ACCOUNTS,    # a donor needs them
        allow_peers.ALLOW_EACH_OTHER,
        configure.CONFIGURE,
        join.JOIN,                  # Synced, the others report one more
        verify.REPLICATE,           # all others read what it writes
        complete.COMPLETE,
        complete.BE_HEALTHY,
        configure.MAKE_KNOWN,       # for the next start of old members
        complete.BRING_IN,
    )),
)


def run(operation: 'Growth') -> None:
    """Let all new members join, or continue an interrupted run."""
    workflow.begin(operation)
    members.be_counted(operation.cluster_id, operation.joining)
    members.check_all_made(
        operation.cluster_id, operation.joining, operation.all_members)
    workflow.run(operation, STEPS)


class Growth(supervision.Supervised):
    """The state of one run.

    :ivar joining: the new members, in member order.
    :ivar creations: the progress of Trove's creation of their instances.
    """

    remedy = 'remove it with a shrink, then grow again'

    def __init__(self, context: Context, cluster: Cluster,
                 new_instance_ids: Sequence[str],
                 interrupted: bool = False) -> None:
        super().__init__('grow', context, cluster)
        self.joining = tuple(member for member in self.all_members
                             if member.id in new_instance_ids)
        self.creations = formation.Creations(self.joining, interrupted)
        self.found = dataclasses.replace(
            self.found, passing=self.joining,
            or_larger=True)     # one that is down may come back
        if not self.joining:
            self.remedy = 'repeat the grow'

    def examine(self, state: rows.State) -> None:
        """Check only the new member; an old one does not stop the grow."""
        if not self.joining:
            raise exceptions.ClusterInconsistent(
                f'none of the new members of cluster {self.cluster_id} was '
                'created')
        if self.subject in self.joining:
            self.subject.check(state.members.get(self.subject.id))
            self.creations.look([self.subject])


def _record(operation: Growth, failure: exceptions.StepFailed) -> None:
    """Put the members that did not join into ERROR, and stop their servers.

    Members that joined before stay. The old members are not changed.
    """
    at_fault, left = operation.subject, operation.found.passing
    failures.let_trove_finish(left)
    operation.check_wanted()
    for member in left:
        instead = ''
        if at_fault is not None and member is not at_fault:
            instead = (f'{member.name} did not join: the grow failed at '
                       f'{at_fault.name}; see its fault')
        failures.set_error(member, InstanceTasks.GROWING_ERROR)
        failures.save_fault(member.id, failure, instead)
    for member in left:
        _keep_out(member)


def _keep_out(member: Member) -> None:
    """Stop the server of a member, so that it does not join later."""
    report = online.glimpse(member)
    if report is None or not report.started:
        return
    try:
        member.guest.stop_member()
    except (exception.GuestTimeout, exception.GuestError) as failure:
        LOG.warning('The server of %s, which did not join, could not be '
                    'stopped and may still run: %s', member.name, failure)


OPERATION = runner.Operation(
    ClusterTasks.GROWING_CLUSTER, Growth, run, _record)
