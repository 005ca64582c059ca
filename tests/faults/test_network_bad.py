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

"""Lost packets and a slow link do not lose any write."""

from lab import waiting
from tests.faults import base
from tests.faults import catalogue

SECONDS = 60
#: The duration of the fault.
LASTS = 20


class TestNetworkBad(base.FaultTest):

    def test_lost_packets_of_one_member(self):
        self.check(catalogue.LOSE, self.last(1))

    def test_lost_packets_of_all_members(self):
        self.check(catalogue.LOSE, self.last(3))

    def test_slow_link_of_one_member(self):
        self.check(catalogue.SLOW, self.last(1))

    def test_slow_links_of_all_members(self):
        self.check(catalogue.SLOW, self.last(3))

    def check(self, fault, victims):
        recovery = self.suffer(
            fault, victims, SECONDS,
            between=lambda: waiting.pause(LASTS))
        self.expect_ledger(recovery)
