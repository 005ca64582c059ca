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

"""The order of the steps of a grow."""

import testtools

from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.steps import allow_peers
from trove_pxc.taskmanager.steps import bootstrap
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import join
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import prepare
from trove_pxc.taskmanager.steps import verify


class StoryTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        (self.phase,) = grow.STEPS
        self.steps = list(self.phase.steps)

    def before(self, *steps: object) -> None:
        places = [self.steps.index(step) for step in steps]
        self.assertEqual(sorted(places), places)

    def test_one_is_a_full_member_before_the_next_begins(self) -> None:
        self.assertIs(formation.passing, self.phase.of)
        self.assertIs(complete.BRING_IN, self.steps[-1])

    def test_the_cluster_is_looked_at_before_and_after_the_wait(self) -> None:
        self.assertEqual(2, self.steps.count(online.LOOK))
        self.before(online.LOOK, prepare.BE_PREPARED)
        last = len(self.steps) - 1 - self.steps[::-1].index(online.LOOK)
        self.assertGreater(last, self.steps.index(prepare.BE_PREPARED))
        self.assertLess(last, self.steps.index(allow_peers.ALLOW_EACH_OTHER))

    def test_the_old_are_told_only_of_one_that_is_in(self) -> None:
        self.before(allow_peers.ALLOW_EACH_OTHER, configure.CONFIGURE,
                    join.JOIN, verify.REPLICATE, complete.COMPLETE,
                    configure.MAKE_KNOWN)

    def test_nobody_bootstraps(self) -> None:
        self.assertNotIn(bootstrap.BOOTSTRAP, self.steps)
