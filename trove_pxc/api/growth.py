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

"""Grow and shrink: members that join a cluster, and members that leave.

Used by the table of api/actions. Each action has two functions. check_X()
returns what to do, or refuses it; it changes nothing. X() writes rows, sets
the task of the cluster and casts to the taskmanager.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
from typing import Any

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import glance
from trove.common import notification
from trove.common import server_group
from trove.common import utils
from trove.instance import models as instance_models

from trove_pxc.api import claims
from trove_pxc.api import known
from trove_pxc.api import members
from trove_pxc.api.model import Cluster
from trove_pxc.api.model import Member
from trove_pxc.api import reading
from trove_pxc.api import schemas
from trove_pxc.api import validation
from trove_pxc import faults
from trove_pxc.galera import addresses
from trove_pxc.galera import lost
from trove_pxc.galera import naming
from trove_pxc.galera import roles
from trove_pxc import pending
from trove_pxc.protocols import ClusterTask
from trove_pxc.protocols import Hint
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Request
from trove_pxc import quotas

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Growth:
    """The result of check_grow().

    :ivar next_number: of the first new member.
    :ivar instances: checked, with their names and networks.
    :ivar locality: the scheduler hint for their servers, or None.
    """

    wanted: validation.Request
    next_number: int
    instances: Sequence[validation.Instance]
    locality: Hint


def check_grow(cluster: Cluster,
               nodes: Sequence[schemas.NewMember]) -> Growth:
    """Check everything that can be known before the members are created."""
    _refuse_without_ports(cluster, cluster.members)
    present = _present(cluster)
    wanted = validation.Request(
        cluster.name, cluster.ds, cluster.ds_version,
        [_instance(node) for node in nodes], cluster.configuration_id,
        _image_id(cluster), present)
    checked = validation.check(cluster.context, wanted)
    validation.check_quota(cluster.context, checked)
    return Growth(
        wanted, present.next_number, checked,
        server_group.ServerGroup.convert_to_hint(cluster.server_group))


def grow(cluster: Cluster, request: Request, growth: Growth) -> None:
    cluster.context.notification = notification.DBaaSClusterGrow(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id):
        claims.claim(cluster, ClusterTasks.GROWING_CLUSTER, _ids(cluster),
                     pending.Order(pending.GROW, str(growth.next_number)))
        before = _ids(cluster)
        made: list[str] = []
        needs = validation.needs(growth.instances)
        with contextlib.ExitStack() as undo:
            undo.callback(_undo_grow, cluster, before, made)
            if _next_number(cluster) != growth.next_number:
                raise validation.unavailable(
                    f'Cluster {cluster.name} changed while this request '
                    'was checked. Try again.')
            claims.forget_faults(cluster)
            quotas.reserve_members(
                cluster.context.project_id, cluster.id, needs)
            undo.callback(quotas.settle_members, cluster.id, needs,
                          quotas.ROLLED_BACK)
            for instance in growth.instances:
                made.append(cluster.create_instance(
                    growth.wanted, instance, growth.locality))
            cluster.task_api().grow_cluster(cluster.id, list(made))
            undo.pop_all()
    cluster.know(None)


def check_shrink(cluster: Cluster,
                 nodes: Sequence[schemas.Leaving]) -> list[str]:
    """Return the ids of the members to remove."""
    ids = [node['id'].lower() for node in nodes]
    _leaving(cluster, ids)
    _refuse_without_ports(cluster, [
        member for member in cluster.members if member.id not in ids])
    return ids


def shrink(cluster: Cluster, request: Request, ids: Sequence[str]) -> None:
    leaving = _leaving(cluster, ids)
    cluster.context.notification = notification.DBaaSClusterShrink(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id,
            instance_ids=[row.id for row in leaving]):
        claims.claim(cluster, ClusterTasks.SHRINKING_CLUSTER, [
            one for one in _ids(cluster) if one not in ids],
            pending.shrinking(ids))
        with contextlib.ExitStack() as undo:
            undo.callback(_end, cluster, ClusterTasks.SHRINKING_CLUSTER)
            leaving = _leaving(cluster, ids)
            claims.forget_faults(cluster)
            for row in leaving:
                faults.forget(row.id)
            cluster.task_api().shrink_cluster(
                cluster.id, [row.id for row in leaving])
            undo.pop_all()


def _ids(cluster: Cluster) -> list[str]:
    return [row.id for row in members.rows(cluster.id, cluster.name)]


def _leaving(cluster: Cluster, ids: Sequence[str]) -> list[InstanceRow]:
    """Return the rows of the members to remove, if enough remain."""
    rows = members.rows(cluster.id, cluster.name)
    strangers = sorted(set(ids) - {row.id for row in rows})
    if strangers:
        raise validation.refused(
            f'Instance {", ".join(strangers)} is not a member of cluster '
            f'{cluster.name}.')
    least = _least(cluster)
    stay = len(rows) - len(set(ids))
    if stay < max(least, 1):
        raise validation.refused(
            f'Cluster {cluster.name} has {len(rows)} members and must keep '
            f'at least {least}; {stay} would remain. To replace a member, '
            'grow the cluster first.')
    return [row for row in rows if row.id in ids]


def _refuse_without_ports(cluster: Cluster,
                          staying: Iterable[Member]) -> None:
    """Refuse if a member that serves and stays has no port in Neutron.

    The other members would get its address in their settings, and Neutron may
    have given it to another server. A member that does not serve needs no
    port, because its address is not written to the settings of others. The
    guests are called only if a port is missing.
    """
    without = [member for member in staying
               if member.server_id and not member.server_gone
               and not member.get_visible_ip_addresses()]
    if not without:
        return
    told = reading.roles_now(cluster)
    for member in without:
        if told.get(member.id) in roles.INSIDE:
            advice = lost.without_port(known.lost_member(cluster, member),
                                       str(member.server_id))
            raise validation.unavailable(
                f'{lost.port_gone(str(member.name))}. {advice}')


def _least(cluster: Cluster) -> int:
    return int(CONF.get(cluster.ds_version.manager)
               .min_cluster_member_count)


def _present(cluster: Cluster) -> validation.Present:
    """Return the properties of the cluster that new members must match."""
    found = cluster.members
    return validation.Present(
        number=len(found), next_number=_next_number(cluster),
        names=frozenset(str(member.name) for member in found),
        volume_sizes=frozenset(
            int(member.volume_size) for member in found
            if member.volume_size),
        networks=frozenset(
            str(address['network']) for member in found
            for address in member.get_visible_ip_addresses() or ()
            if 'network' in address),
        versions={
            str(member.name): addresses.version(address['address'])
            for member in found
            for address in member.get_visible_ip_addresses() or ()
            if 'network' in address})


def _next_number(cluster: Cluster) -> int:
    """Numbers of deleted members count too; their rows keep the cluster."""
    rows: list[InstanceRow] = instance_models.DBInstance.find_all(
        cluster_id=cluster.id).all()
    return naming.next_number(cluster.name, (
        (str(row.name), row.shard_id) for row in rows))


def _instance(node: schemas.NewMember) -> validation.Instance:
    """Convert an instance to the form of Trove's controller."""
    volume: Mapping[str, Any] = node.get('volume') or {}
    size = volume.get('size')
    return {'name': node.get('name'),
            'flavor_id': str(utils.get_id_from_href(node['flavorRef'])),
            'volume_size': None if size is None else int(size),
            'volume_type': volume.get('type'),
            'nics': node.get('nics'),
            'availability_zone': node.get('availability_zone'),
            'region_name': node.get('region_name') or node.get('region'),
            'modules': node.get('modules')}


def _image_id(cluster: Cluster) -> str | None:
    """Return the image for new members, if the version has only tags."""
    version = cluster.ds_version
    if version.image_id or not version.image_tags:
        return None
    found: str | None = glance.get_image_id(
        clients.create_glance_client(cluster.context), None,
        version.image_tags)
    return found


def _undo_grow(cluster: Cluster, before: Sequence[str],
               made: Sequence[str]) -> None:
    """Remove the new members that were created.

    If this fails too, they remain, and have to be removed with a shrink.
    """
    cluster.forget_rows_but({*before, *made})
    if not made:
        _end(cluster, ClusterTasks.GROWING_CLUSTER)
        return
    pending.claim(cluster.id, ClusterTasks.SHRINKING_CLUSTER, before,
                  pending.shrinking(made), ClusterTasks.GROWING_CLUSTER,
                  request_id=cluster.context.request_id)
    with contextlib.ExitStack() as undo:
        undo.callback(_end, cluster, ClusterTasks.SHRINKING_CLUSTER)
        LOG.warning('Growing cluster %s failed. Removing its %d new '
                    'instances', cluster.id, len(made))
        cluster.task_api().shrink_cluster(cluster.id, list(made))
        undo.pop_all()


def _end(cluster: Cluster, task: ClusterTask) -> None:
    """End the operation: remove the task and the pending operations."""
    pending.end(cluster.id, task)
    cluster.know_row()
