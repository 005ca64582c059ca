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

"""An object store that keeps nothing, for the rate of the guest alone.

The backup program runs it on the controller of the lab. Standard library only.
"""

from http import server
import sys

PORT = 8089
PIECE = 1 << 20


class Handler(server.BaseHTTPRequestHandler):
    """Accepts every object, with the checksum that the client sends."""

    protocol_version = 'HTTP/1.1'

    def do_PUT(self) -> None:
        left = int(self.headers.get('Content-Length') or 0)
        room = memoryview(bytearray(PIECE))
        while left:
            left -= self.rfile.readinto(room[:min(left, PIECE)])
        self._answer(201)

    def do_GET(self) -> None:
        self._answer(200, b'[]')

    def log_message(self, *arguments: object) -> None:
        """A line for each request would be of no use."""

    def _answer(self, status: int, body: bytes = b'') -> None:
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Content-Type', 'application/json')
        self.send_header('ETag', f'"{self.headers.get("ETag", "none")}"')
        self.end_headers()
        self.wfile.write(body)


if __name__ == '__main__':
    server.ThreadingHTTPServer((sys.argv[1], PORT), Handler).serve_forever()
