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

"""Deadlines and polling: the only module that sleeps.

All modules may import it. It calls ``time.sleep`` through the module, so that
it yields to other green threads of a service that eventlet has patched. It
also works in ordinary threads.
"""

from collections.abc import Callable
from collections.abc import Hashable
import threading
import time
from typing import TypeVar

from trove_pxc import exceptions

Found = TypeVar('Found')


class NotYet(Exception):
    """Raised by a probe with what it observed, to wait longer."""


class Deadline:
    """A time limit, in seconds, that progress extends.

    :param seconds: the limit of the wait. With ``progress``, the limit of the
        time without progress.
    :param progress: returns a value that changes with each progress, for
        example the number of received bytes. It is called once per poll.
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
        """Whether the time is over. Progress extends it."""
        if self._progress is not None:
            now_seen = self._progress()
            if now_seen != self._seen:
                self._seen = now_seen
                self._ends = time.monotonic() + self.seconds
        return time.monotonic() >= self._ends


def pause(seconds: float) -> None:
    """Sleep, so that other threads can run."""
    time.sleep(seconds)


def until(what: str, probe: Callable[[], Found],
          deadline: Deadline | float, interval: float) -> Found:
    """Call ``probe`` until it returns, and return its result.

    :param what: what the wait is for, as in the error: "member products-1 to
        be Synced".
    :param probe: returns a result, or raises NotYet with what it observed. Any
        other exception ends the wait.
    :param deadline: a Deadline, or seconds. The probe is called at least once,
        and once more after the last pause.
    :param interval: seconds between two calls.
    :raises trove_pxc.exceptions.DeadlineExceeded: with the last observation.
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
    """Calls a function periodically until the block ends.

    It uses its own thread, which is a green thread in a service that eventlet
    has patched. An error of the function ends the thread, so the function must
    handle expected errors.
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
    """Measures the seconds since its creation."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the creation."""
        return time.monotonic() - self._started
