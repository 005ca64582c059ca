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

"""A member whose guest reports that it is HEALTHY."""

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.taskmanager.steps import complete

DATABASE = fakes.INTERVALS['database_poll_interval']


class HealthTest(base.FormationTestCase):

    def test_it_is_told_that_the_cluster_is_complete(self) -> None:
        self.assertFalse(self.done(complete.COMPLETE, 1))
        self.do(complete.COMPLETE, 1)
        self.assertEqual(['c-1 cluster_complete'], self.galera.told)

    def test_it_is_waited_for(self) -> None:
        self.clock.after(100, lambda: self.report_status(
            1, fakes.Statuses.HEALTHY))
        self.do(complete.BE_HEALTHY, 1)
        self.assertEqual({DATABASE}, set(self.clock.pauses))

    def test_it_never_is(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, complete.BE_HEALTHY, 1)
        self.assertEqual(180, error.seconds)
        self.assertEqual('its guest reports "instance ready"',
                         error.last_seen)
