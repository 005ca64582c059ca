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

"""The base of the tests of restores: backups of a cluster, in the store."""

import dataclasses
from typing import Any

from trove.backup import models as backup_models
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks
import webob

from tests.functional import base
from tests.functional import swift
from trove_pxc.galera import backup_layout
from trove_pxc.galera import backups

CONTAINER = 'backups'
RESULT = backups.Result(
    id='', location='', stored_bytes=1000, data_bytes=100 << 20,
    checksum='c', encrypted=False, tool='mariadb-backup 10.11',
    server_version='10.11.9-MariaDB', cluster_uuid='u', seqno=7, gtid='',
    binlog='', from_lsn=0, to_lsn=100, lineage='l-1', parent='',
    started='2026-12-01T10:00:00+00:00', ended='2026-12-01T10:01:00+00:00')


class RestoreTestCase(base.TroveTest):
    """The cluster of the backups was deleted."""

    def setUp(self) -> None:
        super().setUp()
        self.override('remote_swift_client', 'tests.functional.swift.client')
        self.swift = swift.Swift()
        swift.use(self.swift)
        self.version = datastore_models.DBDatastoreVersion.find_all(
            manager='mariadb').all()[0]
        self.source = cluster_models.DBCluster.create(
            name='source', tenant_id=base.PROJECT,
            datastore_version_id=self.version.id,
            task_status=ClusterTasks.NONE)
        self.member = self.add_instance(cluster_id=self.source.id)
        self.source.update(deleted=True)

    def add_instance(self, **values: Any) -> Any:
        """The row of an instance that was deleted."""
        row = instance_models.DBInstance.create(**{
            'name': 'source-1', 'tenant_id': base.PROJECT, 'flavor_id': '1',
            'volume_size': 1, 'datastore_version_id': self.version.id,
            'task_status': InstanceTasks.NONE, **values})
        row.update(deleted=True)
        return row

    def add_backup(self, parent: Any = None, stored: Any = None,
                   **values: Any) -> Any:
        """A row and the object; an incremental backup if it has a parent.

        :param stored: values of its metadata; False: it has no object.
        """
        row = backup_models.DBBackup.create(**{
            'name': 'nightly', 'tenant_id': base.PROJECT,
            'state': 'COMPLETED', 'instance_id': self.member.id,
            'datastore_version_id': self.version.id, 'deleted': False,
            'backup_type': 'incremental' if parent else 'full',
            'parent_id': parent and parent.id, 'size': 0.1,
            'storage_driver': 'swift', **values})
        row.update(location=f'{swift.URL}/{CONTAINER}/{row.id}.xbstream')
        if stored is not False:
            result = dataclasses.replace(RESULT, **{
                'id': row.id, 'location': row.location,
                'from_lsn': 100 if parent else 0,
                'to_lsn': 200 if parent else 100,
                'parent': parent.location if parent else '',
                **(stored or {})})
            self.swift.put(row.location,
                           backup_layout.metadata(result, {}, 'zstd'))
        return row

    def restore(self, backup: Any, name: str = 'products',
                **changes: Any) -> webob.Response:
        """Ask for a cluster of three from a backup, by its row or id."""
        return self.create(name, extended_properties={
            'backup': getattr(backup, 'id', backup)}, **changes)

    def restored(self, backup: Any) -> str:
        """The id of a cluster that is being created from a backup."""
        response = self.restore(backup)
        self.assertEqual(200, response.status_int, response.text)
        return str(response.json['cluster']['id'])

    def members(self) -> list[str]:
        """The orders to guests, without those of every create."""
        return [event for event in self.galera.events
                if not event.startswith(('prepared', 'configure', 'join',
                                         'write', 'complete'))]
