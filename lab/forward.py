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

"""A program that forwards ports of the machine into the lab.

Only ``lab.services.forwarder`` runs it. It listens on the loopback in the
machine's network namespace, and connects in that of the controller.
"""

import argparse
import asyncio
import contextlib
import functools
import socket

from lab import home as lab_home
from lab import netns

CHUNK = 65536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--home', required=True)
    parser.add_argument('--lead', action='append', required=True,
                        metavar='PORT:PORT')
    arguments = parser.parse_args()
    doors = [tuple(map(int, one.split(':'))) for one in arguments.lead]
    listeners = [(socket.create_server(('127.0.0.1', port)), inside)
                 for port, inside in doors]
    netns.enter(netns.path(lab_home.Home(arguments.home).controller))
    asyncio.run(_serve(listeners))


async def _serve(listeners: list[tuple[socket.socket, int]]) -> None:
    servers = [
        await asyncio.start_server(
            functools.partial(_lead_through, inside), sock=listener)
        for listener, inside in listeners]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _lead_through(port: int, from_client: asyncio.StreamReader,
                        to_client: asyncio.StreamWriter) -> None:
    try:
        from_api, to_api = await asyncio.open_connection('127.0.0.1', port)
    except OSError:
        to_client.close()
        return
    await asyncio.gather(_copy(from_client, to_api),
                         _copy(from_api, to_client))


async def _copy(source: asyncio.StreamReader,
                target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()
        await target.wait_closed()


if __name__ == '__main__':
    main()
