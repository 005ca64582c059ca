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

"""A client of a Docker engine's HTTP API, through its socket.

For ``lab.guest`` and ``lab.images``. It opens the socket of a guest's engine
through /proc/PID/root, so that no program has to run in the guest.
"""

from collections.abc import Mapping
import http.client
import json
import os
from pathlib import Path
import socket
from typing import Any, BinaryIO
import urllib.parse

from lab import errors

TIMEOUT = 30.0
VERSION = 'v1.41'
NOT_FOUND = 404
FIRST_ERROR = 400


class DockerError(errors.LabError):
    """The engine refused, or cannot be reached."""


class NoSuchContainer(DockerError):
    """The engine has no container of this name."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__('localhost', timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """One Docker engine."""

    def __init__(self, path: str | os.PathLike[str],
                 timeout: float = TIMEOUT) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout

    def answers(self) -> bool:
        """Whether the engine is ready."""
        try:
            return self._request('GET', '/_ping').strip() == b'OK'
        except DockerError:
            return False

    def inspect(self, container: str) -> dict[str, Any]:
        """The state of a container, from the engine."""
        content: dict[str, Any] = json.loads(
            self._request('GET', f'/containers/{container}/json'))
        return content

    def start(self, container: str) -> None:
        """Start a container, if it does not run."""
        self._request('POST', f'/containers/{container}/start')

    def stop(self, container: str, timeout: int) -> None:
        """Stop a container; kill it after ``timeout`` seconds."""
        self._request('POST', f'/containers/{container}/stop',
                      {'t': str(timeout)}, patience=timeout + TIMEOUT)

    def load(self, archive: Path) -> str:
        """Load an image from an archive in the format of ``docker save``.

        :returns: its first tag, or its ID if it has none
        """
        with archive.open('rb') as file:
            said = self._request(
                'POST', '/images/load', {'quiet': '1'}, file,
                archive.stat().st_size, patience=1800.0)
        return _loaded_name(said)

    def pull(self, reference: str) -> None:
        """Pull an image from its registry."""
        said = self._request('POST', '/images/create',
                             {'fromImage': reference}, patience=1800.0)
        for line in said.decode().splitlines():
            message = json.loads(line)
            if 'error' in message:
                raise DockerError(message['error'])

    def tag(self, image: str, repository: str, tag: str) -> None:
        self._request('POST', f'/images/{_quoted(image)}/tag',
                      {'repo': repository, 'tag': tag})

    def untag(self, name: str) -> None:
        self._request('DELETE', f'/images/{_quoted(name)}',
                      {'noprune': '1'})

    def image(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            self._request('GET', f'/images/{_quoted(name)}/json'))
        return content

    def _request(self, method: str, path: str,
                 query: Mapping[str, str] | None = None,
                 body: BinaryIO | None = None, length: int = 0,
                 patience: float | None = None) -> bytes:
        connection = _Connection(self._path, patience or self._timeout)
        url = f'/{VERSION}{path}'
        if query:
            url += '?' + urllib.parse.urlencode(query)
        headers = {'Content-Length': str(length)}
        if body:
            headers['Content-Type'] = 'application/x-tar'
        try:
            connection.request(method, url, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise DockerError(
                f'the Docker engine at {self._path} does not answer: '
                f'{error}') from error
        finally:
            connection.close()
        if response.status >= FIRST_ERROR:
            _refuse(response.status, path, content)
        return content


def _refuse(status: int, path: str, content: bytes) -> None:
    try:
        message = json.loads(content)['message']
    except (ValueError, KeyError):
        message = content.decode(errors='replace')
    if status == NOT_FOUND and path.startswith('/containers/'):
        raise NoSuchContainer(message)
    raise DockerError(f'Docker answered {status} to {path}: {message}')


def _loaded_name(said: bytes) -> str:
    name = ''
    for line in said.decode().splitlines():
        message = json.loads(line)
        if 'error' in message:
            raise DockerError(message['error'])
        text = message.get('stream', '')
        for head in ('Loaded image: ', 'Loaded image ID: '):
            if text.startswith(head) and not name:
                name = text.removeprefix(head).strip()
    if not name:
        raise DockerError(f'the archive contains no image: {said!r}')
    return name


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe='')
