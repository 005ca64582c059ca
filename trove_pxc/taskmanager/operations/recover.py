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

"""Recovers a cluster that does not serve, or not with all members.

Imported by tasks. If a member is in a primary component, the others join
it. If none is, the recovery waits while running members may find each other.
Then it stops servers that restart repeatedly or hang, reads the positions
from all disks, and galera/plan chooses the member to bootstrap from, or
refuses.
"""

from typing import Any

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import missing
from trove_pxc.taskmanager.steps import primary
from trove_pxc.taskmanager.steps import recovery
from trove_pxc.taskmanager.steps import rejoin
from trove_pxc.taskmanager.steps import verify

LOG = logging.getLogger(__name__)

Each = workflow.Each
Recovery = recovery.Recovery

STEPS: tuple[Each[Any], ...] = (
    Each(formation.first_member, (  # these steps ask all members
        primary.WAIT_FOR_SELF_RECOVERY,  # after a common loss of power
        primary.STOP_FOR_RECOVERY,  # servers that restart or hang
        primary.CONTINUE,           # promote or start one member, or refuse
    )),
    Each(formation.joiners, (       # one after another
        rejoin.JOIN,
    )),
    Each(recovery.primary, (        # it has joined, but may be locked
        rejoin.JOIN,
    )),
    Each(formation.every_member, (
        verify.AGREE,               # one UUID, full size, Synced
    )),
    Each(formation.last_member, (
        verify.REPLICATE,           # all others read what it writes
    )),
    Each(formation.every_member, (
        complete.BE_HEALTHY,
    )),
)


def run(operation: Recovery) -> None:
    """Recover the cluster, or continue an interrupted run."""
    workflow.begin(operation)
    workflow.set_found(operation, missing.refuse_without_primary(operation))
    workflow.run(operation, STEPS)
    operation.check_wanted()
    for member in operation.members:
        faults.forget(member.id)
    operation.stopped.clear()   # they run again
    missing.tell(operation)


def _record(operation: Recovery, failure: exceptions.StepFailed) -> None:
    """Save the fault for the named members, or for all."""
    for member in failures.at_fault(
            failure, tuple(operation.found.survey.all_members.values())):
        failures.save_fault(member.id, failure)


def _put_back(operation: Recovery) -> None:
    """After a failure, start the servers that the recovery stopped.

    They stay stopped if a member was ordered to become primary and may still
    do so, because the others could then form a second primary component.
    """
    if operation.order_given and operation.found.source is None:
        LOG.warning('Recovery of cluster %s: %s stay stopped, because %s may '
                    'still become primary', operation.cluster_id,
                    ', '.join(one.name for one in operation.stopped),
                    operation.subject and operation.subject.name)
        return
    for member in operation.stopped:
        try:
            member.guest.start_member()
        except recovery.SILENT as failure:
            LOG.warning('Recovery of cluster %s: %s could not be started '
                        'again: %s', operation.cluster_id, member.name,
                        failure)


OPERATION = runner.Operation(
    ClusterTasks.RESTARTING_CLUSTER, Recovery, run, _record,
    put_back=_put_back)
