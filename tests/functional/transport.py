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

"""The in-memory transport of oslo.messaging, with listeners that do not poll.

Its own listeners check for a message twenty times a second each; these sleep
until a message is sent. Exceptions of RPC methods are serialized and created
again for the caller, as with a real transport.
"""

import threading
from typing import Any

from oslo_messaging._drivers import base
from oslo_messaging._drivers import common
from oslo_messaging._drivers import impl_fake
from oslo_messaging.rpc import client
from trove import rpc

_SENT = threading.Condition()


class Exchange(impl_fake.FakeExchange):
    """Wakes up all listeners when a message is there."""

    def deliver_message(self, *args: Any, **kwargs: Any) -> None:
        super().deliver_message(*args, **kwargs)
        with _SENT:
            _SENT.notify_all()


class Incoming(impl_fake.FakeIncomingMessage):
    """Serialize a failure, so that the caller gets a new exception."""

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        if failure and not isinstance(failure[1], client.RemoteError):
            failure = None, common.deserialize_remote_exception(
                common.serialize_remote_exception(failure),
                rpc.get_allowed_exmods())
        super().reply(reply, failure)


class Listener(impl_fake.FakeListener):
    """Sleeps until a message is sent or it is stopped."""

    def stop(self) -> None:
        super().stop()
        with _SENT:
            _SENT.notify_all()

    @base.batch_poll_helper
    def poll(self, timeout: float | None = None) -> Any:
        with _SENT:
            while not self._stopped.is_set():
                message = self._next()
                if message is not None:
                    return message
                if not _SENT.wait(timeout):
                    return None
        return None

    def _next(self) -> Any:
        for target in self._targets:
            exchange = self._exchange_manager.get_exchange(target.exchange)
            context, message, reply, requeue = exchange.poll(
                target, self._pool)
            if message is not None:
                return Incoming(context, message, reply, requeue)
        return None


def install() -> None:
    """Make fake:// sleep instead of polling, in this process."""
    impl_fake.FakeExchange = Exchange
    impl_fake.FakeListener = Listener
