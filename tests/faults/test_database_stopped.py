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

"""The database server is stopped cleanly, and started again.

A clean stop of all members at once often loses clusters: all know their
position and none is marked as safe to bootstrap.
"""

from lab.guest import control
from tests.faults import base
from tests.faults import catalogue

ONE_SECONDS = 60
#: A third of the delay, a poll of the taskmanager every five seconds, and the
#: recovery: of an outage that Galera itself does not end.
SURVIVOR_SECONDS = 90
#: Includes that the taskmanager notices it, asks all members and decides.
ALL_SECONDS = 120


class TestDatabaseStopped(base.FaultTest):

    def test_stop_of_one_member(self):
        self.check(self.last(1))

    def test_stop_of_the_member_that_bootstrapped(self):
        self.check(self.first(1))

    def test_stop_of_a_majority(self):
        """The remaining member keeps serving, at once or after a recovery.

        Two that leave at the same time cannot always announce it to Galera;
        then the second counts as lost, and the remaining member has no quorum.
        """
        self.check(self.last(2), SURVIVOR_SECONDS)

    def test_stop_of_all_members_at_once(self):
        victims = self.last(3)
        recovery = self.suffer(
            catalogue.STOP, victims, ALL_SECONDS,
            between=lambda: self.expect_no_writes(victims))
        self.expect_ledger(recovery)

    def test_stop_of_all_members_one_after_another(self):
        victims = self.last(3)
        for member in victims:
            control.stop_database(self.cluster.home, member.instance_id)
            self.wait_until(
                f'{member.name} to be stopped',
                lambda member=member: member.info.database == 'stopped')
        self.expect_no_writes(victims)
        catalogue.STOP.undo(self.cluster, victims)
        self.expect_recovery(ALL_SECONDS)
        self.expect_ledger()

    def check(self, victims, *others_seconds):
        recovery = self.suffer(
            catalogue.STOP, victims, ONE_SECONDS,
            between=lambda: self.expect_others_go_on(
                victims, *others_seconds))
        self.expect_ledger(recovery)
