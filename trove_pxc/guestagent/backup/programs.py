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

"""Runs programs of the database's image, in a container of their own.

Docker only, no SQL. The running backup and the restore use it. A program does
not run in the container of the server: it can be killed without it, gets less
of the CPU, and its output never goes to a log of Docker.
"""

import collections
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import os
import socket
import struct
from typing import Any
from typing import Self

import docker
from docker import errors as docker_errors
from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import backup_tool
from trove_pxc.guestagent import container
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

NAME = 'database-backup'
#: of 1024 of the server
_CPU_SHARES = 256
# Docker sends the output of an attached container in frames, see "Attach to a
# container" of its API: the number of the stream, three zeros, the length.
_FRAME = struct.Struct('>BxxxL')
_STDOUT = 1
_READ_BYTES = 1 << 20
_LOG_LINES = 200
_LOG_LINE_BYTES = 4096
_MISSING = 127
_BEING_REMOVED = 409
_REMOVE_SECONDS = 60
# Docker's client is created with a limit for answers, also for this one.
_NO_LIMIT = None


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A program and its arguments, which hold no secret.

    :ivar names: of the program in the image, best first.
    :ivar before: shell commands to run first; '' for none.
    """

    names: tuple[str, ...]
    arguments: Sequence[str] = ()
    before: str = ''

    @property
    def command(self) -> list[str]:
        """The command of a container, with a shell that finds it."""
        choices = ' '.join(self.names)
        return ['/bin/sh', '-c', f'''{self.before or ':'} || exit
for name in {choices}; do
    if command -v "$name" > /dev/null; then exec "$name" "$@"; fi
done
echo "the image has none of the programs {choices}" >&2
exit {_MISSING}''', 'sh', *self.arguments]


class Programs:
    """The programs of the database's image.

    :param client: of the guest's Docker engine.
    """

    def __init__(self, client: container.Client) -> None:
        self._client = client
        self._running: Running | None = None

    def run(self, specification: container.Specification,
            program: Program, *, takes_input: bool = False) -> 'Running':
        """Start a program, without a network; one at a time.

        :param specification: whose image, user and mounts it gets.
        :raises trove_pxc.exceptions.BackupToolFailed: if Docker cannot.
        """
        self.end()
        api = self._client.api
        try:
            api.create_container(
                specification.image, name=NAME, user=specification.user,
                entrypoint=program.command[:1],
                command=program.command[1:], healthcheck={'test': ['NONE']},
                stdin_open=takes_input,
                host_config=api.create_host_config(
                    binds=container.binds(specification.mounts),
                    mounts=container.mounts(specification.mounts),
                    log_config=docker.types.LogConfig(type='none'),
                    security_opt=['no-new-privileges'],
                    cpu_shares=_CPU_SHARES, network_mode='none'))
            # First, so that no output is lost.
            attached = api.attach_socket(NAME, params={
                'stdin': int(takes_input), 'stdout': 1, 'stderr': 1,
                'stream': 1})
            self._client.containers.get(NAME).start()
        except docker_errors.APIError as error:
            self.end()
            raise exceptions.BackupToolFailed(
                f'Docker cannot run {program.names[0]} of the image '
                f'{specification.image}: {error.explanation or error}'
            ) from error
        self._running = Running(self, self._client, program.names[0],
                                attached)
        return self._running

    def end(self) -> None:
        """Kill the program that runs, also one of an earlier agent."""
        if self._running is not None:
            self._running.detach()
        try:
            self._client.containers.get(NAME).remove(v=True, force=True)
        except docker_errors.NotFound:
            LOG.debug('There is no container %s to remove', NAME)
        except docker_errors.APIError as error:
            if error.status_code != _BEING_REMOVED:
                raise
            waiting.until(f'the container {NAME} to be removed',
                          self._require_absent, _REMOVE_SECONDS, 0.2)

    def _require_absent(self) -> None:
        try:
            self._client.containers.get(NAME)
        except docker_errors.NotFound:
            return
        raise waiting.NotYet('Docker still has it')


class Running:
    """A program that runs. As a context manager it ends with the block.

    :ivar locked: whether its log tells that it locks the server now.
    """

    def __init__(self, the_programs: Programs, client: container.Client,
                 name: str, attached: Any) -> None:
        self._programs = the_programs
        self._client = client
        self._name = name
        self._attached = attached
        self._log: collections.deque[str] = collections.deque(
            maxlen=_LOG_LINES)
        self._begun = b''
        self.locked = False
        # The file that docker-py returns cannot be closed in one direction,
        # and its writes time out.
        self._input = socket.socket(fileno=os.dup(attached.fileno()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._programs.end()
        self._input.close()
        self._attached.close()

    def detach(self) -> None:
        """Read and write no more; its output ends.

        Docker cannot end a program whose output nobody reads: it waits for
        its own copy of the output (measured with 20.10).
        """
        try:
            self._input.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            LOG.debug('It is detached already: %s', error)

    @property
    def log(self) -> str:
        """The last lines of its error output."""
        return '\n'.join([*self._log, self._begun.decode(errors='replace')])

    def output(self) -> Iterator[bytes]:
        """Its output, in pieces, until it ends."""
        # docker-py makes four calls of the system for each frame.
        self._input.setblocking(True)
        frames = self._input.makefile('rb', _READ_BYTES)
        while len(head := frames.read(_FRAME.size)) == _FRAME.size:
            number, length = _FRAME.unpack(head)
            data = frames.read(length)
            if number == _STDOUT:
                yield data
            else:
                self._note(data)

    def write(self, data: bytes) -> None:
        """Pass data to its input; waits until it was taken.

        :raises trove_pxc.exceptions.BackupToolFailed: if it has ended.
        """
        try:
            self._input.sendall(data)
        except OSError as error:
            raise exceptions.BackupToolFailed(
                f'{self._name} ended before it had all data: {error}'
            ) from error

    def end_input(self) -> None:
        """Tell it that there is no more data."""
        self._input.shutdown(socket.SHUT_WR)

    def result(self) -> int:
        """Its exit code; call it after all output was read."""
        answer = self._client.api.wait(NAME, timeout=_NO_LIMIT)
        return int(answer['StatusCode'])

    def check(self) -> None:
        """Wait for its end.

        :raises trove_pxc.exceptions.BackupToolFailed: if it failed.
        """
        code = self.result()
        if code:
            raise exceptions.BackupToolFailed(
                f'{self._name} ended with {code}: {_reason(self.log)}')

    def _note(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b'\n')
        self._begun = self._begun[-_LOG_LINE_BYTES:]
        for line in lines:
            text = line[-_LOG_LINE_BYTES:].decode(errors='replace')
            self.locked = backup_tool.locks(text, self.locked)
            self._log.append(text)


def _reason(log: str) -> str:
    """The last lines of the log that report an error, or its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if 'rror' in line or 'FATAL' in line]
    return ' / '.join((errors or lines)[-2:]) or 'it wrote no message'
