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

"""The casts from trove-api that Trove's client of the taskmanager lacks.

Loaded through strategy. A method that Trove does not have is cast as
"<manager>_<name>". Trove's manager looks up this name in the
task_manager_manager_actions of the strategy.
"""

from collections.abc import Sequence
from typing import Any

from trove.common import notification
from trove.taskmanager import api as task_api


class GaleraTaskAPI(task_api.API):
    """Trove's client with the operations on members of a cluster.

    Each method that Trove does not have takes the datastore manager of the
    cluster, because Trove creates the client without it. Grow and shrink
    are methods of Trove. They are replaced, because with Trove's cast the
    API sends the *end* notification at once.
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
        """:param force: id of the member that the operator forces."""
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

    def create_cluster_backup(self, manager: str, backup_id: str) -> None:
        """Make a backup, of which trove-api has written the row."""
        self._send(f'{manager}_create_cluster_backup', backup_id=backup_id)

    def delete_cluster_backup(self, manager: str, backup_id: str) -> None:
        """Delete the objects of a backup, whose row is deleted."""
        self._send(f'{manager}_delete_cluster_backup', backup_id=backup_id)

    def _send(self, method: str, **arguments: Any) -> None:
        """Cast to the taskmanager with the public parts of Trove's client.

        The taskmanager, not the API, sends the notification of the end.
        """
        with notification.NotificationCastWrapper(
                self.context, 'taskmanager'):
            self.client.prepare(version=self.API_BASE_VERSION).cast(
                self.context, method, **arguments)
