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

"""Clients that write without a pause, one thread and connection each.

For the ledger of this folder. Each stays with its member: when the server
is gone it connects again and again until one answers.
"""

from collections.abc import Collection, Iterator
import contextlib
import random
import threading
from typing import Any

import pymysql

from lab import waiting
from tests.faults import member as members
from tests.faults import record as records

DATABASE = 'ledger'
ACCOUNTS = 64
BALANCE = 1000
TOTAL = ACCOUNTS * BALANCE
#: Seconds between two writes of a client, and between two connects.
PACE = 0.02
KNOCK = 0.2
JOIN_SECONDS = 60
#: Once in this number of writes a client adds up the balances.
LOOK_EVERY = 25
#: Deadlock, which is also the error of a failed certification, and lock
#: wait timeout.
ROLLED_BACK = (1213, 1205)
SCHEMA = (
    f'CREATE DATABASE IF NOT EXISTS {DATABASE}',
    f'CREATE TABLE IF NOT EXISTS {DATABASE}.accounts ('
    'id INT PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB',
    f'CREATE TABLE IF NOT EXISTS {DATABASE}.transfers ('
    'id BIGINT PRIMARY KEY, round INT NOT NULL, source INT NOT NULL, '
    'target INT NOT NULL, amount INT NOT NULL, member VARCHAR(64) NOT NULL, '
    'KEY (round)) ENGINE=InnoDB',
    f'CREATE TABLE IF NOT EXISTS {DATABASE}.entries ('
    'id BIGINT PRIMARY KEY, round INT NOT NULL, member VARCHAR(64) '
    'NOT NULL, text VARCHAR(255) NOT NULL, KEY (round)) ENGINE=InnoDB')


class Client(threading.Thread):
    """One client; ``finish`` ends it.

    :param refusals: the errors of a commit after which the transaction is
        certainly lost; after any other its result is unknown.
    :ivar wrong_sums: the wrong sums of the balances.
    :ivar trouble: errors that no fault explains.
    """

    def __init__(self, member: members.Member, record: records.Record,
                 round_number: int, seed: str,
                 refusals: Collection[int] = ROLLED_BACK) -> None:
        super().__init__(name=seed, daemon=True)
        self._refusals = refusals
        self._member = member
        self._record = record
        self._round = round_number
        # Selects accounts and amounts, which are no secrets.
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._since_look = 0
        self.wrong_sums: list[int] = []
        self.trouble: list[str] = []

    def finish(self) -> None:
        self._over.set()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with contextlib.closing(
                        self._member.connect()) as connection:
                    self._serve(connection)
            except members.LOST as lost:
                self._note(lost)
                waiting.pause(KNOCK)

    def write(self, connection: Any) -> None:
        """One transaction, and its result."""
        raise NotImplementedError

    def _serve(self, connection: Any) -> None:
        while not self._over.is_set():
            try:
                self.write(connection)
            except pymysql.MySQLError as error:
                if not _rolled_back(error):
                    raise
                # It is tried again, as another write.
                connection.rollback()
            self._look(connection)
            waiting.pause(PACE)

    def _look(self, connection: Any) -> None:
        self._since_look += 1
        if self._since_look < LOOK_EVERY:
            return
        self._since_look = 0
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT SUM(balance) FROM {DATABASE}.accounts')
            [(total,)] = cursor.fetchall()
        connection.commit()
        if total != TOTAL:
            self.wrong_sums.append(int(total or 0))

    def _note(self, lost: Exception) -> None:
        # A wrong statement would look like a fault that never ends.
        if isinstance(lost, pymysql.err.ProgrammingError):
            self.trouble.append(f'{self._member.name}: {lost}')

    @contextlib.contextmanager
    def _outcome(self, write: records.Write) -> Iterator[None]:
        """A context around the statement that commits."""
        try:
            yield
        except pymysql.MySQLError as error:
            write.error = int(error.args[0]) if error.args else 0
            if write.error in self._refusals:
                self._record.settle(write, records.Outcome.REFUSED)
            raise
        self._record.settle(write, records.Outcome.ACKNOWLEDGED)


class Inserter(Client):
    """Inserts one row after another, each in a transaction."""

    def write(self, connection: Any) -> None:
        write = self._record.begin(self._member.name)
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    f'INSERT INTO {DATABASE}.entries VALUES (%s, %s, %s, %s)',
                    (write.number, self._round, self._member.name,
                     'x' * self._random.randrange(255)))
            except members.LOST:
                self._record.settle(write, records.Outcome.REFUSED)
                raise
        with self._outcome(write):
            connection.commit()


class Teller(Client):
    """Transfers between two accounts, and a row that records each."""

    def write(self, connection: Any) -> None:
        source, target = self._random.sample(range(ACCOUNTS), 2)
        write = self._record.begin(
            self._member.name, source, target, self._random.randrange(1, 9))
        try:
            self._transfer(connection, write)
        except members.LOST:
            self._record.settle(write, records.Outcome.REFUSED)
            raise
        with self._outcome(write):
            connection.commit()

    def _transfer(self, connection: Any, write: records.Write) -> None:
        # In the order of the accounts; otherwise two tellers of one server
        # could wait for each other.
        changes = sorted([(write.source, -write.amount),
                          (write.target, write.amount)])
        with connection.cursor() as cursor:
            for account, change in changes:
                cursor.execute(
                    f'UPDATE {DATABASE}.accounts '
                    f'SET balance = balance + %s WHERE id = %s',
                    (change, account))
            cursor.execute(
                f'INSERT INTO {DATABASE}.transfers '
                f'VALUES (%s, %s, %s, %s, %s, %s)',
                (write.number, self._round, write.source, write.target,
                 write.amount, self._member.name))


def _rolled_back(error: pymysql.MySQLError) -> bool:
    return bool(error.args) and error.args[0] in ROLLED_BACK
