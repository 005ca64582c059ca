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


"""What a recovery knows of a cluster, and whom its phases are for.

Imported by recover, its steps, and watchers/automatic. It asks; what the
answers allow is decided in galera/plan.
"""

from collections.abc import Sequence
from typing import Any

from oslo_log import log as logging
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc.galera import history
from trove_pxc.galera import plan
from trove_pxc.galera import position
from trove_pxc.galera.reason import Reason
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import missing
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member

#: what a call to a guest ends with that does not answer
SILENT = (exception.GuestTimeout, exception.GuestError)


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
            except SILENT as silence:
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
            except SILENT as silence:
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

    def refused(self, reason: Reason) -> exceptions.RecoveryRefused:
        """The error of a decision; an advice to force names the option."""
        advice = reason.advice
        if reason.force:
            advice = f'{advice.rstrip(".")} (--force MEMBER)'
        return exceptions.RecoveryRefused(
            reason.cause, advice, tuple(
                member.id for name, member in self.everyone.items()
                if name in reason.named))


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
