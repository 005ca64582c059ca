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

"""Removes one instance from the cloud and from Trove's rows.

Imported by steps/leave and the deletion. It does not stop the database first,
because its disk is deleted too, and because a call to a guest that does not
answer would take minutes.
"""

from collections.abc import Callable
import datetime
import functools
from typing import Any

from cinderclient import exceptions as cinder_exceptions
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from trove.common import cfg
from trove.common import neutron
from trove.common import notification
from trove.common import timeutils
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc.compat import instance_deletion
from trove_pxc.galera import naming
from trove_pxc import pending
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import InstanceTask
from trove_pxc import quotas
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import queues
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_ABSENT = (nova_exceptions.NotFound, neutron_exceptions.NotFound,
           cinder_exceptions.NotFound)
_NOT_JUST_NOW = (nova_exceptions.Conflict, neutron_exceptions.Conflict,
                 cinder_exceptions.BadRequest)


def ignoring_absence(delete: Callable[[], Any]) -> None:
    """Request a deletion; ignore a resource that is gone or still in use.

    The caller checks later what is left, and repeats the request.
    """
    try:
        delete()
    except _ABSENT:
        LOG.debug('Nothing to delete: the resource is gone')
    except _NOT_JUST_NOW as reason:
        LOG.debug('The resource cannot be deleted yet: %s', reason)


class Leftovers:
    """The resources of one member that still exist in the cloud."""

    def __init__(self, member: members.Member) -> None:
        self.member = member
        self._name = f'trove-{member.id}'
        self._quiet = waiting.Stopwatch()
        self._asked: set[str] = set()
        self.server_id = self._find_server()

    def clean_up(self) -> list[str]:
        """Delete the resources that exist.

        The server is deleted first, because it uses its ports and volumes.
        While Trove is still creating the instance, new resources are deleted
        until Trove gives up, or has created none for creation_settle_timeout
        seconds.

        :returns: the resources that are left; empty if none is.
        """
        self.server_id = self.server_id or self._find_server()
        if self.server_id and self._server_left(self.server_id):
            return [f'{self.member.name}: server {self.server_id}']
        left = [*self._ports_left(), *self._volumes_left()]
        if not left:
            left = self._groups_left()
        if left:
            self._quiet = waiting.Stopwatch()
        elif self._being_created():
            left = ['Trove is still creating it']
        return [f'{self.member.name}: {thing}' for thing in left]

    def _find_server(self) -> str | None:
        row: InstanceRow | None = instance_models.DBInstance.get_by(
            id=self.member.id)
        if row is not None and row.compute_instance_id:
            return str(row.compute_instance_id)
        for server in self.member.nova.servers.list(
                search_opts={'name': naming.server_filter(
                    self.member.name)}):
            metadata = getattr(server, 'metadata', {})
            if metadata.get('trove_instance_id') == self.member.id:
                return str(server.id)
        return None

    def _server_left(self, server_id: str) -> bool:
        nova = self.member.nova
        if server_id not in self._asked:
            ignoring_absence(functools.partial(
                nova.servers.delete, server_id))
            self._asked.add(server_id)
        try:
            server = nova.servers.get(server_id)
        except nova_exceptions.NotFound:
            return False
        if server.status == 'ERROR':
            self._asked.discard(server_id)
        return True

    def _ports_left(self) -> list[str]:
        client = self.member.neutron
        found = client.list_ports(name=self._name)['ports']
        for port in found:
            ignoring_absence(functools.partial(
                neutron.delete_port, client, port['id']))
        return [f'port {port["id"]}' for port in found]

    def _volumes_left(self) -> list[str]:
        found = self.member.cinder.volumes.list(
            search_opts={'name': self._name})
        for volume in found:
            if volume.status != 'deleting':
                ignoring_absence(volume.delete)
        return [f'volume {volume.id} ({volume.status})' for volume in found]

    def _groups_left(self) -> list[str]:
        client = self.member.neutron
        name = f'{CONF.trove_security_group_name_prefix}-{self.member.id}'
        found = client.list_security_groups(name=name)['security_groups']
        for group in found:
            ignoring_absence(functools.partial(
                client.delete_security_group, group['id']))
        return [f'security group {group["id"]}' for group in found]

    def _being_created(self) -> bool:
        row = self.member.find_row()
        if (row is None or row.compute_instance_id
                or row.task_status != InstanceTasks.BUILDING):
            return False
        limit = float(self.member.options.creation_settle_timeout)
        return self._quiet.elapsed < limit


class _RemovedInstance(instance_deletion.Deletion):
    """Trove's deletion of the rows of an instance without resources.

    Its row is deleted and its quota is released in one transaction, so that
    both happen exactly once, even if several processes delete it.

    :ivar change: the change of the used quota.
    """

    change: quotas.Amounts

    @quotas.retried
    def update_db(self, *, task_status: InstanceTask,
                  **values: object) -> None:
        with quotas.transaction() as session:
            rows = session.query(instance_models.DBInstance)
            if rows.filter_by(id=self.id, deleted=False).update({
                    **values, 'task_id': task_status.code,
                    'task_description': task_status.db_text,
                    'updated': timeutils.utcnow()}):
                quotas.use(session, self.db_info.tenant_id, self.change)

    def resources_deleted(self, deleted_at: datetime.datetime) -> None:
        notification.TroveInstanceDelete(
            instance=self, deleted_at=timeutils.isotime(deleted_at)).notify()


class _FormerMember(_RemovedInstance):
    """A removed member of a cluster that still exists.

    Trove removes the cluster id from a deleted row. Here it stays, so that
    the number of the member is not used again.
    """

    def update_db(self, *, task_status: InstanceTask,
                  **values: object) -> None:
        values.pop('cluster_id', None)
        super().update_db(task_status=task_status, **values)


def delete_rows(context: Context, member: members.Member,
                cluster_goes_on: bool = False) -> None:
    """Delete the queues and rows of a member, and release its quota once."""
    row = member.find_row()
    if row is None:
        LOG.info('Instance %s was deleted already', member.id)
        return
    queues.forget(member.id)
    pending.give_back(context, [row])
    # A resize that the deletion stopped may have changed the row.
    now = members.Member(context, member.manager, member.number, row)
    kind = _FormerMember if cluster_goes_on else _RemovedInstance
    instance = kind.load(context, member.id)
    instance.change = _given_back(now, str(row.cluster_id))
    instance.delete_async()


def forget_former_members(cluster_id: str) -> None:
    """Remove the id of a deleted cluster from the rows of former members."""
    with instance_models.DBInstance.query() as query:
        query.filter_by(cluster_id=cluster_id, deleted=True).update(
            {'cluster_id': None})


def _given_back(member: members.Member, cluster_id: str) -> dict[str, int]:
    """The change of the used quota by the deletion of a member.

    It is empty for a member that was never counted, because trove-api ended
    right after it had created the row; its reservation is released.
    """
    quotas.settle_members(cluster_id, [member.number], quotas.ROLLED_BACK)
    if not quotas.counts_member(cluster_id, member.number):
        return {}
    deltas = {'instances': -1}
    try:
        deltas['ram'] = -member.memory_mb
    except nova_exceptions.NotFound:
        LOG.warning('Flavor %s of instance %s does not exist any more; the '
                    'quota still counts its ram', member.flavor_id,
                    member.id)
    if member.options.volume_support:
        deltas['volumes'] = -member.volume_gb
    return deltas
