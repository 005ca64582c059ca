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

"""The volume of a member is full.

It cannot apply the writes of the others, so they evict it, and its server is
killed before it confirms anything more. Once there is room, it has to rejoin
by itself, with a full copy.
"""

from tests.e2e import transfers
from tests.faults import base
from tests.faults import catalogue
from tests.faults import member as members

#: Until its agent has noticed it, and of a full state transfer.
SECONDS = 150
EVICTED = '[ERROR] this member was evicted from its cluster'


class TestDiskFull(base.FaultTest):

    def test_full_volume_of_one_member(self):
        self.check(self.last(1))

    def test_full_volume_of_the_member_that_bootstrapped(self):
        self.check(self.first(1))

    def check(self, victims):
        [victim] = victims
        recovery = self.suffer(
            catalogue.FULL, victims, SECONDS,
            between=lambda: self.expect_evicted(victim))
        transfer = transfers.Transfer.of(victim.server_log(self.marked))
        self.assertTrue(transfer.by_sst, transfer.lines)
        self.expect_ledger(recovery)

    def expect_evicted(self, victim):
        """Its log reports it, and the others keep serving without it."""
        self.assertEqual(members.Place(), victim.place())
        log = victim.server_log(self.marked)
        self.assertTrue(any(EVICTED in line for line in log), log[-20:])
        others = self.cluster.others(victim)
        self.expect_size(len(others), *others)
        self.expect_others_go_on([victim])
        self.expect_no_writes([victim])
