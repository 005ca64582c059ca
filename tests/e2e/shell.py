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

"""A shell as a reader of the documentation uses it.

For the tests that follow the documentation. It lives from the first command
to the last, so that variables of one command are set for the next ones.
"""

from collections.abc import Mapping, Sequence
import contextlib
import os
import queue
import shlex
import subprocess
import threading
import time
from typing import NamedTuple
import uuid

from tests.e2e import laboratory

END = object()


class Done(NamedTuple):
    """The result of a command; both of its outputs in one."""

    output: str
    code: int


class Shell:
    """A bash in the checkout, without the variables of any OpenStack.

    :param more: variables in addition to those of this process
    :param argv: the command line that starts a bash elsewhere
    """

    def __init__(self, more: Mapping[str, str] | None = None,
                 argv: Sequence[str] = ('bash', '--norc')) -> None:
        environ = {name: value for name, value in os.environ.items()
                   if not name.startswith('OS_') and name != 'PYTHONPATH'}
        self._process = subprocess.Popen(
            argv, text=True, cwd=laboratory.TOP,
            env={**environ, 'COLUMNS': '200', 'NO_PROXY': '127.0.0.1',
                 'no_proxy': '127.0.0.1', **(more or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        self._lines: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, text: str, timeout: float) -> Done:
        """Run a command and wait until it has ended.

        :raises TimeoutError: with the output until then
        """
        mark = uuid.uuid4().hex
        assert self._process.stdin
        self._process.stdin.write(
            f'eval {shlex.quote(text)} < /dev/null\n'
            f'code=$?; printf "\\n%s %s\\n" {mark} "$code"; '
            '(exit "$code")\n')
        self._process.stdin.flush()
        deadline = time.monotonic() + timeout
        printed: list[str] = []
        while True:
            line = self._line(deadline, text, printed)
            if line.startswith(mark):
                return Done(''.join(printed).rstrip('\n'),
                            int(line.split()[1]))
            printed.append(line)

    def close(self) -> None:
        """End it, and all processes that it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(END)

    def _line(self, deadline: float, text: str, printed: list[str]) -> str:
        try:
            line = self._lines.get(
                timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(
                f'{text} has not ended; it printed: '
                f'{"".join(printed)}') from None
        if line is END:
            raise EOFError(f'{text} has ended the shell; it printed: '
                           f'{"".join(printed)}')
        return str(line)
