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

"""A listener on the network of the members.

For tests of the encryption. Standard library only.
"""

from pathlib import Path
import subprocess
import sys

from lab import home as lab_home
from lab import netns
from lab import process

#: Counts the needle in the packets on all ports of the members' bridge. Each
#: packet is searched together with the one before, because a needle may
#: begin in one and end in the next.
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


class Ear:
    """Counts a text in the traffic between members.

    :param needle: the text.
    :param ports: the TCP ports that count.
    :param notes: the path of a file for the counts.
    """

    def __init__(self, home: lab_home.Home, needle: str,
                 ports: tuple[int, ...], notes: Path) -> None:
        self._notes = notes
        with notes.open('wb') as output:
            self._child = subprocess.Popen(
                netns.inside(home.controller, [
                    sys.executable, '-c', _EAR, needle, *map(str, ports)]),
                stdout=output, env=process.environment(home))

    def close(self) -> None:
        self._child.kill()
        self._child.wait()

    @property
    def listening(self) -> bool:
        return bool(self._notes.read_text())

    def heard(self) -> tuple[int, int]:
        """The bytes of the traffic, and how often the needle was in them."""
        whole = self._notes.read_text().rpartition('\n')[0]
        last = whole.rpartition('\n')[2].split()
        if len(last) != 2:
            return 0, 0
        said, found = last
        return int(said), int(found)
