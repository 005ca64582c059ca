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

"""The casts of trove-api that Trove's own client of the taskmanager lacks.

Loaded through strategy. A method of another name than Trove's own reaches
the taskmanager as "<manager>_<name>", which Trove's manager looks up in the
strategy's task_manager_manager_actions.
"""

from collections.abc import Sequence
from typing import Any

from trove.common import notification
from trove.taskmanager import api as task_api


class GaleraTaskAPI(task_api.API):
    """Trove's client with the actions on a cluster's members.

    Every call of ours needs the cluster's datastore manager, for Trove
    makes the client without it. Grow and shrink are Trove's own; but Trove
    casts them such that the API tells at once that they have ended.
    """

    def grow_cluster(self, cluster_id: str,
                     new_instance_ids: Sequence[str]) -> None:
        self._send('grow_cluster', cluster_id=cluster_id,
                   new_instance_ids=list(new_instance_ids))

    def shrink_cluster(self, cluster_id: str,
                       instance_ids: Sequence[str]) -> None:
        self._send('shrink_cluster', cluster_id=cluster_id,
                   instance_ids=list(instance_ids))

    def restart_members(self, manager: str, cluster_id: str,
                        instance_ids: Sequence[str]) -> None:
        self._send(f'{manager}_restart_members', cluster_id=cluster_id,
                   instance_ids=list(instance_ids))

    def recover_cluster(self, manager: str, cluster_id: str,
                        force: str | None = None) -> None:
        """:param force: id of the member that the operator answers for."""
        self._send(f'{manager}_recover_cluster', cluster_id=cluster_id,
                   force=force)

    def resize_flavor_of_members(
            self, manager: str, cluster_id: str,
            instance_ids: Sequence[str], flavor_id: str) -> None:
        self._send(f'{manager}_resize_flavor_of_members',
                   cluster_id=cluster_id,
                   instance_ids=list(instance_ids), flavor_id=flavor_id)

    def resize_volume_of_members(
            self, manager: str, cluster_id: str,
            instance_ids: Sequence[str], volume_gb: int) -> None:
        self._send(f'{manager}_resize_volume_of_members',
                   cluster_id=cluster_id,
                   instance_ids=list(instance_ids), volume_gb=volume_gb)

    def rotate_certificates(self, manager: str, cluster_id: str) -> None:
        self._send(f'{manager}_rotate_certificates', cluster_id=cluster_id)

    def _send(self, method: str, **arguments: Any) -> None:
        """Cast to the taskmanager, with the public parts of Trove's client.

        The taskmanager, not the API, notifies of the end of the operation.
        """
        with notification.NotificationCastWrapper(
                self.context, 'taskmanager'):
            self.client.prepare(version=self.API_BASE_VERSION).cast(
                self.context, method, **arguments)
