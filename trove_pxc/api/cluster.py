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

"""The cluster as a model of trove-api: create and delete.

Loaded through api/strategy. It checks, writes rows and casts; the work is
the taskmanager's.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
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
from trove_pxc import quotas
from trove_pxc.taskmanager import api as task_api

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

MEMBER_TYPE = members.TYPE


class GaleraCluster(cluster_models.Cluster):
    """A Galera cluster; all its instances are members of equal rank."""

    context: Context
    db_info: ClusterRow
    ds: Datastore
    ds_version: DatastoreVersion
    _members: Sequence[Member] | None = None
    _group: ServerGroup | None = None
    _group_sought = False
    _given_locality: str | None = None

    @classmethod
    def of(cls, cluster: cluster_models.Cluster) -> Self:
        """This cluster as one of ours; Trove's lists hold plain ones."""
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

        :param extended_properties: ours is "instance_names", which
            api/extension fills in from the request.
        :param locality: None, or the scheduler hint that Trove has made of
            it, which names a server group that exists already.
        :raises trove.common.exception.TroveError: and then nothing of the
            request is left.
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
            made: list[str] = []
            undo.callback(cluster._undo_create, made)
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
        """Ours first; what is none of ours is Trove's."""
        if not actions.perform(self, req, action, param):
            super().action(context, req, action, param)

    def delete(self) -> None:
        """Have all of it removed, whatever its state; twice does no harm.

        Trove refuses to delete an instance that is building, and asks each
        guest to stop first; the taskmanager's delete_cluster does neither.
        The row is written once: that it does not change any more is how a
        deletion without a taskmanager is known. An order stays with its
        member, for whoever comes first to give back its quota.
        """
        policies.authorize(self.context, 'delete', self.tenant_id)
        rows = cluster_models.DBCluster
        with rows.query() as query:
            query.filter(
                rows.id == self.id, rows.deleted.is_(False),
                rows.task_id != ClusterTasks.DELETING.code).update(
                    {'task_id': ClusterTasks.DELETING.code,
                     'updated': timeutils.utcnow()},
                    synchronize_session=False)
        self.know_row()
        for row in members.rows(self.id, self.name):
            if row.task_status != InstanceTasks.BUILDING:
                order = pending.of(row)
                row.update(task_status=InstanceTasks.DELETING,
                           **({'task_description': order.text}
                              if order else {}))
        self.task_api().delete_cluster(self.id)

    def reset_status(self) -> None:
        """As Trove does it; but what is being deleted stays that.

        What a resize was to use that nobody carries out any more is given
        back; one that still runs stops, and leaves that to this.
        """
        if self.db_info.task_status == ClusterTasks.DELETING:
            LOG.info('Cluster %s is being deleted; its status is not reset',
                     self.id)
            return
        pending.give_back(self.context, members.rows(self.id, self.name))
        super().reset_status()

    @property
    def members(self) -> Sequence[Member]:
        """The instances with status and addresses, in member order.

        Read once in the life of this object, which is that of a request.
        """
        if self._members is None:
            self._members = members.load(self.context, [self])[self.id]
        return self._members

    def know(self, found: Sequence[Member] | None) -> None:
        """Take these for the members: they were read with many others.

        With None they are read anew, for they are others now.
        """
        self._members = found

    def know_row(self) -> None:
        """Read the row anew, for it was written past this object."""
        self.db_info = cluster_models.DBCluster.find_by(
            id=self.id, deleted=False)

    @property
    def server_group(self) -> ServerGroup | None:
        """The group that keeps the servers together or apart, or None.

        Trove looks for a group with the name of an instance, which a
        cluster's never has; the servers in it tell it.
        """
        servers = {member.server_id for member in self.members
                   if member.server_id}
        if servers and not self._group_sought:
            self._group = self.members[0].inventory.server_group(servers)
            self._group_sought = True
        return self._group

    @property
    def locality(self) -> str | None:
        """As the request names it, or the policy of the server group."""
        found: str | None = (
            self._given_locality
            or server_group.ServerGroup.get_locality(self.server_group))
        return found

    @locality.setter
    def locality(self, value: str | None) -> None:
        self._given_locality = value

    def task_api(self) -> task_api.GaleraTaskAPI:
        """Trove's client of the taskmanager, with our casts.

        Trove would take it from taskmanager_strategy, and load with that
        all that the taskmanager runs, the driver of RabbitMQ included.
        """
        return task_api.GaleraTaskAPI(self.context)

    def create_instance(self, request: validation.Request,
                        instance: validation.Instance, locality: Hint) -> str:
        """Have one member made by Trove, of what is reserved for it; its id.

        However many there are, the operation's lease need but last for one.
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

    def _show_life(self) -> None:
        """Keep taskmanagers from taking up what trove-api still does."""
        with cluster_models.DBCluster.query() as query:
            query.filter_by(id=self.id, deleted=False).update(
                {'updated': timeutils.utcnow()})

    def _undo_create(self, made: list[str]) -> None:
        """Leave nothing of a create that failed on its way.

        An instance whose creation raised has a row perhaps, but no quota
        and nothing in the cloud; the ones before it are building already,
        and are deleted with the cluster.
        """
        LOG.warning('Creating cluster %s failed; its %d instances so far '
                    'are deleted', self.id, len(made))
        self.update_db(task_status=ClusterTasks.DELETING)
        self.forget_rows_but(made)
        if made:
            self.task_api().delete_cluster(self.id)
        else:
            self.update_db(deleted=True, deleted_at=timeutils.utcnow(),
                           task_status=ClusterTasks.NONE)

    def forget_rows_but(self, instance_ids: Collection[str]) -> None:
        """Delete all other rows: nothing was made for them."""
        for row in members.rows(self.id, self.name):
            if row.id not in instance_ids:
                row.update(deleted=True, deleted_at=timeutils.utcnow(),
                           cluster_id=None, task_status=InstanceTasks.NONE,
                           datastore_version_id=None, configuration_id=None)


def _own_server_group(context: Context, locality: Hint,
                      cluster_id: str) -> Hint:
    """The hint for a group that is named after the cluster's id.

    Trove names it after the cluster, as many may be called; and if no
    server ever got into it, nothing else tells whose it is.
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
    """Remove the group that Trove made for a request that then failed."""
    if not isinstance(locality, dict) or 'group' not in locality:
        return
    try:
        clients.create_nova_client(context).server_groups.delete(
            locality['group'])
    except nova_exceptions.NotFound:
        LOG.debug('Server group %s is gone already', locality['group'])
