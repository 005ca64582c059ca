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

"""The model of a cluster in trove-api: create, delete and actions.

Loaded through api/strategy. It checks requests, writes rows and casts. The
taskmanager does the work.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import datetime
from typing import Self

from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import server_group
from trove.common import timeutils
from trove.common import utils
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc.api import actions
from trove_pxc.api import members
from trove_pxc.api.model import Member
from trove_pxc.api import policies
from trove_pxc.api import restoration
from trove_pxc.api import validation
from trove_pxc.galera import naming
from trove_pxc import notifications
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import Datastore
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import Hint
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request
from trove_pxc.protocols import ServerGroup
from trove_pxc import queued
from trove_pxc import quotas
from trove_pxc import restores
from trove_pxc import starts
from trove_pxc.taskmanager import api as task_api
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

MEMBER_TYPE = members.TYPE
#: after which a deletion whose row does not change is requested anew
_ABANDONED = datetime.timedelta(minutes=10)


class GaleraCluster(cluster_models.Cluster):
    """A Galera cluster. All its instances are members of equal rank."""

    context: Context
    db_info: ClusterRow
    ds: Datastore
    ds_version: DatastoreVersion
    _members: Sequence[Member] | None = None
    _queue: Mapping[str, int] | None = None
    _restores: Mapping[str, restores.Restore] | None = None
    _group: ServerGroup | None = None
    _group_sought = False
    _given_locality: str | None = None
    _shown: waiting.Stopwatch | None = None

    @classmethod
    def of(cls, cluster: cluster_models.Cluster) -> Self:
        """Convert a plain cluster of Trove, as in its lists, to this class."""
        if isinstance(cluster, cls):
            return cluster
        return cls(cluster.context, cluster.db_info, cluster.ds,
                   cluster.ds_version)

    @classmethod
    def create(cls, context: Context, name: str, datastore: Datastore,
               datastore_version: DatastoreVersion,
               instances: list[validation.Instance],
               extended_properties: Mapping[str, Json], locality: Hint,
               configuration: str | None,
               image_id: str | None = None) -> Self:
        """Check everything, write the rows, cast to the taskmanager.

        :param extended_properties: "instance_names", which api/extension
            sets from the request, and "backup", the id of one to restore.
        :param locality: None, or the scheduler hint that Trove made of the
            request. It names a server group that exists already.
        :raises trove.common.exception.TroveError: then nothing of the request
            remains.
        """
        with contextlib.ExitStack() as undo:
            undo.callback(_delete_server_group, context, locality)
            policies.authorize(context, 'create', context.project_id)
            request = validation.Request(
                name, datastore, datastore_version,
                validation.with_given_names(
                    instances, extended_properties.get(validation.NAMES)),
                configuration, image_id)
            checked = validation.check(context, request)
            backup_id = restoration.check(
                context, request,
                extended_properties.get(validation.BACKUP))
            cluster_id = utils.generate_uuid()
            quotas.reserve_members(context.project_id, cluster_id,
                                   validation.needs(checked))
            undo.callback(quotas.settle_members, cluster_id,
                          validation.needs(checked), quotas.ROLLED_BACK)
            db_info = cluster_models.DBCluster.create(
                id=cluster_id, name=name, tenant_id=context.project_id,
                datastore_version_id=datastore_version.id,
                task_status=ClusterTasks.BUILDING_INITIAL,
                configuration_id=configuration)
            cluster = cls(context, db_info, datastore, datastore_version)
            cluster._shown = waiting.Stopwatch()
            made: list[str] = []
            undo.callback(cluster._undo_create, made)
            cluster._record_request(backup_id)
            locality = _own_server_group(context, locality, cluster.id)
            undo.callback(_delete_server_group, context, locality)
            for instance in checked:
                made.append(cluster.create_instance(
                    request, instance, locality))
            cluster.task_api().create_cluster(cluster.id)
            undo.pop_all()
        return cluster

    def action(self, context: Context, req: Request, action: str,
               param: Json) -> None:
        """Perform actions of this package; pass all others to Trove."""
        if not actions.perform(self, req, action, param):
            super().action(context, req, action, param)

    def delete(self) -> None:
        """Delete the cluster in whatever state it is. Repeating it is safe.

        Trove refuses to delete an instance that is being built, and first asks
        each guest to stop. delete_cluster of the taskmanager does neither. A
        pending operation stays in the row of its member, so that its quota is
        given back exactly once.
        """
        policies.authorize(self.context, 'delete', self.tenant_id)
        self._request_deletion()
        self.know_row()
        for row in members.rows(self.id, self.name):
            if row.task_status != InstanceTasks.BUILDING:
                order = pending.of(row)
                row.update(task_status=InstanceTasks.DELETING,
                           **({'task_description': order.text}
                              if order else {}))
        self.task_api().delete_cluster(self.id)

    @quotas.retried
    def _request_deletion(self) -> None:
        """Set the task, unless the cluster is being deleted.

        Then the row is not written, because a row that no longer changes shows
        a deletion whose taskmanager has died. If it has not changed for ten
        minutes, the deletion is requested anew, in case no taskmanager watches
        for expired leases.
        """
        rows, now = cluster_models.DBCluster, timeutils.utcnow()
        with quotas.transaction() as session:
            if session.query(rows).filter(
                    rows.id == self.id, rows.deleted.is_(False),
                    (rows.task_id != ClusterTasks.DELETING.code)
                    | (rows.updated < now - _ABANDONED)).update(
                        {'task_id': ClusterTasks.DELETING.code,
                         'updated': now}, synchronize_session=False):
                starts.request(session, self.id, ClusterTasks.DELETING,
                               self.context.request_id)

    def reset_status(self) -> None:
        """Reset the task as Trove does, except during a deletion.

        Gives back the quota of a resize that no taskmanager runs any more. A
        resize that still runs stops, and does not give it back itself.
        """
        if self.db_info.task_status == ClusterTasks.DELETING:
            LOG.info('The status of cluster %s is not reset, because the '
                     'cluster is being deleted', self.id)
            return
        pending.give_back(self.context, members.rows(self.id, self.name))
        super().reset_status()

    @property
    def members(self) -> Sequence[Member]:
        """The instances with status and addresses, in member order.

        Read once for each object, that is once for each request.
        """
        if self._members is None:
            self._members = members.load(self.context, [self])[self.id]
        return self._members

    def know(self, found: Sequence[Member] | None) -> None:
        """Set the members, which were read together with many others.

        None: the members have changed; they are read again at the next access.
        """
        self._members = found

    @property
    def queue(self) -> Mapping[str, int]:
        """How many requests are before those of this cluster that wait.

        By the id of the cluster for its operation, and by the id of a member
        for its creation. Not read if the cluster has no task.
        """
        if self._queue is None:
            self._queue = {} if self.is_idle else queued.before([
                self.id, *(member.id for member in self.members)])
        return self._queue

    @property
    def is_idle(self) -> bool:
        """Whether it has no task."""
        return bool(self.db_info.task_status == ClusterTasks.NONE)

    def know_queue(self, found: Mapping[str, int]) -> None:
        """Set the queue, which was read together with many others."""
        self._queue = found

    @property
    def is_building(self) -> bool:
        """Whether it is being created."""
        return bool(self.db_info.task_status == ClusterTasks.BUILDING_INITIAL)

    @property
    def restore(self) -> restores.Restore | None:
        """The restore of the backup from which it is being created."""
        if self._restores is None:
            self._restores = (restores.of([self.id]) if self.is_building
                              else {})
        return self._restores.get(self.id)

    def know_restores(self, found: Mapping[str, restores.Restore]) -> None:
        """Set the restores, which were read together with many others."""
        self._restores = found

    def know_row(self) -> None:
        """Read the row again, because it was not written by this object."""
        self.db_info = cluster_models.DBCluster.find_by(
            id=self.id, deleted=False)

    @property
    def server_group(self) -> ServerGroup | None:
        """The server group of the members, or None.

        Trove looks for a group with the name of an instance. The group of a
        cluster has another name, so it is found by its servers.
        """
        servers = {member.server_id for member in self.members
                   if member.server_id}
        if servers and not self._group_sought:
            self._group = self.members[0].inventory.server_group(servers)
            self._group_sought = True
        return self._group

    @property
    def locality(self) -> str | None:
        """The locality of the request, or the policy of the server group."""
        found: str | None = (
            self._given_locality
            or server_group.ServerGroup.get_locality(self.server_group))
        return found

    @locality.setter
    def locality(self, value: str | None) -> None:
        self._given_locality = value

    def task_api(self) -> task_api.GaleraTaskAPI:
        """Return Trove's client of the taskmanager, with our casts.

        Trove would load it through taskmanager_strategy, together with all
        modules of the taskmanager and the RabbitMQ driver.
        """
        return task_api.GaleraTaskAPI(self.context)

    def create_instance(self, request: validation.Request,
                        instance: validation.Instance, locality: Hint) -> str:
        """Create one member with its reserved quota; return its id.

        Renews the lease of the operation, so the lease has to last for one
        member only.
        """
        self._show_life()
        ((number, needs),) = validation.needs([instance]).items()
        with quotas.handed_out(self.context.project_id, self.id, number,
                               needs):
            made = instance_models.Instance.create(
                notifications.of_member(self.context), instance['name'],
                instance['flavor_id'],
                self.ds_version.image_id or request.image_id, [], [],
                self.ds, self.ds_version, instance.get('volume_size'), None,
                availability_zone=instance.get('availability_zone'),
                nics=instance['nics'],
                configuration_id=request.configuration_id,
                cluster_config={'id': self.id, 'instance_type': MEMBER_TYPE,
                                'shard_id': instance.get('number')},
                volume_type=instance.get('volume_type'),
                modules=instance.get('modules'), locality=locality,
                region_name=instance.get('region_name'))
        return str(made.id)

    def _record_request(self, backup_id: str | None) -> None:
        """Record the request, before the first member exists."""
        with quotas.transaction() as session:
            starts.request(session, self.id, ClusterTasks.BUILDING_INITIAL,
                           self.context.request_id)
            if backup_id is not None:
                restores.request(session, self.id, backup_id)
        self.know_restores({} if backup_id is None else {
            self.id: restores.Restore(backup_id)})

    def _show_life(self) -> None:
        """Renew the lease, so that no taskmanager resumes the operation.

        Not more than once a second, which is the resolution of the column.
        """
        if self._shown is not None and self._shown.elapsed < 1:
            return
        self._shown = waiting.Stopwatch()
        with cluster_models.DBCluster.query() as query:
            query.filter_by(id=self.id, deleted=False).update(
                {'updated': timeutils.utcnow()})

    def _undo_create(self, made: list[str]) -> None:
        """Remove everything that a failed create has made.

        An instance whose creation failed may have a row, but has no quota and
        no resources in the cloud. The instances before it are already being
        built. They are deleted together with the cluster.
        """
        LOG.warning('The creation of cluster %s failed. Deleting the %d '
                    'instances that it has made', self.id, len(made))
        self.update_db(task_status=ClusterTasks.DELETING)
        self.forget_rows_but(made)
        if made:
            self.task_api().delete_cluster(self.id)
        else:
            with quotas.transaction() as session:
                starts.forget(session, self.id)
            self.update_db(deleted=True, deleted_at=timeutils.utcnow(),
                           task_status=ClusterTasks.NONE)

    def forget_rows_but(self, instance_ids: Collection[str]) -> None:
        """Delete all other rows, which have no resources in the cloud."""
        for row in members.rows(self.id, self.name):
            if row.id not in instance_ids:
                row.update(deleted=True, deleted_at=timeutils.utcnow(),
                           cluster_id=None, task_status=InstanceTasks.NONE,
                           datastore_version_id=None, configuration_id=None)


def _own_server_group(context: Context, locality: Hint,
                      cluster_id: str) -> Hint:
    """Return the hint for a group that is named after the cluster's id.

    Trove names the group after the cluster. Several clusters can have this
    name, and a group without servers could then not be assigned to its
    cluster.
    """
    if not isinstance(locality, dict) or 'group' not in locality:
        return locality
    groups = clients.create_nova_client(context).server_groups
    made = groups.create(
        name=naming.server_group_name(cluster_id),
        policies=list(groups.get(locality['group']).policies))
    _delete_server_group(context, locality)
    return {**locality, 'group': made.id}


def _delete_server_group(context: Context, locality: Hint) -> None:
    """Delete the group that Trove made for a request that failed."""
    if not isinstance(locality, dict) or 'group' not in locality:
        return
    try:
        clients.create_nova_client(context).server_groups.delete(
            locality['group'])
    except nova_exceptions.NotFound:
        LOG.debug('Server group %s does not exist any more',
                  locality['group'])
