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

"""Deadlines and polling: the only place of trove_pxc that sleeps.

Anyone may import it. It uses ``time.sleep`` through the module, so that it
yields to the other green threads of a service that eventlet has patched, and
works as well in ordinary threads.
"""

from collections.abc import Callable
from collections.abc import Hashable
import threading
import time
from typing import TypeVar

from trove_pxc import exceptions

Found = TypeVar('Found')


class NotYet(Exception):
    """Raised by a probe: the thing is not there; the text is what was seen."""


class Deadline:
    """A time limit, in seconds, that progress pushes back.

    :param seconds: how long a wait may last; with ``progress``, how long it
        may last without any progress.
    :param progress: returns a value that differs whenever something moved,
        for instance the number of bytes that have arrived. It is asked once
        per poll.
    """

    def __init__(self, seconds: float,
                 progress: Callable[[], Hashable] | None = None) -> None:
        self.seconds = seconds
        self._progress = progress
        self._seen: Hashable = None
        self._ends = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds until it expires, 0 when it has."""
        return max(0.0, self._ends - time.monotonic())

    def expired(self) -> bool:
        """Whether the time is up; a change in the progress renews it."""
        if self._progress is not None:
            now_seen = self._progress()
            if now_seen != self._seen:
                self._seen = now_seen
                self._ends = time.monotonic() + self.seconds
        return time.monotonic() >= self._ends


def pause(seconds: float) -> None:
    """Let others run for so many seconds."""
    time.sleep(seconds)


def until(what: str, probe: Callable[[], Found],
          deadline: Deadline | float, interval: float) -> Found:
    """Call ``probe`` until it returns, and give back what it returned.

    :param what: what is waited for, as it is to stand in the error:
        "member products-1 to be Synced".
    :param probe: returns when the thing is there; raises NotYet with what it
        saw instead when it is not. Any other exception ends the wait.
    :param deadline: a Deadline, or seconds. The probe is called at least once,
        and once more after the last pause.
    :param interval: seconds between two calls.
    :raises trove_pxc.exceptions.DeadlineExceeded: with the last thing seen.
    """
    limit = deadline if isinstance(deadline, Deadline) else Deadline(deadline)
    while True:
        try:
            return probe()
        except NotYet as seen:
            if limit.expired():
                raise exceptions.DeadlineExceeded(
                    what, limit.seconds, str(seen)) from seen
        pause(min(interval, limit.remaining))


class Regularly:
    """Calls something every so many seconds, until the block is left.

    It has a thread of its own, which in a service that eventlet has patched
    is a green one. An error of the call ends its thread: what may go wrong
    is to be handled by the call.
    """

    def __init__(self, seconds: float, call: Callable[[], object]) -> None:
        self._seconds = seconds
        self._call = call
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> 'Regularly':
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._call()


class Stopwatch:
    """Measures the seconds since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._started
