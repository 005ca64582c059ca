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

"""kill -9 of the database server."""

from tests.e2e import transfers
from tests.faults import base
from tests.faults import catalogue

#: From SIGKILL to Synced, of one member.
ONE_SECONDS = 30
#: Without a quorum, and of all: the last view has to be complete again.
QUORUM_SECONDS = 90
#: In which one of the others acknowledges nothing: Galera declares a member
#: lost after 5 s.
STALL_SECONDS = 15


class TestDatabaseKilled(base.FaultTest):

    def test_kill_of_one_member(self):
        self.check_one(self.last(1))

    def test_kill_of_the_member_that_bootstrapped(self):
        self.check_one(self.first(1))

    def test_kill_of_a_majority(self):
        recovery = self.suffer(catalogue.KILL, self.last(2), QUORUM_SECONDS)
        self.expect_ledger(recovery)

    def test_kill_of_all_members(self):
        recovery = self.suffer(catalogue.KILL, self.last(3), QUORUM_SECONDS)
        self.expect_ledger(recovery)

    def check_one(self, victims):
        """The others keep serving, and it rejoins by IST."""
        recovery = self.suffer(
            catalogue.KILL, victims, ONE_SECONDS,
            between=lambda: self.expect_others_go_on(victims, STALL_SECONDS))
        self.assertLess(recovery, ONE_SECONDS)
        stalls = self.stalls(self.cluster.others(*victims))
        print(f'{self.id()}: longest stalls of the others {stalls}')
        self.assertLess(max(stalls.values()), STALL_SECONDS)
        [victim] = victims
        transfer = transfers.Transfer.of(victim.server_log(self.marked))
        self.assertEqual((True, False), (transfer.by_ist, transfer.by_sst),
                         transfer)
        audit = self.expect_ledger(recovery)
        self.assertLess(audit.longest_stall, STALL_SECONDS)
