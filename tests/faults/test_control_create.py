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

"""The control plane dies while a cluster is created.

Within three minutes of the restart, each create ends with a healthy cluster
or with an error that names the member; the cluster can be deleted at once.
"""

import testtools

from tests.e2e import laboratory
from tests.faults import controllers

#: Each step of create, and the number of a member that runs it.
STEPS = (
    ('find the address', 3), ('allow the peers', 3),
    ('make the secrets', 1), ('prepare', 1), ('configure', 1),
    ('start the bootstrap', 1), ('configure', 2), ('bootstrap', 1),
    ('prepare', 2), ('join', 2), ('join', 3), ('verify', 3),
    ('replicate', 3), ('complete', 2), ('become healthy', 1))


class CreateTest(testtools.TestCase):

    name = 'control'

    def setUp(self):
        super().setUp()
        self.log = controllers.Log('taskmanager')
        self.cluster_id = laboratory.create_cluster(self.name)
        self.addCleanup(self.clean_up)

    def clean_up(self):
        controllers.start('rabbitmq', 'conductor', 'taskmanager')
        laboratory.delete_cluster(self.cluster_id,
                                  controllers.DELETE_SECONDS)

    def killed_after(self, step, number):
        member = f'{self.name}-{number}'
        self.log.wait(controllers.step_taken(self.cluster_id, step, member))
        with controllers.without('taskmanager'):
            pass
        return self.expect_end(f'{step} of {member}')

    def expect_end(self, when):
        """Whether the create succeeded; otherwise a fault has to say why."""
        seconds = controllers.wait_over(self.cluster_id)
        faults = controllers.faults(self.cluster_id)
        print(f'taskmanager killed after {when}: '
              f'{faults or "ACTIVE"} after {seconds:.0f} s')
        for name, message in faults.items():
            self.assertIn('Next: delete the cluster', message, name)
        if not faults:
            laboratory.wait_ready(self.cluster_id, 60)
            laboratory.wait_agreement(
                f'{self.name}-{number}' for number in (1, 2, 3))
        return not faults

    def expect_made(self, step, number):
        """If all instances exist, nothing that is lost is needed."""
        self.assertTrue(self.killed_after(step, number))


class TestTaskmanagerKilled(CreateTest):

    def test_killed_directly_after_the_request(self):
        with controllers.without('taskmanager'):
            pass
        self.expect_end('the cast')


def _add(number, step, member):
    # Until all guests were told to prepare, a cast to create may be lost.
    may_fail = number < 4

    def test(self):
        if may_fail:
            self.killed_after(step, member)
        else:
            self.expect_made(step, member)
    name = f'test_{number:02}_after_{step.replace(" ", "_")}_of_{member}'
    setattr(TestTaskmanagerKilled, name, test)


for _number, (_step, _member) in enumerate(STEPS, start=1):
    _add(_number, _step, _member)


class TestBroker(CreateTest):

    def test_broker_restarted_during_a_create(self):
        """Services that lose the connection connect again."""
        self.log.wait(controllers.step_taken(
            self.cluster_id, 'bootstrap', f'{self.name}-1'))
        with controllers.without('rabbitmq'):
            pass
        self.assertTrue(self.expect_end('bootstrap (RabbitMQ)'))


class TestConductor(CreateTest):

    def test_conductor_stopped_for_two_minutes(self):
        """The status becomes healthy again, and nothing is lost."""
        self.log.wait(controllers.step_taken(
            self.cluster_id, 'bootstrap', f'{self.name}-1'))
        with controllers.without('conductor'):
            controllers.wait_seconds(120)
        self.assertTrue(self.expect_end('bootstrap (conductor off)'))
