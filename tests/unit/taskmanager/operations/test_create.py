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

"""The phases and steps of a create."""

import testtools

from tests.faults import test_control_create
from trove_pxc import conf
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.steps import formation


class StepsTest(testtools.TestCase):

    def test_the_story(self) -> None:
        self.assertEqual(
            [('every_member', ['find the address']),
             ('every_member', ['allow the peers']),
             ('first_member', ['make the secrets', 'prepare', 'configure']),
             ('restored_member', ['restore']),
             ('first_member', ['start the bootstrap']),
             ('prepared_joiners', ['configure']),
             ('first_member', ['bootstrap']),
             ('joiners', ['prepare', 'configure', 'join']),
             ('every_member', ['verify']),
             ('last_member', ['replicate']),
             ('restored_member', ['record root']),
             ('every_member', ['complete']),
             ('every_member', ['become healthy'])],
            [(phase.of.__name__, [step.name for step in phase.steps])
             for phase in create.STEPS])

    def test_the_taskmanager_is_killed_after_each_step(self) -> None:
        self.assertEqual(
            {step.name for phase in create.STEPS for step in phase.steps
             if phase.of is not formation.restored_member},
            {step for step, _ in test_control_create.STEPS})

    def test_every_step_has_an_option_for_its_time_out(self) -> None:
        names = {option.dest for _, options in conf.list_opts()
                 for option in options}
        for phase in create.STEPS:
            for step in phase.steps:
                self.assertIn(step.timeout, names)
                self.assertTrue(step.waits_for.startswith('to '))
