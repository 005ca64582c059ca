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

"""Checks of a request to create a cluster from a backup.

Imported by api/cluster and api/extension. The request names the backup in its
extended properties. What the guest would find out after minutes, such as a
missing object or a volume that is too small, is refused here.
"""

import jsonschema
from trove.backup import models as backup_models
from trove.backup import state
from trove.common import apischema
from trove.common import cfg
from trove.common import exception
from trove.common import utils

from trove_pxc.api import validation
from trove_pxc import backups as rows
from trove_pxc import exceptions
from trove_pxc.galera import backup_chain
from trove_pxc.galera import backups
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc.galera import series
from trove_pxc.protocols import Context
from trove_pxc.protocols import Json

CONF = cfg.CONF

_COMMAND = '"openstack database cluster restore'


def check(context: Context, request: validation.Request,
          backup_id: Json) -> str | None:
    """Check that this backup can be restored into the requested cluster.

    :param request: with members that were checked.
    :param backup_id: from the request. None: it names no backup.
    :returns: the id.
    :raises trove.common.exception.TroveError: for the first error.
    """
    if backup_id is None:
        return None
    if not (isinstance(backup_id, str) and jsonschema.Draft4Validator(
            apischema.uuid).is_valid(backup_id)):
        raise validation.refused(
            f'The backup must be the ID of a backup, not {backup_id!r}. '
            '"openstack database backup list" shows the IDs.')
    row = _row(context, backup_id)
    _check_row(row, request)
    try:
        links = _links(context, rows.chain(row))
    except exceptions.BackupUnusable as broken:
        raise validation.refused(
            f'The backup {row.id} cannot be restored: {broken}. Restore an '
            'earlier backup.') from broken
    _check_links(request, links)
    return str(row.id)


def refusal_for_instance(context: Context, point: Json) -> Exception | None:
    """The error for a single instance that is created from a backup.

    :param point: the "restorePoint" of the request, unchecked.
    :returns: None if the backup is not one of this package; Trove checks it.
    """
    reference = point.get('backupRef') if isinstance(point, dict) else None
    if not isinstance(reference, str):
        return None
    row = backup_models.DBBackup.get_by(
        id=utils.get_id_from_href(reference), deleted=False)
    if (row is None or row.tenant_id != context.project_id
            or not rows.is_ours(row)):
        return None
    return validation.refused(
        f'The backup {row.name} ({row.id}) is of a member of a cluster. A '
        'single instance cannot be created from it, because Trove\'s backups '
        'of single instances have another format. Create a cluster with '
        f'{_COMMAND} {row.id} --name NAME"; to have its data in a single '
        'instance, copy them with a dump.')


def _row(context: Context, backup_id: str) -> rows.Row:
    """:raises NotFound: also for a backup of another project."""
    row: rows.Row | None = backup_models.DBBackup.get_by(
        id=backup_id, deleted=False)
    if row is None or row.tenant_id != context.project_id:
        raise exception.NotFound(uuid=backup_id)
    return row


def _check_row(row: rows.Row, request: validation.Request) -> None:
    if row.state != state.BackupState.COMPLETED:
        raise validation.refused(
            f'The backup {row.id} is {row.state}, and only one that is '
            'COMPLETED can be restored. "openstack database backup list" '
            'shows the others.')
    if not rows.is_ours(row):
        raise validation.refused(
            f'The backup {row.id} was made of a single instance, in the '
            'format of Trove\'s own backups, which a member of a cluster '
            'cannot restore. Create a single instance from it with '
            '"openstack database instance create --backup", and copy the '
            'data into a new cluster with a dump.')
    made_by = row.datastore_version.manager
    if made_by != request.manager:
        raise validation.refused(
            f'The backup {row.id} was made by the datastore {made_by}, and '
            f'the request names {request.manager}. Name a version of the '
            f'datastore {made_by}.')


def _links(context: Context, chain: list[rows.Row]) -> list[backups.Result]:
    """What is stored with each backup of a chain, the full one first.

    :raises trove_pxc.exceptions.BackupUnusable: an object is missing, or is
        not a backup of this package.
    """
    backup_models.Backup.verify_swift_auth_token(context)
    found = []
    for row in chain:
        try:
            found.append(rows.stored(context, row)[0])
        except errors.Unusable as damaged:
            raise exceptions.BackupUnusable(
                f'the backup {row.id}: {damaged}') from damaged
        except exceptions.BackupStoreFailed as failure:
            raise exception.SwiftConnectionError() from failure
    return found


def _check_links(request: validation.Request,
                 links: list[backups.Result]) -> None:
    version = request.version.version or request.version.name
    runs = series.dotted(
        dialect.for_version(request.manager, version).version)
    refusal = (backup_chain.refusal_to_restore(links)
               or backup_chain.refusal_of_server(
                   links[-1].server_version, runs))
    if refusal is not None:
        raise validation.refused(
            f'The backup {links[-1].id} cannot be restored: {refusal}.')
    least = backup_chain.least_volume_gb(links)
    size = request.instances[0].get('volume_size')
    if size is not None and int(size) < least:
        raise validation.refused(
            f'The backup {links[-1].id} needs volumes of at least {least} GB '
            'for its data and the files of the server, and the request has '
            f'{size} GB.')
