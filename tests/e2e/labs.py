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

"""The labs of a run of end-to-end tests, and the lab of each process.

"tox -e e2e" calls it as a program; ``laboratory`` calls ``claim``. LAB_HOME
and LAB_API_PORT are those of the first lab, LAB_SIDE_BY_SIDE is the number of
labs. Without it a test uses the lab of LAB_HOME.
"""

from collections.abc import MutableMapping
import contextlib
import os
from pathlib import Path
import subprocess
import sys
from typing import NamedTuple

from lab import lock
from lab import waiting

TOP = Path(__file__).resolve().parents[2]
PROGRAM = TOP / 'lab' / 'lab'
#: Shared with the first lab, because building it takes minutes.
SHARED = ('venv', 'venv-swift', 'images', 'cache')
NUMBER = 'LAB_SIDE_BY_SIDE'
#: From the port of one lab to that of the next; those between are used.
PORT_STEP = 5
LOCK = 'used-by-tests'
TURN_SECONDS = 3600


class Lab(NamedTuple):
    """The folder of a lab, and the port of its Trove."""

    home: Path
    port: int

    def run(self, *words: str) -> None:
        """Run ``lab/lab`` for it, and print the output.

        :raises subprocess.CalledProcessError: the command has failed
        """
        print(f'{self.home}: lab {" ".join(words)}', flush=True)
        subprocess.run([str(PROGRAM), *words], check=True, env={
            **os.environ, 'LAB_HOME': str(self.home),
            'LAB_API_PORT': str(self.port)})


class Labs:
    """The labs that the environment names.

    :param environ: ``claim`` writes the lab of this process into it, and
        removes the others
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._held = contextlib.ExitStack()
        self._claimed = False
        self.all: list[Lab] = []
        for number in range(int(environ.get(NUMBER, 0))):
            home = environ['LAB_HOME'] + (f'-{number + 1}' if number else '')
            port = int(environ['LAB_API_PORT']) + number * PORT_STEP
            self.all.append(Lab(Path(home).absolute(), port))

    def up(self) -> None:
        """Start all labs; remove what an earlier run has left."""
        self.down()
        first, *others = self.all
        first.run('up')
        for other in others:
            share(first.home, other.home)
            other.run('up')

    def down(self) -> None:
        """Take all labs down; their logs stay."""
        for lab in self.all:
            lab.run('down')

    def claim(self, timeout: float = TURN_SECONDS) -> None:
        """Reserve a lab for this process, until it ends.

        If other processes use all labs, wait until one of them has ended.

        :raises waiting.WaitTimeout: none has ended
        """
        if not self.all or self._claimed:
            return
        waiting.until('a lab that no other tests use', self._take, timeout,
                      0.2)

    def release(self) -> None:
        """Release the lab; its name stays in the environment."""
        self._held.close()
        self._claimed = False

    def _take(self) -> bool:
        for lab in self.all:
            with contextlib.ExitStack() as stack:
                if not stack.enter_context(lock.alone(lab.home / LOCK)):
                    continue
                self._held = stack.pop_all()
            self._claimed = True
            self._environ['LAB_HOME'] = str(lab.home)
            self._environ['LAB_API_PORT'] = str(lab.port)
            self._environ.pop(NUMBER, None)
            return True
        return False


def share(first: Path, other: Path) -> None:
    """Make a lab use what another has built, if it has not built it."""
    other.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        link = other / name
        if link.is_symlink():
            link.unlink()
        if not link.exists():
            link.symlink_to(first / name)


def main(argv: list[str]) -> int:
    """Start the labs or take them down; return the exit code."""
    labs = Labs(os.environ)
    action = {'up': labs.up, 'down': labs.down}[argv[0]]
    try:
        action()
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
