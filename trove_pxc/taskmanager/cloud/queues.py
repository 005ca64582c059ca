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

"""The message queues of a guest that is gone.

Imported by removal. A guest's agent makes its queues and so does Trove
before it calls the guest for the first time; nobody deletes them, and they
are not of the kind that the broker lets expire. oslo.messaging has no public
way to delete a queue, so this asks its RabbitMQ driver for a connection,
which has the operator's hosts and TLS settings. With any other driver there
is nothing to do.
"""

from oslo_log import log as logging
import oslo_messaging
from oslo_messaging._drivers import common
from oslo_messaging._drivers import impl_rabbit
from trove import rpc

LOG = logging.getLogger(__name__)

_TRIES = 2
_BROKER_ERRORS = (
    OSError, oslo_messaging.MessagingException,
    impl_rabbit.amqp_ex.AMQPError, impl_rabbit.kombu.exceptions.KombuError)


def forget(instance_id: str) -> None:
    """Delete the queues of this instance's guest, if they are there.

    To be called when the server is gone. A broker that does not do it is no
    reason to keep the rest: the names are in the log then.
    """
    driver = getattr(rpc.TRANSPORT, '_driver', None)
    if not isinstance(driver, impl_rabbit.RabbitDriver):
        return
    topic = f'guestagent.{instance_id}'
    names = (topic, f'{topic}.{instance_id}')
    try:
        _delete(driver, names)
    except _BROKER_ERRORS as error:
        LOG.warning('The message queues %s stay in the broker: %s; delete '
                    'them with rabbitmqctl delete_queue',
                    ', '.join(names), error)


def _delete(driver: impl_rabbit.RabbitDriver,
            names: tuple[str, ...]) -> None:
    with driver._get_connection(
            common.PURPOSE_LISTEN, retry=_TRIES) as connection:
        for name in names:
            connection.channel.queue_delete(name)
            LOG.debug('Deleted the message queue %s', name)
