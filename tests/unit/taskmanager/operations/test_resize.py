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

"""The order of what is done to a member that is resized."""

import testtools

from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import machine
from trove_pxc.taskmanager.steps import rolling


class StoryTest(testtools.TestCase):

    def test_a_server_is_confirmed_only_when_its_member_is_back(self) -> None:
        (phase,) = resize.FLAVOR_STEPS
        steps = phase.steps
        self.assertLess(steps.index(machine.RESIZE),
                        steps.index(rolling.RETURN))
        self.assertLess(steps.index(rolling.RETURN),
                        steps.index(machine.CONFIRM))

    def test_a_server_boots_with_its_settings(self) -> None:
        (phase,) = resize.FLAVOR_STEPS
        steps = phase.steps
        self.assertLess(steps.index(configure.CONFIGURE),
                        steps.index(machine.RESIZE))

    def test_every_way_back_ends_with_a_member_that_serves(self) -> None:
        for way in (resize.FLAVOR_WAY_BACK, resize.VOLUME_WAY_BACK):
            self.assertIs(rolling.RETURN, way[-1])
