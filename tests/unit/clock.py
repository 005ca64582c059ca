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

"""A time that passes only while somebody waits, or when a test says so.

A fixture for whatever waits through trove_pxc.waiting: its deadlines expire
at once, and what is to happen meanwhile happens at its second.
"""

from collections.abc import Callable
import functools
import heapq
import itertools

import fixtures

from trove_pxc import waiting

_DAY = 24 * 3600.0


class Clock(fixtures.Fixture):
    """The clock of trove_pxc.waiting while the fixture is used.

    :param longest: seconds that a test may let pass; a wait that never
        ends fails the test then.
    :ivar now: seconds, from 0 on.
    :ivar pauses: the seconds of each pause, in order.
    """

    def __init__(self, longest: float = _DAY) -> None:
        super().__init__()
        self.now = 0.0
        self.pauses: list[float] = []
        self._longest = longest
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def _setUp(self) -> None:
        # Of the module "time" it uses these two functions.
        self.useFixture(fixtures.MockPatchObject(waiting, 'time', self))
        self.useFixture(fixtures.MockPatchObject(
            waiting, 'Regularly', functools.partial(_Regularly, self)))

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, and happen what is due."""
        if seconds < 0:
            raise ValueError(f'time does not run backwards: {seconds}')
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, happens = heapq.heappop(self._events)
            happens()
        self.now = end
        if self.now > self._longest:
            raise AssertionError(f'after {self.now:g} s it still goes on')

    def after(self, seconds: float, happens: Callable[[], object]) -> None:
        """Call this so many seconds from now."""
        heapq.heappush(self._events, (
            self.now + seconds, next(self._numbers), happens))


class _Regularly:
    """waiting.Regularly by this clock, and without a thread."""

    def __init__(self, clock: Clock, seconds: float,
                 call: Callable[[], object]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._call = call
        self._over = False

    def __enter__(self) -> '_Regularly':
        self._clock.after(self._seconds, self._next)
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True

    def _next(self) -> None:
        if not self._over:
            self._call()
            self._clock.after(self._seconds, self._next)
