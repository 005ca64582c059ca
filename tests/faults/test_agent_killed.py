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

"""Trove's guest agent is killed: the database is not affected."""

from tests.e2e import laboratory
from tests.faults import base
from tests.faults import catalogue

SECONDS = 30
#: Without writes: the servers are not affected.
STALL_SECONDS = 3


class TestAgentKilled(base.FaultTest):

    def test_kill_of_one_agent(self):
        self.check(self.last(1))

    def test_kill_of_all_agents(self):
        self.check(self.last(3))

    def check(self, victims):
        servers = [catalogue.server_start(member) for member in victims]
        recovery = self.suffer(catalogue.AGENT, victims, SECONDS)
        audit = self.expect_ledger(recovery)
        self.assertLess(audit.longest_stall, STALL_SECONDS)
        self.assertEqual(servers, [catalogue.server_start(member)
                                   for member in victims])
        # The new agents report the same as the old ones.
        laboratory.wait_ready(self.cluster.cluster_id)
