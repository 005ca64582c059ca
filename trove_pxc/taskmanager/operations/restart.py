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

"""Restarts members one after another; each is Synced before the next.

Imported by tasks. The steps to stop and start a member are in rolling.
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
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rolling

STEPS: tuple[workflow.Each[Any], ...] = (
    workflow.Each(formation.passing, (  # one after another
        rolling.BE_WHOLE,               # the others are all Synced
        rolling.TAKE_OUT,               # the others report one less, and serve
        rolling.RETURN,                 # Synced, the others report one more
        complete.BE_HEALTHY,
        rolling.BRING_IN,
    )),
)


def run(operation: rolling.Rolling) -> None:
    """Restart the targets, or those that are left of an interrupted run."""
    workflow.begin(operation)
    workflow.run(operation, STEPS)


def _state(context: Context, cluster: Cluster,
           instance_ids: Sequence[str]) -> rolling.Rolling:
    return rolling.Rolling(context, cluster, rolling.Change(
        'restart', pending.Order(pending.RESTART),
        InstanceTasks.REBOOTING), instance_ids)


OPERATION = rolling.as_operation(
    ClusterTasks.RESTARTING_CLUSTER, _state, run)
