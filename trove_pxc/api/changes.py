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

"""Changes of existing members: restart, resize, recover, rotate.

Used by the table of api/actions. Each action has two functions. check_X()
returns what to do, or refuses it; it changes nothing. X() sets the task of the
cluster and casts to the taskmanager.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.common import notification
from trove.common import utils
from trove.instance.tasks import InstanceTasks

from trove_pxc.api import claims
from trove_pxc.api import members
from trove_pxc.api.model import Cluster
from trove_pxc.api import schemas
from trove_pxc.api import validation
from trove_pxc import notifications
from trove_pxc import pending
from trove_pxc.protocols import Flavor
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Notify
from trove_pxc.protocols import Request

CONF = cfg.CONF

Rows = Sequence[InstanceRow]


@dataclasses.dataclass(frozen=True)
class Recovery:
    """The result of check_recover().

    :ivar force: the id of the member to bootstrap from, or None.
    """

    targets: Rows
    force: str | None


@dataclasses.dataclass(frozen=True)
class Resize:
    """The result of check_resize(), for flavors or volumes.

    :ivar targets: the rows of the members that do not have this size.
    :ivar told: the class of its notification.
    :ivar traits: of the notification, besides cluster and instances.
    :ivar cast: the name of the method of the taskmanager's client.
    :ivar arguments: of this method, besides cluster and instances.
    :ivar more: the additional use of the quota by each member, by its id.
    """

    targets: Rows
    told: Notify
    traits: Mapping[str, object]
    order: pending.Order
    cast: str
    arguments: Mapping[str, object]
    more: Mapping[str, int]


def check_restart(cluster: Cluster, body: schemas.Restart | None) -> Rows:
    """Return the rows of the members to restart."""
    return _targets(cluster, (body or {}).get('instance'))


def restart(cluster: Cluster, request: Request, targets: Rows) -> None:
    cluster.context.notification = notification.DBaaSClusterRestart(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id):
        claims.hand_over(
            cluster, targets, ClusterTasks.RESTARTING_CLUSTER,
            pending.Order(pending.RESTART),
            cluster.task_api().restart_members)


def check_recover(cluster: Cluster,
                  body: schemas.Recover | None) -> Recovery:
    """Choose all members except those that failed to join or leave."""
    targets = _targets(cluster, None, but_failed=True)
    force = (body or {}).get('force')
    if force is not None and force not in [row.id for row in targets]:
        raise validation.refused(
            f'Instance {force} is not a member of cluster {cluster.name}, '
            'or it failed to join or leave.')
    return Recovery(targets, force)


def recover(cluster: Cluster, request: Request, wanted: Recovery) -> None:
    cluster.context.notification = notifications.ClusterRecover(
        cluster.context, request=request)
    client, force = cluster.task_api(), wanted.force

    def cast(manager: str, cluster_id: str, _: Sequence[str]) -> None:
        client.recover_cluster(manager, cluster_id, force)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id,
            **({} if force is None else {'instance_id': force})):
        claims.hand_over(
            cluster, wanted.targets, ClusterTasks.RESTARTING_CLUSTER,
            pending.recovery(force), cast)


def check_rotation(cluster: Cluster, body: object) -> Rows:
    """Return the rows of all members."""
    return _targets(cluster, None)


def rotate_certificates(cluster: Cluster, request: Request,
                        targets: Rows) -> None:
    cluster.context.notification = notifications.ClusterRotateCertificates(
        cluster.context, request=request)
    client = cluster.task_api()

    def cast(manager: str, cluster_id: str, _: Sequence[str]) -> None:
        client.rotate_certificates(manager, cluster_id)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id):
        claims.hand_over(
            cluster, targets, ClusterTasks.UPDATING_CLUSTER,
            pending.Order(pending.CERTIFICATES), cast)


def check_resize(cluster: Cluster, body: schemas.Resize) -> Resize:
    """Choose the members that do not have the requested size."""
    targets = _targets(cluster, body.get('instance'))
    if ('flavorRef' in body) == ('volume' in body):
        raise validation.refused(
            'A resize must name exactly one of flavorRef and volume. To '
            'change both, send two requests, one after the other.')
    if 'flavorRef' in body:
        return _check_flavors(cluster, targets, str(
            utils.get_id_from_href(body['flavorRef'])))
    return _check_volumes(cluster, targets, int(body['volume']['size']))


def resize(cluster: Cluster, request: Request, wanted: Resize) -> None:
    cluster.context.notification = wanted.told(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id,
            instance_ids=[row.id for row in wanted.targets],
            **wanted.traits):
        claims.hand_over(
            cluster, wanted.targets, ClusterTasks.UPDATING_CLUSTER,
            wanted.order, getattr(cluster.task_api(), wanted.cast),
            wanted.more, **wanted.arguments)


def _targets(cluster: Cluster, instance_id: str | None,
             but_failed: bool = False) -> Rows:
    """Return the rows of one member, or of all, in member order.

    :param but_failed: leave out the members that failed to join or leave,
        unless all did.
    """
    found = [row for row in members.rows(cluster.id, cluster.name)
             if instance_id in (None, row.id)]
    if but_failed:
        found = [row for row in found
                 if not row.task_status.is_error] or found
    if not found:
        raise validation.refused(
            f'Instance {instance_id} is not a member of cluster '
            f'{cluster.name}.' if instance_id
            else f'Cluster {cluster.name} has no members.')
    for row in found:
        if row.task_status != InstanceTasks.NONE:
            raise validation.unavailable(
                f'Member {row.name} ({row.id}) cannot be changed now: '
                f'{row.task_status.db_text.rstrip(".")}.')
    return found


def _check_flavors(cluster: Cluster, targets: Rows, flavor_id: str) -> Resize:
    smaller_or_larger = [
        row for row in targets if str(row.flavor_id) != flavor_id]
    if not smaller_or_larger:
        raise validation.refused(
            f'{_names(targets)} already {_have(targets)} the flavor '
            f'{flavor_id}.')
    more = {}
    for row in smaller_or_larger:
        flavor = validation.flavor(
            cluster.context, cluster.ds_version.id, row.region_id, flavor_id)
        _check_storage(cluster, flavor)
        nova = clients.create_nova_client(cluster.context, row.region_id)
        more[row.id] = flavor.ram - nova.flavors.get(row.flavor_id).ram
    return Resize(
        smaller_or_larger, notifications.ClusterResizeFlavor,
        {'flavor_id': flavor_id}, pending.Order(pending.FLAVOR, flavor_id),
        'resize_flavor_of_members', {'flavor_id': flavor_id}, more)


def _check_storage(cluster: Cluster, flavor: Flavor) -> None:
    """Refuse an ephemeral disk, as Trove does for single instances."""
    volumes = CONF.get(cluster.ds_version.manager).volume_support
    if volumes and flavor.ephemeral:
        raise validation.refused(
            f'The flavor {flavor.id} has an ephemeral disk, which members '
            'with volumes cannot have. Choose another flavor.')


def _check_volumes(cluster: Cluster, targets: Rows, size: int) -> Resize:
    if not CONF.get(cluster.ds_version.manager).volume_support:
        raise exception.VolumeNotSupported()
    cluster_models.validate_volume_size(size)
    larger = [row for row in targets if _size(row) > size]
    if larger:
        raise validation.refused(
            f'A volume cannot be made smaller: {_names(larger)} '
            f'{_have(larger)} more than {size} GB.')
    smaller = [row for row in targets if _size(row) < size]
    if not smaller:
        raise validation.refused(
            f'{_names(targets)} already {_have(targets)} a volume of {size} '
            'GB. The new size must be larger.')
    return Resize(
        smaller, notifications.ClusterResizeVolume, {'new_size': size},
        pending.Order(pending.VOLUME, str(size)), 'resize_volume_of_members',
        {'volume_gb': size},
        {row.id: size - _size(row) for row in smaller})


def _size(row: InstanceRow) -> int:
    """Return the size of its volume in GB."""
    return int(row.volume_size or 0)


def _names(rows: Rows) -> str:
    return ', '.join(str(row.name) for row in rows)


def _have(rows: Rows) -> str:
    return 'has' if len(rows) == 1 else 'have'
