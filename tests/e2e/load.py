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

"""Writes without a pause, and their results.

For end-to-end tests of operations that must not disturb users.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import contextlib
import functools
import threading
import time

from lab import errors
from lab import home as lab_home
from lab import sql
from lab import waiting
from tests import threads

Ask = Callable[[str, str], list[list[str | None]]]

TABLE = 'ledger.written'
SERVING = ('Synced', 'Donor/Desynced')
#: Between two writes, and between two polls of a member: each of them starts
#: a client, which takes a twentieth of a second of a core.
PAUSE = 0.1
LOOK_PAUSE = 0.3


def through_lab(home: lab_home.Home) -> Ask:
    """SQL on a member's server, by the member's name."""
    def ask(member: str, statement: str) -> list[list[str | None]]:
        return sql.run(home, member, statement, timeout=10)
    return ask


class Load:
    """A writer that goes to another member when one does not answer.

    Meanwhile each member is polled for the size of the primary component.
    Each member that serves knows it for one moment; counting members one
    after another would mix several moments. If no member serves, the gap
    between two writes shows it.

    :ivar acknowledged: the numbers whose commit a server has confirmed.
    :ivar longest_gap: seconds in which no write was confirmed.
    :ivar fewest: the smallest size of the primary component.
    """

    def __init__(self, members: Sequence[str], ask: Ask) -> None:
        self._members = list(members)
        self._ask = ask
        self._over = threading.Event()
        self.acknowledged: list[int] = []
        self.longest_gap = 0.0
        self.fewest = len(self._members)
        self.counted = 0

    def prepare(self) -> None:
        """Create an empty table."""
        database = TABLE.partition('.')[0]
        self._ask(self._members[0], (
            f'CREATE DATABASE IF NOT EXISTS {database}; '
            f'DROP TABLE IF EXISTS {TABLE}; '
            f'CREATE TABLE {TABLE} (number INT PRIMARY KEY)'))

    @contextlib.contextmanager
    def running(self):
        """Write and count while the block runs."""
        counts = [functools.partial(self._count, name)
                  for name in self._members]
        with threads.running([self._write, *counts], self._over):
            yield self

    def write_once(self, number: int) -> bool:
        """Write a number through any member; return whether it succeeded."""
        for _ in self._members:
            try:
                self._ask(self._members[0],
                          f'INSERT IGNORE INTO {TABLE} VALUES ({number})')
            except errors.LabError:
                self._members.append(self._members.pop(0))
                continue
            self.acknowledged.append(number)
            return True
        return False

    def count_once(self, member: str) -> None:
        """Ask a member for the size of the component, if it serves."""
        status = self._status(member)
        if serves(status):
            size = int(status.get('wsrep_cluster_size') or 0)
            self.fewest = min(self.fewest, size)
            self.counted += 1

    def lost(self, member: str) -> set[int]:
        """The confirmed numbers that are not on this member."""
        there = {int(row[0] or 0) for row in self._ask(
            member, f'SELECT number FROM {TABLE}')}
        return set(self.acknowledged) - there

    def _status(self, member: str) -> Mapping[str, str | None]:
        try:
            rows = self._ask(member, sql.WSREP_SQL)
        except errors.LabError:
            return {}
        return {str(row[0]): row[1] for row in rows}

    def _write(self) -> None:
        last = time.monotonic()
        number = 0
        while not self._over.is_set():
            if self.write_once(number):
                number += 1
                self.longest_gap = max(
                    self.longest_gap, time.monotonic() - last)
                last = time.monotonic()
            waiting.pause(PAUSE)
        self.longest_gap = max(self.longest_gap, time.monotonic() - last)

    def _count(self, member: str) -> None:
        while not self._over.is_set():
            self.count_once(member)
            waiting.pause(LOOK_PAUSE)


def serves(status: Mapping[str, str | None]) -> bool:
    """Whether a node with this status takes writes."""
    return (status.get('wsrep_cluster_status') == 'Primary'
            and status.get('wsrep_ready') == 'ON'
            and status.get('wsrep_local_state_comment') in SERVING)


def differing(members: Iterable[str], ask: Ask) -> dict[str, str]:
    """Checksums of the table by member, if they are not all the same."""
    sums = {name: str(ask(name, f'CHECKSUM TABLE {TABLE}')[0][1])
            for name in members}
    return sums if len(set(sums.values())) > 1 else {}
