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

"""How busy the machine is before, during and after a measurement.

Imported by the benchmarks' programs. Standard library only.
"""

import dataclasses
import os
from pathlib import Path
import platform
from typing import Any, NamedTuple

from lab import waiting

STAT = Path('/proc/stat')
#: Seconds of the measurement before the run, while the benchmark waits.
LOOK_SECONDS = 2.0
#: From these values on, the machine counts as busy: percent of the processor
#: time, and runnable processes for each core.
BUSY, STOLEN, LOAD = 25.0, 2.0, 1.0


class Ticks(NamedTuple):
    """The time of all processors since the boot, in clock ticks."""

    total: int
    idle: int
    stolen: int

    @classmethod
    def parse(cls, text: str) -> 'Ticks':
        """Read the first line of /proc/stat (see proc(5)).

        The time of virtual machines, which comes last, is part of "user".
        """
        user, nice, system, idle, waited, *more = (
            int(word) for word in text.splitlines()[0].split()[1:9])
        interrupts, soft_interrupts, stolen = more
        return cls(
            user + nice + system + idle + waited + interrupts
            + soft_interrupts + stolen, idle + waited, stolen)


class Share(NamedTuple):
    """Percent of the processor time between two readings."""

    busy: float
    stolen: float

    @classmethod
    def between(cls, before: Ticks, after: Ticks) -> 'Share':
        total = after.total - before.total
        if total <= 0:
            return cls(0.0, 0.0)
        idle = after.idle - before.idle
        stolen = after.stolen - before.stolen
        return cls(round(100 * (total - idle - stolen) / total, 1),
                   round(100 * stolen / total, 1))


class Look(NamedTuple):
    """One reading of the machine: load averages and ticks so far."""

    load: tuple[float, float, float]
    ticks: Ticks

    @classmethod
    def now(cls) -> 'Look':
        return cls(os.getloadavg(), Ticks.parse(STAT.read_text()))


@dataclasses.dataclass
class Watch:
    """The machine from before a run until now.

    :ivar before: its load while the benchmark waited
    :param others: what else runs in the same lab, in words
    """

    before: Share
    begin: Look
    others: str = ''
    cores: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)

    @classmethod
    def started(cls, others: str = '') -> 'Watch':
        """Measure the machine for a moment, and start watching."""
        first = Look.now()
        waiting.pause(LOOK_SECONDS)
        begin = Look.now()
        return cls(Share.between(first.ticks, begin.ticks), begin, others)

    def was_busy(self) -> bool:
        """Whether the machine was busy when the run began."""
        return (self.before.busy > BUSY or self.before.stolen > STOLEN
                or self.begin.load[0] > LOAD * self.cores)

    def record(self, end: Look) -> dict[str, Any]:
        """All values, for a file."""
        return {
            'cores': self.cores, 'kernel': platform.release(),
            'python': platform.python_version(), 'others': self.others,
            'before': {'load': self.begin.load, **self.before._asdict()},
            'during': Share.between(self.begin.ticks, end.ticks)._asdict(),
            'after': {'load': end.load}, 'was_busy': self.was_busy()}

    def lines(self, end: Look) -> list[str]:
        """All values, for a reader."""
        during = Share.between(self.begin.ticks, end.ticks)
        lines = [
            f'machine: {self.cores} cores, Linux {platform.release()}, '
            f'Python {platform.python_version()}',
            f'  before the run: load average {self.begin.load[0]:.2f}, CPU '
            f'{self.before.busy:.1f} % busy, {self.before.stolen:.1f} % '
            f'stolen',
            f'  after it: load average {end.load[0]:.2f}; during it: CPU '
            f'{during.busy:.1f} % busy, {during.stolen:.1f} % stolen']
        if self.others:
            lines.append(f'  in the same lab: {self.others}')
        if self.was_busy() or during.stolen > STOLEN:
            lines.append('  The machine had other work: on an idle one the '
                         'results are better. Do not compare these.')
        return lines
