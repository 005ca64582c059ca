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

"""Trove's manager, as trove-taskmanager loads it, with our duties."""

import fixtures
import mock
from oslo_utils import importutils
import testtools
from trove.taskmanager import manager as troves

from trove_pxc.taskmanager import manager
from trove_pxc.taskmanager import takeup


class ManagerTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.look = self.useFixture(fixtures.MockPatchObject(
            takeup.TakeUp, 'look', autospec=True)).mock

    def load(self) -> manager.Manager:
        """As trove/common/rpc/service.py does."""
        loaded = importutils.import_object(
            'trove_pxc.taskmanager.manager.Manager')
        assert isinstance(loaded, manager.Manager)
        return loaded

    def test_it_is_troves_own(self) -> None:
        self.assertIsInstance(self.load(), troves.Manager)

    def test_it_looks_at_the_first_tick(self) -> None:
        self.load().run_periodic_tasks(context=None)
        self.look.assert_called_once_with(mock.ANY)

    def test_a_look_that_fails_is_followed_by_another(self) -> None:
        loaded = self.load()
        self.look.side_effect = OSError('the database is away')
        loaded.run_periodic_tasks(context=None)
        loaded._periodic_last_run['take_up_operations'] -= 2
        loaded.run_periodic_tasks(context=None)
        self.assertEqual(2, self.look.call_count)

    def test_it_may_look_as_often_as_trove_ticks(self) -> None:
        self.assertEqual(1, manager.Manager._periodic_spacing[
            'take_up_operations'])
