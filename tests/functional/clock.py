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

"""A clock for tests: time passes only when all threads wait.

Trove's services run in green threads, and so do the tests. When all of them
wait, nothing can happen until the first of them wakes up, so the clock is set
to that time at once. A deadline of a minute expires in a millisecond, and the
order of events is the same as on a real clock. Computation takes no time, so
no test fails on a slow machine.

While a program or a socket is waited for, time passes at its normal rate.
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
# Seconds: too few for any deadline, and enough to distinguish two moments.
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
        """Advance the clock by this number of seconds."""
        self._now += seconds
        if self._calendar is not None:
            self._calendar.shift(seconds)

    def tick(self) -> None:
        """Advance the monotonic clock a little, but not the time of day."""
        self._now += _TICK

    @contextlib.contextmanager
    def program(self) -> Iterator[None]:
        """While this context is open, an external program is waited for."""
        self._programs += 1
        try:
            yield
        finally:
            self._programs -= 1

    @property
    def may_leap(self) -> bool:
        """Whether no external program is waited for."""
        return not self._programs

    def lead(self, calendar: time_machine.Traveller | None) -> None:
        """Also set this calendar from now on; None: no calendar."""
        self._calendar = calendar


CLOCK = Clock()


class Hub(poll.Hub):
    """The loop of the green threads, which skips idle time."""

    def __init__(self, clock: Any = None) -> None:
        super().__init__(CLOCK.now)

    def add_timer(self, timer: Any) -> Any:
        """Of two timers for one time, run the one that was set first."""
        CLOCK.tick()
        return super().add_timer(timer)

    def wait(self, seconds: float | None = None) -> None:
        """Let the time until the next timer pass, or a program run."""
        may_leap = CLOCK.may_leap and not any(self.listeners.values())
        if seconds and self.timers and may_leap:
            CLOCK.pass_by(seconds)
            return
        began = _real_monotonic()
        super().wait(seconds)
        CLOCK.pass_by(_real_monotonic() - began)


def install() -> None:
    """Install the clock in this process, before eventlet patches anything."""
    time.monotonic = CLOCK.now
    # These modules keep a reference to the function itself.
    for module, name in ((threading, '_time'), (queue, 'time')):
        setattr(module, name, CLOCK.now)
    hubs.use_hub(Hub)


def wait_for_programs() -> None:
    """Let time pass while a program ends; call after eventlet's patches.

    Eventlet checks every ten milliseconds whether the program has ended.
    """
    wait = subprocess.Popen.wait

    def wait_outside(self: Any, *args: Any, **kwargs: Any) -> int:
        with CLOCK.program():
            return wait(self, *args, **kwargs)
    setattr(subprocess.Popen, 'wait', wait_outside)


def refuse_what_was_left() -> None:
    """Raise a RuntimeError if a thread waits for a socket or a program.

    Idle time could not be skipped, and nobody would know which test left the
    wait behind. The waits are removed, so that later tests have their clock.
    """
    hub = hubs.get_hub()
    waited_for = [*hub.get_readers(), *hub.get_writers()]
    for listener in waited_for:
        hub.remove(listener)
        listener.defang()
    if waited_for:
        raise RuntimeError(
            f'An earlier test has left waits in the hub: {waited_for}')


class TimeOfDay(fixtures.Fixture):
    """The time of day is that of the clock until the end of a test.

    Between tests it is the time of the machine, so that the reported duration
    of each test is correct.
    """

    def _setUp(self) -> None:
        refuse_what_was_left()
        travel = time_machine.travel(time.time(), tick=False)
        CLOCK.lead(travel.start())
        self.addCleanup(travel.stop)
        self.addCleanup(CLOCK.lead, None)
