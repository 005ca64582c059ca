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

"""More changes of a cluster that hardly disturb its users."""

from tests.e2e.together import test_resize

NAME = test_resize.NAME
MEMBERS = test_resize.MEMBERS


class TestResize(test_resize.Base):

    def test_flavor_of_all_members_is_changed(self):
        flavor = self.new_flavor()
        progress = self.under_load('resize', 'flavor', NAME, flavor)
        self.assertEqual({flavor}, {have for have, _ in
                                    self.shown().values()})
        for name in MEMBERS:
            self.assert_settings_fit(name, flavor)
            self.assertIn(f'{name}: RESIZE', progress)

    def test_volume_of_all_members_is_extended(self):
        size = self.new_size()
        self.under_load('resize', 'volume', NAME, str(size))
        self.assertEqual({size}, {have for _, have in
                                  self.shown().values()})
        for name in MEMBERS:
            self.assertGreater(self.room(name), 0.85 * (size << 30))
