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
"""Many creates at the same time, and what happens meanwhile.

Imported by the program. Times are seconds of time.monotonic, which all
processes of the machine share.
"""

import collections
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
import dataclasses
import itertools
import re
import statistics
import threading
import time
from typing import Any

from lab.cloud import seed
from lab import errors
from lab import waiting
from tests.benchmarks.scaling import client
from tests.benchmarks.scaling import counters
from tests.benchmarks.scaling import services

MEMBERS = 3
NO_TASK = 1
#: seconds between two looks at Trove's tables
POLL = 0.5
#: seconds that a standing cluster may take
STANDING = 300.0
#: in the fault of a member that did not fail itself
BYSTANDER = 'is not at fault'
ID = re.compile(r'[0-9a-f]{8}-[0-9a-f-]{27}')
MEMBER = re.compile(r'NAME-\d+')
CLUSTERS = 'SELECT id, task_id, deleted FROM clusters'
HEALTH = """\
SELECT i.cluster_id, COUNT(*), SUM(s.status_description = 'healthy')
FROM instances i LEFT JOIN service_statuses s ON s.instance_id = i.id
WHERE i.deleted = 0 AND i.cluster_id IS NOT NULL GROUP BY i.cluster_id"""
FAULTS = """\
SELECT i.cluster_id, f.message FROM instance_faults f
JOIN instances i ON i.id = f.instance_id WHERE f.deleted = 0"""


@dataclasses.dataclass
class Create:
    """One create of the burst.

    :ivar asked: when the request was sent
    :ivar accepted: when it was answered
    :ivar ended: when the cluster had no task any more; None: not in time
    :ivar failure: why it did not come up, or ''
    """

    name: str
    asked: float
    accepted: float = 0.0
    cluster: str = ''
    ended: float | None = None
    failure: str = ''

    @property
    def seconds(self) -> float | None:
        return None if self.ended is None else self.ended - self.accepted


@dataclasses.dataclass
class Other:
    """An operation on a cluster that existed before the burst.

    :ivar ordered: when the request was answered
    :ivar began: seconds until its first call to a guest, or the deletion of
        the first server
    :ivar ended: seconds until it had ended; None: not in time
    """

    what: str
    cluster: str
    ordered: float
    began: float | None = None
    ended: float | None = None
    first: str = ''
    refusal: str = ''


@dataclasses.dataclass
class Sample:
    """One look during the burst."""

    time: float
    working: int
    cpu: dict[str, float]
    memory: dict[str, int]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The options of a burst.

    :ivar clients: that send requests at the same time
    :ivar others: whether to delete and restart other clusters meanwhile
    :ivar others_after: seconds after the last answer to a create
    :ivar patience: seconds for the whole burst
    :ivar incident: called in the burst, with its delay in seconds
    """

    number: int
    clients: int = 4
    members: int = MEMBERS
    others: bool = True
    others_after: float = 5.0
    patience: float = 1800.0
    incidents: tuple[tuple[float, Callable[[], None]], ...] = ()


class Burst:
    """One burst on a site that is up."""

    def __init__(self, site: services.Site, wanted: Wanted) -> None:
        self._site = site
        self._home = site.home
        self._wanted = wanted
        self._say = site.report.say
        self._database = counters.Database(site.home)
        self._watched = [site.rabbitmq, site.mariadb, *site.trove]
        self.creates: list[Create] = []
        self.others: list[Other] = []
        self.samples: list[Sample] = []
        self._old: list[str] = []
        self._stop = threading.Event()

    def run(self) -> dict[str, Any]:
        """All results, for a file."""
        if self._wanted.others:
            self._old = [self.standing(name)
                         for name in ('standing-1', 'standing-2')]
        sampler = threading.Thread(target=self._sample, daemon=True)
        began = time.monotonic()
        first = self._database.statistics()
        cpu = counters.used(self._watched)
        calls = client.world(self._home, 'calls')
        sampler.start()
        for delay, incident in self._wanted.incidents:
            timer = threading.Timer(delay, incident)
            timer.daemon = True
            timer.start()
        self._send_creates()
        accepted = time.monotonic()
        self._say(f'{len(self._accepted)} creates accepted in '
                  f'{accepted - began:.1f} s')
        answered = self._database.statistics()
        self._follow()
        self._stop.set()
        sampler.join()
        self._judge()
        return self._record(began, accepted, first, answered, cpu, calls)

    def standing(self, name: str) -> str:
        """A complete cluster that exists before the burst."""
        create = self._create(name)
        if not create.cluster:
            raise errors.LabError(
                f'Trove refuses the first create: {create.failure}')

        def complete() -> bool:
            states = self._states()
            task, deleted = states.get(create.cluster, (0, 0))
            healthy = self._healthy().get(create.cluster)
            if task == NO_TASK and healthy == self._wanted.members:
                return True
            faults = self._faults().get(create.cluster)
            if task == NO_TASK and faults:
                raise errors.LabError(
                    f'the first create failed: {faults}; see the logs')
            raise waiting.NotYet(f'task {task}, {healthy} members healthy')

        with self._site.report.step(f'the cluster {name}'):
            waiting.until(f'the cluster {name}', complete, STANDING, POLL)
        return create.cluster

    # The burst

    def _create(self, name: str) -> Create:
        create = Create(name, time.monotonic())
        try:
            answer = client.ask(self._home, 'POST', '/clusters', {'cluster': {
                'name': name,
                'datastore': {'type': 'mariadb', 'version': '10.11'},
                'instances': [{
                    'flavorRef': '1', 'volume': {'size': 1},
                    'nics': [{'network_id': seed.NETWORK_ID}]}
                    for _ in range(self._wanted.members)]}}).answer
        except OSError as error:
            create.failure = f'no answer: {error}'
            return create
        create.accepted = time.monotonic()
        if answer.good:
            create.cluster = str(answer.body['cluster']['id'])
        else:
            create.failure = f'refused with {answer.code}: {answer.words}'
        return create

    def _send_creates(self) -> None:
        with futures.ThreadPoolExecutor(self._wanted.clients) as pool:
            self.creates = list(pool.map(
                self._create, (f'burst-{number + 1}' for number in
                               range(self._wanted.number))))

    @property
    def _accepted(self) -> list[Create]:
        return [create for create in self.creates if create.cluster]

    def _order_others(self) -> None:
        for what, cluster in zip(('delete', 'restart'), self._old,
                                 strict=True):
            other = Other(what, cluster, time.monotonic())
            answer = (client.ask(self._home, 'DELETE', f'/clusters/{cluster}')
                      if what == 'delete' else
                      client.ask(self._home, 'POST', f'/clusters/{cluster}',
                                 {'restart': {}})).answer
            # trove-api itself may call the guests before it answers.
            other.ordered = time.monotonic()
            if not answer.good:
                other.refusal = f'{answer.code}: {answer.words}'
            self.others.append(other)
            self._say(f'{what} of another cluster ordered')

    def _follow(self) -> None:
        """Look at Trove's tables until everything has ended."""
        last = time.monotonic()
        due = last + self._wanted.others_after
        deadline = last + self._wanted.patience
        told = 0
        while time.monotonic() < deadline:
            now = time.monotonic()
            if self._old and not self.others and now >= due:
                self._order_others()
            states = self._states()
            for create in self._accepted:
                if create.ended is None and states.get(
                        create.cluster, (NO_TASK, 1))[0] == NO_TASK:
                    create.ended = now
            self._follow_others(states, now)
            open_ones = sum(create.ended is None for create in
                            self._accepted)
            if now - last >= 15 and told != open_ones:
                last, told = now, open_ones
                self._say(f'{open_ones} creates are still running')
            if not open_ones and not (self._old and not self.others) and all(
                    other.ended is not None or other.refusal
                    for other in self.others):
                return
            waiting.pause(POLL)
        self._say(f'not everything ended in {self._wanted.patience:g} s')

    def _follow_others(self, states: dict[str, tuple[int, int]],
                       now: float) -> None:
        for other in self.others:
            if other.ended is not None or other.refusal:
                continue
            if other.began is None:
                events = client.world(self._home, 'events',
                                      cluster=other.cluster,
                                      since=other.ordered)
                if events:
                    other.began = events[0][0] - other.ordered
                    other.first = events[0][1]
                    self._say(f'{other.what} of another cluster began after '
                              f'{other.began:.1f} s')
            task, deleted = states.get(other.cluster, (NO_TASK, 1))
            # Trove's own restart has no task until it begins.
            if deleted or (other.what != 'delete' and task == NO_TASK
                           and other.began is not None):
                other.ended = now - other.ordered
                other.began = (other.ended if other.began is None
                               else other.began)

    # What is seen

    def _states(self) -> dict[str, tuple[int, int]]:
        return {row[0]: (int(row[1] or 0), int(row[2] or 0))
                for row in self._database.rows(CLUSTERS)}

    def _healthy(self) -> dict[str, int]:
        return {row[0]: int(row[2] or 0)
                for row in self._database.rows(HEALTH)}

    def _faults(self) -> dict[str, str]:
        """The reason of each cluster of which a member has a fault."""
        return reasons(self._database.rows(FAULTS))

    def _judge(self) -> None:
        healthy, faults = self._healthy(), self._faults()
        for create in self._accepted:
            if create.ended is None:
                create.failure = 'it did not end'
            elif create.cluster in faults:
                create.failure = faults[create.cluster]
            elif healthy.get(create.cluster) != self._wanted.members:
                create.failure = (
                    f'{healthy.get(create.cluster, 0)} of '
                    f'{self._wanted.members} members are healthy')

    def _sample(self) -> None:
        mine = counters.Database(self._home)
        while not self._stop.wait(1.0):
            working = mine.rows(
                'SELECT COUNT(*) FROM clusters WHERE deleted = 0 AND '
                'task_id <> %s', NO_TASK)[0][0]
            used = counters.used(self._watched)
            self.samples.append(Sample(
                time.monotonic(), int(working),
                {name: one.cpu for name, one in used.items()},
                {name: one.memory for name, one in used.items()}))
        mine.close()

    # The results

    def _record(self, began: float, accepted: float,
                first: dict[str, counters.Sql],
                answered: dict[str, counters.Sql],
                cpu: dict[str, counters.Used],
                calls: dict[str, Any]) -> dict[str, Any]:
        last = self._database.statistics()
        after = counters.used(self._watched)
        world = client.world(self._home, 'calls')
        came = [create for create in self._accepted if not create.failure]
        ends = [create.ended for create in self._accepted
                if create.ended is not None]
        return {
            'creates': self._wanted.number,
            'members': self._wanted.members,
            'taskmanagers': len(self._site.taskmanagers),
            'accepted': len(self._accepted),
            'accepted_seconds': round(accepted - began, 1),
            'came_up': len(came),
            'seconds': summary([create.seconds for create in came
                                if create.seconds is not None]),
            'whole_seconds': round(max(ends, default=accepted) - began, 1),
            'failures': failures(self.creates),
            'others': [dataclasses.asdict(other) for other in self.others],
            'api_sql': _sql(counters.difference(first, answered)),
            'sql': _sql(counters.difference(first, last)),
            'cpu': spent([
                {name: one.cpu for name, one in cpu.items()},
                *(sample.cpu for sample in self.samples),
                {name: one.cpu for name, one in after.items()}]),
            'memory': growth(self.samples, {
                name: one.memory for name, one in cpu.items()}),
            'most_working': max((sample.working for sample in self.samples),
                                default=0),
            'guest_calls': world['guests'] - calls['guests'],
            'cloud_calls': sum(world['cloud'].values()) - sum(
                calls['cloud'].values()),
            'times': [[round(create.accepted - began, 1),
                       None if create.seconds is None
                       else round(create.seconds, 1)]
                      for create in self._accepted],
        }


def summary(seconds: list[float]) -> dict[str, float] | None:
    """Least, median and most."""
    if not seconds:
        return None
    return {'least': round(min(seconds), 1),
            'median': round(statistics.median(seconds), 1),
            'most': round(max(seconds), 1)}


def reasons(faults: Iterable[Sequence[str]]) -> dict[str, str]:
    """The fault of a member that failed, by the ID of its cluster.

    :param faults: cluster and message of each member with a fault; those of
        the members that did not fail say so
    """
    found: dict[str, str] = {}
    for cluster, message in faults:
        text = ' '.join(str(message).split())
        if BYSTANDER in text:
            found.setdefault(cluster, text)
        elif BYSTANDER in found.get(cluster, BYSTANDER):
            found[cluster] = text
    return found


def failures(creates: list[Create]) -> dict[str, int]:
    """How many creates failed for each reason, without names and IDs."""
    return dict(collections.Counter(
        MEMBER.sub('NAME-N', ID.sub('ID', create.failure.replace(
            create.name, 'NAME')))
        for create in creates if create.failure))


def spent(readings: list[dict[str, float]]) -> dict[str, float]:
    """The CPU time of each service, also of one that was started again.

    :param readings: the seconds that its processes had used so far
    """
    total = dict.fromkeys(readings[0], 0.0)
    for before, after in itertools.pairwise(readings):
        for name in total:
            more = after.get(name, 0.0) - before.get(name, 0.0)
            total[name] += more if more >= 0 else after.get(name, 0.0)
    return {name: round(seconds, 1) for name, seconds in total.items()}


def growth(samples: list[Sample], before: dict[str, int]
           ) -> dict[str, dict[str, float]]:
    """The memory that each service has more at its peak, in MiB.

    ``per_operation`` divides it by the most operations that were ordered and
    had not ended at one time.
    """
    most = max((sample.working for sample in samples), default=0)
    found = {}
    for name, bytes_before in before.items():
        peak = max((sample.memory.get(name, 0) for sample in samples),
                   default=bytes_before)
        more = max(peak - bytes_before, 0) / counters.MIB
        found[name] = {
            'before': round(bytes_before / counters.MIB, 1),
            'peak': round(peak / counters.MIB, 1),
            'per_operation': round(more / most, 2) if most else 0.0}
    return found


def _sql(by_user: dict[str, counters.Sql]) -> dict[str, dict[str, int]]:
    return {name: {**dataclasses.asdict(sql), 'statements': sql.statements}
            for name, sql in by_user.items() if name != 'root'}
