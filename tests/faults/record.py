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

"""The results of all writes as the clients know them, without I/O.

For the ledger of this folder. A write is acknowledged (the server answered
that it is committed), refused (the server answered so, or the connection
ended before the commit was sent, so that it cannot be committed), or unknown
(the connection ended, or there was another error, during the commit).
"""

import dataclasses
import datetime
import enum
import itertools
import threading
import time


class Outcome(enum.Enum):
    """The result of a write as a client knows it."""

    UNKNOWN = 'unknown'
    ACKNOWLEDGED = 'acknowledged'
    REFUSED = 'refused'


@dataclasses.dataclass
class Write:
    """One transaction: a transfer between two accounts, or an entry.

    :ivar source: the account, or None of an entry.
    :ivar told: when the client got the result, as time of day.
    :ivar error: of the commit, as the server or client numbers it; 0: none
    """

    number: int
    member: str
    source: int | None = None
    target: int | None = None
    amount: int = 0
    outcome: Outcome = Outcome.UNKNOWN
    told: datetime.datetime | None = None
    error: int = 0

    def __str__(self) -> str:
        kind = 'transfer' if self.is_transfer else 'entry'
        return (f'{self.number} ({kind} through {self.member}, '
                f'{self.outcome.value} at {self.told})')

    @property
    def is_transfer(self) -> bool:
        return self.source is not None


@dataclasses.dataclass(frozen=True)
class Acknowledgement:
    """The time of an acknowledgement (time.monotonic), and the member."""

    moment: float
    member: str


class Record:
    """All writes of one round, from any number of clients.

    :ivar writes: by their numbers, which no round uses again.
    """

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._acknowledged: list[Acknowledgement] = []
        self._began = time.monotonic()
        self.writes: dict[int, Write] = {}

    def begin(self, member: str, source: int | None = None,
              target: int | None = None, amount: int = 0) -> Write:
        """Record a write before its first statement is sent."""
        with self._lock:
            write = Write(next(self._numbers), member, source, target, amount)
            self.writes[write.number] = write
        return write

    def settle(self, write: Write, outcome: Outcome) -> None:
        """Record its result."""
        with self._lock:
            write.outcome = outcome
            write.told = datetime.datetime.now(datetime.UTC)
            if outcome is Outcome.ACKNOWLEDGED:
                self._acknowledged.append(
                    Acknowledgement(time.monotonic(), write.member))

    def count(self, outcome: Outcome) -> int:
        with self._lock:
            return sum(write.outcome is outcome
                       for write in self.writes.values())

    def acknowledged(self, member: str | None = None, since: float = 0.0,
                     until: float = float('inf')) -> int:
        """The number of writes that were acknowledged between two times.

        :param member: by this one alone; None: by any
        """
        return len(self._moments(member, since, until))

    def longest_stall(self, since: float | None = None,
                      until: float | None = None,
                      member: str | None = None) -> float:
        """The longest time in seconds without an acknowledged write.

        :param since: default: from the beginning
        :param until: default: until now
        :param member: by this one alone; None: by any
        """
        begin = self._began if since is None else since
        end = time.monotonic() if until is None else until
        marks = [begin, *self._moments(member, begin, end), end]
        return max(later - earlier
                   for earlier, later in itertools.pairwise(marks))

    def first_after(self, moment: float) -> float | None:
        """Seconds from a time to the next acknowledgement, if any."""
        with self._lock:
            for given in self._acknowledged:
                if given.moment > moment:
                    return given.moment - moment
        return None

    def _moments(self, member: str | None, since: float,
                 until: float) -> list[float]:
        with self._lock:
            return [given.moment for given in self._acknowledged
                    if since <= given.moment <= until
                    and member in (None, given.member)]
