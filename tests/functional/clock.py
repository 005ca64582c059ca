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

"""A clock of its own: time passes only when all wait.

Trove's services run in green threads, and so do the tests. When all of them
wait, nothing can happen until the first of them wakes up, and the clock is
set to that time at once. A deadline of a minute expires in a millisecond, in
the same order of events as on a real clock. What is computed takes no time:
a slow machine makes no test fail.

While a program or a socket is waited for, time passes as it does outside.
"""

from collections.abc import Iterator
import contextlib
import queue
import subprocess
import threading
import time
from typing import Any

from eventlet import hubs
from eventlet.hubs import poll
import fixtures
import time_machine

_real_monotonic = time.monotonic
# Seconds: too few for any deadline, and enough to tell two moments apart.
_TICK = 1e-9


class Clock:
    """The monotonic clock of this process, and its time of day."""

    def __init__(self) -> None:
        self._now = _real_monotonic()
        self._calendar: time_machine.Traveller | None = None
        self._programs = 0

    def now(self) -> float:
        """Seconds, as time.monotonic counts them."""
        return self._now

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._now += seconds
        if self._calendar is not None:
            self._calendar.shift(seconds)

    def tick(self) -> None:
        """Let a moment pass, which no calendar shows."""
        self._now += _TICK

    @contextlib.contextmanager
    def program(self) -> Iterator[None]:
        """A program is waited for, which has a clock of its own."""
        self._programs += 1
        try:
            yield
        finally:
            self._programs -= 1

    @property
    def may_leap(self) -> bool:
        """Whether no program is waited for."""
        return not self._programs

    def lead(self, calendar: time_machine.Traveller | None) -> None:
        """Set this calendar, too, from now on; None: no calendar."""
        self._calendar = calendar


CLOCK = Clock()


class Hub(poll.Hub):
    """The loop of the green threads, which leaps over idle time."""

    def __init__(self, clock: Any = None) -> None:
        super().__init__(CLOCK.now)

    def add_timer(self, timer: Any) -> Any:
        """Have the first of two go first that are set for one time."""
        CLOCK.tick()
        return super().add_timer(timer)

    def wait(self, seconds: float | None = None) -> None:
        """Let the time until the next timer pass, or a program act."""
        may_leap = CLOCK.may_leap and not any(self.listeners.values())
        if seconds and self.timers and may_leap:
            CLOCK.pass_by(seconds)
            return
        began = _real_monotonic()
        super().wait(seconds)
        CLOCK.pass_by(_real_monotonic() - began)


def install() -> None:
    """Give this process the clock; before eventlet patches anything."""
    time.monotonic = CLOCK.now
    # They keep the function itself.
    for module, name in ((threading, '_time'), (queue, 'time')):
        setattr(module, name, CLOCK.now)
    hubs.use_hub(Hub)


def wait_for_programs() -> None:
    """Have a program that ends take its time; after eventlet patched all.

    Eventlet looks every ten milliseconds whether it has ended.
    """
    wait = subprocess.Popen.wait

    def wait_outside(self: Any, *args: Any, **kwargs: Any) -> int:
        with CLOCK.program():
            return wait(self, *args, **kwargs)
    setattr(subprocess.Popen, 'wait', wait_outside)


def refuse_what_was_left() -> None:
    """Raise a RuntimeError if anybody waits for a socket or a program.

    No time could be leapt over, and who left it would never be known. They
    wait for ever, so that the tests to come have their clock.
    """
    hub = hubs.get_hub()
    waited_for = [*hub.get_readers(), *hub.get_writers()]
    for listener in waited_for:
        hub.remove(listener)
        listener.defang()
    if waited_for:
        raise RuntimeError(
            f'An earlier test has left what is waited for: {waited_for}')


class TimeOfDay(fixtures.Fixture):
    """The time of day is that of the clock until the end of a test.

    Outside of tests it is the machine's, for those who report how long each
    test took.
    """

    def _setUp(self) -> None:
        refuse_what_was_left()
        travel = time_machine.travel(time.time(), tick=False)
        CLOCK.lead(travel.start())
        self.addCleanup(travel.stop)
        self.addCleanup(CLOCK.lead, None)
