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

"""Creates a cluster from the instances that Trove is creating.

Imported by tasks. The steps themselves are in steps/.
"""

from trove.cluster.tasks import ClusterTasks

from trove_pxc import exceptions
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import allow_peers
from trove_pxc.taskmanager.steps import bootstrap
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import join
from trove_pxc.taskmanager.steps import prepare
from trove_pxc.taskmanager.steps import restore
from trove_pxc.taskmanager.steps import verify

Each = workflow.Each
Formation = formation.Formation

STEPS: tuple[Each[Formation], ...] = (
    Each(formation.every_member, (
        prepare.KNOW_ADDRESS,     # the settings contain all addresses
    )),
    Each(formation.every_member, (
        allow_peers.ALLOW_PEERS,  # on the Galera ports, and no others
    )),
    Each(formation.first_member, (  # the others may still be booting
        configure.MAKE_SECRETS,     # while it boots, too
        prepare.BE_PREPARED,
        configure.CONFIGURE,
    )),
    Each(formation.restored_member, (   # if there is a backup
        restore.RESTORE,
    )),
    Each(formation.first_member, (
        bootstrap.START_BOOTSTRAP,
    )),
    Each(formation.prepared_joiners, (  # while the first server starts
        configure.CONFIGURE,
    )),
    Each(formation.first_member, (
        bootstrap.BOOTSTRAP,        # Primary, Synced, size 1
    )),
    Each(formation.joiners, (       # one after another
        prepare.BE_PREPARED,
        configure.CONFIGURE,
        join.JOIN,             # Synced, all members report the new size
    )),
    Each(formation.every_member, (
        verify.AGREE,            # one UUID, full size, Synced
    )),
    Each(formation.last_member, (
        verify.REPLICATE,        # all others read what it writes
    )),
    Each(formation.restored_member, (
        restore.RECORD_ROOT,     # if the backup has it
    )),
    Each(formation.every_member, (
        complete.COMPLETE,
    )),
    Each(formation.every_member, (
        complete.BE_HEALTHY,
    )),
)


def run(operation: Formation) -> None:
    """Create the cluster, or continue an interrupted run."""
    workflow.begin(operation)
    members.be_counted(operation.cluster_id, operation.members)
    members.check_all_made(
        operation.cluster_id, operation.members, operation.members)
    workflow.run(operation, STEPS)


def _state(context: Context, cluster: Cluster, interrupted: bool) -> Formation:
    return Formation('create', context, cluster, interrupted)


def _record(operation: Formation, failure: exceptions.StepFailed) -> None:
    """Put the members at fault into ERROR, after Trove has created them."""
    failures.let_trove_finish(failures.at_fault(failure, operation.members))
    operation.check_wanted()
    failures.record_failure(failure, operation.members)


def _complete(operation: Formation) -> None:
    failures.release(operation.members)


OPERATION = runner.Operation(
    ClusterTasks.BUILDING_INITIAL, _state, run, _record,
    complete=_complete)
