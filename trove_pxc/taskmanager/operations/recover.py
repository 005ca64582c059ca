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

"""Recover: bring back a cluster that serves nobody, or not with all.

Imported by tasks. While a member is in the primary component, the others
join it. If none is, those that run may still find each other; then what
loops or hangs is stopped, all disks are read, and galera/plan decides which
one member is continued, or why nobody may be.
"""

from collections.abc import Sequence
import functools
import re
import traceback
from typing import Any

from oslo_log import log as logging
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import history
from trove_pxc.galera import plan
from trove_pxc.galera import position
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import outcome
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import missing
from trove_pxc.taskmanager.steps import rejoin
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Each = workflow.Each
Member = members.Member
ServerState = view.ServerState

_SILENT = (exception.GuestTimeout, exception.GuestError)


class Recovery(formation.Formation):
    """The state of one run; all of it can be found out again by another.

    :ivar everyone: all members by the name that decisions know them by,
        but for those that did not come in and were never started.
    :ivar failed: who did not come in, or was to go: it may hold data, and
        has to answer, but is not brought back.
    :ivar lost: whose server is gone; they are asked nothing.
    :ivar forced: the name of the one that the operator answers for.
    :ivar reports: the last ones, of those who answered.
    :ivar positions: of those whose disk was read.
    :ivar halted: those whose servers were stopped and are to run again.
    :ivar order_given: whether a member was told to continue the cluster.
    """

    remedy = ('look at the health of the cluster, then ask for the recovery '
              'again')

    def __init__(self, context: Any, cluster: Any,
                 force: str | None = None) -> None:
        super().__init__('recover', context, cluster)
        self.failed = [member for member in self.members
                       if member.row().task_status.is_error]
        self.everyone = {
            label: member
            for label, member in members.by_label(self.members).items()
            if member not in self.failed or member.prepared()}
        self.members = [member for member in self.members
                        if member not in self.failed]
        self.forced = None if force is None else next(
            (name for name, member in self.everyone.items()
             if member.id == force), force)
        self.reports: dict[str, view.MemberReport] = {}
        self.positions: dict[str, position.Position] = {}
        self.lost: list[Member] = []
        self.halted: list[Member] = []
        self.order_given = False
        self._looked = False

    @property
    def answers(self) -> dict[str, history.Answer]:
        return {name: history.Answer(report, self.positions.get(name))
                for name, report in self.reports.items()}

    @property
    def silent(self) -> list[Member]:
        return [member for name, member in self.everyone.items()
                if name not in self.reports]

    def look(self) -> None:
        """Ask each member once how it stands; who is silent is unknown.

        One that was silent before gets less time.
        """
        before, self.reports = self.reports, {}
        for name, member in self.everyone.items():
            if member in self.lost:
                continue
            missed = self._looked and name not in before
            try:
                self.reports[name] = member.guest.member_report(
                    member.options.status_call_timeout if missed else None)
            except _SILENT as silence:
                LOG.info('Recovery of cluster %s: no report from %s: %s',
                         self.cluster_id, name, silence)
        for name, report in list(self.reports.items()):
            if not report.started and self.everyone[name] in self.failed:
                del self.everyone[name], self.reports[name]
        self._looked = True

    def look_closely(self) -> None:
        """A probe: look, until each server that is there tells its state."""
        self.look()
        mute = plan.mutes(self.answers)
        if mute:
            raise waiting.NotYet(f'the server of {", ".join(mute)} tells '
                                 'nothing')

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """One that failed to come in may be inside all the same."""
        return plan.joined(report, self.history, size,
                           or_larger=bool(self.failed))

    def begin(self) -> None:
        """As ever, of those whose servers are there."""
        self.check_wanted()
        missing.leave_out(self)
        super().begin()

    def check(self) -> None:
        """As ever; and whether there is a cluster to bring back."""
        super().check()
        if not any(member.complete() for member in self.members):
            raise exceptions.RecoveryRefused(
                'the cluster was never complete',
                'Delete it and create it again', ())

    def read(self, names: Sequence[str]) -> None:
        """Read where these members stand on their disks."""
        for name in names:
            self.positions.pop(name, None)
            try:
                self.positions[name] = self.everyone[name].position()
            except _SILENT as silence:
                LOG.warning('Recovery of cluster %s: no position from %s: '
                            '%s', self.cluster_id, name, silence)

    def choose(self) -> plan.Choice:
        choice = plan.choose_bootstrap(list(self.everyone), self.answers,
                                       forced=self.forced)
        LOG.info('Recovery of cluster %s: %s', self.cluster_id,
                 choice.reason)
        return choice

    def meet_primary(self) -> bool:
        """Whether there is a primary component, by the last reports.

        :raises RecoveryRefused: if there are two.
        """
        primaries = [name for name, report in self.reports.items()
                     if report.view is not None and report.view.in_primary]
        if not primaries:
            return False
        choice = self.choose()
        if choice.step is not plan.Step.REJOIN or choice.member is None:
            raise self.refused(choice.reason)
        self.found_through(self.everyone[choice.member],
                           self.reports[choice.member])
        return True

    def refused(self, reason: str) -> exceptions.RecoveryRefused:
        """The refusal, at the doors of those whom it names."""
        cause, _, advice = reason.partition('. ')
        if 'orce ' in advice:
            advice = f'{advice.rstrip(".")} (--force MEMBER)'
        named = tuple(
            member.id for name, member in self.everyone.items()
            if re.search(rf'(?<![\w-]){re.escape(name)}(?![\w-])', reason))
        return exceptions.RecoveryRefused(cause, advice, named)


def first_member(operation: Recovery) -> Sequence[Member]:
    return operation.members[:1]


def joiners(operation: Recovery) -> Sequence[Member]:
    """All but the one that is primary: who lacks least, silent ones last."""
    source = next(name for name, member in operation.everyone.items()
                  if member is operation.founder)
    order = plan.join_order(list(operation.everyone), source,
                            operation.positions)
    wanted = [operation.everyone[name] for name in order
              if operation.everyone[name] in operation.members]
    return sorted(wanted, key=lambda member: member in operation.silent)


def primary(operation: Recovery) -> Sequence[Member]:
    """The one that is primary: it may be locked or desynced.

    Another has to be Synced before its server is stopped.
    """
    return [member for member in operation.members
            if member is operation.founder]


def _someone_primary(operation: Recovery, member: Member) -> bool:
    return operation.founder is not None


def _let_meet(operation: Recovery, member: Member) -> None:
    """Wait for those who may still find each other, and for the unknown."""
    def probe() -> None:
        operation.look()
        if operation.meet_primary():
            return
        operation.read([name for name, report in operation.reports.items()
                        if report.server is ServerState.STARTING])
        hope = plan.worth_waiting(list(operation.everyone),
                                  operation.answers, operation.forced)
        if hope:
            raise waiting.NotYet(hope)
    try:
        operation.wait(probe, what='the members to meet')
    except exceptions.DeadlineExceeded as late:
        LOG.info('Recovery of cluster %s: %s', operation.cluster_id, late)
    if operation.forced is not None:
        operation.members = [one for one in operation.members
                             if one not in operation.silent]


def _halt_all(operation: Recovery, member: Member) -> None:
    """Stop what loops or hangs, so that the disks can be read."""
    decision = plan.may_halt(list(operation.everyone), operation.answers,
                             operation.forced)
    if not decision.allowed:
        raise operation.refused(decision.reason)
    for name, report in operation.reports.items():
        if report.server is not ServerState.RUNNING and report.started:
            _halt(operation, operation.everyone[name])


def _halt(operation: Recovery, member: Member) -> None:
    def order() -> None:
        if member.guest.halt_member() and member not in operation.halted:
            operation.halted.append(member)
    operation.tell(member, order)


def _continue(operation: Recovery, member: Member) -> None:
    """Have the one member that may be continued be primary, or refuse."""
    choice = _settled_choice(operation)
    while (choice.step is plan.Step.PROMOTE and choice.member is not None
           and not _promoted(operation, choice)):
        _halt(operation, operation.everyone[choice.member])
        choice = _settled_choice(operation)
    if choice.step is plan.Step.REJOIN:
        operation.meet_primary()
        return
    if (choice.step not in (plan.Step.PROMOTE, plan.Step.BOOTSTRAP)
            or choice.member is None):
        raise operation.refused(choice.reason)
    if operation.forced is not None:
        LOG.warning('Recovery of cluster %s: %s', operation.cluster_id,
                    choice.reason)
    chosen = operation.everyone[choice.member]
    operation.subject = chosen
    operation.order_given = True
    if choice.step is plan.Step.BOOTSTRAP:
        operation.tell(chosen, functools.partial(
            chosen.guest.continue_member, choice.uuid, choice.seqno))
    _await_primary(operation, chosen, choice.uuid)


def _settled_choice(operation: Recovery) -> plan.Choice:
    """The choice from disks that nobody writes to any more."""
    for _ in operation.everyone:
        _look_closely(operation)
        operation.read(list(operation.reports))
        operation.look()
        choice = operation.choose()
        if choice.step is plan.Step.STOP and choice.member is not None:
            _halt(operation, operation.everyone[choice.member])
        elif choice.step is plan.Step.WAIT:
            # Somebody has started a server since: as from the beginning.
            _let_meet(operation, operation.members[0])
            if operation.founder is not None:
                return operation.choose()
            _halt_all(operation, operation.members[0])
        else:
            break
    return choice


def _look_closely(operation: Recovery) -> None:
    """Look; what is still not known after a while is refused."""
    try:
        operation.wait(
            operation.look_closely, what='servers to tell their state',
            seconds=operation.members[0].options.self_recovery_timeout)
    except exceptions.DeadlineExceeded as late:
        LOG.info('Recovery of cluster %s: %s', operation.cluster_id, late)


def _promoted(operation: Recovery, choice: plan.Choice) -> bool:
    """Make a survivor primary as soon as Galera has counted who stopped.

    :returns: whether it takes the order. After the last of the others ended
        in the middle of a state transfer, Galera's lower half takes itself
        for primary and its upper half for not, for ever (measured with
        26.4.23); such a server is to be stopped, and continued.
    """
    chosen = operation.everyone[choice.member or '']
    operation.subject = chosen
    operation.order_given = True

    def order() -> None:
        if not chosen.guest.promote_member(choice.uuid, choice.seqno):
            raise waiting.NotYet('its component is changing')
    try:
        operation.wait(supervision.answered(order),
                       what=f'{chosen.name} to be made primary',
                       seconds=chosen.options.self_recovery_timeout)
    except exceptions.DeadlineExceeded as late:
        LOG.warning('Recovery of cluster %s: %s; it is stopped, and then '
                    'continued', operation.cluster_id, late)
        return False
    return True


def _await_primary(operation: Recovery, chosen: Member, uuid: str) -> None:
    watch = supervision.CrashWatch(chosen)

    def probe() -> view.MemberReport:
        report = chosen.report()
        watch.look(report)
        if not rejoin.is_in(report, uuid):
            raise waiting.NotYet(members.seen(report))
        return report
    operation.found_through(chosen, operation.wait(
        probe, what=f'{chosen.name} to be Synced in a primary component'))


LET_MEET = workflow.Step(
    'let them meet', 'to meet the others', 'self_recovery_timeout',
    workflow.never, _let_meet)
HALT = workflow.Step(
    'stop what hangs', 'to have stopped', 'member_stop_timeout',
    _someone_primary, _halt_all)
CONTINUE = workflow.Step(
    'continue', 'to be Synced in a primary component', 'bootstrap_timeout',
    _someone_primary, _continue)
JOIN = workflow.Step(
    'join', 'to be Synced in the cluster', 'join_stall_timeout',
    rejoin.joined, rejoin.join)

STEPS: tuple[Each[Any], ...] = (
    Each(first_member, (            # asks all; a silent one is unknown
        LET_MEET,                   # who died together may meet again
        HALT,                       # what loops or hangs, to read its disk
        CONTINUE,                   # promote or start the one, or refuse
    )),
    Each(joiners, (                 # one after another
        JOIN,
    )),
    Each(primary, (                 # it is in already, but perhaps locked
        JOIN,
    )),
    Each(formation.every_member, (
        verify.AGREE,            # one UUID, full size, Synced
    )),
    Each(formation.last_member, (
        verify.REPLICATE,        # what it writes, all the others read
    )),
    Each(formation.every_member, (
        complete.BE_HEALTHY,
    )),
)


def run(operation: Recovery) -> None:
    """Bring the cluster back, or go on where another run was cut short."""
    workflow.begin(operation)
    missing.refuse_without_primary(operation)
    workflow.run(operation, STEPS)
    operation.check_wanted()
    for member in operation.members:
        faults.forget(member.id)
    operation.halted.clear()    # they run again
    missing.tell(operation)


def give_up(operation: Recovery, failure: exceptions.StepFailed) -> None:
    """Tell what happened; have run again what was stopped to look at it."""
    _record(operation, failure)
    _put_back(operation)


def _record(operation: Recovery, failure: exceptions.StepFailed) -> None:
    """Tell what happened at the members that are named, or at all."""
    details = ''.join(traceback.format_exception(
        failure.__cause__ or failure))
    for member in operation.everyone.values():
        if not failure.blamed or member.id in failure.blamed:
            outcome.save_fault(member.id, failure, details)


def _put_back(operation: Recovery) -> None:
    """After a failure: what was stopped runs again, as it did before.

    But not beside a member that was told to continue the cluster and may
    still do so: the others could then restore a component of their own.
    """
    if operation.order_given and operation.founder is None:
        LOG.warning('Recovery of cluster %s: %s stay stopped, for %s may '
                    'still become primary', operation.cluster_id,
                    ', '.join(one.name for one in operation.halted),
                    operation.subject and operation.subject.name)
        return
    for member in operation.halted:
        try:
            member.guest.start_member()
        except _SILENT as failure:
            LOG.warning('Recovery of cluster %s: %s could not be started '
                        'again: %s', operation.cluster_id, member.name,
                        failure)
