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

"""More ways in which a whole cluster stops and is recovered."""

import json

from lab.guest import control
from tests.e2e.together import test_recover

ONE, TWO, THREE = MEMBERS = test_recover.MEMBERS


class TestRecover(test_recover.Base):

    def test_members_stopped_at_once_are_recovered(self):
        self.write()
        self.each(control.stop_database)
        self.assert_down()
        self.recover()
        self.assert_whole()

    def test_survivor_of_a_lost_quorum_is_promoted(self):
        self.write()
        self.each(control.power_off, (ONE, TWO))
        self.assert_down()
        words = self.refused()
        self.assertIn(f'{ONE}, {TWO} did not answer', words)
        self.assertIn('--force MEMBER', words)
        self.recover('--force', THREE)
        self.write()
        self.each(control.power_on, (ONE, TWO))
        self.assert_whole()

    def test_position_behind_an_observed_one_is_refused(self):
        """As if the disks had been restored from an older snapshot."""
        self.write()
        self.each(control.stop_database)
        self.assert_down()
        noted = json.dumps({'uuid': self.uuid, 'seqno': 1000000})
        self.shell(TWO, f"echo '{noted}' > {test_recover.SEEN}")
        words = self.refused()
        self.assertIn(f'{TWO} recorded position 1000000', words)
        self.recover('--force', ONE)
        self.assert_whole()
