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

"""Writing the rows of backups, and their objects."""

import datetime
from typing import Any

import mock
from swiftclient import exceptions as swift_exceptions
import testtools
from trove.backup import models as backup_models
from trove.common import clients
from trove.common import exception
from trove.quota import models as quota_models

from tests.unit import tables
from trove_pxc import backups
from trove_pxc import exceptions
from trove_pxc.galera import errors

GONE = swift_exceptions.ClientException('gone', http_status=404)


class _Case(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.version = tables.add_version()
        self.cluster = tables.add_cluster(self.version)
        self.member = tables.add_member(self.cluster, 'c-1')
        self.context = tables.context()

    def new(self, parent: Any = None) -> Any:
        return backups.new_row(self.context, self.member, 'nightly', 'mine',
                               'box', parent)


class RowsTest(_Case):

    def in_use(self) -> int:
        return sum(int(row.in_use) for row in quota_models.QuotaUsage.find_all(
            tenant_id=tables.PROJECT, resource='backups').all())

    def test_a_new_row_is_counted_and_has_a_place(self) -> None:
        full = self.new()
        self.assertEqual(1, self.in_use())
        self.assertEqual(('box', f'{full.id}.xbstream'), backups.place(full))
        self.assertEqual(('NEW', 'full', 'swift', self.member.id), (
            full.state, full.backup_type, full.storage_driver,
            full.instance_id))
        part = self.new(full)
        self.assertEqual(('incremental', full.id),
                         (part.backup_type, part.parent_id))

    def test_the_quota_is_enough_or_there_is_no_row(self) -> None:
        quota_models.Quota.create(tenant_id=tables.PROJECT,
                                  resource='backups', hard_limit=0)
        self.assertRaises(exception.QuotaExceeded, self.new)
        self.assertEqual([], backup_models.DBBackup.find_all().all())

    def test_of_a_cluster_and_not_of_others(self) -> None:
        other = tables.add_member(tables.add_cluster(self.version), 'd-1')
        row = self.new()
        self.member, mine = other, self.member
        self.new()
        mine.update(deleted=True)
        self.assertEqual([row.id], [one.id for one in (
            backups.rows_of_cluster(self.cluster.id))])
        self.assertEqual([], backups.rows_of_cluster(
            self.cluster.id, 'another project'))

    def test_children_block_unless_they_failed(self) -> None:
        full = self.new()
        part = self.new(full)
        self.assertEqual([part.id], [
            one.id for one in backups.children(full.id)])
        part.update(state='FAILED')
        self.assertEqual([], backups.children(full.id))

    def test_one_takes_a_new_backup(self) -> None:
        row = self.new()
        held = backups.Held.take(row.id)
        assert held is not None
        self.assertIsNone(backups.Held.take(row.id))
        held.write(description='a')
        held.write(description='b')
        self.assertEqual(('BUILDING', 'b'), (
            tables.again(row).state, tables.again(row).description))

    def test_one_takes_it_over_and_the_former_holder_notices(self) -> None:
        row = self.new()
        first = backups.Held.take(row.id)
        assert first is not None
        seen = tables.again(row).updated
        second = backups.Held.take(row.id, seen)
        assert second is not None
        self.assertIsNone(backups.Held.take(row.id, seen))
        self.assertRaises(exceptions.LeaseLost, first.write, size=1.0)
        second.write(state='COMPLETED')
        self.assertRaises(exceptions.LeaseLost, second.write, size=1.0)

    def test_a_deleted_backup_is_held_by_nobody(self) -> None:
        row = self.new()
        held = backups.Held.take(row.id)
        assert held is not None
        self.assertTrue(backups.delete(row))
        self.assertFalse(backups.delete(row))
        self.assertEqual(0, self.in_use())
        self.assertRaises(exceptions.LeaseLost, held.write, size=1.0)
        self.assertEqual([row.id], [one.id for one in backups.unfinished()])
        backups.forget(tables.again(row))
        self.assertEqual([], backups.unfinished())
        self.assertIsNone(tables.again(row).datastore_version_id)

    def test_unfinished_are_those_of_members(self) -> None:
        single = tables.add_instance(self.version, 'single')
        mine, self.member = self.member, single
        self.new()
        self.member = mine
        row = self.new()
        self.assertEqual([row.id], [one.id for one in backups.unfinished()])
        row.update(state='COMPLETED')
        self.assertEqual([], backups.unfinished())
        backups.forget(row)
        self.assertIsNotNone(tables.again(row).location)

    def test_value_of_a_lease_is_never_written_twice(self) -> None:
        future = datetime.datetime(2100, 1, 1, 0, 0, 0, 500000)
        self.assertEqual(datetime.datetime(2100, 1, 1, 0, 0, 1),
                         backups._after(future))


class ObjectsTest(_Case):

    def setUp(self) -> None:
        super().setUp()
        self.client = mock.Mock(url=None, token=None)
        patched = mock.patch.object(
            clients, 'create_swift_client', autospec=True,
            return_value=self.client)
        patched.start()
        self.addCleanup(patched.stop)
        self.row = self.new()

    def test_all_objects_are_removed(self) -> None:
        part = f'{self.row.id}.segments/00000000'
        self.client.delete_object.side_effect = [GONE, GONE]
        self.client.get_container.return_value = ({}, [{'name': part}])
        backups.remove_objects(self.context, self.row)
        self.assertEqual(
            [mock.call('box', f'{self.row.id}.xbstream',
                       query_string='multipart-manifest=delete'),
             mock.call('box', part)],
            self.client.delete_object.mock_calls)
        self.client.get_container.assert_called_once_with(
            'box', prefix=f'{self.row.id}.', full_listing=True)

    def test_container_that_does_not_exist(self) -> None:
        self.client.delete_object.side_effect = GONE
        self.client.get_container.side_effect = GONE
        backups.remove_objects(self.context, self.row)

    def test_each_failure_of_the_store_has_its_reason(self) -> None:
        for failure, reason in (
                (swift_exceptions.ClientException(
                    'x', http_status=507, http_reason='Full'),
                 'refuses the request: 507 Full'),
                (exception.NoServiceEndpoint(), 'set swift_url or'),
                (ConnectionError(), 'does not answer: Conn')):
            self.client.head_object.side_effect = failure
            error = self.assertRaises(
                exceptions.BackupStoreFailed, backups.stored, self.context,
                self.row)
            self.assertIn(reason, str(error))

    def test_an_object_without_metadata_is_not_a_backup(self) -> None:
        self.client.head_object.return_value = {'etag': '"e"'}
        self.assertRaises(errors.Unusable, backups.stored, self.context,
                          self.row)
