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

"""Deleting the message queues of a guest that is gone."""

from amqp import exceptions as amqp_exceptions
import fixtures
import mock
from oslo_messaging._drivers import impl_rabbit
import testtools
from trove import rpc

from trove_pxc.taskmanager.cloud import queues


class TestForget(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.driver = mock.create_autospec(
            impl_rabbit.RabbitDriver, instance=True)
        self.connect = self.driver._get_connection
        self.connect.return_value = mock.MagicMock()
        self.connection = self.connect.return_value.__enter__.return_value
        self.use_transport(mock.Mock(_driver=self.driver))

    def use_transport(self, transport):
        self.useFixture(fixtures.MockPatchObject(
            rpc, 'TRANSPORT', transport))

    def test_both_queues_are_deleted(self):
        queues.forget('some-id')
        self.assertEqual(
            [mock.call('guestagent.some-id'),
             mock.call('guestagent.some-id.some-id')],
            self.connection.channel.queue_delete.call_args_list)

    def test_a_broker_that_fails_is_a_warning_with_the_names(self):
        for error in (OSError('gone'),
                      amqp_exceptions.AccessRefused('no right')):
            self.connection.channel.queue_delete.side_effect = error
            queues.forget('some-id')
            self.assertIn('guestagent.some-id.some-id stay in the broker',
                          self.log.output)

    def test_a_mistake_of_ours_is_not_hidden(self):
        self.connect.side_effect = TypeError
        self.assertRaises(TypeError, queues.forget, 'some-id')

    def test_another_driver_is_left_alone(self):
        self.use_transport(mock.Mock(_driver=object()))
        queues.forget('some-id')
        self.use_transport(None)
        queues.forget('some-id')
        self.connect.assert_not_called()
