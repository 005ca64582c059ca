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

"""A server that speaks the client/server protocol of MySQL on a socket.

It admits every login and answers queries with given rows. Source:
"Client/Server Protocol" of the MariaDB documentation.
"""

from collections.abc import Sequence
import contextlib
import socket
import struct
import threading

_GREETING = (b'\x0a10.11.19-MariaDB\0' + struct.pack('<I', 7) + b'saltsalt\0'
             + struct.pack('<HBHH', 0xa205, 45, 2, 0x0008)
             + b'\x15' + bytes(10) + b'saltsaltsalt\0'
             + b'mysql_native_password\0')
_OK = b'\0\0\0\2\0\0\0'
_EOF = b'\xfe\0\0\2\0'
_MORE = 8      # in the status after a result: another one follows
_TYPES = {str: 0xfd, int: 0x08}
_QUERY = 3


class Server:
    """A server at a socket, with one thread for each session.

    :ivar rows: the rows for each query that starts with the key; other
        queries change nothing and succeed.
    :ivar errors: the error number for each query that starts with the key.
    :ivar silent: whether it leaves queries without an answer.
    :ivar queries: all queries, in their order.
    :ivar logins: the number of all logins.
    """

    def __init__(self, path: str) -> None:
        self.rows: dict[str, Sequence[Sequence[str | int]]] = {}
        self.errors: dict[str, int] = {}
        self.silent = False
        self.queries: list[str] = []
        self.logins = 0
        self._sessions: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def end_sessions(self) -> None:
        """Close all sessions, as a server does that ends."""
        while self._sessions:
            # The thread of the session waits for the next query.
            with contextlib.suppress(OSError):
                self._sessions.pop().shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end_sessions()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self._sessions.append(line)
                threading.Thread(target=self._serve, args=(line,),
                                 daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line, line.makefile('rb') as read:
            _send(line, 0, _GREETING)
            read.read(_length(read.read(4)))
            self.logins += 1
            _send(line, 2, _OK)
            while header := read.read(4):
                command = read.read(_length(header))
                if command[0] == _QUERY:
                    self._answer(line, command[1:].decode())

    def _answer(self, line: socket.socket, text: str) -> None:
        queries = text.split('; ')
        self.queries.extend(queries)
        if not self.silent:
            _send(line, 1, *(
                packet for place, query in enumerate(queries)
                for packet in self._answer_to(
                    query, place + 1 < len(queries))))

    def _answer_to(self, query: str, more: bool) -> list[bytes]:
        for start, code in self.errors.items():
            if query.startswith(start):
                return [b'\xff' + struct.pack('<H', code) + b'#42000refused']
        for start, rows in self.rows.items():
            if query.startswith(start):
                return _result(rows, more)
        return [_OK]


def _result(rows: Sequence[Sequence[str | int]], more: bool) -> list[bytes]:
    end = b'\xfe\0\0' + struct.pack('<H', 2 | _MORE * more)
    columns = [
        b'\3def' + 3 * b'\0' + 2 * b'\1c' + b'\x0c' + struct.pack(
            '<HIBHBH', 45, 1024, _TYPES[type(value)], 0, 0, 0)
        for value in rows[0]]
    return [bytes([len(columns)]), *columns, _EOF,
            *(b''.join(bytes([len(str(value))]) + str(value).encode()
                       for value in row) for row in rows), end]


def _length(header: bytes) -> int:
    return int.from_bytes(header[:3], 'little')


def _send(line: socket.socket, number: int, *payloads: bytes) -> None:
    line.sendall(b''.join(
        len(payload).to_bytes(3, 'little') + bytes([number + place]) + payload
        for place, payload in enumerate(payloads)))
