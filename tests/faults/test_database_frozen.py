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

"""The database server hangs (SIGSTOP) for longer than Galera waits."""

from tests.faults import base
from tests.faults import catalogue

ONE_SECONDS = 60
QUORUM_SECONDS = 90


class TestDatabaseFrozen(base.FaultTest):

    def test_freeze_of_one_member(self):
        self.check_one(self.last(1))

    def test_freeze_of_the_member_that_bootstrapped(self):
        self.check_one(self.first(1))

    def test_freeze_of_a_majority(self):
        """The remaining member has no quorum, and acknowledges nothing."""
        survivor = self.first(1)
        recovery = self.suffer(
            catalogue.FREEZE, self.last(2), QUORUM_SECONDS,
            between=lambda: (self.expect_out(*survivor),
                             self.expect_no_writes(survivor)))
        self.expect_ledger(recovery)

    def test_freeze_of_all_members(self):
        recovery = self.suffer(
            catalogue.FREEZE, self.last(3), QUORUM_SECONDS,
            between=lambda: self.expect_no_writes(self.last(3)))
        self.expect_ledger(recovery)

    def check_one(self, victims):
        recovery = self.suffer(
            catalogue.FREEZE, victims, ONE_SECONDS,
            between=lambda: self.expect_others_alone(victims))
        self.expect_ledger(recovery)

    def expect_others_alone(self, victims):
        """The group has excluded it and keeps serving without it."""
        others = self.cluster.others(*victims)
        self.expect_size(len(others), *others)
        self.expect_others_go_on(victims)
        self.expect_no_writes(victims)
