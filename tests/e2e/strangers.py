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

"""A machine on the members' network that is no member, and a listener there.

For end-to-end tests of the encryption between members.
"""

from pathlib import Path

import fixtures

from lab import home as lab_home
from lab import netns
from tests.e2e import ears

ADDRESS = '10.88.200.1'
_MASK = 16


class Stranger(fixtures.Fixture):
    """Has an address in the members' network, and no certificate.

    :ivar name: its network namespace.
    """

    def __init__(self, home: lab_home.Home) -> None:
        super().__init__()
        self._home = home
        self.name = f'{home.lab_id}-stranger'

    def _setUp(self) -> None:
        netns.create(self.name)
        self.addCleanup(netns.delete, self.name)
        controller = self._home.controller
        for words in (
                ['-n', controller, 'link', 'add', 'stranger', 'type',
                 'veth', 'peer', 'name', 'eth0', 'netns', self.name],
                ['-n', controller, 'link', 'set', 'stranger', 'master',
                 self._home.bridge, 'up'],
                ['-n', self.name, 'address', 'add', f'{ADDRESS}/{_MASK}',
                 'dev', 'eth0'],
                ['-n', self.name, 'link', 'set', 'eth0', 'up']):
            netns.command(['ip', *words])


class Ear(fixtures.Fixture):
    """Listens to the traffic between members on their Galera ports.

    :param needle: the text that it counts.
    """

    def __init__(self, home: lab_home.Home, needle: str,
                 ports: tuple[int, ...]) -> None:
        super().__init__()
        self._arguments = home, needle, ports

    def _setUp(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path
        self._ear = ears.Ear(*self._arguments, Path(folder, 'heard'))
        self.addCleanup(self._ear.close)

    @property
    def listening(self) -> bool:
        return self._ear.listening

    def heard(self) -> tuple[int, int]:
        """The bytes of the traffic, and how often the needle was in them."""
        return self._ear.heard()
