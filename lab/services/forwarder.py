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

"""The one door from the machine into the lab: trove-api's port.

Imported by ``lab.services.all``; the program itself is ``lab.forward``.
"""

from collections.abc import Sequence
import socket
import sys

from lab.services import base


class Forwarder(base.Service):
    name = 'forwarder'

    @property
    def namespace(self) -> str | None:
        """The machine's own namespace; the program enters the lab's."""
        return None

    def argv(self) -> Sequence[str]:
        return [sys.executable, '-P', '-m', 'lab.forward',
                '--home', str(self.home.root),
                '--port', str(self.home.api_port)]

    def answers(self) -> bool:
        try:
            with socket.create_connection(
                    ('127.0.0.1', self.home.api_port), timeout=5):
                return True
        except OSError:
            return False
