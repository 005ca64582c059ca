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

"""Forwards ports of the machine to trove-api and Keystone in the lab.

Imported by ``lab.services.all``; the program itself is ``lab.forward``.
"""

from collections.abc import Sequence
import socket
import sys

from lab import home as lab_home
from lab.services import base


class Forwarder(base.Service):
    name = 'forwarder'

    @property
    def namespace(self) -> str | None:
        """None, for the machine's namespace; the program enters the lab's."""
        return None

    def argv(self) -> Sequence[str]:
        return [sys.executable, '-P', '-m', 'lab.forward',
                '--home', str(self.home.root), *(
                    word for port, inside in self._doors.items()
                    for word in ('--lead', f'{port}:{inside}'))]

    def answers(self) -> bool:
        try:
            for port in self._doors:
                with socket.create_connection(
                        ('127.0.0.1', port), timeout=5):
                    pass
        except OSError:
            return False
        return True

    @property
    def _doors(self) -> dict[int, int]:
        """Ports on the machine's loopback, each with its target port."""
        doors = {self.home.api_port: lab_home.TROVE_PORT}
        if self.home.with_keystone:
            doors[self.home.keystone_port] = lab_home.KEYSTONE_PORT
        return doors
