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

"""The faults of a failure, within the length of Trove's column."""

import mock
import testtools

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import plan
from trove_pxc.taskmanager.engine import failures


class SaveFaultTest(testtools.TestCase):

    FAILURE = exceptions.StepFailed(
        'create', 'join of products-2', 'no disk', 'delete the cluster')

    def saved(self, failure: exceptions.StepFailed,
              *instead: str) -> tuple[str, str]:
        """The saved fault: the message in one line, and the details."""
        with mock.patch.object(
                faults.instance_models, 'save_instance_fault',
                autospec=True) as save:
            failures.save_fault('an-id', failure, *instead)
        instance_id, message, details = save.call_args.args
        self.assertEqual('an-id', instance_id)
        return ' '.join(message.split()), details

    def test_all_four_parts(self) -> None:
        message, details = self.saved(self.FAILURE)
        self.assertEqual('create: "join of products-2" failed: no disk. '
                         'Next: delete the cluster', message)
        self.assertTrue(details.startswith(f'{message}\n\n'), details)

    def test_one_that_has_not_failed_itself(self) -> None:
        told = 'c-1 is not at fault; see the fault of c-2'
        message, details = self.saved(self.FAILURE, told)
        self.assertEqual(f'{told}. Next: delete the cluster', message)
        self.assertIn('StepFailed: create: "join of products-2"', details)

    def test_a_refusal_of_silence_fits(self) -> None:
        reason = plan.choose_bootstrap(
            ('products-2', 'products-3'), {}).reason
        self.assertTrue(reason.force)
        message, _ = self.saved(exceptions.StepFailed(
            'recover', 'choose the member to bootstrap', reason.cause,
            f'{reason.advice.rstrip(".")} (--force MEMBER)'))
        self.assertTrue(message.endswith('(--force MEMBER)'), message)

    def test_the_details_have_the_whole_next_action(self) -> None:
        """A command that the message is too short for."""
        command = f'"openstack database cluster shrink {"c" * 200} an-id"'
        failure = exceptions.StepFailed(
            'restart', 'check the servers', 'its server is gone',
            f'Remove it: {command}.')
        message, details = self.saved(failure)
        self.assertNotIn(command, message)
        self.assertEqual([
            'restart: "check the servers" failed: its server is gone. '
            f'Next: Remove it: {command}.', ''], details.split('\n')[:2])
        self.assertIn('StepFailed: ', details)
