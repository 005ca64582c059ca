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

"""Contract: deleting queues through oslo.messaging's RabbitMQ driver.

The driver is that of oslo.messaging, with kombu's broker in memory.
"""

from typing import Any

from amqp import exceptions as amqp_exceptions
import fixtures
import kombu
from oslo_config import cfg
import oslo_messaging
from oslo_messaging._drivers import impl_rabbit
import testtools

from trove_pxc.compat import rabbit_queues


def transport(url: str = 'kombu+memory:////') -> Any:
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    return oslo_messaging.get_rpc_transport(conf, url=url)


class DeleteTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.transport: Any = transport()
        self.addCleanup(self.transport.cleanup)

    def test_the_queues_are_gone(self) -> None:
        broker = kombu.Connection('memory://').channel()
        self.addCleanup(broker.close)
        broker.exchange_declare('trove')
        for name in ('guest', 'guest.host', 'another'):
            broker.queue_declare(name)
            broker.queue_bind(name, 'trove', name)
        rabbit_queues.delete(self.transport, ('guest', 'guest.host'))
        broker.queue_declare('another', passive=True)
        for name in ('guest', 'guest.host'):
            self.assertRaises(kombu.exceptions.ChannelError,
                              broker.queue_declare, name, passive=True)

    def test_what_is_not_there_is_no_error(self) -> None:
        rabbit_queues.delete(self.transport, ('never-declared',))

    def test_other_drivers_and_none(self) -> None:
        for other in (transport('fake:/'), None):
            rabbit_queues.delete(other, ('guest',))

    def test_a_broker_that_refuses_or_is_away(self) -> None:
        for failure in (OSError('gone'),
                        amqp_exceptions.AccessRefused('no right'),
                        oslo_messaging.MessageDeliveryFailure('no broker')):
            with fixtures.MockPatchObject(
                    impl_rabbit.RabbitDriver, '_get_connection',
                    autospec=True, side_effect=failure):
                raised = self.assertRaises(
                    rabbit_queues.NotDeleted, rabbit_queues.delete,
                    self.transport, ('guest',))
            self.assertEqual(str(failure), str(raised))

    def is_missing(self) -> None:
        raised = self.assertRaises(
            rabbit_queues.NotDeleted, rabbit_queues.delete, self.transport,
            ('guest',))
        self.assertIn('this release of oslo.messaging', str(raised))

    def test_missing_driver(self) -> None:
        for place in ('_impl_rabbit', '_common'):
            with fixtures.MonkeyPatch(
                    f'trove_pxc.compat.rabbit_queues.{place}', None):
                self.is_missing()
        self.transport = object()
        self.is_missing()

    def test_missing_connection(self) -> None:
        def other(driver: Any) -> Any:
            raise AssertionError
        with fixtures.MonkeyPatch(
                'oslo_messaging._drivers.impl_rabbit.RabbitDriver.'
                '_get_connection', other):
            self.is_missing()
