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

"""The loads of the settings program: what their clients write and read.

Imported by the settings program, by the lab's Python.
"""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import dataclasses
import random
import threading
import time
from typing import Any

import pymysql

from lab import waiting
from tests.benchmarks import comparison
from tests.faults import clients
from tests.faults import member as members
from tests import threads

SCHEMA = 'compared'
CLIENTS = 12
#: Rows that all clients of ``hot`` change.
HOT = 8
#: Rows of a transaction of ``large``, and bytes of each.
ROWS, ROW = 1024, 1024
#: Before the measurement: clients connect, and old appliers end.
WARM_SECONDS = 2.0
#: Seconds between two connects of a client.
KNOCK = 0.2

COMMITS = 'commits/s'
SLOWEST = f'p{comparison.PERCENT}, ms'


@dataclasses.dataclass(frozen=True)
class Load:
    """Statements that the clients of a load repeat, each in a commit.

    :ivar tables: for the database, before the load
    :ivar statement: the text of the next transaction
    """

    name: str
    tables: tuple[str, ...]
    statement: Callable[[random.Random], str]


INSERTS = Load(
    'inserts',
    (f'CREATE OR REPLACE TABLE {SCHEMA}.singles (id BIGINT PRIMARY KEY '
     f'AUTO_INCREMENT, text VARCHAR(100) NOT NULL) ENGINE=InnoDB',),
    lambda chance: f"INSERT INTO {SCHEMA}.singles (text) VALUES "
                   f"(REPEAT('x', 100))")
HOT_ROWS = Load(
    'hot',
    (f'CREATE OR REPLACE TABLE {SCHEMA}.hot (id INT PRIMARY KEY, count '
     f'BIGINT NOT NULL) ENGINE=InnoDB',
     f'INSERT INTO {SCHEMA}.hot SELECT seq, 0 FROM '
     f'{SCHEMA}.seq_1_to_{HOT}'),
    lambda chance: f'UPDATE {SCHEMA}.hot SET count = count + 1 '
                   f'WHERE id = {chance.randint(1, HOT)}')
LARGE = Load(
    'large',
    (f'CREATE OR REPLACE TABLE {SCHEMA}.large (id BIGINT PRIMARY KEY '
     f'AUTO_INCREMENT, text VARCHAR({ROW}) NOT NULL) ENGINE=InnoDB',),
    lambda chance: f"INSERT INTO {SCHEMA}.large (text) SELECT "
                   f"REPEAT('x', {ROW}) FROM {SCHEMA}.seq_1_to_{ROWS}")
#: The load "reading" is that of sysbench: ``tests.benchmarks.reading``.
LOADS = {load.name: load for load in (INSERTS, HOT_ROWS, LARGE)}


class Clients:
    """Clients of a load, half of them through each member.

    :ivar commits: for each client, when a commit was acknowledged and how
        long it took, in seconds, by time.monotonic
    :ivar refused: for each client, commits that were rolled back
    :ivar wrong: errors of statements that no load should get
    """

    def __init__(self, load: Load, through: Sequence[members.Member],
                 number: int = CLIENTS) -> None:
        self._load = load
        self._members = [through[client % len(through)]
                         for client in range(number)]
        self._over = threading.Event()
        self.commits: list[list[tuple[float, float]]] = [
            [] for _ in range(number)]
        self.refused = [0] * number
        self.wrong: list[str] = []

    def prepare(self) -> None:
        """Create the tables, without rows of an earlier run."""
        for statement in (f'CREATE DATABASE IF NOT EXISTS {SCHEMA}',
                          *self._load.tables):
            self._members[0].ask(statement)

    @contextlib.contextmanager
    def running(self) -> Iterator['Clients']:
        """Write while the block runs."""
        with threads.running(
                [lambda each=each: self._run(each)
                 for each in range(len(self._members))], self._over):
            yield self

    def figures(self, begin: float, end: float) -> dict[str, float]:
        """The rate and the p95 of the commits between two times.

        :raises AssertionError: a client had an error that ended it
        """
        if self.wrong:
            raise AssertionError(
                f'the load {self._load.name} failed: {self.wrong[0]}')
        took = [seconds for each in list(self.commits)
                for at, seconds in list(each) if begin <= at <= end]
        return {COMMITS: len(took) / (end - begin),
                SLOWEST: comparison.percentile(took) * 1000}

    def longest_stall(self, begin: float, end: float) -> float:
        """The longest time in which no client got an answer."""
        return comparison.longest_gap(
            [at for each in list(self.commits) for at, _ in list(each)],
            begin, end)

    def _run(self, number: int) -> None:
        # Selects rows, which are no secrets.
        chance = random.Random(number)
        while not self._over.is_set():
            try:
                with contextlib.closing(self._members[number].connect(
                        autocommit=True)) as connection:
                    self._serve(number, connection, chance)
            except members.LOST as lost:
                if isinstance(lost, pymysql.err.ProgrammingError):
                    self.wrong.append(str(lost))
                    return
                waiting.pause(KNOCK)

    def _serve(self, number: int, connection: Any,
               chance: random.Random) -> None:
        with connection.cursor() as cursor:
            while not self._over.is_set():
                began = time.monotonic()
                try:
                    cursor.execute(self._load.statement(chance))
                except pymysql.MySQLError as error:
                    if not error.args or (
                            error.args[0] not in clients.ROLLED_BACK):
                        raise
                    self.refused[number] += 1
                    continue
                at = time.monotonic()
                self.commits[number].append((at, at - began))


def measured(load: Load, through: Sequence[members.Member],
             seconds: float) -> tuple[dict[str, float], str]:
    """The figures of a load, and in words what was rolled back."""
    every = Clients(load, through)
    every.prepare()
    with every.running():
        waiting.pause(WARM_SECONDS)
        begin, before = time.monotonic(), sum(every.refused)
        waiting.pause(seconds)
        end, after = time.monotonic(), sum(every.refused)
    return every.figures(begin, end), f'rolled back: {after - before}'
