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

"""What users read of a failure, within the length that Trove keeps."""

import mock
import testtools

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import plan
from trove_pxc.taskmanager.engine import outcome


class FaultTextTest(testtools.TestCase):

    def failed(self, cause: str, step: str = 'join of products-2',
               ) -> exceptions.StepFailed:
        return exceptions.StepFailed(
            'create', step, cause,
            'delete the cluster; see the guest agent and server logs')

    def test_all_four_parts(self) -> None:
        self.assertEqual(
            'create: "join of products-2" failed: no disk. Next: delete '
            'the cluster; see the guest agent and server logs',
            outcome.fault_text(self.failed('no disk')))

    def test_a_long_cause_does_not_push_out_what_to_do(self) -> None:
        text = outcome.fault_text(self.failed('x' * 1000))
        self.assertLessEqual(len(text), faults.LENGTH)
        self.assertTrue(text.endswith('server logs'), text)
        self.assertIn('xxx...', text)

    def test_a_short_advice_leaves_room_for_a_long_cause(self) -> None:
        failure = exceptions.StepFailed(
            'create', 'join', 'c' * 190, 'delete the cluster')
        self.assertIn('c' * 190, outcome.fault_text(failure))

    def test_a_refusal_of_silence_fits(self) -> None:
        reason = plan.choose_bootstrap(
            ('products-2', 'products-3'), {}).reason
        self.assertTrue(reason.force)
        failure = exceptions.StepFailed(
            'recover', 'choose who is continued', reason.cause,
            f'{reason.advice.rstrip(".")} (--force MEMBER)')
        self.assertTrue(outcome.fault_text(failure).endswith(
            '(--force MEMBER)'), outcome.fault_text(failure))

    def test_it_never_is_longer_than_the_column(self) -> None:
        text = outcome.fault_text(self.failed('x' * 1000, step='y' * 300))
        self.assertEqual(faults.LENGTH, len(text))

    def test_a_word_is_not_cut_where_no_room_is_left(self) -> None:
        text = outcome.fault_text(self.failed(
            'x' * 1000, step='join of a-member ' * 15))
        self.assertLessEqual(len(text), faults.LENGTH)
        self.assertTrue(text.removesuffix('...').endswith(
            (' join', ' of', ' a-member')), text)


class SaveFaultTest(testtools.TestCase):

    def test_the_details_have_the_whole_next_action(self) -> None:
        """Which the message has no room for."""
        command = f'"openstack database cluster shrink {"c" * 200} an-id"'
        failure = exceptions.StepFailed(
            'restart', 'look at the servers', 'its server is gone',
            f'Remove it: {command}.')
        with mock.patch.object(
                faults.instance_models, 'save_instance_fault',
                autospec=True) as save:
            outcome.save_fault('an-id', failure)
        instance_id, message, details = save.call_args.args
        self.assertEqual('an-id', instance_id)
        self.assertNotIn(command, ' '.join(message.split()))
        self.assertEqual([
            'restart: "look at the servers" failed: its server is gone. '
            f'Next: Remove it: {command}.', ''], details.split('\n')[:2])
        self.assertIn('StepFailed: ', details)
