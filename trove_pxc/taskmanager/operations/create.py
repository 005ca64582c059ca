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

"""Create a cluster: its instances are on their way, now make it one.

Imported by tasks. The steps themselves are in formation.
"""

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation

Each = workflow.Each

STEPS: tuple[Each[formation.Formation], ...] = (
    Each(formation.every_member, (
        formation.KNOW_ADDRESS,     # all stand in each one's settings
    )),
    Each(formation.every_member, (
        formation.ADMIT,            # to the Galera ports, and nobody else
    )),
    Each(formation.first_member, (  # though others may still be booting
        formation.BE_PREPARED,
        formation.CONFIGURE,
        formation.BOOTSTRAP,        # alone: Primary, Synced, size 1
    )),
    Each(formation.joiners, (       # one after another
        formation.BE_PREPARED,
        formation.CONFIGURE,
        formation.JOIN,             # Synced, size n, the others as well
    )),
    Each(formation.every_member, (
        formation.AGREE,            # one UUID, full size, Synced
    )),
    Each(formation.last_member, (
        formation.REPLICATE,        # what it writes, all the others read
    )),
    Each(formation.every_member, (
        formation.COMPLETE,
    )),
    Each(formation.every_member, (
        formation.BE_HEALTHY,
    )),
)


def run(operation: formation.Formation) -> None:
    """Make the cluster, or go on where an earlier run was cut short."""
    workflow.begin(operation)
    members.be_counted(operation.cluster_id, operation.members)
    members.check_all_made(
        operation.cluster_id, operation.members, operation.members)
    workflow.run(operation, STEPS)
