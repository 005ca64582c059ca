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

"""Trove's rows of backups that are of clusters of this package.

Imported by api/ and taskmanager/. A backup has no task of its cluster: its row
is all that there is about it, so any taskmanager can go on with it. Its state
is NEW until a taskmanager makes it, BUILDING meanwhile, then COMPLETED or
FAILED. The one that makes it writes a new ``updated`` every few seconds, as
for the lease of a cluster; see taskmanager/engine/lease. The location of a
backup that is not COMPLETED, or that is deleted, shows that there may be
objects of it.
"""

from collections.abc import Callable
from collections.abc import Sequence
import datetime
import threading
from typing import Any
from typing import Protocol
from typing import Self

from oslo_log import log as logging
from sqlalchemy import orm
from swiftclient import exceptions as swift_exceptions
from trove.backup import models as backup_models
from trove.backup.state import BackupState
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.common import timeutils
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.quota import quota

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import backup_layout
from trove_pxc.galera import backups
from trove_pxc.galera import errors
from trove_pxc.galera import secret
from trove_pxc import protocols
from trove_pxc.protocols import Context
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import InstanceRow
from trove_pxc import quotas

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

#: the type of instances that are members of a cluster of this package
MEMBER = 'member'
_QUOTA = 'backups'
_NOT_FOUND = 404
_TICK = datetime.timedelta(seconds=1)   # the resolution of Trove's column
_DELETE_SEGMENTS = 'multipart-manifest=delete'


class Row(protocols.Row, Protocol):
    """A row of Trove's table.

    :ivar location: None if it has no objects.
    :ivar size: of the data, in GiB.
    :ivar checksum: the ETag of the manifest.
    """

    name: str
    description: str | None
    location: str
    tenant_id: str
    state: str
    instance_id: str
    parent_id: str | None
    deleted: bool
    updated: datetime.datetime
    size: float | None
    checksum: str | None
    datastore_version_id: str | None
    datastore_version: DatastoreVersion
    is_running: bool


class Swift(Protocol):
    """The client of the object store."""

    url: str | None
    token: str | None

    def get_auth(self) -> tuple[str, str]:
        """Log in; return the URL of the account and a token."""

    def head_object(self, container: str, obj: str) -> dict[str, str]:
        """The headers of an object."""

    def get_container(self, container: str, *, prefix: str,
                      full_listing: bool) -> tuple[Any, list[Any]]:
        """The headers of a container, and its objects."""

    def delete_object(self, container: str, obj: str,
                      query_string: str | None = None) -> None:
        """Delete an object."""


def get(backup_id: str) -> Row:
    """:raises BackupUnusable: if there is none, or it was deleted."""
    row: Row | None = backup_models.DBBackup.get_by(
        id=backup_id, deleted=False)
    if row is None:
        raise exceptions.BackupUnusable(f'the backup {backup_id} was deleted')
    return row


def any_row(backup_id: str) -> Row:
    """The row, also if it is deleted."""
    row: Row = backup_models.DBBackup.find_by(id=backup_id)
    return row


def was_complete(row: Row) -> bool:
    """Whether it was complete, also if it is deleted; see new_row()."""
    return not row.location.startswith('/')


def chain(row: Row) -> list[Row]:
    """The backups that a restore of this one needs, the full one first.

    :raises BackupUnusable: one of them was deleted, or is not complete.
    """
    links = [row]
    while links[0].parent_id:
        links.insert(0, get(links[0].parent_id))
    for link in links:
        if link.state != BackupState.COMPLETED:
            raise exceptions.BackupUnusable(
                f'the backup {link.id}, on which {row.id} builds, is '
                f'{link.state}')
    return links


def children(backup_id: str) -> list[Row]:
    """The incremental backups that build directly on this one."""
    table = backup_models.DBBackup
    found: list[Row] = table.find_by_filter(
        filters=[table.state != BackupState.FAILED],
        parent_id=backup_id, deleted=False).all()
    return found


def is_ours(row: Row) -> bool:
    """Whether it is of a member of a cluster, which may be deleted."""
    instance = row.instance_id and instance_models.DBInstance.get_by(
        id=row.instance_id)
    if not instance or not (instance.cluster_id or instance.type == MEMBER):
        return False
    version = datastore_models.DBDatastoreVersion.get_by(
        id=row.datastore_version_id or instance.datastore_version_id)
    return version is not None and version.manager in conf.MANAGERS


def rows_of_cluster(cluster_id: str,
                    project_id: str | None = None) -> list[Row]:
    """The backups of all members, also of those that were removed.

    :param project_id: only those of this project; None: of all.
    :returns: the newest first.
    """
    instances, table = instance_models.DBInstance, backup_models.DBBackup
    with table.query() as query:
        query = query.join(
            instances, instances.id == table.instance_id).filter(
                instances.cluster_id == cluster_id,
                table.deleted.is_(False))
        if project_id is not None:
            query = query.filter(table.tenant_id == project_id)
        found: list[Row] = query.order_by(table.created.desc()).all()
    return found


def unfinished() -> list[Row]:
    """The backups of members of which work may be left, of all clusters.

    Those that run, and those that failed or were deleted and may have
    objects.
    """
    instances, table = instance_models.DBInstance, backup_models.DBBackup
    versions = datastore_models.DBDatastoreVersion
    with table.query() as query:
        found: list[Row] = query.join(
            instances, instances.id == table.instance_id).join(
                versions, versions.id == table.datastore_version_id).filter(
                    instances.type == MEMBER,
                    versions.manager.in_(conf.MANAGERS),
                    table.location.isnot(None),
                    table.state.in_([BackupState.NEW, BackupState.BUILDING,
                                     BackupState.FAILED,
                                     BackupState.DELETE_FAILED])).all()
    return found


def new_row(context: Context, member: InstanceRow, name: str,
            description: str | None, container: str,
            parent: Row | None) -> Row:
    """Write the row of a backup that is requested, and count it.

    Its location has no address of the store yet: "/CONTAINER/NAME".

    :raises trove.common.exception.QuotaExceeded: then there is no row.
    """
    def create() -> Row:
        row: Row = backup_models.DBBackup.create(
            name=name, description=description, tenant_id=context.project_id,
            state=BackupState.NEW, instance_id=member.id,
            parent_id=parent and parent.id, deleted=False,
            datastore_version_id=member.datastore_version_id,
            backup_type='incremental' if parent else 'full',
            storage_driver='swift')
        row.update(location=f'/{container}/'
                            f'{backup_layout.manifest_name(row.id)}')
        return row
    made: Row = quota.run_with_quotas(
        context.project_id, {_QUOTA: 1}, create)
    return made


def delete(row: Row) -> bool:
    """Mark a row as deleted, and release its quota.

    Its objects are still there; see forget().

    :returns: False if another request has deleted it.
    """
    def mark() -> bool:
        with quotas.transaction() as session:
            return bool(_query(session, row.id).update(
                {'deleted': True, 'deleted_at': timeutils.utcnow(),
                 'state': BackupState.DELETE_FAILED},
                synchronize_session=False))
    with quotas.transaction() as session:
        if _query(session, row.id).first() is None:
            return False
    done: bool = quota.run_with_quotas(row.tenant_id, {_QUOTA: -1}, mark)
    return done


def forget(row: Row) -> None:
    """Record that there are no objects of a failed or deleted backup."""
    values: dict[str, object] = {'location': None}
    if row.deleted:
        # As Trove does, so that the version can be deleted.
        values['datastore_version_id'] = None
    with quotas.transaction() as session:
        session.query(backup_models.DBBackup).filter_by(id=row.id).filter(
            backup_models.DBBackup.state.in_(
                [BackupState.FAILED, BackupState.DELETE_FAILED])).update(
                    values, synchronize_session=False)


class Held:
    """The right to make one backup; see take()."""

    def __init__(self, backup_id: str, value: datetime.datetime) -> None:
        self._id = backup_id
        self._value = value
        self._lock = threading.Lock()

    @classmethod
    def take(cls, backup_id: str,
             seen: datetime.datetime | None = None) -> Self | None:
        """Take it for a cast, or from a taskmanager that has died.

        :param seen: the value of ``updated``, which has not changed for the
            time of a lease; None for a cast.
        :returns: None if it was taken before, or has ended.
        """
        table = backup_models.DBBackup
        value = _after(seen)
        conditions = ([table.state == BackupState.NEW] if seen is None else [
            table.state.in_([BackupState.NEW, BackupState.BUILDING]),
            table.updated == seen])
        taken = _write(backup_id, conditions, {
            'state': BackupState.BUILDING, 'updated': value})
        return cls(backup_id, value) if taken else None

    def write(self, **values: object) -> None:
        """Change columns, and renew the right.

        :raises LeaseLost: the backup was deleted, or another taskmanager
            makes it. Then nothing was written.
        """
        table = backup_models.DBBackup
        with self._lock:
            value = _after(self._value)
            if not _write(self._id, [table.state == BackupState.BUILDING,
                                     table.updated == self._value],
                          {**values, 'updated': value}):
                raise exceptions.LeaseLost(
                    f'the backup {self._id} was deleted, or another '
                    'taskmanager makes it')
            self._value = value


@quotas.retried
def _write(backup_id: str, conditions: Sequence[Any],
           values: dict[str, object]) -> bool:
    with quotas.transaction() as session:
        return bool(_query(session, backup_id).filter(*conditions).update(
            values, synchronize_session=False))


def _query(session: orm.Session, backup_id: str) -> Any:
    return session.query(backup_models.DBBackup).filter_by(
        id=backup_id, deleted=False)


def _after(value: datetime.datetime | None) -> datetime.datetime:
    """The next value of ``updated``, which was never written before."""
    now: datetime.datetime = timeutils.utcnow().replace(microsecond=0)
    return now if value is None else max(
        now, value.replace(microsecond=0) + _TICK)


def store_of(context: Context, row: Row) -> backups.Store:
    """The object store of a backup, with a token that is valid now.

    :raises BackupStoreFailed: if it does not answer, or there is no token.
    """
    def access() -> tuple[str, str]:
        client: Swift = clients.create_swift_client(context)
        if client.url and client.token:
            return client.url, client.token
        return client.get_auth()
    url, token = _answered(access)
    return backups.Store(url, secret.Secret(token), place(row)[0],
                         not CONF.swift_api_insecure)


def place(row: Row) -> tuple[str, str]:
    """The container and the name of the object."""
    return backup_layout.split_location(row.location)


def stored(context: Context, row: Row) -> tuple[backups.Result, str]:
    """What is stored with a complete backup, and the ETag of its manifest.

    :raises BackupStoreFailed: if the store does not answer.
    :raises trove_pxc.galera.errors.Unusable: its object is missing, or is
        not such a backup.
    """
    container, name = place(row)

    def ask() -> dict[str, str] | None:
        client: Swift = clients.create_swift_client(context)
        found: dict[str, str] | None = _unless_gone(
            client.head_object, container, name)
        return found
    headers = _answered(ask)
    if headers is None:
        raise errors.Unusable('its object is missing in the object store: '
                              f'{container}/{name}')
    return (backup_layout.result_of(headers),
            headers.get('etag', '').strip('"'))


def remove_objects(context: Context, row: Row) -> None:
    """Delete all objects of a backup. Repeating it is safe.

    :raises BackupStoreFailed: then some may be left.
    """
    container, name = place(row)

    def remove() -> None:
        client: Swift = clients.create_swift_client(context)
        _unless_gone(client.delete_object, container, name,
                     query_string=_DELETE_SEGMENTS)
        _, listed = _unless_gone(
            client.get_container, container, prefix=f'{row.id}.',
            full_listing=True) or (None, ())
        for one in listed:
            _unless_gone(client.delete_object, container, one['name'])
    _answered(remove)


def _unless_gone(call: Callable[..., Any], *arguments: object,
                 **options: object) -> Any:
    try:
        return call(*arguments, **options)
    except swift_exceptions.ClientException as failure:
        if failure.http_status != _NOT_FOUND:
            raise
        LOG.debug('%s', failure)
        return None


def _answered(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except swift_exceptions.ClientException as failure:
        raise exceptions.BackupStoreFailed(
            'the object store refuses the request: '
            f'{failure.http_status or failure.msg} '
            f'{failure.http_reason}') from failure
    except exception.NoServiceEndpoint as failure:
        raise exceptions.BackupStoreFailed(
            'there is no address of an object store for trove-taskmanager: '
            'set swift_url or remote_swift_client') from failure
    except OSError as failure:      # of the package requests
        raise exceptions.BackupStoreFailed(
            'the object store does not answer: '
            f'{type(failure).__name__}') from failure
