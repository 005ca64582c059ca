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

"""Members compared: who belongs to which component and which history.

Pure. plan.py and diagnosis.py decide by it; nobody else needs it.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum

from trove_pxc.galera.position import Position
from trove_pxc.galera.reason import Reason
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import ServerState


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What one member told.

    :ivar position: None if it could not be read, as from a server that
        runs; its view tells then.
    """

    report: MemberReport
    position: Position | None = None


class Disqualification(enum.StrEnum):
    """Why nothing can be continued from a place; follows its name."""

    SPOILED = 'holds what an interrupted SST has left'
    EMPTY = 'holds no data'
    NO_GRASTATE = 'has lost its grastate.dat'
    NO_HISTORY = 'belongs to no history (its uuid is nil)'
    NO_SEQNO = 'does not know its position'
    NOT_TOLD = 'does not tell its position'
    NOWHERE = 'runs without a place in any history'
    EVICTED = 'was evicted from its cluster as inconsistent'


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """Where a member stands in the history, and what is wrong with it.

    :ivar safe: whether Galera marked it as the last to stop.
    :ivar ordered: whether it was told to continue the cluster before.
    :ivar running: whether its server runs, outside a primary component.
    :ivar order: its place in the member order.
    :ivar disqualification: None where a cluster may be continued from here.
    """

    name: str
    uuid: str | None
    seqno: int
    safe: bool
    running: bool
    order: int
    disqualification: Disqualification | None
    ordered: bool = False

    @property
    def usable(self) -> bool:
        return self.disqualification is None

    @property
    def rank(self) -> tuple[int, bool, bool, bool, int]:
        """The greatest continues: furthest, running, safe, first.

        Among equals it is the one that was tried before: a try that was
        given up may still come to its end.
        """
        return (self.seqno, self.running, self.ordered, self.safe,
                -self.order)


def components(primaries: Mapping[str, NodeView]) -> list[list[str]]:
    """Members in a primary component, by the component they are in.

    Two views are of one component if they have one history and see a
    common address. While a view changes, members may show different sizes
    for a moment; that alone is no split.
    """
    parts: list[list[str]] = []
    for name, view in primaries.items():
        mine = [part for part in parts if any(
            _same_component(primaries[other], view) for other in part)]
        merged = [other for part in mine for other in part] + [name]
        parts = [part for part in parts if part not in mine] + [merged]
    order = list(primaries)
    return sorted((sorted(part, key=order.index) for part in parts),
                  key=lambda part: order.index(part[0]))


def _same_component(one: NodeView, other: NodeView) -> bool:
    if one.cluster_uuid != other.cluster_uuid:
        return False
    if not one.incoming_addresses or not other.incoming_addresses:
        return one.cluster_conf_id == other.cluster_conf_id
    return bool(set(one.incoming_addresses) & set(other.incoming_addresses))


def candidate(name: str, answer: Answer, order: int = 0) -> Candidate:
    """Where this member stands; its server's word counts if it runs."""
    view = answer.report.view
    if answer.report.server is ServerState.RUNNING and view is not None:
        nowhere = view.cluster_uuid is None or view.last_committed < 0
        disqualification = (Disqualification.EVICTED if view.was_evicted
                            else Disqualification.NOWHERE if nowhere else None)
        return Candidate(name, view.cluster_uuid, view.last_committed, False,
                         True, order, disqualification)
    position = answer.position
    if position is None:
        return Candidate(name, None, -1, False, False, order,
                         Disqualification.NOT_TOLD)
    return Candidate(name, position.uuid, position.seqno,
                     position.safe_to_bootstrap is True, False, order,
                     _disqualification(position), position.ordered)


def _disqualification(position: Position) -> Disqualification | None:
    if position.sst_in_progress:
        return Disqualification.SPOILED
    if position.evicted:
        return Disqualification.EVICTED
    if position.is_empty:
        return Disqualification.EMPTY
    if not position.grastate_present:
        return Disqualification.NO_GRASTATE
    if position.uuid is None:
        return Disqualification.NO_HISTORY
    if position.seqno < 0:
        return Disqualification.NO_SEQNO
    return None


def remembered(answers: Mapping[str, Answer]
               ) -> dict[str, tuple[str, int]]:
    """Where each was last seen Synced: history and position, by name."""
    return {name: (answer.position.seen_uuid.lower(),
                   answer.position.seen_seqno)
            for name, answer in answers.items()
            if answer.position is not None
            and answer.position.seen_uuid is not None}


def discord(remembered: Mapping[str, tuple[str, int]]) -> Reason | None:
    """Why what the members remember is not of one history."""
    first = next(iter(remembered), '')
    for name, (uuid, _) in remembered.items():
        own, _ = remembered[first]
        if uuid != own:
            return Reason(
                f'{name} was last Synced in the history {uuid}, {first} in '
                f'{own}',
                'Find out which of them is the true one, then force a member '
                'of that.', (first, name), force=True)
    return None


def candidates(answers: Mapping[str, Answer]) -> list[Candidate]:
    """The places of all, in the order of the mapping."""
    return [candidate(name, answer, order)
            for order, (name, answer) in enumerate(answers.items())]


def disagreement(candidates: Sequence[Candidate],
                 own: str | None) -> Reason | None:
    """Why these places are not of one history that can be judged.

    A spoiled or empty directory has no say. One that names a history but
    not its place in it may be the furthest of all: nobody can judge.

    :param own: the history that members remember; None: they remember none.
    """
    for one in candidates:
        if one.disqualification is Disqualification.NOT_TOLD:
            return Reason(
                f'{one.name} {one.disqualification}, and may be the furthest',
                'Have an operator look at its guest agent, or force the '
                'member that is to be continued.', (one.name,), force=True)
        if (one.uuid is None
                or one.disqualification is Disqualification.SPOILED):
            continue
        own = own or one.uuid
        if one.uuid != own:
            return Reason(
                f'{one.name} is of the history {one.uuid}, the cluster of '
                f'{own}',
                'Find out which of them is the true one, then force a member '
                'of that.', (one.name,), force=True)
        if one.seqno < 0:
            return Reason(
                f'{one.name} {Disqualification.NO_SEQNO}, '
                'and may be the furthest',
                'Have an operator look at its error log, or force the member '
                'that is to be continued.', (one.name,), force=True)
    return None


def ahead(candidates: Sequence[Candidate], best: Candidate) -> Reason | None:
    """Why best is not the furthest after all: a flawed one is ahead."""
    for one in candidates:
        if (one.uuid == best.uuid and one.seqno > best.seqno
                and one.disqualification is not Disqualification.SPOILED):
            return Reason(
                f'{one.name} {one.disqualification} but its data reaches to '
                f'{one.seqno}, beyond {best.name} at {best.seqno}',
                f'Force {best.name} only if what came after may be lost.',
                (one.name, best.name), force=True)
    return None
