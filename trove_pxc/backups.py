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

Imported by api/ and taskmanager/.
"""

from typing import Any

from swiftclient import exceptions as swift_exceptions
from trove.backup import models as backup_models
from trove.common import cfg
from trove.common import clients
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import backup_layout
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.protocols import Context

CONF = cfg.CONF
Row = Any


def get(backup_id: str) -> Any:
    row = backup_models.DBBackup.get_by(id=backup_id, deleted=False)
    if row is None:
        raise exceptions.BackupUnusable(f'the backup {backup_id} was deleted')
    return row


def chain(row: Any) -> list[Any]:
    links = [row]
    while links[0].parent_id:
        links.insert(0, get(links[0].parent_id))
    for link in links:
        if link.state != 'COMPLETED':
            raise exceptions.BackupUnusable(
                f'the backup {link.id}, on which {row.id} builds, is '
                f'{link.state}')
    return links


def is_ours(row: Any) -> bool:
    instance = row.instance_id and instance_models.DBInstance.get_by(
        id=row.instance_id)
    version = row.datastore_version_id and (
        datastore_models.DBDatastoreVersion.get_by(
            id=row.datastore_version_id))
    return bool(instance and instance.cluster_id and version
                and version.manager in conf.MANAGERS)


def store_of(context: Context, row: Any) -> backups.Store:
    try:
        client = clients.create_swift_client(context)
        if not (client.url and client.token):
            client.url, client.token = client.get_auth()
    except swift_exceptions.ClientException as failure:
        raise exceptions.BackupStoreFailed(str(failure)) from failure
    return backups.Store(
        client.url, secret.Secret(client.token),
        backup_layout.split_location(row.location)[0],
        not CONF.swift_api_insecure)
