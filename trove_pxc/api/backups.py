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

"""Requests for backups of clusters: make, list, delete.

Imported by api/extension. POST /backups for a member and DELETE /backups/{id}
are Trove's routes; those of backups of single instances are passed on.
/clusters/{id}/backups is new: there the member is chosen. The answers are
those of Trove.
"""

from collections.abc import Mapping
from typing import Any

from oslo_utils import strutils
from trove.backup import models as backup_models
from trove.backup import state
from trove.backup import views
from trove.cluster import models as cluster_models
from trove.common import apischema
from trove.common import cfg
from trove.common import exception
from trove.common import notification
from trove.common import policy
from trove.common import utils
from trove.common import wsgi

from trove_pxc.api import body as request_body
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import known
from trove_pxc.api import ownership
from trove_pxc.api import policies
from trove_pxc.api import reading
from trove_pxc.api.schemas import Schema
from trove_pxc.api import validation
from trove_pxc import backups as rows
from trove_pxc import exceptions
from trove_pxc.galera import backup_choice
from trove_pxc.galera import backup_text
from trove_pxc.galera import errors
from trove_pxc.protocols import Arguments
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Request
from trove_pxc.taskmanager import api as task_api

CONF = cfg.CONF

Cluster = cluster_model.GaleraCluster
Wanted = Mapping[str, Any]

_OF_TROVE: Any = apischema.backup['create']
_PROPERTIES = _OF_TROVE['properties']['backup']['properties']
#: of POST /clusters/{id}/backups; "instance" names the member
_OF_CLUSTER: Schema = {
    'type': 'object', 'required': ['backup'], 'additionalProperties': False,
    'properties': {'backup': {
        'type': 'object', 'required': ['name'],
        'additionalProperties': False, 'properties': {
            name: _PROPERTIES[name] for name in (
                'name', 'description', 'instance', 'incremental',
                'parent_id', 'swift_container')}}}}


def concerns(request: Request, args: Mapping[str, str]) -> bool:
    """Whether a request to /backups is handled here."""
    if args.get('action') == 'create':
        return _source(request, request_body.read(request)) is not None
    return (args.get('action') == 'delete'
            and _ours(args.get('id', '')) is not None)


class BackupsController(wsgi.Controller):
    """POST and DELETE of /backups, for members of clusters."""

    schemas = apischema.backup

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def create(self, req: Request, body: dict[str, Wanted],
               tenant_id: str) -> Any:
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        row = _source(req, body)
        assert row is not None      # see concerns()
        cluster = cluster_models.Cluster.load(context, row.cluster_id)
        return _create(req, cluster, body['backup'], row.id)

    def delete(self, req: Request, tenant_id: str, id: str) -> Any:
        """Delete a backup, also one that runs, but not one with children."""
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        row = _ours(id)
        if row is None or not (context.is_admin
                               or row.tenant_id == context.project_id):
            raise exception.NotFound(uuid=id)
        policy.authorize_on_target(context, 'backup:delete',
                                   {'tenant': row.tenant_id})
        policies.authorize(context, 'backup', row.tenant_id)
        children = rows.children(row.id)
        if children:
            names = ', '.join(f'{one.name} ({one.id})' for one in children)
            raise validation.refused(
                f'The backup {row.name} ({row.id}) cannot be deleted, '
                f'because incremental backups build on it: {names}. Delete '
                'them first.')
        context.notification = notification.DBaaSBackupDelete(
            context, request=req)
        with notification.StartNotification(context, backup_id=row.id):
            if rows.delete(row):
                task_api.GaleraTaskAPI(context).delete_cluster_backup(
                    row.datastore_version.manager, row.id)
        return wsgi.Result(None, 202)


class ClusterBackupsController(wsgi.Controller):
    """/clusters/{id}/backups"""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args, _OF_CLUSTER)

    def index(self, req: Request, tenant_id: str, cluster_id: str) -> Any:
        """The backups of all members, the newest first."""
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        policy.authorize_on_tenant(context, 'backup:index')
        cluster = load(req, cluster_id, 'backups')
        return wsgi.Result(views.BackupViews(rows.rows_of_cluster(
            cluster.id, None if context.is_admin
            else context.project_id)).data(), 200)

    def create(self, req: Request, body: dict[str, Wanted], tenant_id: str,
               cluster_id: str) -> Any:
        cluster = load(req, cluster_id, 'backup')
        wanted = body['backup'].get('instance')
        if wanted and wanted not in [one.id for one in cluster.members]:
            raise validation.refused(
                f'{wanted} is not a member of cluster {cluster.name}. Its '
                'members are: ' + ', '.join(
                    f'{one.name} ({one.id})' for one in cluster.members))
        return _create(req, cluster, body['backup'], wanted)


def load(req: Request, cluster_id: str, what: str) -> Cluster:
    """Load a cluster and check the policy.

    :param what: the rule, without the prefix ``galera:``.
    :raises trove.common.exception.TroveError: if it does not exist, is not a
        cluster of this package, or the request is not allowed.
    """
    context: Context = req.environ[wsgi.CONTEXT_KEY]
    cluster = cluster_models.Cluster.load(context, cluster_id)
    policies.authorize(context, what, cluster.tenant_id)
    if not isinstance(cluster, Cluster):
        raise validation.refused(
            f'Cluster {cluster_id} is not a Galera cluster of trove-pxc. An '
            'operator must set api_strategy of its datastore.')
    return cluster


def running(cluster: Cluster) -> str | None:
    """Describe the backup that runs, for the health; None if none does."""
    return next((
        f'{row.name} ({row.id}): '
        f'{backup_text.told(row.description) or row.state}'
        for row in rows.rows_of_cluster(cluster.id) if row.is_running), None)


def _source(req: Request, body: Any) -> InstanceRow | None:
    """Return the row of the member to back up, or None."""
    wanted = body.get('backup') if isinstance(body, dict) else None
    source = wanted.get('instance') if isinstance(wanted, dict) else None
    return ownership.visible(
        req, utils.get_id_from_href(str(source))) if source else None


def _ours(backup_id: str) -> rows.Row | None:
    row: rows.Row | None = backup_models.DBBackup.get_by(
        id=backup_id, deleted=False)
    return row if row is not None and rows.is_ours(row) else None


def _create(req: Request, cluster: Cluster, wanted: Wanted,
            member_id: str | None) -> Any:
    """Check the request, write the row, cast; return Trove's answer."""
    context = cluster.context
    policy.authorize_on_tenant(context, 'backup:create')
    policies.authorize(context, 'backup', cluster.tenant_id)
    container = wanted.get('swift_container')
    if container:
        utils.validate_command(container)
    cluster.validate_cluster_available()
    known.check_complete(cluster, [one.id for one in cluster.members])
    existing = rows.rows_of_cluster(cluster.id)
    _refuse_parallel(existing)
    parent = _parent(context, wanted, existing, member_id)
    chosen = _member(cluster, member_id, parent)
    backup_models.Backup.verify_swift_auth_token(context)
    context.notification = notification.DBaaSBackupCreate(
        context, request=req)
    with notification.StartNotification(
            context, name=wanted['name'], instance_id=chosen.id,
            description=wanted.get('description'),
            parent_id=parent and parent.id):
        row = rows.new_row(
            context, chosen.db_info, wanted['name'],
            wanted.get('description'),
            container or _container(context, chosen.id), parent)
        cluster.task_api().create_cluster_backup(
            cluster.ds_version.manager, row.id)
    return wsgi.Result(views.BackupView(row).data(), 202)


def _refuse_parallel(existing: list[rows.Row]) -> None:
    """One backup of a cluster at a time, so that one member is desynced."""
    for row in existing:
        if row.is_running:
            raise validation.unavailable(
                f'The backup {row.name} ({row.id}) of this cluster runs. '
                'Wait until it has ended, or cancel it with "openstack '
                f'database backup delete {row.id}".')


def _parent(context: Context, wanted: Wanted, existing: list[rows.Row],
            member_id: str | None) -> rows.Row | None:
    """The backup on which this one is to build; None for a full one."""
    parent_id = wanted.get('parent_id')
    complete = [row for row in existing
                if row.state == state.BackupState.COMPLETED
                and row.tenant_id == context.project_id]
    if parent_id:
        found = next((row for row in complete if row.id == parent_id), None)
        if found is None:
            raise validation.refused(
                f'{parent_id} is not a complete backup of this cluster. '
                '"openstack database cluster backup list" shows them.')
    elif strutils.bool_from_string(wanted.get('incremental')):
        found = next((row for row in complete
                      if member_id in (None, row.instance_id)), None)
    else:
        return None
    if found is not None:
        try:
            rows.chain(found)
        except exceptions.BackupUnusable as broken:
            raise validation.refused(
                f'No backup can build on {found.id}: {broken}. Make a full '
                'backup.') from broken
    return found


def _member(cluster: Cluster, member_id: str | None,
            parent: rows.Row | None) -> Any:
    """The member that makes the backup."""
    names = {one.id: one.name for one in cluster.members}
    wanted, because = member_id, ''
    if parent is not None:
        if member_id not in (None, parent.instance_id):
            raise validation.refused(
                f'The parent backup {parent.id} was made on another member, '
                'and the positions in it mean nothing on this one. Leave '
                'the member out, or make a full backup.')
        if parent.instance_id not in names:
            raise validation.refused(
                f'The member on which the parent backup {parent.id} was made '
                'does not exist any more. Make a full backup.')
        wanted = parent.instance_id
        because = f'its parent {parent.id} was made there'
    try:
        chosen = backup_choice.choose(names, {
            answer.member.id: answer.report
            for answer in reading.ask(cluster)}, wanted, because)
    except errors.Refused as refusal:
        raise validation.unavailable(str(refusal)) from refusal
    return next(one for one in cluster.members if one.id == chosen)


def _container(context: Context, member_id: str) -> str:
    """The container of Trove's backup strategy, or of its option."""
    strategy = backup_models.BackupStrategy.get(context, member_id)
    return str(strategy.swift_container if strategy
               else CONF.backup_swift_container)
