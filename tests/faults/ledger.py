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

"""A ledger of everything that clients were told, and its audit.

For the tests of this folder. Use::

    books = ledger.Ledger(members)      # of tests.faults.member.Member
    books.prepare()                     # once for a cluster
    books.start()                       # two clients on every member
    ...                                 # strike, watch, wait for recovery
    audit = books.close()               # stops the clients, then compares
    assert not audit.findings, audit.findings

While it runs, ``books.record`` tells who acknowledged what and when, and
the longest stall of writes. ``close`` needs every member Synced. It finds,
on every member: an acknowledged write that is not there, a row that nobody
wrote, a balance that the transfers do not explain, a total that is not
constant, and checksums that differ. Then ``start`` opens the next round;
what older rounds left is still checked, by its number and its checksum.
"""

from collections.abc import Iterable, Sequence
import contextlib
import dataclasses
from typing import Any

from lab import waiting
from tests.faults import clients
from tests.faults import member as members
from tests.faults import record as records

TABLES = ('accounts', 'transfers', 'entries')
SHOWN = 5
QUIET_SECONDS = 60
#: the bit of wsrep_sync_wait for reads
READS = 1


@dataclasses.dataclass(frozen=True)
class Closed:
    """What a table held of the rounds before: rows, and a sum of hashes."""

    rows: int = 0
    hashes: int = 0


@dataclasses.dataclass
class Page:
    """What one member holds of the ledger."""

    transfers: dict[int, tuple[int, int, int]]
    entries: set[int]
    balances: dict[int, int]
    checksums: tuple[object, ...]
    closed: dict[str, Closed]
    all_rounds: dict[str, Closed]


@dataclasses.dataclass
class Audit:
    """What was found; ``findings`` is empty if every promise was kept."""

    acknowledged: int
    refused: int
    unknown: int
    unknown_kept: int
    lost: int
    longest_stall: float
    findings: list[str]

    def __str__(self) -> str:
        return (f'{self.acknowledged} acknowledged, {self.lost} lost, '
                f'{self.unknown} unknown ({self.unknown_kept} of them kept), '
                f'longest stall {self.longest_stall:.1f} s')


class Ledger:
    """The clients of all members, their record, and the audit.

    :ivar record: of the round that is open, or was closed last.
    """

    def __init__(self, of: Sequence[members.Member], seed: int = 0) -> None:
        self._members = list(of)
        self._seed = seed
        self._round = 0
        self._clients: list[clients.Client] = []
        self._closed = {name: Closed() for name in TABLES[1:]}
        self._balances = {number: clients.BALANCE
                          for number in range(clients.ACCOUNTS)}
        self.record = records.Record()

    def prepare(self) -> None:
        """Make the tables anew; whatever was written before is gone."""
        first = self._members[0]
        with contextlib.closing(first.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS {clients.DATABASE}')
                for statement in clients.SCHEMA:
                    cursor.execute(statement)
                cursor.executemany(
                    f'INSERT INTO {clients.DATABASE}.accounts '
                    f'VALUES (%s, %s)', list(self._balances.items()))
            connection.commit()

    def start(self) -> None:
        """Open a round: a teller and an inserter on every member."""
        self._round += 1
        self.record = records.Record()
        self._clients = [
            kind(member, self.record, self._round,
                 f'{self._seed}-{self._round}-{member.name}-{kind.__name__}')
            for member in self._members
            for kind in (clients.Teller, clients.Inserter)]
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """Let the clients end; once they have, nothing is written."""
        for client in self._clients:
            client.finish()
        for client in self._clients:
            client.join(clients.JOIN_SECONDS)
        stuck = [client.name for client in self._clients
                 if client.is_alive()]
        if stuck:
            raise AssertionError(f'clients did not end: {stuck}')

    def close(self) -> Audit:
        """Stop the clients and compare every member with the record."""
        stall = self.record.longest_stall()
        self.stop()
        for member in self._members:
            self._wait_quiet(member)
        pages = {member.name: self._page(member)
                 for member in self._members}
        return self._judge(pages, stall)

    def _wait_quiet(self, member: members.Member) -> None:
        """A client that gave up may have left a statement at the server."""
        def quiet() -> bool:
            rows = member.ask(
                'SELECT id, time, info FROM information_schema.processlist '
                'WHERE info LIKE %s AND id != CONNECTION_ID()',
                f'%{clients.DATABASE}%')
            rows += member.ask(
                'SELECT trx_id, trx_state, trx_started FROM '
                'information_schema.innodb_trx '
                'WHERE trx_mysql_thread_id != CONNECTION_ID()')
            if rows:
                raise waiting.NotYet(str(rows)[:200])
            return True

        waiting.until(f'the last statement on {member.name}', quiet,
                      QUIET_SECONDS, 0.2)

    def _page(self, member: members.Member) -> Page:
        with contextlib.closing(
                member.connect(QUIET_SECONDS)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f'SET SESSION wsrep_sync_wait = {READS}')
                cursor.execute(f'USE {clients.DATABASE}')
                return self._read(cursor)

    def _read(self, cursor: Any) -> Page:
        def rows(statement: str) -> list[Any]:
            cursor.execute(statement)
            return list(cursor.fetchall())

        # Not covered by wsrep_sync_wait itself: the reads go first.
        return Page(
            transfers={row[0]: row[1:] for row in rows(
                f'SELECT id, source, target, amount FROM transfers '
                f'WHERE round = {self._round}')},
            entries={row[0] for row in rows(
                f'SELECT id FROM entries WHERE round = {self._round}')},
            balances=dict(rows('SELECT id, balance FROM accounts')),
            closed=_sums(rows, f'WHERE round < {self._round}'),
            all_rounds=_sums(rows, ''),
            checksums=tuple(row[1] for row in rows(
                f'CHECKSUM TABLE {", ".join(TABLES)}')))

    def _judge(self, pages: dict[str, Page], stall: float) -> Audit:
        findings = [finding for client in self._clients
                    for finding in self._of_client(client)]
        lost: set[int] = set()
        for name, page in pages.items():
            lost |= self._lost(page)
            findings += [f'{name}: {text}' for text in self._of_page(page)]
        if len({page.checksums for page in pages.values()}) > 1:
            findings.append('checksums differ: ' + ', '.join(
                f'{name} {page.checksums}' for name, page in pages.items()))
        gone = max(self._closed[table].rows - page.closed[table].rows
                   for page in pages.values() for table in self._closed)
        unknown = {number for number, write in self.record.writes.items()
                   if write.outcome is records.Outcome.UNKNOWN}
        page = next(iter(pages.values()))
        there = page.entries | set(page.transfers)
        self._turn(page)
        return Audit(
            acknowledged=self.record.count(records.Outcome.ACKNOWLEDGED),
            refused=self.record.count(records.Outcome.REFUSED),
            unknown=len(unknown), unknown_kept=len(unknown & there),
            lost=len(lost) + max(0, gone), longest_stall=stall, findings=findings)

    def _turn(self, page: Page) -> None:
        """What is there now is what the next round begins with."""
        self._closed = page.all_rounds
        self._balances = page.balances

    def _of_client(self, client: clients.Client) -> Iterable[str]:
        if client.wrong_sums:
            yield (f'{client.name} read the totals {client.wrong_sums}, '
                   f'not {clients.TOTAL}')
        yield from client.trouble[:SHOWN]

    def _lost(self, page: Page) -> set[int]:
        there = page.entries | set(page.transfers)
        return {number for number, write in self.record.writes.items()
                if write.outcome is records.Outcome.ACKNOWLEDGED
                and number not in there}

    def _of_page(self, page: Page) -> Iterable[str]:
        """Every promise that this member's rows break."""
        lost = self._lost(page)
        if lost:
            yield f'{len(lost)} acknowledged writes are lost: {_some(lost)}'
        foreign = {number for number in page.entries | set(page.transfers)
                   if not self._was_written(number, page)}
        if foreign:
            yield f'{len(foreign)} rows that nobody wrote: {_some(foreign)}'
        total = sum(page.balances.values())
        if total != clients.TOTAL:
            yield f'the total is {total}, not {clients.TOTAL}'
        wrong = {number for number, balance in self._expected(page).items()
                 if page.balances.get(number) != balance}
        if wrong:
            yield (f'the transfers do not explain the balances of '
                   f'{_some(wrong)}')
        for table, closed in self._closed.items():
            if page.closed[table] != closed:
                yield (f'{table} of older rounds: {page.closed[table]}, '
                       f'it was {closed}')

    def _was_written(self, number: int, page: Page) -> bool:
        """Whether a row is just what a client sent, and was not refused."""
        write = self.record.writes.get(number)
        if write is None or write.outcome is records.Outcome.REFUSED:
            return False
        if not write.is_transfer:
            return number in page.entries
        return page.transfers.get(number) == (
            write.source, write.target, write.amount)

    def _expected(self, page: Page) -> dict[int, int]:
        balances = dict(self._balances)
        for source, target, amount in page.transfers.values():
            balances[source] -= amount
            balances[target] += amount
        return balances


def _sums(rows: Any, where: str) -> dict[str, Closed]:
    found = {}
    for table in TABLES[1:]:
        [(count, hashes)] = rows(
            f'SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS("-", id, '
            f'member))), 0) FROM {table} {where}')
        found[table] = Closed(int(count), int(hashes))
    return found


def _some(numbers: Iterable[int]) -> str:
    listed = sorted(numbers)
    more = len(listed) - SHOWN
    return f'{listed[:SHOWN]}' + (f' and {more} more' if more > 0 else '')
