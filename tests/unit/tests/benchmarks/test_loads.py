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

"""Clients of a load, with connections in memory."""

import random
import threading
from typing import Any

import mock
import pymysql
import testtools

from lab import waiting
from tests.benchmarks import loads
from tests.faults import member as members

DEADLOCK = pymysql.err.OperationalError(1213, 'Deadlock found')
LOST = pymysql.err.OperationalError(2013, 'Lost connection')
WRONG = pymysql.err.ProgrammingError(1146, 'no such table')


class Server:
    """Answers statements; some with an error."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.statements: list[str] = []
        self.connections = 0
        self._lock = threading.Lock()
        self.member = mock.create_autospec(members.Member, instance=True)
        self.member.connect.side_effect = self.connect

    def connect(self, seconds: float = 0, autocommit: bool = False) -> Any:
        assert autocommit
        self.connections += 1
        connection = mock.MagicMock()
        cursor = connection.cursor.return_value.__enter__.return_value
        cursor.execute.side_effect = self.execute
        # An exception leaves the block of a cursor.
        connection.cursor.return_value.__exit__.return_value = False
        return connection

    def execute(self, statement: str) -> None:
        with self._lock:
            self.statements.append(statement)
            if self.errors:
                raise self.errors.pop(0)


class ClientsTest(testtools.TestCase):

    def clients(self, number: int, *servers: Server) -> loads.Clients:
        return loads.Clients(loads.INSERTS,
                             [server.member for server in servers], number)

    def run_until_written(self, every: loads.Clients) -> None:
        def written() -> bool:
            return bool(every.wrong) or all(
                len(commits) > 3 for commits in every.commits)

        with every.running():
            waiting.until('commits', written, 30, 0.01)

    def test_clients_use_the_members_in_turns(self) -> None:
        servers = Server(), Server()
        self.run_until_written(self.clients(4, *servers))
        self.assertEqual([2, 2], [server.connections for server in servers])

    def test_rolled_back_commit_is_not_acknowledged(self) -> None:
        server = Server(DEADLOCK)
        every = self.clients(1, server)
        self.run_until_written(every)
        self.assertEqual(([1], 1), (every.refused, server.connections))
        self.assertEqual(len(server.statements) - 1, len(every.commits[0]))

    def test_lost_connection_is_made_again(self) -> None:
        server = Server(LOST)
        self.run_until_written(self.clients(1, server))
        self.assertEqual(2, server.connections)

    def test_wrong_statement_fails_the_measurement(self) -> None:
        every = self.clients(1, Server(WRONG))
        self.run_until_written(every)
        error = self.assertRaises(AssertionError, every.figures, 0.0, 1.0)
        self.assertIn('no such table', str(error))

    def test_figures_of_the_measured_time_only(self) -> None:
        every = self.clients(2, Server())
        every.commits = [[(1.0, 0.9), (11.0, 0.1), (12.0, 0.3)],
                         [(14.0, 0.2), (21.0, 0.9)]]
        self.assertEqual({'commits/s': 0.3, 'p95, ms': 300.0},
                         every.figures(10.0, 20.0))
        self.assertEqual(6.0, every.longest_stall(10.0, 20.0))

    def test_tables_before_the_load(self) -> None:
        server = Server()
        self.clients(1, server).prepare()
        asked = [call.args[0] for call in server.member.ask.mock_calls]
        self.assertEqual(
            ['CREATE DATABASE IF NOT EXISTS compared',
             *loads.INSERTS.tables], asked)


class LoadTest(testtools.TestCase):

    def test_every_load_writes_its_own_table(self) -> None:
        for load in loads.LOADS.values():
            table = f'{loads.SCHEMA}.'
            self.assertIn(table, load.tables[0])
            self.assertIn(table, load.statement(random.Random(1)))

    def test_hot_rows_exist(self) -> None:
        chance = random.Random(1)
        rows = {loads.HOT_ROWS.statement(chance).rpartition(' ')[2]
                for _ in range(200)}
        self.assertEqual({str(row) for row in range(1, loads.HOT + 1)}, rows)
