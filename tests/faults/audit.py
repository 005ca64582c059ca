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

"""The rows of the members, compared with the results of writes: no I/O.

For the ledger of this folder. Each finding of an audit is a broken
requirement.
"""

import collections
from collections.abc import Iterable, Iterator, Mapping
import dataclasses

from tests.faults import record as records

SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Closed:
    """Rows of a table of earlier rounds: their number, and a sum of hashes."""

    rows: int = 0
    hashes: int = 0


@dataclasses.dataclass
class Page:
    """The ledger as one member has it.

    :ivar transfers: source, target and amount by number, of this round.
    :ivar closed: by table, of older rounds; all_rounds: of this one too.
    """

    transfers: dict[int, tuple[int, int, int]]
    entries: set[int]
    balances: dict[int, int]
    checksums: tuple[object, ...]
    closed: dict[str, Closed]
    all_rounds: dict[str, Closed]

    @property
    def numbers(self) -> set[int]:
        return self.entries | set(self.transfers)


@dataclasses.dataclass
class Audit:
    """The result; ``findings`` is empty if every requirement holds.

    :ivar kept_after: the number of unknown writes that are there, by the
        error that the client got for their commit.
    """

    acknowledged: int
    refused: int
    unknown: int
    unknown_kept: int
    lost: int
    longest_stall: float
    findings: list[str]
    kept_after: dict[int, int] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        errors = ''.join(f', {number} after error {error}' for error, number
                         in sorted(self.kept_after.items()))
        return (f'{self.acknowledged} acknowledged, {self.lost} lost, '
                f'{self.unknown} unknown ({self.unknown_kept} of them kept'
                f'{errors}), '
                f'longest stall {self.longest_stall:.1f} s')


@dataclasses.dataclass
class Opening:
    """The state at the beginning of a round.

    :ivar balances: by account.
    :ivar closed: by table.
    """

    balances: dict[int, int]
    closed: dict[str, Closed]

    @property
    def total(self) -> int:
        return sum(self.balances.values())


def audit(record: records.Record, opening: Opening,
          pages: Mapping[str, Page], stall: float) -> Audit:
    """Compare a round with the rows of each member, by name, at its end."""
    findings = []
    lost: set[int] = set()
    for name, page in pages.items():
        lost |= _lost(record, page)
        findings += [f'{name}: {text}'
                     for text in _of_page(record, opening, page)]
    if len({page.checksums for page in pages.values()}) > 1:
        findings.append('checksums differ: ' + ', '.join(
            f'{name} {page.checksums}' for name, page in pages.items()))
    missing = max(opening.closed[table].rows - page.closed[table].rows
                  for page in pages.values() for table in opening.closed)
    unknown = {number for number, write in record.writes.items()
               if write.outcome is records.Outcome.UNKNOWN}
    kept = set().union(*(page.numbers for page in pages.values()))
    return Audit(
        acknowledged=record.count(records.Outcome.ACKNOWLEDGED),
        refused=record.count(records.Outcome.REFUSED),
        unknown=len(unknown), unknown_kept=len(unknown & kept),
        lost=len(lost) + max(0, missing), longest_stall=stall,
        findings=findings, kept_after=dict(collections.Counter(
            record.writes[number].error for number in unknown & kept)))


def _lost(record: records.Record, page: Page) -> set[int]:
    return {number for number, write in record.writes.items()
            if write.outcome is records.Outcome.ACKNOWLEDGED
            and number not in page.numbers}


def _of_page(record: records.Record, opening: Opening,
             page: Page) -> Iterator[str]:
    """Every requirement that this member's rows break."""
    lost = _lost(record, page)
    if lost:
        yield (f'{len(lost)} acknowledged writes are lost: '
               + '; '.join(str(record.writes[number])
                           for number in sorted(lost)[:SHOWN]))
    foreign = {number for number in page.numbers
               if not _was_written(record, number, page)}
    if foreign:
        yield f'{len(foreign)} rows that no client wrote: {_some(foreign)}'
    total = sum(page.balances.values())
    if total != opening.total:
        yield f'the total is {total}, not {opening.total}'
    wrong = {number for number, balance in _expected(opening, page).items()
             if page.balances.get(number) != balance}
    if wrong:
        yield (f'the transfers do not explain the balances of '
               f'{_some(wrong)}')
    for table, closed in opening.closed.items():
        if page.closed[table] != closed:
            yield (f'{table} of older rounds: {page.closed[table]}, it was '
                   f'{closed}')


def _was_written(record: records.Record, number: int, page: Page) -> bool:
    """Whether a row is exactly what a client sent, and was not refused."""
    write = record.writes.get(number)
    if write is None or write.outcome is records.Outcome.REFUSED:
        return False
    if not write.is_transfer:
        return number in page.entries
    return page.transfers.get(number) == (
        write.source, write.target, write.amount)


def _expected(opening: Opening, page: Page) -> dict[int, int]:
    balances = dict(opening.balances)
    for source, target, amount in page.transfers.values():
        balances[source] -= amount
        balances[target] += amount
    return balances


def _some(numbers: Iterable[int]) -> str:
    listed = sorted(numbers)
    more = len(listed) - SHOWN
    return f'{listed[:SHOWN]}' + (f' and {more} more' if more > 0 else '')
