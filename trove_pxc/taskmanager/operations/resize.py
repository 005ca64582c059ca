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

"""Resizes members: to another flavor, or to a larger volume.

Imported by tasks. Each member is resized while its database server is
stopped. steps/machine changes its server and its volume.
"""

from collections.abc import Sequence
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from trove_pxc import pending
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import machine
from trove_pxc.taskmanager.steps import rolling

Each = workflow.Each
Rolling = rolling.Rolling
Step = workflow.Step[Any]

FLAVOR_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (   # one after another
        machine.FIND_FLAVOR,    # for its memory
        rolling.BE_WHOLE,       # the others are all Synced
        rolling.TAKE_OUT,       # the others report one less, and serve
        configure.CONFIGURE,    # for the new memory
        machine.RESIZE,         # it boots, and its database starts
        rolling.RETURN,         # while the resize can still be undone
        machine.CONFIRM,
        rolling.RETURN,
        complete.BE_HEALTHY,
        rolling.BRING_IN,
    )),
)
FLAVOR_WAY_BACK: tuple[Step, ...] = (
    machine.REVERT,
    rolling.TAKE_OUT,           # it may run with settings of the new memory
    configure.CONFIGURE,
    rolling.RETURN,
)
VOLUME_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (   # one after another
        rolling.BE_WHOLE,       # the others are all Synced
        rolling.TAKE_OUT,       # the others report one less, and serve
        machine.DETACH,
        machine.EXTEND,
        machine.ATTACH,         # its file system grown and mounted
        configure.CONFIGURE,    # for the new size
        rolling.RETURN,         # Synced, the others report one more
        complete.BE_HEALTHY,
        rolling.BRING_IN,
    )),
)
VOLUME_WAY_BACK: tuple[Step, ...] = (
    machine.ATTACH,
    configure.CONFIGURE,
    rolling.RETURN,
)


def run_flavor(operation: Rolling) -> None:
    """Resize the targets to the flavor; skip those that have it."""
    workflow.begin(operation)
    workflow.run(operation, FLAVOR_STEPS)


def run_volume(operation: Rolling) -> None:
    """Extend the volumes of the targets to the size."""
    workflow.begin(operation)
    workflow.run(operation, VOLUME_STEPS)


def _new_flavor(context: Context, cluster: Cluster,
                instance_ids: Sequence[str], flavor_id: str) -> Rolling:
    """:param flavor_id: the new flavor of all these members."""
    return Rolling(context, cluster, rolling.Change(
        'resize flavor', pending.Order(pending.FLAVOR, flavor_id),
        InstanceTasks.RESIZING, FLAVOR_WAY_BACK), instance_ids)


def _larger_volume(context: Context, cluster: Cluster,
                   instance_ids: Sequence[str], volume_gb: int) -> Rolling:
    """:param volume_gb: the new size of the volumes of these members."""
    return Rolling(context, cluster, rolling.Change(
        'resize volume', pending.Order(pending.VOLUME, str(volume_gb)),
        InstanceTasks.RESIZING, VOLUME_WAY_BACK), instance_ids)


FLAVOR = rolling.as_operation(
    ClusterTasks.UPDATING_CLUSTER, _new_flavor, run_flavor)
VOLUME = rolling.as_operation(
    ClusterTasks.UPDATING_CLUSTER, _larger_volume, run_volume)
