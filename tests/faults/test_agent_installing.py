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

"""Trove's guest agent is killed while its member is installed.

The cast to prepare is one message, which is lost with the agent; later calls
are repeated until they are answered.
"""

import json

import testtools

from lab import errors
from lab.guest import control
from lab import waiting
from tests.e2e import laboratory
from tests.faults import controllers
from tests.faults import member as members
from tests.faults import passwords

NAME = 'install'
NAMES = tuple(f'{NAME}-{number}' for number in (1, 2, 3))
#: Until a guest is told to prepare.
TOLD_SECONDS = 120
#: Shorter than a preparation.
LOOK = 0.01
#: Until another agent runs, finds the incomplete work, and reports it.
ERROR_SECONDS = 60
#: Of the whole create: a call whose answer is lost is repeated after
#: member_start_timeout.
MADE_SECONDS = 300


class TestAgentKilledInMidInstall(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.log = controllers.Log('taskmanager')
        self.cluster_id = laboratory.create_cluster(NAME)
        self.addCleanup(laboratory.delete_cluster, self.cluster_id,
                        controllers.DELETE_SECONDS)

    def test_kill_while_the_first_member_prepares_fails_the_create(self):
        self.check_preparing(NAMES[0])

    def test_kill_while_another_member_prepares_fails_the_create(self):
        self.check_preparing(NAMES[1])

    def test_kill_as_soon_as_the_agent_runs_does_no_harm(self):
        """The cast waits in the queue for the next agent."""
        name = NAMES[2]
        self.kill(name)
        self.assertNotIn(f'prepare of {name} took', self.log.text())
        self.expect_made()

    def test_kill_during_bootstrap_does_no_harm(self):
        self.check_after('configure', NAMES[0], 'bootstrap')

    def test_kill_during_join_does_no_harm(self):
        self.check_after('configure', NAMES[1], 'join')

    def check_preparing(self, name):
        """It cannot continue, so the create ends at once, and says why."""
        member = self.wait_stage(name, 'preparing')
        self.kill(name)
        # The agent died in the middle, and no other agent continues.
        self.assertEqual('preparing', stage(member))
        self.wait_agent(name)
        seconds = controllers.wait_over(self.cluster_id, ERROR_SECONDS)
        self.assertEqual('preparing', stage(member))
        found = controllers.faults(self.cluster_id)
        print(f'{self.id()}: in error after {seconds:.0f} s: {found}')
        self.assertEqual({name}, set(found))
        # The step at that time may be another member's.
        self.assertRegex(
            found[name], f'^create: "[a-z ]+ of {NAME}-[12]" failed: .*its '
            'guest agent stopped while it prepared the member.*'
            'Next: delete the cluster')
        self.log.wait(r'dbaas\.cluster_create\.error', 10)
        self.assertNotIn('dbaas.cluster_create.end', self.log.text())

    def check_after(self, step, name, during):
        """The call is repeated, so the create continues."""
        self.log.wait(controllers.step_taken(self.cluster_id, step, name))
        self.kill(name)
        self.assertNotIn(f'{during} of {name} took', self.log.text())
        self.expect_made()

    def expect_made(self):
        seconds = controllers.wait_over(self.cluster_id, MADE_SECONDS)
        print(f'{self.id()}: made after {seconds:.0f} s')
        self.assertEqual({}, controllers.faults(self.cluster_id))
        laboratory.wait_ready(self.cluster_id, 60)
        laboratory.wait_agreement(NAMES)

    def kill(self, name):
        """When this returns, all of its agents have ended."""
        def killed():
            try:
                control.kill_agent(self.home, name)
            except errors.LabError as absent:
                raise waiting.NotYet(str(absent)) from absent
            return True

        waiting.until(f'an agent of {name} to kill', killed, TOLD_SECONDS,
                      LOOK)

    def wait_agent(self, name):
        waiting.until(f'another agent of {name}',
                      lambda: control.agents(self.home, name), TOLD_SECONDS)

    def wait_stage(self, name, wanted):
        """Return the member when its guest has reached this stage."""
        member = waiting.until(f'a guest of {name}',
                               lambda: self.guest(name), TOLD_SECONDS, LOOK)

        def there():
            try:
                seen = stage(member)
            except (OSError, ValueError) as absent:
                raise waiting.NotYet(str(absent)) from absent
            if seen != wanted:
                raise waiting.NotYet(seen)
            return member

        return waiting.until(f'{name} to be {wanted}', there, TOLD_SECONDS,
                             LOOK)

    def guest(self, name):
        try:
            return members.Member(self.home, name)
        except errors.LabError as absent:
            raise waiting.NotYet(str(absent)) from absent


def stage(member):
    """The stage that its agent has stored."""
    return json.loads((member.root / passwords.RECORD).read_text())['stage']
