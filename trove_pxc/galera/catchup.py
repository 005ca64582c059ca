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

"""How fast a member applies the write sets that wait in its queue.

Pure. The guest measures it. The API compares it with the other members and
shows it.

Source: "Node States" and "Flow Control" of the Galera Cluster documentation:
a member that is joining caches the write sets of the others in its receive
queue, while it gets those that it missed from a donor; one that has joined
(Joined) applies the queue, and becomes Synced when it is empty.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import itertools

from trove_pxc.galera.progress import Progress
from trove_pxc.galera import view

#: samples that are older do not describe the present
WINDOW_SECONDS = 20.0
#: a rate over less time depends on chance
SHORTEST_SECONDS = 0.5
#: a member is not said to fall behind after less time
SURE_SECONDS = 5.0
#: write sets that may wait at a member that serves
SERVING_QUEUE = 100

#: they are behind, however short their queue is
_CATCHING_UP = frozenset({view.LocalState.JOINING, view.LocalState.JOINED})
_TRANSFER = 'State Transfer'
_MIB = 1 << 20
_ADVICE = ('Write less, or give it more applier threads (wsrep_slave_threads, '
           'or wsrep_applier_threads in PXC 8.0 and later)')


@dataclasses.dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    state: view.LocalState
    gets_missed: bool
    uuid: str | None
    committed: int
    queue: int

    def precedes(self, other: '_Sample') -> bool:
        """Whether the other is a later sample of the same run."""
        return (other.at - self.at <= WINDOW_SECONDS
                and (self.state is other.state
                     or {self.state, other.state} <= _CATCHING_UP)
                and self.uuid == other.uuid
                and self.committed <= other.committed)


class Meter:
    """Computes the progress of one member from its views."""

    def __init__(self) -> None:
        self._samples: tuple[_Sample, ...] = ()

    def look(self, seen: view.NodeView | None, now: float
             ) -> Progress | None:
        """Take the newest view; several threads may call it.

        :param seen: None if the server does not answer.
        :param now: in seconds, on a clock that is never set.
        :returns: None if the member is not behind, or not measured yet.
        """
        if seen is None or seen.recv_queue is None:
            self._samples = ()
            return None
        new = _Sample(now, seen.local_state, _gets_missed(seen),
                      seen.cluster_uuid, seen.last_committed, seen.recv_queue)
        known = tuple(one for one in self._samples if one.precedes(new))
        if (not known or now - known[-1].at >= SHORTEST_SECONDS
                or known[-1].gets_missed is not new.gets_missed):
            self._samples = (*known, new)
        progress = _measured((*known, new))
        return progress if progress and _is_behind(new, progress) else None


def is_unmeasured(report: view.MemberReport) -> bool:
    """Whether another report, SHORTEST_SECONDS later, gives the rate."""
    return (report.progress is None and report.view is not None
            and report.view.recv_queue is not None
            and _catches_up(report.view))


def _catches_up(seen: view.NodeView) -> bool:
    return seen.in_primary and seen.local_state in _CATCHING_UP


def _gets_missed(seen: view.NodeView) -> bool:
    """Whether it gets the missed write sets, which are not in its queue.

    Then its comment is "Joining: receiving State Transfer" or similar (Galera,
    replicator_smm_stats.cpp). Afterwards it is "Joining" for some time, while
    it applies its queue.
    """
    return (seen.local_state is view.LocalState.JOINING
            and _TRANSFER in seen.local_state_comment)


def _measured(samples: Sequence[_Sample]) -> Progress | None:
    """The rates; a pair with another meaning of its queues does not count."""
    applied, growth, seconds = 0, 0, 0.0
    for first, last in itertools.pairwise(samples):
        if first.gets_missed is not last.gets_missed:
            continue
        seconds += last.at - first.at
        applied += last.committed - first.committed
        growth += last.queue - first.queue
        if last.gets_missed:
            growth -= last.committed - first.committed
    if seconds < SHORTEST_SECONDS:
        return None
    return Progress(samples[-1].queue, applied / seconds, growth / seconds,
                    seconds)


def _is_behind(sample: _Sample, progress: Progress) -> bool:
    if sample.state in _CATCHING_UP:
        return True
    if sample.state is view.LocalState.DONOR:
        return sample.queue > SERVING_QUEUE
    return (sample.state is view.LocalState.SYNCED
            and sample.queue > SERVING_QUEUE and progress.growth > 0)


@dataclasses.dataclass(frozen=True, slots=True)
class CatchUp:
    """The write sets that a member has not applied yet.

    :ivar behind: how many they are.
    :ivar queue: how many of them wait in its receive queue. The others are
        those that it still gets from its donor.
    :ivar progress: None if it is not measured yet.
    """

    behind: int
    queue: int
    progress: Progress | None = None

    @property
    def seconds(self) -> float | None:
        """The time until it has applied all; None if that is not known."""
        if self.progress is None or self.progress.growth >= 0:
            return None
        return -self.behind / self.progress.growth

    def __str__(self) -> str:
        waits = ('1 write set waits' if self.behind == 1
                 else f'{self.behind:,} write sets wait')
        if self.queue < self.behind:
            waits += f' ({self.queue:,} in its queue)'
        if self.progress is None:
            return f'catching up: {waits}'
        waits += f', {self.progress.applied:,.0f}/s applied'
        if self.seconds is not None:
            return (f'catching up: {waits}, about '
                    f'{max(1, round(self.seconds)):,} s')
        if (self.progress.growth < 1
                or self.progress.measured < SURE_SECONDS):
            return f'catching up: {waits}'
        return (f'cannot keep up: {waits}, and {self.progress.growth:,.0f}/s '
                f'more arrive. {_ADVICE}')


@dataclasses.dataclass(frozen=True, slots=True)
class Serving:
    """What a member that is behind is compared with: members that serve.

    :ivar last: the last write set of each cluster, by the cluster's UUID.
    :ivar data_bytes: on the fullest volume; None if that is not known.
    """

    last: Mapping[str, int] = dataclasses.field(default_factory=dict)
    data_bytes: int | None = None

    @classmethod
    def of(cls, reports: Iterable[view.MemberReport | None]) -> 'Serving':
        """Find them among all members; None for one that did not answer."""
        last: dict[str, int] = {}
        sizes = []
        for report in reports:
            seen = None if report is None else report.view
            if (report is None or seen is None or not seen.cluster_uuid
                    or not seen.serves):
                continue
            sizes.append(report.data_bytes)
            last[seen.cluster_uuid] = max(
                seen.last_committed, last.get(seen.cluster_uuid, -1))
        return cls(last, max(sizes, default=None))


def of(report: view.MemberReport, serving: Serving) -> CatchUp | None:
    """How far this member is behind; None if it is not, or is not known."""
    seen, progress = report.view, report.progress
    if seen is None or not (progress or _catches_up(seen)):
        return None
    queue = behind = progress.queue if progress else seen.recv_queue or 0
    last = serving.last.get(seen.cluster_uuid or '', -1)
    if _gets_missed(seen) and last >= 0 and seen.last_committed >= 0:
        behind = max(queue, last - seen.last_committed)
    return CatchUp(behind, queue, progress)


def text(report: view.MemberReport, serving: Serving) -> str:
    """What a user reads about a member that is behind; '' for another."""
    if report.receiving:
        return _copy_text(report.data_bytes, serving.data_bytes)
    return str(of(report, serving) or '')


def _copy_text(got: int, whole: int | None) -> str:
    told = 'receives a full copy of the data (SST)'
    # The member may still have the files of earlier data.
    if whole is None or got >= whole:
        return told
    return f'{told}: {got // _MIB:,} of about {whole // _MIB:,} MiB'
