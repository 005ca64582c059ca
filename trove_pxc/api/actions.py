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

"""What users may have done to a cluster: resize, restart, recover, rotate.

Imported by api/cluster. An action is checked here and handed to the
taskmanager; the cluster's task says that it runs.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
from typing import Any

import jsonschema
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import apischema
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.common import notification
from trove.common import utils
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc.api import known
from trove_pxc.api import members
from trove_pxc.api import validation
from trove_pxc import faults
from trove_pxc import notifications
from trove_pxc import orders

CONF = cfg.CONF

SCHEMAS: dict[str, dict[str, Any]] = {
    'restart': {
        'type': ['object', 'null'],
        'additionalProperties': False,
        'properties': {'instance': apischema.uuid},
    },
    'recover': {
        'type': ['object', 'null'],
        'additionalProperties': False,
        'properties': {'force': apischema.uuid},
    },
    'rotate_certificates': {
        'type': ['object', 'null'],
        'additionalProperties': False,
    },
    'resize': {
        'type': 'object',
        'additionalProperties': False,
        'properties': {
            'instance': apischema.uuid,
            'flavorRef': apischema.flavorref,
            'volume': {
                'type': 'object',
                'required': ['size'],
                'additionalProperties': False,
                'properties': {'size': apischema.volume_size},
            },
        },
    },
}

_NOT_OFFERED = {
    'upgrade': 'A cluster cannot be upgraded in place yet; create one of the '
               'other datastore version and move the data.',
    'configuration_attach': 'A configuration group cannot be attached to a '
                            'cluster later; name it when you create one.',
    'configuration_detach': 'A configuration group cannot be detached from '
                            'a cluster yet; create one without it and move '
                            'the data.',
}

Body = dict[str, Any]


def perform(cluster: Any, request: Any, action: str, body: Any) -> bool:
    """Have an action of ours carried out.

    :returns: whether it is one of ours; all others are Trove's.
    :raises trove.common.exception.TroveError: if it cannot be done; then
        nothing was changed.
    """
    if action in _NOT_OFFERED:
        raise validation.refused(_NOT_OFFERED[action])
    if action not in SCHEMAS:
        return False
    check_body(SCHEMAS[action], action, body)
    cluster.validate_cluster_available()
    known.check_complete(cluster, [
        row.id for row in members.rows(cluster.id, cluster.name)])
    wanted = dict(body or {})
    targets = _targets(cluster, wanted.get('instance'),
                       but_failed=action == 'recover')
    if action == 'restart':
        _restart(cluster, request, targets)
    elif action == 'recover':
        _recover(cluster, request, targets, wanted.get('force'))
    elif action == 'rotate_certificates':
        _rotate_certificates(cluster, request, targets)
    elif ('flavorRef' in wanted) == ('volume' in wanted):
        raise validation.refused(
            'A resize names either flavorRef or volume, not both; do one '
            'after the other.')
    elif 'flavorRef' in wanted:
        _resize_flavor(cluster, request, targets, str(
            utils.get_id_from_href(wanted['flavorRef'])))
    else:
        _resize_volume(cluster, request, targets,
                       int(wanted['volume']['size']))
    return True


def check_body(schema: dict[str, Any], action: str, body: Any) -> None:
    """Refuse a body that is not understood, and say where it is wrong."""
    validator = jsonschema.Draft4Validator(schema)
    for error in sorted(validator.iter_errors(body),
                        key=lambda found: [str(key) for key in found.path]):
        place = ''.join(f'[{key!r}]' for key in error.path)
        raise validation.refused(
            f'Validation error: {action}{place}: {error.message}')


def _targets(cluster: Any, instance_id: str | None,
             but_failed: bool = False) -> list[Any]:
    """The rows of the members that are meant, in member order.

    :param but_failed: whether those that did not come in or go well are
        left out, as long as there are others.
    """
    found = [row for row in members.rows(cluster.id, cluster.name)
             if instance_id in (None, row.id)]
    if but_failed:
        found = [row for row in found
                 if not row.task_status.is_error] or found
    if not found:
        raise validation.refused(
            f'Instance {instance_id} is no member of cluster {cluster.name}.'
            if instance_id else f'Cluster {cluster.name} has no members.')
    for row in found:
        if row.task_status != InstanceTasks.NONE:
            raise validation.unavailable(
                f'Member {row.name} ({row.id}) cannot be changed now: '
                f'{row.task_status.db_text.rstrip(".")}.')
    return found


def _restart(cluster: Any, request: Any, targets: Sequence[Any]) -> None:
    cluster.context.notification = notification.DBaaSClusterRestart(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id):
        _hand_over(cluster, targets, ClusterTasks.RESTARTING_CLUSTER,
                   orders.Order(orders.RESTART),
                   cluster.task_api().restart_members)


def _recover(cluster: Any, request: Any, targets: Sequence[Any],
             force: str | None) -> None:
    if force is not None and force not in [row.id for row in targets]:
        raise validation.refused(
            f'Instance {force} is no member of cluster {cluster.name}, or '
            'did not become one.')
    cluster.context.notification = notifications.ClusterRecover(
        cluster.context, request=request)
    client = cluster.task_api()

    def cast(manager: str, cluster_id: str, _: Sequence[str]) -> None:
        client.recover_cluster(manager, cluster_id, force)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id,
            **({} if force is None else {'instance_id': force})):
        _hand_over(cluster, targets, ClusterTasks.RESTARTING_CLUSTER,
                   orders.recovery(force), cast)


def _rotate_certificates(cluster: Any, request: Any,
                         targets: Sequence[Any]) -> None:
    cluster.context.notification = notifications.ClusterRotateCertificates(
        cluster.context, request=request)
    client = cluster.task_api()

    def cast(manager: str, cluster_id: str, _: Sequence[str]) -> None:
        client.rotate_certificates(manager, cluster_id)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id):
        _hand_over(cluster, targets, ClusterTasks.UPDATING_CLUSTER,
                   orders.Order(orders.CERTIFICATES), cast)


def _resize_flavor(cluster: Any, request: Any, targets: Sequence[Any],
                   flavor_id: str) -> None:
    smaller_or_larger = [
        row for row in targets if str(row.flavor_id) != flavor_id]
    if not smaller_or_larger:
        raise validation.refused(
            f'{_names(targets)} {_have(targets)} the flavor {flavor_id} '
            'already.')
    more = {}
    for row in smaller_or_larger:
        flavor = validation.flavor(
            cluster.context, cluster.ds_version.id, row.region_id, flavor_id)
        _check_storage(cluster, flavor)
        nova = clients.create_nova_client(cluster.context, row.region_id)
        more[row.id] = flavor.ram - nova.flavors.get(row.flavor_id).ram
    cluster.context.notification = notifications.ClusterResizeFlavor(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id, flavor_id=flavor_id,
            instance_ids=[row.id for row in smaller_or_larger]):
        _hand_over(cluster, smaller_or_larger, ClusterTasks.UPDATING_CLUSTER,
                   orders.Order(orders.FLAVOR, flavor_id),
                   cluster.task_api().resize_flavor_of_members, more,
                   flavor_id=flavor_id)


def _check_storage(cluster: Any, flavor: Any) -> None:
    """As Trove for a single instance: members with volumes use no other."""
    volumes = CONF.get(cluster.ds_version.manager).volume_support
    if volumes and flavor.ephemeral:
        raise validation.refused(
            f'The flavor {flavor.id} has an ephemeral disk, which members '
            'with volumes cannot have; choose another.')


def _resize_volume(cluster: Any, request: Any, targets: Sequence[Any],
                   size: int) -> None:
    if not CONF.get(cluster.ds_version.manager).volume_support:
        raise exception.VolumeNotSupported()
    cluster_models.validate_volume_size(size)
    larger = [row for row in targets if int(row.volume_size) > size]
    if larger:
        raise validation.refused(
            f'A volume cannot be made smaller: {_names(larger)} '
            f'{_have(larger)} more than {size} GB.')
    smaller = [row for row in targets if int(row.volume_size) < size]
    if not smaller:
        raise validation.refused(
            f'{_names(targets)} {_have(targets)} a volume of {size} GB '
            'already; the new size must be larger.')
    cluster.context.notification = notifications.ClusterResizeVolume(
        cluster.context, request=request)
    with notification.StartNotification(
            cluster.context, cluster_id=cluster.id, new_size=size,
            instance_ids=[row.id for row in smaller]):
        _hand_over(cluster, smaller, ClusterTasks.UPDATING_CLUSTER,
                   orders.Order(orders.VOLUME, str(size)),
                   cluster.task_api().resize_volume_of_members,
                   {row.id: size - int(row.volume_size) for row in smaller},
                   volume_gb=size)


def _hand_over(cluster: Any, targets: Sequence[Any], task: Any,
               order: orders.Order, cast: Callable[..., None],
               more: Mapping[str, int] | None = None,
               **arguments: Any) -> None:
    """Take the cluster's task and what is needed of the quota, and cast.

    :param more: what each target will use more of it, by its id.
    """
    use = None if more is None else orders.Use(cluster.tenant_id, more)
    claim(cluster, task, [row.id for row in targets], order, use)
    with contextlib.ExitStack() as undo:
        undo.callback(cluster.update_db, task_status=ClusterTasks.NONE)
        undo.callback(_withdraw, cluster.context, targets, order)
        forget_faults(cluster)
        cast(cluster.ds_version.manager, cluster.id,
             [row.id for row in targets], **arguments)
        undo.pop_all()


def claim(cluster: Any, task: Any, instance_ids: Sequence[str],
          order: orders.Order | None, use: orders.Use | None = None) -> None:
    """Set the task and the orders, unless another request was quicker.

    :raises trove.common.exception.UnprocessableEntity: it was.
    :raises trove.common.exception.QuotaExceeded: there is not enough.
    """
    claimed = orders.claim(cluster.id, task, instance_ids, order, use=use)
    cluster.know_row()
    if not claimed:
        cluster.validate_cluster_available()


def forget_faults(cluster: Any) -> None:
    """Those of members that did not fail, when an operation begins.

    One that is there when it has ended is of this operation, or came later.
    """
    faults.forget_of(members.rows(cluster.id, cluster.name))


def _withdraw(context: Any, targets: Sequence[Any],
              order: orders.Order) -> None:
    """Nobody is to carry the order out, or to use what it has taken."""
    orders.give_back(context, [
        row for target in targets
        for row in (instance_models.DBInstance.find_by(id=target.id),)
        if orders.of(row) == order])


def _names(rows: Sequence[Any]) -> str:
    return ', '.join(str(row.name) for row in rows)


def _have(rows: Sequence[Any]) -> str:
    return 'has' if len(rows) == 1 else 'have'
