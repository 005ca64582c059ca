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

"""Views of a cluster: show, list, and the answer to a create.

Loaded through api/strategy. Instances and addresses are in member order. Keys
of unknown values are absent. The task of a cluster whose operation, or the
creation of whose members, waits in a taskmanager has the number of requests
before it. That of a cluster that is created from a backup has the id of the
backup and the progress of the restore.
"""

from typing import Any

from trove.cluster import views as cluster_views
from trove.common import cfg
from trove.common import views as common_views
from trove.extensions.mgmt.clusters import views as mgmt_views

from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import members
from trove_pxc.api.model import Member
from trove_pxc.api import reading
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Request

CONF = cfg.CONF


class MembersMixin(cluster_views.ClusterView):
    """Builds the instances of a view from the members of the cluster.

    Trove requests the list without servers, but the API of Trove specifies
    status, flavor, volume and addresses there too, so every view shows them.
    Only the view of a single cluster, which Trove requests with servers, shows
    the roles that the members report. A list and the answer to an action wait
    for no guest.
    """

    cluster: cluster_model.GaleraCluster
    req: Request

    def __init__(self, cluster: Cluster, req: Request | None = None,
                 load_servers: bool = True) -> None:
        super().__init__(cluster_model.GaleraCluster.of(cluster), req,
                         load_servers)

    def data(self) -> dict[str, Any]:
        shown: dict[str, Any] = super().data()
        task, text = shown['cluster']['task'], ''
        place, restore = self._place(), self.cluster.restore
        if restore is not None:
            task['restored_backup'] = restore.backup_id
            text = restore.progress and f'restore: {restore.progress}'
        if place is not None:
            task['queued_before'], text = place
        if text:
            task['description'] = (
                f'{task["description"].rstrip(".")}: {text}.')
        return shown

    def _place(self) -> tuple[int, str] | None:
        """How many requests are before it, and the text for it."""
        queue = self.cluster.queue
        if self.cluster.id in queue:
            number = queue[self.cluster.id]
            return number, f'queued, {number} before it'
        found = [queue[member.id] for member in self.cluster.members
                 if member.id in queue]
        if not found:
            return None
        return min(found), (
            f'the creation of {len(found)} members is queued, '
            f'{min(found)} before it')

    def build_instances(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the members, and the addresses of all of them."""
        roles = (reading.positions(self.cluster) if self.load_servers
                 else {})
        shown = [self._member(member, roles.get(member.id))
                 for member in self.cluster.members]
        return shown, [address for member in shown
                       for address in member.get('ip', [])]

    def _member(self, member: Member, role: str | None) -> dict[str, Any]:
        flavor_id = member.flavor_id
        shown = {
            **members.shown(member, role),
            'type': member.type,
            'links': common_views.create_links(
                'instances', self.req, member.id),
            'flavor': {'id': flavor_id, 'links': common_views.create_links(
                'flavors', self.req, flavor_id)},
        }
        if CONF.get(self.cluster.datastore_version.manager).volume_support:
            shown['volume'] = {'size': member.volume_size}
        addresses = member.get_visible_ip_addresses()
        if addresses:
            shown['addresses'] = addresses
        return shown


class GaleraClusterView(MembersMixin):
    """The view for users of the project."""


class GaleraMgmtClusterView(MembersMixin, mgmt_views.MgmtClusterView):
    """The view for operators."""
