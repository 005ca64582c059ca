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

"""Root of a cluster: enabled through one member, it exists on all.

Loaded by Trove through the option ``root_controller`` of [pxc] and [mariadb].
Trove's controller does not support clusters, refuses the datastore pxc, and
records an enabled root only for one member.
"""

from typing import Any

from trove.cluster import models as cluster_models
from trove.common.db import models as guest_models
from trove.common import exception
from trove.common import wsgi
from trove.extensions.common import models
from trove.extensions.common import service
from trove.extensions.common import views

from trove_pxc.api import accounts
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import guests
from trove_pxc.api.model import Cluster
from trove_pxc.api import ownership
from trove_pxc.api import validation
from trove_pxc.protocols import Request
from trove_pxc.protocols import RootHistory


class GaleraRootController(service.DefaultRootController):
    """For clusters and their members. Other instances as in Trove."""

    def root_index(self, req: Request, tenant_id: str, instance_id: str,
                   is_cluster: bool) -> Any:
        cluster = _cluster_of(req, instance_id, is_cluster)
        if cluster is None:
            return super().root_index(req, tenant_id, instance_id,
                                      is_cluster)
        return wsgi.Result(
            views.RootEnabledView(bool(_enabled(cluster))).data(), 200)

    def root_create(self, req: Request, body: accounts.Root | None,
                    tenant_id: str, instance_id: str,
                    is_cluster: bool) -> Any:
        cluster = _cluster_of(req, instance_id, is_cluster)
        if cluster is None:
            return super().root_create(req, body, tenant_id, instance_id,
                                       is_cluster)
        password = (body or {}).get('password')
        if password is not None:
            accounts.check_password(password)
        guest = _guest(cluster, instance_id)
        made = (guest.enable_root_with_password(password) if password
                else guest.enable_root())
        user = guest_models.DatastoreUser.deserialize(made, verify=False)
        user.make_root()
        for member in cluster.members:
            models.RootHistory.create(cluster.context, member.id)
        return wsgi.Result(views.RootCreatedView(user).data(), 200)

    def root_delete(self, req: Request, tenant_id: str, instance_id: str,
                    is_cluster: bool) -> Any:
        cluster = _cluster_of(req, instance_id, is_cluster)
        if cluster is None:
            return super().root_delete(req, tenant_id, instance_id,
                                       is_cluster)
        enabled = _enabled(cluster)
        if not enabled:
            raise exception.RootHistoryNotFound()
        _guest(cluster, instance_id).disable_root()
        for history in enabled:
            history.delete()
        return wsgi.Result(None, 204)


def _cluster_of(req: Request, subject_id: str,
                is_cluster: bool) -> Cluster | None:
    """Return the cluster of this id, or of a member's id.

    None if it is not of this package.
    """
    if is_cluster:
        if ownership.is_foreign(req, subject_id):
            return None
    else:
        row = ownership.member(req, subject_id)
        if row is None or row.cluster_id is None:
            return None
        subject_id = row.cluster_id
    return cluster_model.GaleraCluster.of(cluster_models.Cluster.load(
        req.environ[wsgi.CONTEXT_KEY], subject_id))


def _enabled(cluster: Cluster) -> list[RootHistory]:
    """Return the records of the members for which root is enabled."""
    found = [models.RootHistory.load(cluster.context, member.id)
             for member in cluster.members]
    return [history for history in found if history is not None and not (
        history.deleted_at and history.deleted_at > history.created)]


def _guest(cluster: Cluster, subject_id: str) -> guests.Accounts:
    """Return the guest of the named member, or of one that serves.

    :raises trove.common.exception.UnprocessableEntity: if no member serves.
    """
    serving = [member for member in cluster.members
               if member.is_datastore_running]
    if not serving:
        raise validation.unavailable(
            f'No member of cluster {cluster.name} serves now. Try again '
            'when a member is HEALTHY.')
    chosen = next((member for member in serving if member.id == subject_id),
                  serving[0])
    return guests.Guest(cluster.context, chosen, cluster.ds_version)
