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

"""Members that cannot reach each other."""

from lab.guest import control
from tests.faults import base
from tests.faults import catalogue

SECONDS = 60


class TestNetworkCut(base.FaultTest):

    def test_one_member_is_cut_off_from_everything(self):
        self.check_minority(catalogue.CUT, self.last(1))

    def test_member_that_bootstrapped_is_cut_off(self):
        self.check_minority(catalogue.CUT, self.first(1))

    def test_minority_is_separated_from_the_majority(self):
        """The controller still reaches both."""
        self.check_minority(catalogue.SEPARATE, self.last(1))

    def test_two_of_three_members_cannot_reach_each_other(self):
        """Both reach the third, which forwards their messages: a quorum."""
        recovery = self.suffer(
            catalogue.PART, self.last(1), SECONDS,
            between=lambda: self.expect_others_go_on([]))
        self.expect_ledger(recovery)

    def test_no_member_reaches_another(self):
        """There is no quorum: no member acknowledges a write."""
        victims = self.last(3)
        recovery = self.suffer(
            catalogue.CUT, victims, SECONDS,
            between=lambda: self.expect_no_writes(victims))
        self.expect_ledger(recovery)

    def check_minority(self, fault, victims):
        recovery = self.suffer(
            fault, victims, SECONDS,
            between=lambda: self.expect_two_sides(victims))
        self.expect_ledger(recovery)

    def expect_two_sides(self, victims):
        """One side has the quorum and writes, the other must not."""
        others = self.cluster.others(*victims)
        self.expect_size(len(others), *others)
        self.expect_others_go_on(victims)
        self.expect_no_writes(victims)
        for member in victims:
            self.assertEqual(
                'on', control.find(self.cluster.home,
                                   member.instance_id).power)
