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

"""Who may bootstrap, or why nobody may; who joins next, from which donor.

Pure decisions. Each has its reason: the cause, what the operator can do, and
the members that it is about. The operations of the taskmanager import it, and
nobody decides these things elsewhere.

The rules, each the answer to data that others lost (mariadb-operator issues
1108 and 1701, Percona forum 40148):

1. While a member is in a primary component, nobody bootstraps.
2. Who does not answer is unknown, never down.
3. One history: a uuid that is not the cluster's own is refused.
4. An interrupted SST, a nil uuid or a missing grastate.dat is no candidate.
5. A position behind one that is known to have existed is refused; each
   member remembers where it was last Synced.
6. The furthest member bootstraps; only among equals does it count who was
   told to before, then Galera's own safe_to_bootstrap, then member order.
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
# The column of Trove's faults is short.
_START = 'Have an operator start it ("openstack server start")'


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may be done, and why."""

    allowed: bool
    reason: Reason


class Step(enum.StrEnum):
    """What to do with a cluster that is not whole."""

    REJOIN = 'rejoin'
    WAIT = 'wait'
    STOP = 'stop'
    PROMOTE = 'promote'
    BOOTSTRAP = 'bootstrap'
    REFUSE = 'refuse'


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """The next step of a recovery.

    :ivar member: who is promoted (pc.bootstrap on the running server) or
        bootstrapped (started with --wsrep-new-cluster at its recovered
        position); for REJOIN a member that is in the primary component;
        for STOP one that runs outside, and is behind.
    :ivar seqno: the position that the cluster then stands at, or -1.
    :ivar uuid: the history that is then continued.
    """

    step: Step
    reason: Reason
    member: str | None = None
    seqno: int = UNKNOWN_SEQNO
    uuid: str = ''


def may_bootstrap_new(reports: Mapping[str, MemberReport],
                      positions: Mapping[str, Position]) -> Decision:
    """Whether a new cluster may be bootstrapped on one of these members.

    Only if every one of them proves that it was never started and holds
    nothing: a second bootstrap makes a second history.

    :param reports: of every member that may ever have been told to start.
    :param positions: of the same members.
    """
    for name in sorted({*reports, *positions}):
        if name not in reports or name not in positions:
            return Decision(False, Reason(
                f'{name} did not tell its state and its position, so it '
                'may hold data', 'Wait until its guest agent answers.',
                (name,)))
        reason = _not_new(name, reports[name], positions[name])
        if reason is not None:
            return Decision(False, reason)
    return Decision(True, Reason(
        'No member was ever started, none holds data'))


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
        return Reason(f'{name} holds what an interrupted SST has left',
                      _AGAIN, (name,))
    if not position.is_empty:
        return Reason(
            f'{name} holds data of the cluster {position.uuid} at '
            f'{position.seqno}',
            'Have an operator look whose it is, then delete this cluster and '
            'create it again.', (name,))
    if report.data_bytes > EMPTY_DATA_BYTES:
        return Reason(
            f'{name} holds {report.data_bytes} bytes of data that tell no '
            'cluster',
            'Have an operator look at its data directory, then delete this '
            'cluster and create it again.', (name,))
    return None


def joined(report: MemberReport, expected_uuid: str,
           expected_size: int, or_larger: bool = False) -> bool:
    """Whether the member is in: Synced, in the right component, whole.

    Whole is what a loss of power leaves so, too.

    :param or_larger: whether others may come back meanwhile.
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
    """In which order the others join: those who lack least come first.

    They can have IST from the source's gcache, and are donors then.
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
    """The next step that brings a cluster back, or the refusal of any.

    :param members: all members' names, in member order.
    :param answers: what each told; one who did not answer is left out.
    :param forced: the member that the operator answers for. It overrides
        silence, other histories and positions, never a primary component,
        a running server or a spoiled data directory.
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
    """What may still come about, or be known, by itself; '' if nothing.

    A server that died keeps its last view, and restores that component when
    all of its members are back; one that stopped cleanly cannot. A server
    that is there and does not answer may be on its way down, or merely busy.

    :param forced: the member that the operator answers for; nobody who is
        silent is waited for then.
    """
    told = {name: answers[name] for name in members if name in answers}
    starting = [name for name, answer in told.items()
                if answer.report.server is ServerState.STARTING
                and answer.position is not None
                and answer.position.may_come_up_primary]
    if starting:
        return f'{_list(starting)} may find the others'
    unresponsive = unresponsive_servers(told)
    if unresponsive:
        return f'the server of {_list(unresponsive)} may still answer, or stop'
    silent = [name for name in members if name not in answers]
    if silent and forced is None:
        return f'no answer from {_list(silent)}'
    return ''


def survivor(members: Sequence[str],
             answers: Mapping[str, Answer]) -> str | None:
    """Who runs outside a primary component that only a recovery brings back.

    One alone runs, as after a clean stop of all others in the same instant.
    They have all answered, each has left its last view in order, and none
    was told to continue: whatever they do, no component comes about without
    this member, and it cannot make one by itself.
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
    """Whose servers are there and do not tell where they stand."""
    return [name for name, answer in answers.items()
            if answer.report.server is ServerState.UNRESPONSIVE
            or answer.report.server is ServerState.RUNNING
            and answer.report.view is None]


def may_stop_for_recovery(members: Sequence[str],
                          answers: Mapping[str, Answer],
                          forced: str | None = None) -> Decision:
    """Whether servers that start in vain may be stopped, to decide then.

    Not if it is clear already that nothing could be decided: they had
    better go on looking for each other.
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
        'Nobody serves, and all that count have answered'))


def _of_the_living(told: Mapping[str, Answer]) -> Choice | None:
    """What members that run or start decide; None if none does so."""
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
                'one that is to be given up ("openstack server stop"), then '
                'recover.', tuple(primaries)))
        first = next((name for name, view in primaries.items()
                      if view.serves and view.is_synced),
                     next(iter(primaries)))
        return Choice(Step.REJOIN, Reason(
            f'{first} is in the primary component: nobody bootstraps, the '
            'others join it', named=(first,)),
            first, primaries[first].last_committed)
    for name, answer in told.items():
        if answer.report.server is ServerState.STARTING:
            return Choice(Step.WAIT, Reason(
                f'{name} is starting, and may find the others by itself',
                'Wait until it is up or has stopped.', (name,)))
        if answer.report.server is ServerState.UNRESPONSIVE:
            return _refuse(Reason(
                f'The server of {name} is there but does not answer, so '
                'what it holds is unknown', _reboot(name), (name,)))
        if (answer.report.server is ServerState.RUNNING
                and answer.report.view is None):
            return _refuse(Reason(
                f'The server of {name} runs but does not tell its state',
                _reboot(name), (name,)))
    return None


def _of_the_told(told: Mapping[str, Answer]) -> Choice:
    """All have answered, nobody is primary: find the furthest."""
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
            f'No member holds data to continue from: {left}', _ANEW,
            tuple(candidate.name for candidate in candidates)))
    best = max(eligible, key=lambda candidate: candidate.rank)
    reason = history.ahead(candidates, best) or _behind(best, remembered)
    if reason is not None:
        return _refuse(reason)
    return _promote_or_bootstrap(best, eligible)


def _behind(best: history.Candidate,
            remembered: Mapping[str, tuple[str, int]]) -> Reason | None:
    """Why the furthest is not where a member has seen the cluster."""
    furthest = max(remembered, key=lambda name: remembered[name][1],
                   default='')
    if furthest and remembered[furthest][1] > best.seqno:
        return Reason(
            f'The furthest member, {best.name}, stands at {best.seqno}, but '
            f'{furthest} has seen the cluster at {remembered[furthest][1]}',
            f'Force {best.name} only if what came after may be lost.',
            tuple(dict.fromkeys((best.name, furthest))), force=True)
    return None


def _promote_or_bootstrap(best: history.Candidate,
                          eligible: Sequence[history.Candidate]) -> Choice:
    uuid = best.uuid or ''
    if best.running:
        return Choice(Step.PROMOTE, Reason(
            f'{best.name} still runs, outside a primary component, and is '
            f'the furthest, at {best.seqno}: it is made primary where it '
            'stands', named=(best.name,)), best.name, best.seqno, uuid)
    for candidate in eligible:
        if candidate.running:
            return Choice(Step.STOP, Reason(
                f'{candidate.name} runs outside a primary component and is at '
                f'{candidate.seqno}, behind {best.name}, which stopped at '
                f'{best.seqno}: it is stopped first',
                named=(candidate.name, best.name)), candidate.name)
    return Choice(Step.BOOTSTRAP, Reason(
        f'All members have stopped, and {best.name} is the furthest, at '
        f'{best.seqno}', named=(best.name,)), best.name, best.seqno, uuid)


def _forced(name: str, told: Mapping[str, Answer]) -> Choice:
    """The operator answers for this member: what must hold even so."""
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
            f'{name} {candidate.disqualification}; even force cannot continue '
            'from that',
            f'Force another member, or: {_ANEW}', (name,), force=True))
    step = Step.PROMOTE if candidate.running else Step.BOOTSTRAP
    return Choice(step, Reason(
        f'The operator forced {name}, which stands at {candidate.seqno}; what '
        'others hold beyond that is lost', named=(name,)),
        name, candidate.seqno, candidate.uuid or '')


def _stranger(name: str, members: Sequence[str]) -> Reason:
    return Reason(
        f'{name} is no member of this cluster; the members are '
        f'{_list(members)}', 'Name one of them.', tuple(members))


def _unheard(name: str) -> Reason:
    return Reason(
        f'{name} did not answer, so it cannot be started',
        f'{_START}; or force another member.', (name,), force=True)


def _silence(silent: Sequence[str]) -> Reason:
    return Reason(
        f'{_list(silent)} did not answer, and may run or hold the latest '
        'data',
        f'{_START}; if it is lost for good, force the member to continue.',
        tuple(silent), force=True)


def _reboot(name: str) -> str:
    return ('Have an operator reboot its guest ("openstack database instance '
            f'reboot {shlex.quote(name)}"), then recover.')


def _list(names: Sequence[str]) -> str:
    return ', '.join(names)


def _refuse(reason: Reason) -> Choice:
    return Choice(Step.REFUSE, reason)
