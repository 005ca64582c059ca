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

"""How long a cluster waits for its next automatic recovery."""

import testtools

from tests.unit import clock
from trove_pxc.taskmanager.watchers import automatic


class CaseTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.case = automatic.Case()

    def waits(self, patience: float) -> float:
        """Seconds until it is due."""
        began = self.clock.now
        while not self.case.due(patience):
            self.clock.advance(10)
        return self.clock.now - began

    def test_each_try_waits_twice_as_long_but_not_for_ever(self) -> None:
        waited = []
        for _ in range(9):
            waited.append(self.waits(60))
            self.case.tried()
        self.assertEqual([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600],
                         waited)

    def test_an_operator_s_own_patience_may_be_longer(self) -> None:
        self.case.tried()
        self.assertEqual(5000, self.waits(5000))
