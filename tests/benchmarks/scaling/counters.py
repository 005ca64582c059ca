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
"""What a part of a run costs: SQL statements, connections, CPU, memory.

Imported by ``burst`` and ``rest``. MariaDB counts the statements of each user
(INFORMATION_SCHEMA.USER_STATISTICS), the kernel the time of each process.
"""

import dataclasses
import os
from typing import Any

import pymysql  # type: ignore[import-untyped]
from pymysql import cursors

from lab import process
from lab.services import base
from lab.services import mariadb
from tests.benchmarks.scaling import place

TICKS = os.sysconf('SC_CLK_TCK')
PAGE = os.sysconf('SC_PAGE_SIZE')
MIB = 1 << 20
STATISTICS = """\
SELECT USER, TOTAL_CONNECTIONS, SELECT_COMMANDS, UPDATE_COMMANDS,
OTHER_COMMANDS, ROWS_READ FROM information_schema.USER_STATISTICS"""


@dataclasses.dataclass(frozen=True)
class Sql:
    """The statements of one service so far.

    :ivar selects: SELECT
    :ivar changes: INSERT, UPDATE, DELETE
    :ivar others: all others, of which nearly all are COMMIT and ROLLBACK
    :ivar rows: that the server read for it
    """

    connections: int = 0
    selects: int = 0
    changes: int = 0
    others: int = 0
    rows: int = 0

    @property
    def statements(self) -> int:
        """Those that read or change something."""
        return self.selects + self.changes

    def __sub__(self, before: 'Sql') -> 'Sql':
        return Sql(*(mine - theirs for mine, theirs in zip(
            dataclasses.astuple(self), dataclasses.astuple(before),
            strict=True)))


@dataclasses.dataclass(frozen=True)
class Used:
    """What the processes of a service use.

    :ivar cpu: seconds so far
    :ivar memory: resident bytes now
    """

    cpu: float = 0.0
    memory: int = 0


class Database:
    """A connection of the benchmark to the server, as root."""

    def __init__(self, home: place.Home) -> None:
        self._link = pymysql.connect(
            unix_socket=str(mariadb.socket_file(home)), user='root',
            database='trove', autocommit=True)

    def rows(self, statement: str, *values: object) -> list[Any]:
        with self._link.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def dicts(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with self._link.cursor(cursors.DictCursor) as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def many(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        with self._link.cursor() as cursor:
            cursor.executemany(statement, rows)

    def statistics(self) -> dict[str, Sql]:
        """The statements of each user of the server so far."""
        return {row[0]: Sql(*map(int, row[1:]))
                for row in self.rows(STATISTICS)}

    def close(self) -> None:
        self._link.close()


def used(services: list[base.Service]) -> dict[str, Used]:
    """The processes of each service, with their children."""
    leaders = {pid: service.name for service in services
               if (pid := service.pid) is not None}
    found = {service.name: Used() for service in services}
    for pid in process.pids():
        fields = process.stat(pid)
        name = leaders.get(int(fields[3])) if fields else None
        if name is not None:
            ticks = int(fields[11]) + int(fields[12])
            found[name] = Used(
                found[name].cpu + ticks / TICKS,
                found[name].memory + int(fields[21]) * PAGE)
    return found


def difference(before: dict[str, Sql], after: dict[str, Sql]
               ) -> dict[str, Sql]:
    return {name: sql - before.get(name, Sql())
            for name, sql in after.items()}
