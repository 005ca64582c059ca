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

"""The cloud of the lab: Nova, Neutron, Cinder and Glance in one daemon.

Imported by ``lab.services.all``. Guests continue to run without the daemon.
"""

from collections.abc import Sequence
import signal

from lab import home as lab_home
from lab import process
from lab.services import base


class Cloud(base.Service):
    name = 'cloud'

    def argv(self) -> Sequence[str]:
        return [
            str(self.home.venv / 'bin' / 'python'), '-P', '-m', 'lab.cloud',
            '--home', str(self.home.root), '--listen', '127.0.0.1',
            '--port', str(lab_home.CLOUD_PORT)]

    def answers(self) -> bool:
        return base.answers_http(
            self.home, f'{self.home.cloud_url}/healthcheck')

    def kill(self) -> bool:
        # Only the daemon: a crash of the API does not end the guests.
        pid = self.pid
        if pid is not None:
            process.signal_process(pid, signal.SIGKILL)
        return pid is not None
