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

"""Which statuses a member of a complete cluster can have."""

import testtools

from trove_pxc import guest_statuses
from trove_pxc.guestagent import status

Statuses = status.ServiceStatuses


class StatusesTest(testtools.TestCase):

    def test_what_guests_tell_of_a_member(self) -> None:
        for told in (Statuses.HEALTHY, Statuses.BLOCKED, Statuses.SHUTDOWN,
                     Statuses.CRASHED, Statuses.RUNNING, Statuses.UNKNOWN):
            self.assertNotIn(told, guest_statuses.INCOMPLETE)

    def test_what_comes_before(self) -> None:
        for told, prepared in ((Statuses.NEW, False),
                               (Statuses.BUILDING, False),
                               (Statuses.INSTANCE_READY, True)):
            self.assertIn(told, guest_statuses.INCOMPLETE)
            self.assertIn(told, guest_statuses.UNBUILT)
            self.assertEqual(prepared, told not in guest_statuses.UNPREPARED)

    def test_one_that_failed(self) -> None:
        for told in (Statuses.FAILED, Statuses.FAILED_TIMEOUT_GUESTAGENT):
            self.assertIn(told, guest_statuses.INCOMPLETE)
            self.assertNotIn(told, guest_statuses.UNBUILT)
