# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Faults drawn as in a campaign: of one member, of all and in pairs."""

from tests.e2e import test_campaign

#: This seed draws a reboot, loss of power of all, power and network at once,
#: kill -9 of all, two that do not reach each other, and a full volume.
SEED = 536
ROUNDS = 6


class TestCampaign(test_campaign.Base):

    def test_longer_campaign_loses_nothing(self):
        self.check(['--seed', str(SEED)], ROUNDS)
