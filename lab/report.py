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

"""Prints what a command does, and how long each part takes.

Every module of the lab may import it. The lines go to standard error, so that
a command's standard output contains only its result.
"""

from collections.abc import Iterator
import contextlib
import sys
import threading
import time
from typing import TextIO


class Report:
    """Prints lines with the time since the start; thread-safe."""

    def __init__(self, stream: TextIO | None = None,
                 quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._start = time.monotonic()
        self._lock = threading.Lock()

    @property
    def elapsed(self) -> float:
        """Seconds since this report began."""
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Print one line."""
        if self._quiet:
            return
        with self._lock:
            self._stream.write(f'[{self.elapsed:6.1f}s] {text}\n')
            self._stream.flush()

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print when a step starts, and when it is done or has failed."""
        began = time.monotonic()
        self.say(f'{what} ...')
        try:
            yield
        except BaseException:
            self.say(f'{what}: FAILED after '
                     f'{time.monotonic() - began:.1f} s')
            raise
        self.say(f'{what}: done in {time.monotonic() - began:.1f} s')
