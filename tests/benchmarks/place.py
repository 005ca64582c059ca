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

"""The lab of a benchmark: its contents, and whether it is suitable.

Imported by the programs that need a lab, by any Python: standard library and
the lab's modules only.
"""

from collections.abc import Iterable, Iterator
import contextlib
import dataclasses
import os
from pathlib import Path
import shutil
import sys

from lab import api
from lab.guest import control
from lab import home as lab_home
from lab import lock
from lab import preflight
from lab.services import all as all_services
from lab import venv
from tests.benchmarks import program

MIB = 1 << 20
#: Bytes that a guest uses with its database server and agent.
GUEST_MEMORY = 400 * MIB
LOCK = 'benchmark.lock'
NO_TASK = 'NONE'


@dataclasses.dataclass(frozen=True)
class Place:
    """The state of a lab before a run.

    :ivar root: its folder, as in LAB_HOME
    :ivar down: the services that do not answer
    :ivar plain: whether its Trove is without this project
    :ivar clusters: name and task of each
    :ivar guests: the name of each
    :ivar memory: bytes that are free
    :ivar disk: bytes that are free for the guests' volumes
    """

    root: str
    down: tuple[str, ...]
    plain: bool
    clusters: tuple[tuple[str, str], ...]
    guests: tuple[str, ...]
    memory: int
    disk: int

    @classmethod
    def seen(cls, home: lab_home.Home) -> 'Place':
        down = tuple(name for name, state in
                     all_services.states(home).items() if state != 'up')
        return cls(
            str(home.root), down, home.plain,
            () if down else tuple(
                (str(cluster['name']), str(cluster['task']['name']))
                for cluster in api.clusters(home)),
            tuple(guest.name for guest in control.guests(home)),
            preflight.free_memory(),
            shutil.disk_usage(home.root).free)

    def refusal(self, ours: Iterable[str], guests: int,
                room: int = 0) -> str:
        """Why the lab cannot be used, and what to do; '' if it can.

        :param ours: the names of the clusters that the benchmark creates
        :param guests: the number of guests at the same time
        :param room: bytes of disk that it needs
        """
        if self.down:
            return (f'services of the lab in {self.root} do not run: '
                    f'{", ".join(self.down)}; type: ./lab/lab up')
        if self.plain:
            return (f'the Trove of the lab in {self.root} is without this '
                    f'project; type: ./lab/lab down; ./lab/lab up')
        for name in {*ours} & {name for name, _ in self.clusters}:
            return (f'the lab has a cluster {name}, which an earlier run '
                    f'that was killed may have left; type: ./lab/lab '
                    f'openstack database cluster delete {name}')
        for name, task in self.clusters:
            if task != NO_TASK:
                return (f'the cluster {name} of this lab has the task '
                        f'{task}, which affects the results; type: '
                        f'./lab/lab openstack database cluster wait {name}')
        needed = guests * GUEST_MEMORY
        if self.memory < needed:
            return (f'{guests} more guests need {needed // MIB} MiB of '
                    f'memory and {self.memory // MIB} are free; use '
                    f'fewer, or delete a cluster of this lab')
        if self.disk < room:
            return (f'{self.root} has {self.disk // MIB} MiB free and '
                    f'{room // MIB} are needed; use less, or free space')
        return ''

    @property
    def others(self) -> str:
        """The other guests and clusters of the lab, in words."""
        names = ', '.join(name for name, _ in self.clusters) or 'none'
        return f'{len(self.guests)} other guests; clusters: {names}'


def enter(home: lab_home.Home) -> None:
    """Continue in the lab's Python, which has the clients' libraries.

    :raises Refused: there is no lab, or it is not the user's
    """
    if os.geteuid() != 0:
        raise program.Refused('the lab is root\'s; type: sudo '
                              f'{" ".join(sys.argv)}')
    if not home.exists or not venv.is_usable(home):
        raise program.Refused(
            f'there is no lab in {home.root}; type: ./lab/lab up (or set '
            f'LAB_HOME to the folder of one)')
    if Path(sys.prefix).resolve() != home.venv.resolve():
        wanted = str(venv.python(home))
        os.execv(wanted, [wanted, *sys.argv])


def check(home: lab_home.Home, ours: Iterable[str], guests: int,
          room: int = 0) -> Place:
    """The lab, if it can be used.

    :raises Refused: it cannot; the parameters are those of ``refusal``
    """
    place = Place.seen(home)
    problem = place.refusal(ours, guests, room)
    if problem:
        raise program.Refused(problem)
    return place


@contextlib.contextmanager
def alone(home: lab_home.Home) -> Iterator[None]:
    """Keep every other benchmark out of this lab.

    :raises Refused: another benchmark runs
    """
    with lock.alone(home.root / LOCK) as mine:
        if not mine:
            raise program.Refused(
                f'another benchmark runs in the lab in {home.root}; wait '
                f'until it has ended')
        yield
