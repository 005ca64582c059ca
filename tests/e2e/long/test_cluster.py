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

"""Members that are rebooted while only the test writes."""

from tests.e2e import laboratory
from tests.e2e.together import test_cluster

MEMBERS = test_cluster.MEMBERS


class TestCluster(test_cluster.Base):

    def test_first_member_rejoins_after_a_reboot(self):
        self.check_return('reboot', 'reboot')

    def test_rebooted_member_rejoins_through_its_firewall(self):
        laboratory.lab('guest', 'reboot', MEMBERS[2])
        laboratory.wait_agreement(MEMBERS, timeout=120)
