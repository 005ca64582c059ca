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

"""The ``taskmanager_strategy`` of the datastores of this package.

trove-taskmanager and trove-api load it. No module of this package imports
it.
"""

from collections.abc import Callable
from collections.abc import Mapping

from trove.common import cfg
from trove.common.strategies.cluster import base

from trove_pxc import conf
from trove_pxc.taskmanager import api
from trove_pxc.taskmanager import backing
from trove_pxc.taskmanager import tasks

conf.register(cfg.CONF)


class GaleraTaskManagerStrategy(base.BaseTaskManagerStrategy):
    """The client for casts, and the class that runs the operations."""

    @property
    def task_manager_api_class(self) -> type[api.GaleraTaskAPI]:
        return api.GaleraTaskAPI

    @property
    def task_manager_cluster_tasks_class(
            self) -> type[tasks.GaleraClusterTasks]:
        return tasks.GaleraClusterTasks

    @property
    def task_manager_manager_actions(
            self) -> Mapping[str, Callable[..., None]]:
        """The functions that Trove's manager calls for "<manager>_<name>"."""
        return {**tasks.ACTIONS, **backing.ACTIONS}
