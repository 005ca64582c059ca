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

"""Compares members: their components, histories and positions.

Pure. plan.py, diagnosis.py and component.py use it.
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
    """The answer of one member.

    :ivar position: None if it could not be read, for example because the
        server runs. The view of the report has the position then.
    """

    report: MemberReport
    position: Position | None = None


class Disqualification(enum.StrEnum):
    """Why the cluster cannot continue from a member; follows its name."""

    SPOILED = 'holds an incomplete copy from an interrupted SST'
    EMPTY = 'holds no data'
    NO_GRASTATE = 'has no grastate.dat'
    NO_HISTORY = 'has no history (its UUID is nil)'
    NO_SEQNO = 'has data at an unknown position'
    NOT_TOLD = 'does not report its position'
    NOWHERE = 'runs without a position in any history'
    EVICTED = 'was evicted from its cluster as inconsistent'


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """The position of a member, and whether the cluster can use its data.

    :ivar safe: whether Galera marked it as the last to stop.
    :ivar ordered: whether it was ordered to bootstrap the cluster before.
    :ivar running: whether its server runs, outside a primary component.
    :ivar order: its index in the member order.
    :ivar disqualification: None if the cluster can continue from this member.
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
        """The sort key: the cluster continues from the greatest one.

        Highest position, running, ordered before, safe, first in order. An
        order that timed out may still take effect, so it is repeated.
        """
        return (self.seqno, self.running, self.ordered, self.safe,
                -self.order)


def components(primaries: Mapping[str, NodeView]) -> list[list[str]]:
    """Groups the members of primary components by their component.

    Two views belong to the same component if they have the same history and
    share an address. While a view changes, members may report different sizes
    for a moment; that alone is not a split.
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
    """The position of this member, as the server reports it if it runs."""
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
    """The last recorded Synced position: history and seqno, by name."""
    return {name: (answer.position.seen_uuid.lower(),
                   answer.position.seen_seqno)
            for name, answer in answers.items()
            if answer.position is not None
            and answer.position.seen_uuid is not None}


def discord(remembered: Mapping[str, tuple[str, int]]) -> Reason | None:
    """Why the recorded positions do not have the same history, or None."""
    first = next(iter(remembered), '')
    for name, (uuid, _) in remembered.items():
        own, _ = remembered[first]
        if uuid != own:
            return Reason(
                f'{name} was last Synced in the history {uuid}, {first} in '
                f'{own}',
                'Find out which history has your data, then force a member '
                'of it.', (first, name), force=True)
    return None


def candidates(answers: Mapping[str, Answer]) -> list[Candidate]:
    """The positions of all members, in the order of the mapping."""
    return [candidate(name, answer, order)
            for order, (name, answer) in enumerate(answers.items())]


def disagreement(candidates: Sequence[Candidate],
                 own: str | None) -> Reason | None:
    """Why these positions cannot be compared, or None.

    Incomplete and empty data directories do not count. A member with a
    history but without a seqno may have the highest position, so it prevents
    a decision.

    :param own: the history that members recorded; None if none did.
    """
    for one in candidates:
        if one.disqualification is Disqualification.NOT_TOLD:
            return Reason(
                f'{one.name} {one.disqualification}, which may be the highest',
                'Have an operator check its guest agent, or force a member.',
                (one.name,), force=True)
        if (one.uuid is None
                or one.disqualification is Disqualification.SPOILED):
            continue
        own = own or one.uuid
        if one.uuid != own:
            return Reason(
                f'{one.name} has the history {one.uuid}, but the cluster has '
                f'{own}',
                'Find out which history has your data, then force a member '
                'of it.', (one.name,), force=True)
        if one.seqno < 0:
            return Reason(
                f'{one.name} {Disqualification.NO_SEQNO}, '
                'which may be the highest',
                'Have an operator check its error log, or force a member.',
                (one.name,), force=True)
    return None


def ahead(candidates: Sequence[Candidate], best: Candidate) -> Reason | None:
    """Why best is not the highest: an unusable member is ahead, or None."""
    for one in candidates:
        if (one.uuid == best.uuid and one.seqno > best.seqno
                and one.disqualification is not Disqualification.SPOILED):
            return Reason(
                f'{one.name} {one.disqualification}, but its data is at '
                f'{one.seqno}, ahead of {best.name} at {best.seqno}',
                f'Force {best.name} only if the later writes may be lost.',
                (one.name, best.name), force=True)
    return None
