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

"""RabbitMQ from Debian's package, with separate state.

Imported by ``lab.services.all``. It does not use the state of a RabbitMQ of
the machine: node name, ports, cookie and files belong to the lab.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
import socket

from lab import home as lab_home
from lab import netns
from lab.services import base

PORT = 5672
USER = 'trove'
GREETING = b'AMQP\x00\x00\x09\x01'
SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

CONFIGURATION = """\
listeners.tcp.default = {port}
default_user = {user}
default_pass = {password}
loopback_users = none
# The disk of the machine may be nearly full; the lab needs little.
disk_free_limit.absolute = 200MB
vm_memory_high_watermark.absolute = 1GB
log.console = true
log.console.level = info
log.file = false
"""


class RabbitMQ(base.Service):
    name = 'rabbitmq'

    def configure(self) -> None:
        self.home.rabbitmq.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._configuration_file.write_text(CONFIGURATION.format(
            port=PORT, user=USER, password=self.home.secret('rabbitmq')))
        self._configuration_file.chmod(0o600)
        (self.home.rabbitmq / 'enabled_plugins').write_text('[].\n')

    def argv(self) -> Sequence[str]:
        return [SERVER]

    def env(self) -> Mapping[str, str]:
        root = self.home.rabbitmq
        return {
            'HOME': str(root),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'RABBITMQ_CONF_ENV_FILE': str(root / 'none.conf'),
            'RABBITMQ_CONFIG_FILE': str(self._configuration_file),
            'RABBITMQ_ADVANCED_CONFIG_FILE': str(root / 'none.config'),
            'RABBITMQ_NODENAME': 'rabbit@localhost',
            'RABBITMQ_MNESIA_BASE': str(root / 'mnesia'),
            'RABBITMQ_LOG_BASE': str(root / 'log'),
            'RABBITMQ_GENERATED_CONFIG_DIR': str(root / 'generated'),
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(root / 'enabled_plugins'),
            'RABBITMQ_PID_FILE': str(root / 'pid'),
            'RABBITMQ_DIST_PORT': '25672',
        }

    def answers(self) -> bool:
        """Whether the broker starts an AMQP connection."""
        try:
            with netns.entered(netns.path(self.home.controller)):
                with socket.create_connection(
                        ('127.0.0.1', PORT), timeout=5) as connection:
                    connection.sendall(GREETING)
                    # A method frame (type 1): Connection.Start.
                    return connection.recv(1) == b'\x01'
        except OSError:
            return False

    @property
    def _configuration_file(self) -> Path:
        return self.home.rabbitmq / 'rabbitmq.conf'


def transport_url(home: lab_home.Home, host: str) -> str:
    """The URL of the broker for Trove and its guests; a secret."""
    return f'rabbit://{USER}:{home.secret("rabbitmq")}@{host}:{PORT}/'
