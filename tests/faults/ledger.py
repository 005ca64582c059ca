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

"""A ledger of all acknowledged and refused writes, and its audit.

For the tests of this folder. Use::

    books = ledger.Ledger(members)      # of tests.faults.member.Member
    books.prepare()                     # once for a cluster
    books.start()                       # clients on every member
    ...                                 # cause faults, wait for recovery
    audit = books.close()               # stops the clients, then compares
    assert not audit.findings, audit.findings

While it runs, ``books.record`` has the acknowledgements of each member with
their times, and the longest stall of writes. ``close`` needs every member
Synced. On every member it finds: an acknowledged write that is missing, a row
that no client wrote, a balance that the transfers do not explain, a total that
is not constant, and checksums that differ. Then ``start`` opens the next
round; rows of older rounds are still checked, by their number and checksum.
"""

from collections.abc import Collection, Iterator, Sequence
import contextlib
from typing import Any

from lab import waiting
from tests.faults import audit as audits
from tests.faults import clients
from tests.faults import member as members
from tests.faults import record as records

TABLES = ('accounts', 'transfers', 'entries')
QUIET_SECONDS = 60
#: The bit of wsrep_sync_wait for reads.
READS = 1


class Ledger:
    """The clients of all members, their record, and the audit.

    :param pairs: the number of tellers, and of inserters, on every member;
        the more tellers there are, the more writes are in conflict.
    :param refusals: the errors of a commit after which the transaction is
        certainly lost. With Galera 3, a deadlock is not one of them: a server
        that shuts down reports it also for what it has sent to the others.
    :ivar record: of the round that is open, or was closed last.
    """

    def __init__(self, of: Sequence[members.Member], seed: int = 0,
                 pairs: int = 1,
                 refusals: Collection[int] = clients.ROLLED_BACK) -> None:
        self._refusals = refusals
        self._members = list(of)
        self._seed = seed
        self._pairs = pairs
        self._round = 0
        self._clients: list[clients.Client] = []
        self._opening = audits.Opening(
            {number: clients.BALANCE for number in range(clients.ACCOUNTS)},
            {name: audits.Closed() for name in TABLES[1:]})
        self.record = records.Record()

    def prepare(self) -> None:
        """Create the tables; all earlier writes are deleted."""
        first = self._members[0]
        with contextlib.closing(first.connect()) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS {clients.DATABASE}')
                for statement in clients.SCHEMA:
                    cursor.execute(statement)
                cursor.executemany(
                    f'INSERT INTO {clients.DATABASE}.accounts '
                    f'VALUES (%s, %s)', list(self._opening.balances.items()))
            connection.commit()

    def start(self) -> None:
        """Open a round: tellers and inserters on every member."""
        self._round += 1
        self.record = records.Record()
        self._clients = [
            kind(member, self.record, self._round,
                 f'{self._seed}-{self._round}-{member.name}-{kind.__name__}'
                 f'-{number}', self._refusals)
            for member in self._members
            for number in range(self._pairs)
            for kind in (clients.Teller, clients.Inserter)]
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """End the clients; afterwards nothing is written."""
        for client in self._clients:
            client.finish()
        for client in self._clients:
            client.join(clients.JOIN_SECONDS)
        stuck = [client.name for client in self._clients
                 if client.is_alive()]
        if stuck:
            raise AssertionError(f'clients did not end: {stuck}')

    def close(self) -> audits.Audit:
        """Stop the clients and compare every member with the record."""
        stall = self.record.longest_stall()
        self.stop()
        for member in self._members:
            self._wait_quiet(member)
        pages = {member.name: self._page(member)
                 for member in self._members}
        audit = audits.audit(self.record, self._opening, pages, stall)
        audit.findings += self._of_clients()
        # The next round begins with these rows.
        page = next(iter(pages.values()))
        self._opening = audits.Opening(page.balances, page.all_rounds)
        return audit

    def _wait_quiet(self, member: members.Member) -> None:
        """Wait for statements of clients that gave up."""
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

    def _page(self, member: members.Member) -> audits.Page:
        with contextlib.closing(
                member.connect(QUIET_SECONDS)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f'SET SESSION wsrep_sync_wait = {READS}')
                cursor.execute(f'USE {clients.DATABASE}')
                return self._read(cursor)

    def _read(self, cursor: Any) -> audits.Page:
        def rows(statement: str) -> list[Any]:
            cursor.execute(statement)
            return list(cursor.fetchall())

        # wsrep_sync_wait does not apply to CHECKSUM TABLE: first read rows.
        return audits.Page(
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

    def _of_clients(self) -> Iterator[str]:
        for client in self._clients:
            if client.wrong_sums:
                yield (f'{client.name} read the totals {client.wrong_sums}, '
                       f'not {clients.TOTAL}')
            yield from client.trouble[:audits.SHOWN]


def _sums(rows: Any, where: str) -> dict[str, audits.Closed]:
    found = {}
    for table in TABLES[1:]:
        [(count, hashes)] = rows(
            f'SELECT COUNT(*), COALESCE(SUM(CRC32(CONCAT_WS("-", id, '
            f'member))), 0) FROM {table} {where}')
        found[table] = audits.Closed(int(count), int(hashes))
    return found
