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

"""A machine on the members' network that is none of them, and an ear there.

For end-to-end tests of what members keep to themselves.
"""

from pathlib import Path
import subprocess
import sys

import fixtures

from lab import home as lab_home
from lab import netns
from lab import process

ADDRESS = '10.88.200.1'
_MASK = 16

#: counts the needles in what goes over all cables of the members' bridge;
#: packets are looked at two by two, for a needle may lie in both
_EAR = """
import socket, sys
needle = sys.argv[1].encode()
ports = {int(port) for port in sys.argv[2:]}
ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 27)
print('listening', flush=True)
tails, heard, found = {}, 0, 0
while True:
    frame = ear.recv(1 << 16)
    if frame[12:14] != bytes((8, 0)) or frame[23] != 6:
        continue
    start = 14 + (frame[14] & 15) * 4
    source = int.from_bytes(frame[start:start + 2], 'big')
    target = int.from_bytes(frame[start + 2:start + 4], 'big')
    if not {source, target} & ports:
        continue
    payload = frame[start + (frame[start + 12] >> 4) * 4:]
    flow = frame[26:34] + frame[start:start + 4]
    heard += len(payload)
    found += (tails.get(flow, b'') + payload).count(needle)
    tails[flow] = payload[-len(needle) + 1:]
    print(heard, found, flush=True)
"""


class Stranger(fixtures.Fixture):
    """Has an address among the members, and no certificate.

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
    """Hears what members say to each other on their Galera ports.

    :param needle: the text that it listens for.
    """

    def __init__(self, home: lab_home.Home, needle: str,
                 ports: tuple[int, ...]) -> None:
        super().__init__()
        self._argv = netns.inside(home.controller, [
            sys.executable, '-c', _EAR, needle, *map(str, ports)])
        self._home = home

    def _setUp(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'heard')
        self._heard = path
        with path.open('wb') as output:
            self._child = subprocess.Popen(
                self._argv, stdout=output,
                env=process.environment(self._home))
        self.addCleanup(self._child.wait)
        self.addCleanup(self._child.kill)

    @property
    def listening(self) -> bool:
        return bool(self._heard.read_text())

    def heard(self) -> tuple[int, int]:
        """Bytes that were said, and how often the needle was in them."""
        whole = self._heard.read_text().rpartition('\n')[0]
        last = whole.rpartition('\n')[2].split()
        if len(last) != 2:
            return 0, 0
        said, found = last
        return int(said), int(found)
