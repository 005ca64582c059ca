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

"""A filter in the pipeline of Swift's proxy that simulates faults.

The proxy loads it through the lab's proxy-server.conf. It reads the faults
from a file, which ``lab swift`` writes, for each request.
"""

from collections.abc import Callable, Iterable, Iterator
import contextlib
import http
from pathlib import Path
import secrets
import socket
import time
from typing import Any

from eventlet import patcher
from eventlet import wsgi

from lab.swift import faults as swift_faults
from lab import waiting

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

MESSAGE = b'this failure was requested with "lab swift fail"\n'
#: the body of an upload in chunks has no length
UNKNOWN_LENGTH = 1 << 20


class Failing:
    """The filter.

    :param file: of the faults
    :param draw: returns a random number from 0 to 1
    """

    def __init__(self, application: Application, file: Path,
                 draw: Callable[[], float] = secrets.SystemRandom().random
                 ) -> None:
        self._application = application
        self._file = file
        self._draw = draw
        self._seen = -1
        self._failed = 0
        self._faults = swift_faults.Faults()
        self._line = Line()

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        self._read()
        faults = self._faults
        if faults.delay:
            waiting.pause(faults.delay)
        kind = self._due(environ)
        if kind in swift_faults.CODES:
            return _refuse(kind, start)
        if faults.rate:
            environ['wsgi.input'] = Input(
                environ['wsgi.input'],
                lambda data: self._line.carry(len(data), faults.rate))
        answer = self._answer(kind, environ, start)
        if faults.rate:
            return self._paced(answer, faults.rate)
        return answer

    def _answer(self, kind: str | None, environ: Environ,
                start: Start) -> Iterable[bytes]:
        if kind == swift_faults.CUT:
            return _cut(self._application, environ, start)
        if kind == swift_faults.LOST:
            return _lost(self._application, environ, start)
        return self._application(environ, start)

    def _read(self) -> None:
        try:
            now = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            now = 0
        if now != self._seen:
            self._faults = swift_faults.load(self._file)
            self._seen, self._failed = now, 0

    def _due(self, environ: Environ) -> str | None:
        """The kind of failure of this request, or None."""
        faults = self._faults
        if not faults.concern(environ['REQUEST_METHOD'],
                              environ.get('PATH_INFO', '')):
            return None
        if faults.times and self._failed >= faults.times:
            return None
        if self._draw() >= faults.share:
            return None
        self._failed += 1
        chosen = int(self._draw() * len(faults.kinds))
        return faults.kinds[min(chosen, len(faults.kinds) - 1)]

    def _paced(self, answer: Iterable[bytes], rate: int) -> Iterator[bytes]:
        with contextlib.ExitStack() as stack:
            stack.callback(getattr(answer, 'close', lambda: None))
            for data in answer:
                self._line.carry(len(data), rate)
                yield data


class Line:
    """A slow line, which all requests share."""

    def __init__(self) -> None:
        self._free_at = 0.0

    def carry(self, size: int, rate: int) -> None:
        """Wait until the line has transferred so many bytes."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size / rate
        waiting.pause(self._free_at - now)


class Input:
    """The body of a request; a function gets each part that is read."""

    def __init__(self, body: Any, seen: Callable[[bytes], None]) -> None:
        self._body = body
        self._seen = seen

    def read(self, *size: int) -> bytes:
        return self._checked(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._checked(self._body.readline(*size))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def _checked(self, data: bytes) -> bytes:
        self._seen(data)
        return data


def _refuse(code: str, start: Start) -> list[bytes]:
    start(f'{code} {http.HTTPStatus(int(code)).phrase}',
          [('Content-Type', 'text/plain'),
           ('Content-Length', str(len(MESSAGE)))])
    return [MESSAGE]


def _cut(application: Application, environ: Environ,
         start: Start) -> Iterable[bytes]:
    """Break the connection when half of the body is transferred."""
    if environ['REQUEST_METHOD'] == 'GET':
        return _cut_download(application, environ, start)
    length = environ.get('CONTENT_LENGTH')
    left = int(length or 2 * UNKNOWN_LENGTH) // 2
    if length == '0' or environ['REQUEST_METHOD'] != 'PUT':
        return _broken(environ, start)

    def count(data: bytes) -> None:
        nonlocal left
        left -= len(data)
        if left <= 0 or not data:
            _hang_up(environ)
            # as of a connection that has broken
            raise wsgi.ChunkReadError

    environ['wsgi.input'] = Input(environ['wsgi.input'], count)
    return application(environ, start)


def _cut_download(application: Application, environ: Environ,
                  start: Start) -> Iterator[bytes]:
    whole = 0

    def begin(status: str, headers: list[tuple[str, str]],
              *others: Any) -> Any:
        nonlocal whole
        whole = int(dict(headers).get('Content-Length') or 0)
        return start(status, headers, *others)

    given = 0
    with contextlib.ExitStack() as stack:
        answer = application(environ, begin)
        stack.callback(getattr(answer, 'close', lambda: None))
        for data in answer:
            data = data[:max(1, whole // 2 - given)]
            given += len(data)
            yield data
            if given >= whole // 2:
                break
    _hang_up(environ)


def _lost(application: Application, environ: Environ,
          start: Start) -> list[bytes]:
    """Carry out the request, then break the connection."""
    answer = application(environ, lambda *words: None)
    with contextlib.ExitStack() as stack:
        stack.callback(getattr(answer, 'close', lambda: None))
        for _data in answer:
            pass
    return _broken(environ, start)


def _broken(environ: Environ, start: Start) -> list[bytes]:
    _hang_up(environ)
    start('500 Internal Server Error', [('Content-Length', '0')])
    return []


def _hang_up(environ: Environ) -> None:
    with contextlib.suppress(OSError):
        environ['eventlet.input'].get_socket().shutdown(socket.SHUT_RDWR)


def factory(global_config: dict[str, str],
            **local_config: str) -> Callable[[Application], Failing]:
    """The factory for paste.deploy."""
    # A request that waits must not stop the others.
    patcher.monkey_patch(all=False, time=True)
    file = Path(local_config['file'])
    return lambda application: Failing(application, file)
