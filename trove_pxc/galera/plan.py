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

"""Decides which member bootstraps, and the order in which others join.

Pure decisions. Each has a reason: the cause, the next action of the operator
and the members that it concerns. The operations of the taskmanager import
this module. No other module makes these decisions.

The rules. Each prevents a loss of data that is known from other projects
(mariadb-operator issues 1108 and 1701, Percona forum 40148):

1. While a member is in a primary component, no member bootstraps.
2. A member that does not answer is unknown, never down.
3. All members must have the same history (UUID).
4. A member with an interrupted SST, a nil UUID or no grastate.dat is not a
   candidate.
5. The highest position must not be lower than a position that a member
   recorded when it was last Synced.
6. The member with the highest position bootstraps. Among equal members, the
   one that was ordered to before comes first, then the one with Galera's
   safe_to_bootstrap, then the first in member order.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum
import shlex

from trove_pxc.galera import history
from trove_pxc.galera.history import Answer
from trove_pxc.galera.position import Position
from trove_pxc.galera.position import UNKNOWN_SEQNO
from trove_pxc.galera.reason import Reason
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NOT_RUNNING
from trove_pxc.galera.view import ServerState

# An initialised data directory holds tens of MB, an empty one a few KB.
EMPTY_DATA_BYTES = 1024 * 1024

_AGAIN = 'Delete this cluster and create it again.'
_ANEW = 'Create a new cluster and load the last dump of your data into it.'
# Short, because the column of Trove's faults is short.
_START = 'Have an operator start it ("openstack server start")'


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """Whether an action is allowed, and the reason."""

    allowed: bool
    reason: Reason


class Step(enum.StrEnum):
    """A step of a recovery."""

    REJOIN = 'rejoin'
    WAIT = 'wait'
    STOP = 'stop'
    PROMOTE = 'promote'
    BOOTSTRAP = 'bootstrap'
    REFUSE = 'refuse'


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """The decision of a recovery: the next step and its reason.

    :ivar member: the member to promote (pc.bootstrap on the running server)
        or to bootstrap (start with --wsrep-new-cluster at its recovered
        position); for REJOIN a member of the primary component; for STOP a
        member that runs outside of it at a lower position.
    :ivar seqno: the position of the cluster after the step, or -1.
    :ivar uuid: the history of the cluster after the step.
    """

    step: Step
    reason: Reason
    member: str | None = None
    seqno: int = UNKNOWN_SEQNO
    uuid: str = ''


def may_bootstrap_new(reports: Mapping[str, MemberReport],
                      positions: Mapping[str, Position]) -> Decision:
    """Whether a new cluster may be bootstrapped on one of these members.

    Only if each of them proves that it was never started and holds no data:
    a second bootstrap creates a second history.

    :param reports: reports of all members that may have been started.
    :param positions: positions of the same members.
    """
    for name in sorted({*reports, *positions}):
        if name not in reports or name not in positions:
            return Decision(False, Reason(
                f'{name} did not report its state and its position, so it '
                'may hold data', 'Wait until its guest agent answers.',
                (name,)))
        reason = _not_new(name, reports[name], positions[name])
        if reason is not None:
            return Decision(False, reason)
    return Decision(True, Reason(
        'No member was ever started, and none holds data'))


def _not_new(name: str, report: MemberReport,
             position: Position) -> Reason | None:
    if report.view is not None and report.view.in_primary:
        return Reason(
            f'{name} is in the primary component of the cluster '
            f'{report.view.cluster_uuid}', _AGAIN, (name,))
    if report.started or report.server not in NOT_RUNNING:
        return Reason(
            f'{name} was started before (its server is '
            f'{report.server.value})', _AGAIN, (name,))
    if position.sst_in_progress:
        return Reason(
            f'{name} holds an incomplete copy from an interrupted SST',
            _AGAIN, (name,))
    if not position.is_empty:
        return Reason(
            f'{name} holds data of the cluster {position.uuid} at '
            f'{position.seqno}',
            'Have an operator find out whose data it is, then delete this '
            'cluster and create it again.', (name,))
    if report.data_bytes > EMPTY_DATA_BYTES:
        return Reason(
            f'{name} holds {report.data_bytes} bytes of data without the '
            'UUID of a cluster',
            'Have an operator check its data directory, then delete this '
            'cluster and create it again.', (name,))
    return None


def joined(report: MemberReport, expected_uuid: str,
           expected_size: int, or_larger: bool = False) -> bool:
    """Whether the member is Synced in the right component, with its data.

    The data must be on disk, so that it survives a loss of power.

    :param or_larger: whether a larger component is right, too, because other
        members may rejoin at the same time.
    """
    view = report.view
    return (report.server is ServerState.RUNNING and view is not None
            and view.in_primary and view.is_synced and view.ready
            and not report.unsynced
            and view.cluster_uuid == expected_uuid.lower()
            and (view.cluster_size == expected_size
                 or or_larger and view.cluster_size > expected_size))


def join_order(members: Sequence[str], source: str,
               positions: Mapping[str, Position]) -> tuple[str, ...]:
    """The order in which the others join: highest position first.

    These members can use IST from the gcache of the source, and can be
    donors afterwards.
    """
    uuid = positions[source].uuid if source in positions else None

    def lack(name: str) -> tuple[int, int]:
        position = positions.get(name)
        usable = (position is not None and not position.sst_in_progress
                  and position.known and position.uuid == uuid)
        seqno = (position.seqno if position is not None and usable
                 else UNKNOWN_SEQNO)
        return (-seqno, list(members).index(name))
    return tuple(sorted((name for name in members if name != source),
                        key=lack))


def choose_bootstrap(members: Sequence[str], answers: Mapping[str, Answer],
                     *, forced: str | None = None) -> Choice:
    """The next step of a recovery, or a refusal.

    :param members: the names of all members, in member order.
    :param answers: the answers by name, without members that did not answer.
    :param forced: the member that the operator forces. It overrides missing
        answers, other histories and positions; never a primary component, a
        running server or an incomplete data directory.
    """
    if forced is not None and forced not in members:
        return _refuse(_stranger(forced, members))
    told = {name: answers[name] for name in members if name in answers}
    silent = [name for name in members if name not in answers]
    living = _of_the_living(told)
    if living is not None:
        return living
    if forced is not None:
        return _forced(forced, told)
    if silent:
        return _refuse(_silence(silent))
    return _of_the_told(told)


def worth_waiting(members: Sequence[str], answers: Mapping[str, Answer],
                  forced: str | None = None) -> str:
    """What a recovery waits for before it decides; '' if nothing.

    A server that crashed keeps its last view, and restores that component
    when all of its members are back. A server that stopped cleanly cannot. A
    server that does not answer may be stopping, or busy.

    :param forced: the member that the operator forces. Members that do not
        answer are not waited for then.
    """
    told = {name: answers[name] for name in members if name in answers}
    starting = [name for name, answer in told.items()
                if answer.report.server is ServerState.STARTING
                and answer.position is not None
                and answer.position.may_come_up_primary]
    if starting:
        return f'{_list(starting)} may find the other members'
    unresponsive = unresponsive_servers(told)
    if unresponsive:
        return f'the server of {_list(unresponsive)} may still answer or stop'
    silent = [name for name in members if name not in answers]
    if silent and forced is None:
        return f'no answer from {_list(silent)}'
    return ''


def survivor(members: Sequence[str],
             answers: Mapping[str, Answer]) -> str | None:
    """The survivor outside a primary component that needs a recovery.

    Only this member runs, for example after a clean stop of all others at
    the same moment. All have answered, all others left their last view, and
    none was ordered to bootstrap: no component can form without this member,
    and this member cannot form one alone.
    """
    running = [name for name, answer in answers.items()
               if answer.report.server is ServerState.RUNNING]
    others = [answer for name, answer in answers.items()
              if name not in running]
    if (len(running) != 1 or set(answers) != set(members)
            or unresponsive_servers(answers)
            or any(answer.position is None
                   or answer.position.may_come_up_primary
                   for answer in others)):
        return None
    (alone,) = running
    view = answers[alone].report.view
    return None if view is None or view.in_primary else alone


def unresponsive_servers(answers: Mapping[str, Answer]) -> list[str]:
    """Members with a server process that does not report its state."""
    return [name for name, answer in answers.items()
            if answer.report.server is ServerState.UNRESPONSIVE
            or answer.report.server is ServerState.RUNNING
            and answer.report.view is None]


def may_stop_for_recovery(members: Sequence[str],
                          answers: Mapping[str, Answer],
                          forced: str | None = None) -> Decision:
    """Whether starting servers may be stopped to read their positions.

    Not if it is known that the decision would be refused: then the servers
    keep trying to connect to each other.
    """
    told = {name: answers[name] for name in members if name in answers
            and answers[name].report.server is not ServerState.STARTING}
    living = _of_the_living(told)
    if living is not None:
        return Decision(False, living.reason)
    if forced is not None and forced not in members:
        return Decision(False, _stranger(forced, members))
    silent = [name for name in members if name not in answers]
    if forced is not None and forced in silent:
        return Decision(False, _unheard(forced))
    if silent and forced is None:
        return Decision(False, _silence(silent))
    return Decision(True, Reason(
        'No member is in a primary component, and all members that the '
        'decision needs have answered'))


def _of_the_living(told: Mapping[str, Answer]) -> Choice | None:
    """The step that follows from running or starting servers, or None."""
    primaries = {name: answer.report.view for name, answer in told.items()
                 if answer.report.view is not None
                 and answer.report.view.in_primary}
    if primaries:
        parts = history.components(primaries)
        if len(parts) > 1:
            return _refuse(Reason(
                'There are two primary components: '
                f'{" and ".join(_list(part) for part in parts)}',
                'Stop all writes, have an operator stop the servers of the '
                'component that you give up ("openstack server stop"), then '
                'recover.', tuple(primaries)))
        first = next((name for name, view in primaries.items()
                      if view.serves and view.is_synced),
                     next(iter(primaries)))
        return Choice(Step.REJOIN, Reason(
            f'{first} is in the primary component, so no member is '
            'bootstrapped: the others join it', named=(first,)),
            first, primaries[first].last_committed)
    for name, answer in told.items():
        if answer.report.server is ServerState.STARTING:
            return Choice(Step.WAIT, Reason(
                f'{name} is starting and may find the other members',
                'Wait until it is up or has stopped.', (name,)))
        if answer.report.server is ServerState.UNRESPONSIVE:
            return _refuse(Reason(
                f'The server of {name} does not answer, so the position of '
                'its data is unknown', _reboot(name), (name,)))
        if (answer.report.server is ServerState.RUNNING
                and answer.report.view is None):
            return _refuse(Reason(
                f'The server of {name} runs but does not report its state',
                _reboot(name), (name,)))
    return None


def _of_the_told(told: Mapping[str, Answer]) -> Choice:
    """Choose the highest position; all answered and none is primary."""
    candidates = history.candidates(told)
    remembered = history.remembered(told)
    own = next((uuid for uuid, _ in remembered.values()), None)
    reason = (history.discord(remembered)
              or history.disagreement(candidates, own))
    if reason is not None:
        return _refuse(reason)
    eligible = [candidate for candidate in candidates if candidate.usable]
    if not eligible:
        left = '; '.join(f'{candidate.name} {candidate.disqualification}'
                         for candidate in candidates)
        return _refuse(Reason(
            f'No member holds usable data: {left}', _ANEW,
            tuple(candidate.name for candidate in candidates)))
    best = max(eligible, key=lambda candidate: candidate.rank)
    reason = history.ahead(candidates, best) or _behind(best, remembered)
    if reason is not None:
        return _refuse(reason)
    return _promote_or_bootstrap(best, eligible)


def _behind(best: history.Candidate,
            remembered: Mapping[str, tuple[str, int]]) -> Reason | None:
    """Refuse if a member recorded a position after the highest one."""
    furthest = max(remembered, key=lambda name: remembered[name][1],
                   default='')
    if furthest and remembered[furthest][1] > best.seqno:
        return Reason(
            f'The highest position of the data is {best.seqno}, on '
            f'{best.name}, but {furthest} recorded position '
            f'{remembered[furthest][1]}',
            f'Force {best.name} only if the later writes may be lost.',
            tuple(dict.fromkeys((best.name, furthest))), force=True)
    return None


def _promote_or_bootstrap(best: history.Candidate,
                          eligible: Sequence[history.Candidate]) -> Choice:
    uuid = best.uuid or ''
    if best.running:
        return Choice(Step.PROMOTE, Reason(
            f'{best.name} still runs, outside a primary component, and has '
            f'the highest position, {best.seqno}: it is made primary without '
            'a restart', named=(best.name,)), best.name, best.seqno, uuid)
    for candidate in eligible:
        if candidate.running:
            return Choice(Step.STOP, Reason(
                f'{candidate.name} runs outside a primary component at '
                f'position {candidate.seqno}, behind {best.name}, which '
                f'stopped at {best.seqno}: its server is stopped first',
                named=(candidate.name, best.name)), candidate.name)
    return Choice(Step.BOOTSTRAP, Reason(
        f'All members have stopped, and {best.name} has the highest '
        f'position, {best.seqno}', named=(best.name,)),
        best.name, best.seqno, uuid)


def _forced(name: str, told: Mapping[str, Answer]) -> Choice:
    """The step for the member that the operator forces, or a refusal."""
    if name not in told:
        return _refuse(_unheard(name))
    running = [other for other, answer in told.items() if other != name
               and answer.report.server is ServerState.RUNNING]
    if running:
        return _refuse(Reason(
            f'{_list(running)} still runs outside a primary component',
            f'Force {running[0]} instead, or have an operator stop its '
            f'server ("openstack server stop"), then force {name} again.',
            (*running, name), force=True))
    candidate = history.candidate(name, told[name])
    if not candidate.usable:
        return _refuse(Reason(
            f'{name} {candidate.disqualification}, so it cannot be forced',
            f'Force another member, or: {_ANEW}', (name,), force=True))
    step = Step.PROMOTE if candidate.running else Step.BOOTSTRAP
    return Choice(step, Reason(
        f'The operator forced {name}, which is at position {candidate.seqno}; '
        'later writes of the other members are lost', named=(name,)),
        name, candidate.seqno, candidate.uuid or '')


def _stranger(name: str, members: Sequence[str]) -> Reason:
    return Reason(
        f'{name} is not a member of this cluster; the members are '
        f'{_list(members)}', 'Name one of them.', tuple(members))


def _unheard(name: str) -> Reason:
    return Reason(
        f'{name} did not answer, so it cannot be started',
        f'{_START}; or force another member.', (name,), force=True)


def _silence(silent: Sequence[str]) -> Reason:
    return Reason(
        f'{_list(silent)} did not answer, and may run or hold the latest '
        'data',
        f'{_START}; if it is lost for good, force another member.',
        tuple(silent), force=True)


def _reboot(name: str) -> str:
    return ('Have an operator reboot its guest ("openstack database instance '
            f'reboot {shlex.quote(name)}"), then recover.')


def _list(names: Sequence[str]) -> str:
    return ', '.join(names)


def _refuse(reason: Reason) -> Choice:
    return Choice(Step.REFUSE, reason)
