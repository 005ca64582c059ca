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

"""The programs of the image as processes of this machine.

``mariadb-backup`` and ``mbstream`` are small programs here, with real pipes
and the real format of the stream. What they do is decided by files in their
folder: ``fail`` makes the backup fail, ``hang`` lets it wait for its end,
``locks`` lets it hold locks of the server.
"""

from collections.abc import Iterator
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from typing import Any
from typing import Self

from trove_pxc import exceptions
from trove_pxc.guestagent.backup import programs

UUID = '6f3e0b8e-7d5c-11ee-a0b1-96e7b9a5d1f2'

_BACKUP = r'''
import pathlib, struct, sys, time, zlib
here = pathlib.Path(__file__).parent
options = dict(one.lstrip('-').partition('=')[::2] for one in sys.argv[1:])
data = here / 'data'
if 'prepare' in options:
    target = pathlib.Path(options['target-dir'])
    increment = options.get('incremental-dir')
    if increment:
        for file in pathlib.Path(increment).iterdir():
            (target / file.name).write_bytes(file.read_bytes())
    with (target / 'prepared').open('a') as file:
        print(sys.argv[1:], file=file)
    sys.exit(0)
(here / 'login').write_text(
    pathlib.Path(options['defaults-file']).read_text()
    if pathlib.Path(options['defaults-file']).exists() else '')
(here / 'arguments').write_text(' '.join(sys.argv[1:]))
def send(name, payload, kind=b'P'):
    path = name.encode()
    out = struct.pack('<8sBcI', b'XBSTCK01', 0, kind, len(path)) + path
    if kind == b'P':
        out += struct.pack('<QQI', len(payload), 0, zlib.crc32(payload))
    sys.stdout.buffer.write(out + payload)
since = int(options.get('incremental-lsn', 0))
print('[00] Connecting to server', file=sys.stderr)
for file in sorted(data.iterdir()):
    send(file.name, file.read_bytes())
    send(file.name, b'', b'E')
sys.stdout.buffer.flush()
while (here / 'hang').exists():
    time.sleep(0.01)
if (here / 'fail').exists():
    print('[00] mariadb-backup: Error: no Adm-1 space', file=sys.stderr)
    sys.exit(1)
for name, text in (
        ('checkpoints', f'from_lsn = {since}\nto_lsn = {since + 100}\n'),
        ('galera_info', 'UUID:17\n'),
        ('info', 'tool_name = mariadb-backup\ntool_version = 10.11.19\n')):
    send('xtrabackup_' + name, text.encode())
    send('xtrabackup_' + name, b'', b'E')
'''.replace('UUID', UUID)

_EXTRACT = r'''
import pathlib, struct, sys
target = pathlib.Path(sys.argv[sys.argv.index('-C') + 1])
data = sys.stdin.buffer.read()
if (pathlib.Path(__file__).parent / 'full').exists():
    sys.exit('mbstream: Error: no space left on device')
at = 0
while at < len(data):
    magic, _, kind, length = struct.unpack_from('<8sBcI', data, at)
    name = data[at + 14:at + 14 + length].decode()
    at += 14 + length
    if kind == b'P':
        size, _, _ = struct.unpack_from('<QQI', data, at)
        with (target / name).open('ab') as file:
            file.write(data[at + 20:at + 20 + size])
        at += 20 + size
'''


class LocalPrograms:
    """Runs the programs of one image, which is a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        (folder / 'data').mkdir()
        for name, text in (('mariadb-backup', _BACKUP),
                           ('mbstream', _EXTRACT)):
            (folder / name).write_text(text)
        self.mounts: list[tuple[str, bool]] = []
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, specification: Any, program: programs.Program, *,
            takes_input: bool = False) -> 'LocalRunning':
        self.mounts = [(mount.source, mount.read_only)
                       for mount in specification.mounts]
        inside = {mount.target: mount.source
                  for mount in specification.mounts}
        arguments = list(program.arguments)
        for target, source in inside.items():
            arguments = [one.replace(f'={target}/', f'={source}/')
                         for one in arguments]
        self._process = subprocess.Popen(
            [sys.executable, str(self.folder / program.names[0]), *arguments],
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ))
        return LocalRunning(self._process, program.names[0],
                            self.folder / 'locks')

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()


class LocalRunning:
    """One process, as programs.Running is one container."""

    def __init__(self, process: 'subprocess.Popen[bytes]',
                 name: str, locks: pathlib.Path) -> None:
        self._process = process
        self._locks = locks
        self._name = name
        self._said = tempfile.TemporaryFile()
        assert process.stderr is not None
        self._reader = threading.Thread(
            target=lambda: self._said.write(process.stderr.read()))
        self._reader.start()

    @property
    def locked(self) -> bool:
        return self._locks.exists()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout,
                     self._process.stderr, self._said):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def output(self) -> Iterator[bytes]:
        assert self._process.stdout is not None
        while data := os.read(self._process.stdout.fileno(), 32768):
            yield data

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except BrokenPipeError as error:
            raise exceptions.BackupToolFailed('it ended early') from error

    def end_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def check(self) -> None:
        code = self._process.wait()
        self._reader.join()
        self._said.seek(0)
        if code:
            said = self._said.read().decode()
            raise exceptions.BackupToolFailed(
                f'{self._name} ended with {code}: {said}')
