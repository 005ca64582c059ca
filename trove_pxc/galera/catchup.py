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

Pure. The guest measures it, the API shows it.

Source: "Node States" and "Flow Control" of the Galera Cluster documentation:
a member that is joining caches the write sets of the others in its receive
queue; one that has joined (Joined) applies them, and becomes Synced when its
queue is empty.
"""

import dataclasses

from trove_pxc.galera.progress import Progress
from trove_pxc.galera import view

#: samples that are older do not describe the present
WINDOW_SECONDS = 20.0
#: a rate over less time depends on chance
SHORTEST_SECONDS = 1.0
#: write sets that may wait at a member that serves
SERVING_QUEUE = 100

_BEHIND = (view.LocalState.JOINING, view.LocalState.JOINED)


@dataclasses.dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    state: view.LocalState
    uuid: str | None
    committed: int
    queue: int


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
        new = _Sample(now, seen.local_state, seen.cluster_uuid,
                      seen.last_committed, seen.recv_queue)
        known = tuple(
            one for one in self._samples
            if now - one.at <= WINDOW_SECONDS and one.state is new.state
            and one.uuid == new.uuid and one.committed <= new.committed)
        if not known or now - known[-1].at >= SHORTEST_SECONDS:
            self._samples = (*known, new)
        if not known or now - known[0].at < SHORTEST_SECONDS:
            return None
        progress = _between(known[0], new)
        return progress if _is_behind(new, progress) else None


def _between(first: _Sample, last: _Sample) -> Progress:
    seconds = last.at - first.at
    return Progress(last.queue, (last.committed - first.committed) / seconds,
                    (last.queue - first.queue) / seconds)


def _is_behind(sample: _Sample, progress: Progress) -> bool:
    if sample.state in _BEHIND:
        return sample.queue > 0
    if sample.state is view.LocalState.DONOR:
        return sample.queue > SERVING_QUEUE
    return (sample.state is view.LocalState.SYNCED
            and sample.queue > SERVING_QUEUE and progress.growth > 0)


def text(progress: Progress, state: view.LocalState) -> str:
    """What a user reads: the queue, the rate, and how long it takes.

    :param state: of the member. While it is Joining, it applies what it has
        missed, and the queue of newer write sets grows.
    """
    queue = ('1 write set waits' if progress.queue == 1
             else f'{progress.queue:,} write sets wait')
    rate = f'{progress.applied:,.0f}/s applied'
    seconds = progress.seconds
    if seconds is not None:
        return (f'catching up: {queue}, {rate}, about '
                f'{max(1, round(seconds)):,} s')
    if state is view.LocalState.JOINING:
        return (f'applying the write sets that it missed: {rate}; '
                f'{progress.queue:,} newer ones wait')
    if progress.growth < 1:
        return f'catching up: {queue}, {rate}'
    return (f'cannot keep up: {queue}, {rate}, and the queue grows by '
            f'{progress.growth:,.0f}/s')
