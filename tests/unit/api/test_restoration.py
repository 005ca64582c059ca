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

"""Whether a backup can be restored into a cluster that is requested.

tests/functional/test_restore_refusals.py sends the requests.
"""

import dataclasses
from typing import Any

import mock
from swiftclient import exceptions as swift_exceptions
from trove.backup import models as backup_models
from trove.common import clients
from trove.common import exception

from tests.unit.api import base
from tests.unit.galera import test_backups as samples
from tests.unit import tables
from trove_pxc.api import restoration
from trove_pxc.api import validation
from trove_pxc.galera import backup_layout


class RestorationTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        version = self.version
        self.context = tables.context()
        self.member = tables.add_member(
            tables.add_cluster(version), 'c-1', deleted=True)
        self.request = validation.Request(
            'products', mock.Mock(), version, [{'volume_size': 10}], None,
            None)
        self.row = backup_models.DBBackup.create(
            name='nightly', tenant_id=tables.PROJECT, state='COMPLETED',
            instance_id=self.member.id, deleted=False, size=0.1,
            datastore_version_id=version.id, storage_driver='swift',
            location='http://swift/v1/AUTH_x/box/b.xbstream')
        self.stored: Any = samples.RESULT
        self.swift = mock.Mock()
        self.swift.head_object.side_effect = lambda container, name: (
            backup_layout.metadata(self.stored, {}, 'zstd'))
        patched = mock.patch.object(clients, 'create_swift_client',
                                    autospec=True, return_value=self.swift)
        patched.start()
        self.addCleanup(patched.stop)

    def check(self, backup_id: Any) -> str | None:
        return restoration.check(self.context, self.request, backup_id)

    def refused(self, kind: type[Exception], words: str) -> None:
        error = self.assertRaises(kind, self.check, self.row.id)
        self.assertIn(words, str(error))

    def test_no_backup_is_named(self) -> None:
        self.assertIsNone(self.check(None))
        self.assertEqual([], self.swift.mock_calls)

    def test_a_complete_backup(self) -> None:
        self.assertEqual(self.row.id, self.check(self.row.id))
        self.swift.head_object.assert_called_once_with('box', 'b.xbstream')

    def test_a_backup_of_another_project(self) -> None:
        self.row.update(tenant_id='other')
        self.refused(exception.NotFound, self.row.id)

    def test_volumes_without_room(self) -> None:
        self.stored = dataclasses.replace(samples.RESULT,
                                          data_bytes=20 << 30)
        self.refused(exception.BadRequest, 'at least')

    def test_a_store_that_fails(self) -> None:
        self.swift.head_object.side_effect = swift_exceptions.ClientException(
            'busy', http_status=503)
        self.refused(exception.SwiftConnectionError, 'Swift')

    def test_single_instances(self) -> None:
        def refusal(point: Any) -> Exception | None:
            return restoration.refusal_for_instance(self.context, point)
        found = refusal({'backupRef': f'http://api/backups/{self.row.id}'})
        self.assertIn('database cluster restore', str(found))
        for other in (None, [], {}, {'backupRef': 7},
                      {'backupRef': 'unknown'}):
            self.assertIsNone(refusal(other))
