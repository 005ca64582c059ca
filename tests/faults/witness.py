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

"""What is visible of a running lab: messages, commands, containers.

For the test of secrets. The data is collected first and searched later, when
the secrets are known.
"""

from collections.abc import Callable, Iterator
import contextlib
import functools
import json
from pathlib import Path
import socket
import threading
from typing import Any

import kombu

from lab import errors
from lab.guest import control
from lab.guest import docker
from lab.guest import init
from lab import home as lab_home
from lab import netns
from lab import process
from lab.services import rabbitmq
from lab import waiting
from tests import threads

# Debian's own wrapper becomes another user, who has no cookie.
CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl'
CONTAINERS = ('database', 'database-helper')
EXCHANGE = 'amq.rabbitmq.trace'
LOOK = 0.2
#: Seconds that the broker may take to end an empty wait.
DRAIN = 1


class Witness:
    """Everything that was seen, as unordered text.

    :ivar messages: whole messages of the broker.
    :ivar commands: command lines of all processes.
    :ivar containers: the output of Docker for them.
    """

    def __init__(self, home: lab_home.Home) -> None:
        self._home = home
        self._over = threading.Event()
        self.messages: list[bytes] = []
        self.commands: set[bytes] = set()
        self.containers: set[bytes] = set()
        self.trouble: list[str] = []

    @contextlib.contextmanager
    def running(self) -> Iterator['Witness']:
        """Collect while the block runs."""
        _rabbitmqctl(self._home, 'trace_on')
        looks = [functools.partial(self._kept, look)
                 for look in (self._messages, self._looks)]
        try:
            with threads.running(looks, self._over):
                yield self
        finally:
            _rabbitmqctl(self._home, 'trace_off')

    def methods(self) -> set[str]:
        """The RPC methods that were called, according to the messages."""
        found = set()
        for message in self.messages:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                body = json.loads(json.loads(message)['oslo.message'])
                found.add(str(body['method']))
        return found

    def _kept(self, look: Callable[[], None]) -> None:
        # An incomplete trace proves nothing.
        try:
            look()
        except (OSError, errors.LabError,
                kombu.exceptions.KombuError) as broken:
            self.trouble.append(f'{look.__name__}: {broken}')

    def _messages(self) -> None:
        netns.enter(netns.path(self._home.controller))
        url = rabbitmq.transport_url(self._home, '127.0.0.1')
        with kombu.Connection(
                url.replace('rabbit:', 'amqp:')) as connection:
            queue = kombu.Queue('', kombu.Exchange(
                EXCHANGE, type='topic', passive=True), '#', exclusive=True)
            with connection.Consumer(
                    queue, on_message=self._message, no_ack=True):
                while not self._over.is_set():
                    with contextlib.suppress(socket.timeout):
                        connection.drain_events(timeout=DRAIN)

    def _message(self, message: Any) -> None:
        body = message.body
        self.messages.append(
            body if isinstance(body, bytes) else str(body).encode())

    def _looks(self) -> None:
        while not self._over.is_set():
            for pid in process.pids():
                with contextlib.suppress(OSError):
                    self.commands.add(
                        Path(f'/proc/{pid}/cmdline').read_bytes())
            for guest in control.guests(self._home):
                self._inspect(guest)
            waiting.pause(LOOK)

    def _inspect(self, guest: control.GuestInfo) -> None:
        if guest.pid is None:
            return
        engine = docker.Engine(f'{guest.root}{init.DOCKER_SOCKET}', 5)
        for name in CONTAINERS:
            with contextlib.suppress(docker.DockerError):
                self.containers.add(
                    json.dumps(engine.inspect(name)).encode())


def _rabbitmqctl(home: lab_home.Home, word: str) -> None:
    service = rabbitmq.RabbitMQ(home)
    netns.run(home.controller, [
        'env', *(f'{name}={value}'
                 for name, value in service.env().items()),
        CONTROL, '--node', 'rabbit@localhost', word])
