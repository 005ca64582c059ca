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

"""Contract: Trove's deletion of an instance, without its resources.

The rows are Trove's, in a database in memory.
"""

from typing import Any

import fixtures
import mock
import testtools
from trove.common import clients
from trove.instance import models as instance_models
from trove.taskmanager import models as task_models

from tests.unit import tables
from trove_pxc.compat import instance_deletion


class Deletion(instance_deletion.Deletion):

    gone: Any = None

    def resources_deleted(self, deleted_at: Any) -> None:
        self.gone = deleted_at


class DeletionTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.log = self.useFixture(fixtures.FakeLogger())
        self.row = tables.add_instance(tables.add_version(), 'db')
        self.nova, self.cinder, self.neutron = (
            self.useFixture(fixtures.MockPatchObject(
                clients, f'create_{name}_client', autospec=True)).mock
            for name in ('nova', 'cinder', 'neutron'))
        instance_deletion._look_for_deletion.cache_clear()
        self.addCleanup(instance_deletion._look_for_deletion.cache_clear)

    def load(self) -> Deletion:
        found = Deletion.load(tables.context(), self.row.id)
        assert isinstance(found, Deletion)
        return found

    def test_the_rows_are_deleted_and_nothing_is_looked_for(self) -> None:
        deletion = self.load()
        for client in (self.nova, self.cinder, self.neutron):
            client.reset_mock()
        deletion.delete_async()
        row = tables.again(self.row)
        self.assertTrue(row.deleted)
        self.assertEqual(deletion.gone, row.deleted_at)
        status = instance_models.InstanceServiceStatus.find_by(
            instance_id=row.id)
        self.assertEqual(tables.Statuses.DELETED, status.get_status())
        for client in (self.nova, self.cinder, self.neutron):
            client.assert_not_called()
        self.assertNotIn('in another way', self.log.output)

    def test_missing(self) -> None:
        """Then Trove's own deletion looks for the resources, and ends."""
        looked = mock.Mock()

        def delete_async(instance: Any) -> None:
            looked()
            instance.update_db(deleted=True)
        base = 'trove.instance.models.BaseInstance'
        self.useFixture(fixtures.MonkeyPatch(
            f'{base}._delete_resources', fixtures.MonkeyPatch.delete))
        self.useFixture(fixtures.MonkeyPatch(
            f'{base}.delete_async', delete_async))
        self.assertFalse(hasattr(task_models.FreshInstanceTasks,
                                 '_delete_resources'))
        self.load().delete_async()
        looked.assert_called_once_with()
        self.assertTrue(tables.again(self.row).deleted)
        self.assertIn('in another way', self.log.output)
