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

"""Lost packets and a slow link: bad, and no reason to lose anything."""

from lab import waiting
from tests.faults import base
from tests.faults import catalogue

SECONDS = 60
#: that it stays bad
LASTS = 20


class TestNetworkBad(base.FaultTest):

    def test_one_loses_packets(self):
        self.check(catalogue.LOSE, self.last(1))

    def test_all_lose_packets(self):
        self.check(catalogue.LOSE, self.last(3))

    def test_one_has_a_slow_link(self):
        self.check(catalogue.SLOW, self.last(1))

    def test_all_have_slow_links(self):
        self.check(catalogue.SLOW, self.last(3))

    def check(self, fault, victims):
        recovery = self.suffer(
            fault, victims, SECONDS,
            between=lambda: waiting.pause(LASTS))
        self.expect_ledger(recovery)
