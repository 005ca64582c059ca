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

"""Guests lose power, or are rebooted."""

from tests.faults import base
from tests.faults import catalogue

ONE_SECONDS = 60
#: From the boot of all guests until all members write again.
ALL_SECONDS = 90
#: Of servers that were stopped cleanly and at once: they have no last view to
#: restore, so an automatic recovery has to find this, ask all and decide.
RECOVER_SECONDS = 150
#: From the boot of all guests until any member writes.
WRITABLE_SECONDS = 45


class TestGuestPower(base.FaultTest):

    def test_power_off_of_one_member(self):
        victims = self.last(1)
        recovery = self.suffer(
            catalogue.OFF, victims, ONE_SECONDS,
            between=lambda: self.expect_others_go_on(victims))
        self.expect_ledger(recovery)

    def test_power_off_of_the_member_that_bootstrapped(self):
        victims = self.first(1)
        recovery = self.suffer(
            catalogue.OFF, victims, ONE_SECONDS,
            between=lambda: self.expect_others_go_on(victims))
        self.expect_ledger(recovery)

    def test_power_off_of_a_majority(self):
        """The remaining member has no quorum, and acknowledges nothing."""
        survivor = self.first(1)
        recovery = self.suffer(
            catalogue.OFF, self.last(2), ALL_SECONDS,
            between=lambda: (self.expect_out(*survivor),
                             self.expect_no_writes(survivor)))
        self.expect_ledger(recovery)

    def test_power_off_of_all_members(self):
        victims = self.last(3)
        self.strike(catalogue.OFF, victims)
        self.expect_no_writes(victims)
        catalogue.OFF.undo(self.cluster, victims)
        self.wait_writes(1, WRITABLE_SECONDS)
        self.expect_recovery(ALL_SECONDS)
        self.expect_ledger()

    def test_reboot_of_one_member(self):
        recovery = self.suffer(catalogue.REBOOT, self.last(1), ONE_SECONDS)
        self.expect_ledger(recovery)

    def test_reboot_of_all_members(self):
        """An orderly reboot: all servers leave the group at once."""
        recovery = self.suffer(catalogue.REBOOT, self.last(3),
                               RECOVER_SECONDS)
        self.expect_ledger(recovery)

    def test_reset_of_one_member(self):
        recovery = self.suffer(catalogue.RESET, self.last(1), ONE_SECONDS)
        self.expect_ledger(recovery)

    def test_reset_of_all_members(self):
        recovery = self.suffer(catalogue.RESET, self.last(3), ALL_SECONDS)
        self.expect_ledger(recovery)
