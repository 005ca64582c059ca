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

"""The donor or the joiner fails in the middle of a full state transfer.

A separate cluster, with a table of more than a gigabyte.
"""

import time

from lab.guest import control
from lab import waiting
from tests.e2e import laboratory
from tests.e2e import transfers
from tests.faults import base
from tests.faults import catalogue
from tests.faults import cluster as clusters
from tests.faults import filling

NAME = 'big'
VOLUME_GB = 4
LEAST_BYTES = 1 << 30
#: Until the joiner has requested a transfer.
BEGIN_SECONDS = 60
#: Of a gigabyte and more, twice: the interrupted transfer and another one.
TRANSFER_SECONDS = 300
#: Of the copy that has to have arrived before the fault.
MIDDLE_BYTES = 200 << 20


class TestStateTransfer(base.FaultTest):

    @classmethod
    def make_cluster(cls):
        cluster = clusters.shared(NAME, VOLUME_GB)
        filling.fill(cluster.members[0], LEAST_BYTES)
        return cluster

    def test_joiner_is_killed(self):
        joiner, _ = self.in_the_middle()
        self.strike(catalogue.KILL, [joiner])
        self.check(joiner)

    def test_donor_is_killed(self):
        joiner, donor = self.in_the_middle()
        self.strike(catalogue.KILL, [donor])
        self.check(joiner)

    def test_joiner_loses_its_power(self):
        joiner, _ = self.in_the_middle()
        self.strike(catalogue.OFF, [joiner])
        catalogue.OFF.undo(self.cluster, [joiner])
        self.check(joiner)

    def test_donor_loses_its_power(self):
        joiner, donor = self.in_the_middle()
        self.strike(catalogue.OFF, [donor])
        catalogue.OFF.undo(self.cluster, [donor])
        self.check(joiner)

    def test_joiner_is_stopped(self):
        """It ignores the stop, completes, and is killed after the timeout."""
        joiner, _ = self.in_the_middle()
        self.strike(catalogue.STOP, [joiner])
        catalogue.STOP.undo(self.cluster, [joiner])
        self.check(joiner)

    def test_donor_is_stopped(self):
        joiner, donor = self.in_the_middle()
        self.strike(catalogue.STOP, [donor])
        catalogue.STOP.undo(self.cluster, [donor])
        self.check(joiner)

    def test_joiner_hangs(self):
        joiner, _ = self.in_the_middle()
        self.strike(catalogue.FREEZE, [joiner])
        self.wait_shut_out(joiner)
        catalogue.FREEZE.undo(self.cluster, [joiner])
        self.check(joiner)

    def test_donor_hangs(self):
        joiner, donor = self.in_the_middle()
        self.strike(catalogue.FREEZE, [donor])
        self.wait_shut_out(donor)
        catalogue.FREEZE.undo(self.cluster, [donor])
        self.check(joiner)

    def wait_shut_out(self, victim):
        """Wait until one of the others has a component without it."""
        size = len(self.cluster.members)
        others = self.cluster.others(victim)
        self.wait_until(
            f'the others to exclude {victim.name}',
            lambda: any(0 < member.place().size < size for member in others))

    def in_the_middle(self):
        """Make a member request a full transfer; return it and its donor."""
        [joiner] = self.last(1)
        before = self.cluster.mark()
        filling.spoil(joiner)
        control.kill_database(self.cluster.home, joiner.instance_id)
        donor = waiting.until(
            'a member to be the donor', self.donor, BEGIN_SECONDS, 0.1)
        self.wait_until(
            f'{MIDDLE_BYTES >> 20} MiB to have arrived',
            lambda: filling.arrived(joiner) >= MIDDLE_BYTES,
            TRANSFER_SECONDS)
        # The fault now hits a running, full transfer.
        self.assertEqual('Donor/Desynced', donor.place().state)
        self.assertLess(filling.arrived(joiner), LEAST_BYTES)
        self.assertFalse(
            transfers.Transfer.of(joiner.server_log(before)).by_sst)
        return joiner, donor

    def donor(self):
        for member in self.cluster.members:
            if member.place().state == 'Donor/Desynced':
                return member
        return None

    def check(self, joiner):
        self.expect_recovery(TRANSFER_SECONDS)
        recovery = time.monotonic() - self.since
        transfer = transfers.Transfer.of(joiner.server_log(self.marked))
        self.assertTrue(transfer.by_sst, transfer.lines)
        self.assertGreaterEqual(filling.arrived(joiner), LEAST_BYTES)
        self.expect_ledger(recovery)
        laboratory.wait_ready(self.cluster.cluster_id)
