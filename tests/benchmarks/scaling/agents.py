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
"""The agents of all simulated guests, on one connection to the broker.

Imported by ``world``. The messages are those of oslo.messaging: the queue of
each guest, the envelope, the encryption with the key of the instance, the
reply. A real guest has connections of its own; one connection with a consumer
for each queue serves a thousand guests in one thread. Reports go through
Trove's conductor, by Trove's own client.
"""

from collections.abc import Callable
import contextlib
import functools
import heapq
import itertools
import logging
import queue
import random
import sys
import time
from typing import Any

import amqp  # type: ignore[import-untyped]
from oslo_config import cfg
from oslo_messaging._drivers import amqp as oslo_amqp
from oslo_messaging._drivers import common as oslo_common
from oslo_serialization import jsonutils
from trove.common import context as trove_context
from trove.common.rpc import secure_serializer
from trove.common.rpc import serializer
from trove.conductor import api as conductor_api

from lab import waiting
from tests.benchmarks.scaling import fleet

CONF = cfg.CONF
LOG = logging.getLogger(__name__)
EXCHANGE = 'trove'
#: seconds between two checks of a member by its agent (status_look_interval)
LOOK = 2.0
#: seconds for which the loop waits for a message
TURN = 0.05
KEY = b'instance_rpc_encr_key='
BROKEN = (OSError, amqp.exceptions.AMQPError)


class Agents:
    """The loop that serves all guests; only its thread touches them.

    :param host: of the broker, with its port
    :ivar calls: the number of calls that guests got
    """

    def __init__(self, guests: fleet.Fleet, host: str, user: str,
                 password: str) -> None:
        self._fleet = guests
        self._access = {'host': host, 'userid': user, 'password': password,
                        'heartbeat': 0}
        self._orders: queue.SimpleQueue[Callable[[], None]] = (
            queue.SimpleQueue())
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._keys: dict[str, str | None] = {}
        self._told: dict[str, tuple[Any, float]] = {}
        self._link: Any = None
        self._channel: Any = None
        self.calls = 0

    # For other threads

    def order(self, what: Callable[[], None]) -> None:
        """Run something in the thread of the guests."""
        self._orders.put(what)

    def booted(self, server: dict[str, Any]) -> None:
        """A server of the cloud booted; its agent listens from now on."""
        instance_id = str(server['metadata'].get('trove_instance_id'))
        key = key_of(server['userdata'] or {})
        self.order(lambda: self._add(instance_id, server['name'], key))

    def gone(self, server: dict[str, Any]) -> None:
        """A server of the cloud is being deleted."""
        instance_id = str(server['metadata'].get('trove_instance_id'))
        self.order(lambda: self._remove(instance_id))

    def run(self) -> None:
        """Serve until the process ends; connect again after a failure."""
        while True:
            try:
                self._connect()
                while True:
                    self._turn()
            except BROKEN as error:
                LOG.warning('the broker is lost: %s', error)
                waiting.pause(1)

    # The loop

    def _connect(self) -> None:
        self._link = amqp.Connection(**self._access)
        self._link.connect()
        self._channel = self._link.channel()
        for instance_id in self._fleet.guests:
            self._listen(instance_id)

    def _turn(self) -> None:
        while not self._orders.empty():
            self._orders.get()()
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, act = heapq.heappop(self._due)
            act(now)
        wait = TURN
        if self._due:
            wait = min(wait, max(self._due[0][0] - now, 0.001))
        with contextlib.suppress(TimeoutError):
            self._link.drain_events(timeout=wait)

    def _at(self, when: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), act))

    def _add(self, instance_id: str, name: str, key: str | None) -> None:
        self._fleet.add(instance_id, name)
        self._keys[instance_id] = key
        self._listen(instance_id)
        self._at(time.monotonic() + random.uniform(0, LOOK),
                 functools.partial(self._look, instance_id))

    def _remove(self, instance_id: str) -> None:
        self._fleet.remove(instance_id, time.monotonic())
        self._told.pop(instance_id, None)

    def _listen(self, instance_id: str) -> None:
        topic = f'guestagent.{instance_id}'
        self._channel.exchange_declare(
            EXCHANGE, 'topic', durable=False, auto_delete=False)
        self._channel.queue_declare(topic, durable=False, auto_delete=False)
        self._channel.queue_bind(topic, EXCHANGE, routing_key=topic)
        self._channel.basic_consume(
            topic, no_ack=True, callback=functools.partial(
                self._take, instance_id),
            # Trove deletes the queue of an instance that it deletes.
            on_cancel=lambda tag: None)

    # Calls

    def _take(self, instance_id: str, message: Any) -> None:
        guest = self._fleet.guests.get(instance_id)
        if guest is None:
            return
        self.calls += 1
        envelope = oslo_common.deserialize_msg(jsonutils.loads(message.body))
        told = oslo_amqp.unpack_context(envelope)
        sealed = secure_serializer.SecureSerializer(
            serializer.TroveRequestContextSerializer(None),
            self._keys[instance_id])
        context = sealed.deserialize_context(told.to_dict())
        arguments = {
            name: sealed.deserialize_entity(context, value)
            for name, value in (envelope.get('args') or {}).items()}
        if envelope['method'] == 'prepare':
            cluster = (arguments.get('cluster_config') or {}).get('id')
            if cluster:
                self._fleet.assign(guest, cluster)

        def answer(result: Any, failure: Any = None) -> None:
            if told.msg_id:
                self._reply(told.reply_q, told.msg_id, failure,
                            sealed.serialize_entity(context, result))

        try:
            result = guest.call(envelope['method'], arguments,
                                time.monotonic())
        except (LookupError, TypeError) as error:
            # Another version may call what these guests do not have.
            LOG.warning('%s', error)
            answer(None, oslo_common.serialize_remote_exception(
                sys.exc_info()))
            return
        self._look(instance_id, time.monotonic(), again=False)
        if not isinstance(result, fleet.Later):
            answer(result)
            return
        later = result

        def end(now: float) -> None:
            ended = later.end(now)
            self._look(instance_id, now, again=False)
            if envelope['method'] == 'prepare':
                self._tell_end(instance_id, context)
            answer(ended)

        self._at(time.monotonic() + later.seconds, end)

    def _reply(self, reply_queue: str, message_id: str, failure: Any,
               result: Any) -> None:
        body = {'result': result, 'failure': failure, 'ending': True,
                '_msg_id': message_id}
        oslo_amqp._add_unique_id(body)
        self._channel.basic_publish(amqp.Message(
            jsonutils.dumps(oslo_common.serialize_msg(body)),
            content_type='application/json', content_encoding='utf-8'),
            routing_key=reply_queue)

    # Reports

    def _look(self, instance_id: str, now: float,
              again: bool = True) -> None:
        """Report the status as our agent: a change, or at the interval."""
        guest = self._fleet.guests.get(instance_id)
        if guest is None:
            return
        status = guest.reported(now)
        told, when = self._told.get(instance_id, (None, 0.0))
        if status is not None and (
                status != told
                or now - when >= self._fleet.durations.report):
            self._conductor(instance_id).heartbeat(
                instance_id, {'service_status': status.description},
                sent=time.time())
            self._told[instance_id] = (status, now)
        if again:
            self._at(now + LOOK, functools.partial(self._look, instance_id))

    def _tell_end(self, instance_id: str, context: Any) -> None:
        told = getattr(context, 'notification', None)
        if told is not None:
            self._conductor(instance_id, context).notify_end()

    def _conductor(self, instance_id: str, context: Any = None) -> Any:
        # Trove's client serves one guest, whose options a process has.
        CONF.set_override('guest_id', instance_id)
        CONF.set_override('instance_rpc_encr_key', self._keys[instance_id])
        return conductor_api.API(context or trove_context.TroveContext())


def key_of(userdata: dict[str, Any]) -> str | None:
    """The key of an instance, from the files that Trove injects."""
    for entry in userdata.get('write_files') or ():
        for line in bytes.fromhex(entry['content_hex']).splitlines():
            if line.startswith(KEY):
                return line.removeprefix(KEY).decode().strip()
    return None
