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

"""Deletion of queues in the message broker.

Imported by taskmanager/cloud/queues. Trove and its guests create a queue for
each guest, and do not delete it. The public classes of oslo.messaging cannot
delete a queue. "rabbit_transient_queues_ttl" applies to queues of replies and
of fanout, but not to those of a guest. Only oslo.messaging's RabbitMQ driver
has connections with the operator's hosts and TLS settings, so this module
requests one from the driver.

If oslo.messaging has no such driver or connection any more, the queues remain
in the broker. The caller logs their names.
"""

from collections.abc import Iterable
from typing import Any

from oslo_log import log as logging
import oslo_messaging
from oslo_utils import importutils

LOG = logging.getLogger(__name__)

_TRIES = 2
_common = importutils.try_import('oslo_messaging._drivers.common')
_impl_rabbit = importutils.try_import('oslo_messaging._drivers.impl_rabbit')


class NotDeleted(Exception):
    """The queues may remain in the broker; the text has the reason."""


def delete(transport: Any, names: Iterable[str]) -> None:
    """Delete these queues, if they exist.

    :param transport: of oslo.messaging, with any driver. None if the process
        has none. Without RabbitMQ, there is nothing to do.
    :raises NotDeleted: at the first queue that was not deleted.
    """
    if transport is None:
        return
    try:
        driver = transport._driver
        if not isinstance(driver, _impl_rabbit.RabbitDriver):
            return
        failures = (OSError, oslo_messaging.MessagingException,
                    _impl_rabbit.amqp_ex.AMQPError,
                    _impl_rabbit.kombu.exceptions.KombuError)
    except AttributeError as missing:
        raise NotDeleted(_other_release(missing)) from missing
    try:
        _delete(driver, names)
    except failures as failure:
        raise NotDeleted(str(failure)) from failure
    except (AttributeError, TypeError) as missing:
        raise NotDeleted(_other_release(missing)) from missing


def _delete(driver: Any, names: Iterable[str]) -> None:
    with driver._get_connection(
            _common.PURPOSE_LISTEN, retry=_TRIES) as connection:
        for name in names:
            connection.channel.queue_delete(name)
            LOG.debug('Deleted the message queue %s', name)


def _other_release(missing: Exception) -> str:
    return (f'this release of oslo.messaging has another RabbitMQ driver '
            f'({missing})')
