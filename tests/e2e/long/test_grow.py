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

"""A lost member is replaced under writes."""

from lab.guest import control
from tests.e2e import test_grow


class TestGrow(test_grow.Base):

    def test_a_lost_member_is_replaced(self):
        """Its number is not used again."""
        control.power_off(self.home, 'grow-3')
        with self.writing(self.called(1, 2), fewest=2):
            self.grow(1)
            self.shrink('grow-3')
        self.assertEqual(self.called(1, 2, 4), self.names())
