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

"""The results of all candidates, and their ratio to the first one.

Pure. Imported by the settings program.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import dataclasses
import math
import statistics
from typing import Any

#: Percent of the transactions that were at least as fast.
PERCENT = 95
#: Of the columns.
NAME, VALUE, RATIO = 32, 15, 7


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one candidate reached with one load in one round.

    :ivar figures: by name with unit; infinite for what was not reached
    :ivar notes: further facts, in words
    """

    round: int
    load: str
    candidate: str
    figures: Mapping[str, float]
    notes: str = ''

    def record(self) -> dict[str, Any]:
        """For JSON, which has no infinite numbers: null instead."""
        return {**dataclasses.asdict(self), 'figures': {
            name: round(value, 3) if math.isfinite(value) else None
            for name, value in self.figures.items()}}


@dataclasses.dataclass(frozen=True)
class Row:
    """A candidate with one load: the median of each figure, and its ratio."""

    load: str
    candidate: str
    figures: Mapping[str, float]
    ratios: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        return {'load': self.load, 'candidate': self.candidate,
                'figures': _finite(self.figures),
                'ratios': _finite(self.ratios)}


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(value, 3) if math.isfinite(value) else None
            for name, value in values.items()}


def percentile(values: Sequence[float], percent: float = PERCENT) -> float:
    """The smallest value that this share of all does not exceed.

    Infinite without values.
    """
    if not values:
        return math.inf
    place = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(place, 1) - 1]


def longest_gap(times: Iterable[float], begin: float, end: float) -> float:
    """The longest time between ``begin`` and ``end`` without an event."""
    inside = sorted(time for time in times if begin <= time <= end)
    return max(after - before for before, after in zip(
        [begin, *inside], [*inside, end], strict=True))


def rows(samples: Sequence[Sample], candidates: Sequence[str]) -> list[Row]:
    """The results of all loads, in the order of the first samples.

    A ratio compares two candidates in one round, in which the machine was the
    same; it is the median of all rounds.
    """
    loads = list(dict.fromkeys(sample.load for sample in samples))
    found = []
    for load in loads:
        first = _by_round(samples, load, candidates[0])
        for name in candidates:
            own = _by_round(samples, load, name)
            if own:
                found.append(Row(load, name, *_medians(own, first)))
    return found


def _by_round(samples: Sequence[Sample], load: str,
              candidate: str) -> dict[int, Sample]:
    return {sample.round: sample for sample in samples
            if (sample.load, sample.candidate) == (load, candidate)}


def _medians(own: Mapping[int, Sample], first: Mapping[int, Sample],
             ) -> tuple[dict[str, float], dict[str, float]]:
    names = next(iter(own.values())).figures
    figures = {name: statistics.median(
        sample.figures[name] for sample in own.values()) for name in names}
    ratios = {}
    for name in names:
        each = [_ratio(own[number].figures[name],
                       first[number].figures[name])
                for number in sorted({*own} & {*first})]
        ratios[name] = statistics.median(each) if each else math.inf
    return figures, ratios


def _ratio(value: float, first: float) -> float:
    if not math.isfinite(first) or not first:
        return math.inf
    return value / first


def table(title: str, found: Iterable[Row]) -> str:
    """All rows, those of each load below its name."""
    return '\n'.join([title, *_lines(found)])


def _lines(found: Iterable[Row]) -> Iterator[str]:
    load = None
    for row in found:
        if row.load != load:
            load = row.load
            yield f'{load:{NAME}}' + ''.join(
                f'{name:>{VALUE}}{"ratio":>{RATIO}}' for name in row.figures)
        name = f'  {row.candidate}'
        if len(name) > NAME:
            # In a line of its own, so that the columns stay below each other.
            yield name
            name = ''
        yield f'{name:{NAME}}' + ''.join(
            f'{_text(value, 1):>{VALUE}}{_text(row.ratios[name], 2):>{RATIO}}'
            for name, value in row.figures.items())


def _text(value: float, digits: int) -> str:
    return f'{value:.{digits}f}' if math.isfinite(value) else '-'
