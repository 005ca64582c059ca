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

"""The order of what is done when members leave."""

import testtools

from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import admit
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import standing
from trove_pxc.taskmanager.steps import verify


class StoryTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.story = [(phase.of, step) for phase in shrink.STEPS
                      for step in phase.steps]
        self.steps = [step for _, step in self.story]

    def test_before_each_stop_the_others_are_looked_at(self) -> None:
        (phase,) = (phase for phase in shrink.STEPS
                    if shrink.TAKE_OUT in phase.steps)
        self.assertEqual((standing.LOOK, shrink.TAKE_OUT), phase.steps)
        self.assertIs(shrink.leaving, phase.of)

    def test_doors_are_closed_before_an_address_is_free(self) -> None:
        places = [self.steps.index(step) for step in (
            shrink.TAKE_OUT, admit.ADMIT, configure.CONFIGURE,
            shrink.REMOVE)]
        self.assertEqual(sorted(places), places)

    def test_nothing_is_marked_before_a_look(self) -> None:
        self.assertIs(standing.LOOK, self.steps[0])
        self.assertIs(shrink.MARK, self.steps[1])

    def test_those_that_stay_have_the_last_word(self) -> None:
        self.assertEqual((formation.every_member, verify.AGREE),
                         self.story[-1])
