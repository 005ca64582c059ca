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

"""The ports of a guest that are open, as seen from another machine.

For end-to-end tests of security groups.
"""

from collections.abc import Iterable

#: A port that the firewall allows is open, or refuses at once if no server
#: listens; the firewall drops packets for other ports.
_KNOCK = '''
import socket, sys
for port in sys.argv[2:]:
    try:
        socket.create_connection((sys.argv[1], int(port)), 1.5).close()
        print(port, 'open')
    except ConnectionRefusedError:
        print(port, 'refused')
    except TimeoutError:
        print(port, 'silent')
'''


def command(address: str, ports: Iterable[int],
            python: str = 'python3') -> list[str]:
    """The command line that tries the ports, for ``told``."""
    return [python, '-c', _KNOCK, address, *map(str, ports)]


def told(printed: str) -> dict[int, str]:
    """By port: open, refused or silent."""
    return {int(line.split()[0]): line.split()[1]
            for line in printed.splitlines()}
