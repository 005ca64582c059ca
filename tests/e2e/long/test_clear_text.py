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

"""More attacks that are possible while members use clear text."""

import uuid

from tests.e2e import laboratory
from tests.e2e import listening
from tests.e2e import strangers
from tests.e2e import test_clear_text


class TestInClearText(test_clear_text.Base):

    def test_rows_are_readable_in_a_state_transfer(self):
        secret = uuid.uuid4().hex
        self.write(secret)
        self.assertGreaterEqual(self.overheard_in_transfer(secret),
                                listening.ROWS)

    def test_any_server_can_join(self):
        stranger = self.useFixture(strangers.Stranger(self.home))
        self.assertIn('Shifting OPEN -> PRIMARY', self.intrude(stranger))
        laboratory.wait_agreement(self.members, timeout=120)
