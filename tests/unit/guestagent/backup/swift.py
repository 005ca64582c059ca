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

"""A small object store with Swift's API, on a port of this machine.

Static large objects, checksums, tokens, quotas; and faults on demand.
"""

import hashlib
from http import server
import json
import socket
import threading
from typing import Any
from urllib import parse

import fixtures

from trove_pxc.galera import backups
from trove_pxc.galera import secret

TOKEN = 'gAAAAAB-token-1'
ACCOUNT = '/v1/AUTH_x'


class Swift(fixtures.Fixture):
    """The server, and what it stores.

    :ivar objects: bodies by container and name.
    :ivar headers: of the objects.
    :ivar manifests: the segments of those that are large objects.
    :ivar tokens: those that it accepts.
    :ivar requests: method and path of each request.
    :ivar answers: statuses for the next requests; 0: close the connection.
    :ivar damage: names of objects that it returns damaged.
    """

    def _setUp(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.manifests: dict[str, list[dict[str, Any]]] = {}
        self.containers: set[str] = set()
        self.tokens = {TOKEN}
        self.requests: list[tuple[str, str]] = []
        self.answers: list[int] = []
        self.damage: set[str] = set()
        self.held = threading.Event()
        self.held.set()
        self.lock = threading.Lock()
        self.most = 1000
        http = server.ThreadingHTTPServer(('127.0.0.1', 0), _handler(self))
        http.daemon_threads = True
        self.url = f'http://127.0.0.1:{http.server_port}{ACCOUNT}'
        self._http = http
        self._over = threading.Event()
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        self.addCleanup(http.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self._end)
        self.addCleanup(self.held.set)

    def _serve(self) -> None:
        """Accept connections.

        serve_forever would wait with a selector, which blocks green threads:
        other tests of the same process import Trove's services, which patch
        the sockets.
        """
        while True:
            request, address = self._http.get_request()
            if self._over.is_set():
                request.close()
                return
            self._http.process_request(request, address)

    def _end(self) -> None:
        self._over.set()
        socket.create_connection(self._http.server_address, 10).close()

    @property
    def place(self) -> backups.Store:
        return backups.Store(self.url, secret.Secret(TOKEN), 'backups')

    def content(self, name: str) -> bytes:
        """The content of an object, also of a large one."""
        if name not in self.manifests:
            return self.objects[name]
        return b''.join(self.content(one['name'].lstrip('/'))
                        for one in self.manifests[name])

    def size(self, name: str) -> int:
        return len(self.content(name))


class _Base(server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    swift: Swift

    def log_message(self, *arguments: Any) -> None:
        """Tests look at the requests instead."""

    def handle_one(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length)
        if self.headers.get('Transfer-Encoding') == 'chunked':
            body = self._chunks()
        self.swift.held.wait(30)
        url = parse.urlsplit(self.path)
        name = parse.unquote(url.path.removeprefix(ACCOUNT).strip('/'))
        query = dict(parse.parse_qsl(url.query, keep_blank_values=True))
        with self.swift.lock:
            self.swift.requests.append((self.command, name))
            status = (self.swift.answers.pop(0) if self.swift.answers
                      else None)
            if status == 0:
                self.close_connection = True
                return
            if status is None and (self.headers.get('X-Auth-Token')
                                   not in self.swift.tokens):
                status = 401
            if status is None:
                self._do(name, query, body)
            else:
                self._answer(status)

    do_GET = do_PUT = do_HEAD = do_DELETE = handle_one

    def _chunks(self) -> bytes:
        body = b''
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _do(self, name: str, query: dict[str, str], body: bytes) -> None:
        container, _, item = name.partition('/')
        if not item:
            self._container(container, query)
        elif self.command == 'PUT':
            self._put(container, name, query, body)
        elif name not in self.swift.headers:
            self._answer(404)
        elif self.command == 'DELETE':
            for kept in (self.swift.objects, self.swift.manifests,
                         self.swift.headers):
                kept.pop(name, None)
            self._answer(204)
        elif query.get('multipart-manifest') == 'get':
            self._answer(200, json.dumps(self.swift.manifests[name]).encode(),
                         self.swift.headers[name])
        else:
            content = self.swift.content(name)
            if name in self.swift.damage:
                content = b'damaged' + content[7:]
            self._answer(200, content, self.swift.headers[name])

    def _container(self, container: str, query: dict[str, str]) -> None:
        if self.command == 'PUT':
            self.swift.containers.add(container)
            self._answer(201)
            return
        begin = f'{container}/{query.get("prefix", "")}'
        names = [name.partition('/')[2] for name in sorted(self.swift.headers)
                 if name.startswith(begin)
                 and name.partition('/')[2] > query.get('marker', '')]
        self._answer(200, json.dumps([
            {'name': name, 'bytes': 1} for name in names]).encode(),
            {'content-type': 'application/json'})

    def _put(self, container: str, name: str, query: dict[str, str],
             body: bytes) -> None:
        if container not in self.swift.containers:
            self._answer(404)
            return
        kept = {key.lower(): value for key, value in self.headers.items()
                if key.lower().startswith('x-object-meta-')}
        etag = hashlib.md5(body).hexdigest()
        if self.headers.get('ETag', etag) != etag:
            self._answer(422)
            return
        if query.get('multipart-manifest') == 'put':
            listed = json.loads(body)
            if len(listed) > self.swift.most or any(
                    one['path'].lstrip('/') not in self.swift.headers
                    for one in listed):
                self._answer(400)
                return
            self.swift.manifests[name] = [
                {'name': one['path'], 'hash': one['etag'],
                 'bytes': one['size_bytes'],
                 'sub_slo': one['path'].lstrip('/') in self.swift.manifests}
                for one in listed]
            etag = hashlib.md5(''.join(
                one['etag'] for one in listed).encode()).hexdigest()
            kept['x-static-large-object'] = 'True'
        else:
            self.swift.objects[name] = body
        self.swift.headers[name] = {**kept, 'etag': etag}
        self._answer(201, b'', {'etag': f'"{etag}"'})

    def _answer(self, status: int, body: bytes = b'',
                headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)


def _handler(swift: Swift) -> type[_Base]:
    return type('Handler', (_Base,), {'swift': swift})
