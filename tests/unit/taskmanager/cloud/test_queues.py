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

"""The deletion of the message queues of a removed guest."""

import fixtures
import mock
import testtools
from trove import rpc

from trove_pxc.compat import rabbit_queues
from trove_pxc.taskmanager.cloud import queues


class TestForget(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.delete = self.useFixture(fixtures.MockPatchObject(
            rabbit_queues, 'delete', autospec=True)).mock
        self.useFixture(fixtures.MockPatchObject(
            rpc, 'TRANSPORT', mock.sentinel.transport))

    def test_both_queues_are_deleted(self):
        queues.forget('some-id')
        self.delete.assert_called_once_with(
            mock.sentinel.transport,
            ('guestagent.some-id', 'guestagent.some-id.some-id'))
        self.assertEqual('', self.log.output)

    def test_a_broker_that_fails_is_a_warning_with_the_names(self):
        self.delete.side_effect = rabbit_queues.NotDeleted('no right')
        queues.forget('some-id')
        self.assertIn('guestagent.some-id.some-id could not be deleted: no '
                      'right; delete them', self.log.output)

    def test_a_mistake_of_ours_is_not_hidden(self):
        self.delete.side_effect = TypeError
        self.assertRaises(TypeError, queues.forget, 'some-id')
