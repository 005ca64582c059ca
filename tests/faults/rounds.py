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

"""Rounds of a campaign: drawn from a seed, run, and judged.

For tests/faults/campaign. A round depends only on the seed and its number, so
that a single round can be repeated.
"""

from collections.abc import Callable, Iterator, Sequence
import dataclasses
import random
import time

from lab import errors
from lab import waiting
from tests.faults import audit as audits
from tests.faults import catalogue
from tests.faults import cluster as clusters
from tests.faults import ledger

SCOPES = {'one': 1, 'majority': 2, 'all': 3}
#: In a hundred rounds.
PAIRS = 35
MAJORITIES = 15
ALL = 15
WARM = 50
WARM_SECONDS = 60
#: Until a fault shows, even a full disk together with lost packets.
EFFECT_SECONDS = 90
#: Until the clients of a member that is back have connected.
WRITE_SECONDS = 30
FAULTS = {fault.name: fault for fault in catalogue.ALL}


@dataclasses.dataclass(frozen=True)
class Strike:
    """A fault and the members that it affects, by their places."""

    fault: catalogue.Fault
    victims: tuple[int, ...]

    @property
    def name(self) -> str:
        """As --only takes it."""
        [scope] = [scope for scope, size in SCOPES.items()
                   if size == len(self.victims)]
        return f'{self.fault.name}-{scope}'

    def __str__(self) -> str:
        who = ', '.join(str(victim + 1) for victim in self.victims)
        return f'{self.fault.name} of {who}'


@dataclasses.dataclass(frozen=True)
class Plan:
    """One round.

    :ivar gap: seconds between the two faults of a pair.
    :ivar hold: seconds until the fault is ended.
    """

    number: int
    strikes: tuple[Strike, ...]
    gap: float
    hold: float

    @property
    def lasts(self) -> bool:
        """Whether there is a fault to end."""
        return any(strike.fault.undo for strike in self.strikes)

    def __str__(self) -> str:
        text = str(self.strikes[0])
        for strike in self.strikes[1:]:
            text += f', after {self.gap:.1f} s {strike}'
        return text


@dataclasses.dataclass
class Verdict:
    """The result of a round.

    :ivar writable: seconds from the fault's end to the first write.
    :ivar recovered: seconds from the fault's end until all were back.
    :ivar failure: the first broken requirement; '' if there is none.
    """

    plan: Plan
    writable: float | None = None
    recovered: float | None = None
    audit: audits.Audit | None = None
    split: bool = False
    failure: str = ''

    def __str__(self) -> str:
        if self.failure:
            return f'FAILED: {self.failure}'
        return (f'writable after {self.writable or 0:.1f} s, all back after '
                f'{self.recovered or 0:.1f} s; {self.audit}')


def only(word: str) -> tuple[catalogue.Fault, int | None]:
    """The fault of --only, and the number of members if it has one.

    :raises ValueError: there is no such fault
    """
    for scope, size in SCOPES.items():
        name = word.removesuffix(f'-{scope}')
        if name != word and name in FAULTS:
            return FAULTS[name], size
    if word in FAULTS:
        return FAULTS[word], None
    raise ValueError(
        f'there is no fault {word}; there are {", ".join(FAULTS)}, each '
        f'also with -{", -".join(SCOPES)}')


def draw(seed: int, number: int,
         wanted: Sequence[tuple[catalogue.Fault, int | None]] = ()) -> Plan:
    """The round of a number: the same for the same arguments."""
    # No value here has to be secret.
    chance = random.Random(f'{seed}-{number}')
    pool = list(wanted) or [(fault, None) for fault in catalogue.ALL]
    gap, hold = chance.uniform(0, 8), chance.uniform(2, 15)
    fault, size = chance.choice(pool)
    size = min(size or _size(chance), fault.most)
    alone = Strike(fault, _victims(chance, size))
    paired = (not wanted and chance.randrange(100) < PAIRS)
    if not paired:
        return Plan(number, (alone,), gap, hold)
    one, other = chance.sample(range(clusters.SIZE), 2)
    second, _ = chance.choice(pool)
    return Plan(number, (Strike(fault, (one,)), Strike(second, (other,))),
                gap, hold)


def _size(chance: random.Random) -> int:
    roll = chance.randrange(100)
    if roll < ALL:
        return SCOPES['all']
    return SCOPES['majority' if roll < ALL + MAJORITIES else 'one']


def _victims(chance: random.Random, size: int) -> tuple[int, ...]:
    return tuple(sorted(chance.sample(range(clusters.SIZE), size)))


def play(cluster: clusters.Cluster, books: ledger.Ledger, plan: Plan,
         patience: float) -> Verdict:
    """Cause the faults, end them, wait for the recovery, and audit.

    :param patience: seconds from the fault's end until all must be back
    """
    verdict = Verdict(plan)
    books.start()
    try:
        _wait_writes(books, WARM, WARM_SECONDS)
        ended = _strike(cluster, plan)
        if plan.lasts:
            waiting.pause(plan.hold)
            ended = time.monotonic()
            _end(cluster, plan)
        _judge(cluster, books, verdict, ended, patience)
    except (errors.LabError, AssertionError, OSError) as failure:
        verdict.failure = f'{failure}; now {_places(cluster)}'
        books.stop()
    verdict.split = bool(cluster.histories())
    return verdict


def _judge(cluster: clusters.Cluster, books: ledger.Ledger,
           verdict: Verdict, ended: float, patience: float) -> None:
    cluster.wait_recovered(patience)
    verdict.recovered = time.monotonic() - ended
    for member in cluster.members:
        _wait_writes(books, 1, WRITE_SECONDS, member.name)
    # If the fault stops no member, the next write comes at once.
    verdict.writable = books.record.first_after(ended)
    verdict.audit = books.close()
    verdict.failure = '; '.join(verdict.audit.findings)


def _strike(cluster: clusters.Cluster, plan: Plan) -> float:
    """Cause it and see it; return the end of faults that end themselves."""
    struck = 0.0
    for position, strike in enumerate(plan.strikes):
        if position:
            waiting.pause(plan.gap)
        victims = [cluster.members[victim] for victim in strike.victims]
        before = [catalogue.Before.of(member) for member in victims]
        struck = time.monotonic()
        strike.fault.strike(cluster, victims)
        strike.fault.wait_seen(cluster, victims, before, EFFECT_SECONDS)
    return struck


def _end(cluster: clusters.Cluster, plan: Plan) -> None:
    for strike in plan.strikes:
        strike.fault.end(
            cluster, [cluster.members[victim] for victim in strike.victims])


def _wait_writes(books: ledger.Ledger, number: int, seconds: float,
                 name: str | None = None) -> None:
    begin = time.monotonic()

    def written() -> bool:
        return books.record.acknowledged(name, since=begin) >= number

    waiting.until(f'{number} writes on {name or "any member"}', written,
                  seconds, 0.1)


def _places(cluster: clusters.Cluster) -> str:
    return '; '.join(f'{name}: {place}'
                     for name, place in cluster.places().items())


class Summary:
    """The results of a whole campaign."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    @property
    def failures(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.failure]

    def lines(self) -> Iterator[str]:
        audits = [verdict.audit for verdict in self.verdicts if verdict.audit]
        strikes = sum(len(verdict.plan.strikes) for verdict in self.verdicts)
        yield (f'{strikes} faults in {len(self.verdicts)} rounds, '
               f'{len(self.failures)} of them failed')
        yield (f'{sum(audit.acknowledged for audit in audits)} writes '
               f'acknowledged, {sum(audit.lost for audit in audits)} lost, '
               f'{sum(audit.unknown for audit in audits)} unknown')
        yield (f'{sum(verdict.split for verdict in self.verdicts)} split '
               f'histories')
        stall = max((audit.longest_stall for audit in audits), default=0.0)
        yield f'longest stall of writes {stall:.1f} s, the faults included'
        yield from self._times()
        for verdict in self.failures:
            yield f'round {verdict.plan.number} ({verdict.plan}): {verdict}'

    def _times(self) -> Iterator[str]:
        def told(name: str, value: Callable[[Verdict], float | None],
                 of: list[Verdict]) -> str:
            values = sorted(seconds for seconds in map(value, of)
                            if seconds is not None)
            if not values:
                return f'{name} never'
            return (f'{name} {values[len(values) // 2]:.1f} s, at most '
                    f'{values[-1]:.1f} s')

        kinds: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            name = ' + '.join(sorted(
                strike.name for strike in verdict.plan.strikes))
            kinds.setdefault(name, []).append(verdict)
        for name, of in sorted(kinds.items()):
            yield (f'  {name}, {len(of)} times: '
                   + told('writable after', lambda each: each.writable, of)
                   + told('; all back after',
                          lambda each: each.recovered, of))
