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

"""Rows of backups that are of clusters, their chains and their store."""

from typing import Any

import mock
from swiftclient import exceptions as swift_exceptions
import testtools
from trove.backup import models as backup_models
from trove.common import clients

from tests.unit import tables
from trove_pxc import backups
from trove_pxc import exceptions
from trove_pxc.galera import secret


class BackupsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.version = tables.add_version()
        self.member = tables.add_member(
            tables.add_cluster(self.version), 'c-1')

    def backup(self, **values: Any) -> Any:
        return backup_models.DBBackup.create(**{
            'name': 'b', 'tenant_id': tables.PROJECT, 'state': 'COMPLETED',
            'instance_id': self.member.id, 'deleted': False,
            'datastore_version_id': self.version.id, 'size': 0.1,
            'location': 'http://swift/v1/AUTH_x/box/b.xbstream', **values})

    def test_a_chain_begins_with_the_full_backup(self) -> None:
        full = self.backup()
        second = self.backup(parent_id=full.id)
        last = self.backup(parent_id=second.id)
        self.assertEqual([full.id, second.id, last.id],
                         [row.id for row in backups.chain(last)])

    def test_a_link_that_is_gone_or_failed(self) -> None:
        full = self.backup()
        last = self.backup(parent_id=full.id)
        full.update(state='FAILED')
        error = self.assertRaises(exceptions.BackupUnusable,
                                  backups.chain, last)
        self.assertIn(f'{full.id}, on which {last.id} builds, is FAILED',
                      str(error))
        full.update(deleted=True)
        error = self.assertRaises(exceptions.BackupUnusable,
                                  backups.chain, last)
        self.assertIn('was deleted', str(error))

    def test_those_of_members_are_ours(self) -> None:
        self.assertTrue(backups.is_ours(self.backup()))
        self.member.update(deleted=True)
        self.assertTrue(backups.is_ours(self.backup()))
        single = tables.add_instance(self.version, 'single')
        self.assertFalse(backups.is_ours(self.backup(instance_id=single.id)))
        self.assertFalse(backups.is_ours(self.backup(instance_id=None)))

    def test_store_with_a_token(self) -> None:
        client = mock.Mock(url=None, token=None)
        client.get_auth.return_value = ('http://swift/v1/AUTH_x', 'secret')
        with mock.patch.object(clients, 'create_swift_client', autospec=True,
                               return_value=client):
            store = backups.store_of(tables.context(), self.backup())
            self.assertEqual(
                ('http://swift/v1/AUTH_x', secret.Secret('secret'), 'box'),
                (store.url, store.token, store.container))
            client.url = client.token = None
            client.get_auth.side_effect = swift_exceptions.ClientException(
                'no answer')
            self.assertRaises(
                exceptions.BackupStoreFailed, backups.store_of,
                tables.context(), self.backup())
