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

"""The member is desynced for a backup, and synced again in every case."""

import mock

from trove_pxc.guestagent.backup import desync
from trove_pxc.guestagent import database

from tests.unit.guestagent.backup import cases


class DesyncTest(cases.BackupTestCase):

    def test_begin_and_end(self) -> None:
        self.assertFalse(self.desync.active)
        self.desync.begin()
        self.assertTrue(self.desync.active)
        self.assertTrue(self.desync.end())
        self.assertFalse(self.desync.active)
        self.assertEqual([mock.call(True), mock.call(False)],
                         self.admin.desync.call_args_list)

    def test_the_mark_is_there_before_the_server_is_asked(self) -> None:
        def look(wanted: bool) -> None:
            self.assertTrue(self.desync.active)

        self.admin.desync.side_effect = look
        self.desync.begin()

    def test_without_a_mark_the_server_is_left_alone(self) -> None:
        self.assertTrue(self.desync.end())
        self.admin.desync.assert_not_called()

    def test_the_next_agent_ends_it(self) -> None:
        self.desync.begin()
        after = desync.Desync(self.files, self.where, lambda: self.admin)
        self.assertTrue(after.active)
        self.assertTrue(after.end())
        self.assertFalse(self.desync.active)

    def test_a_server_that_does_not_run_is_not_desynced(self) -> None:
        self.desync.begin()
        self.admin.desync.side_effect = database.NobodyListens('none')
        self.assertTrue(self.desync.end())
        self.assertFalse(self.desync.active)

    def test_a_busy_server_is_to_be_asked_again(self) -> None:
        self.desync.begin()
        self.admin.desync.side_effect = database.NoAnswerInTime('silence')
        self.assertFalse(self.desync.end())
        self.assertTrue(self.desync.active)
