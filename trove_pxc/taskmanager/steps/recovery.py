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

"""The state of a recovery, and the selection of members for its phases.

Imported by recover, its steps, and watchers/automatic. It asks the members;
galera/plan makes decisions from their answers.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import TypeVar

from oslo_log import log as logging
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc.galera import plan
from trove_pxc.galera.reason import Reason
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine.found import Survey
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.steps import missing
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member

#: the errors of a call to a guest that does not answer
SILENT = (exception.GuestTimeout, exception.GuestError)
Kept = TypeVar('Kept')
Wait = Callable[[Callable[[], None], str, float], object]


class Recovery(supervision.Supervised):
    """The state of one run; another run can find out all of it again.

    :ivar failed: the members that failed to join or to leave: they may hold
        data and must answer, but are not recovered.
    :ivar forced: the name of the member that the operator forces.
    :ivar stopped: the members that the recovery stopped and must start again
        after a failure.
    :ivar order_given: whether a member was ordered to become primary.
    """

    remedy = 'check the health of the cluster, then repeat the recovery'

    def __init__(self, context: Context, cluster: Cluster,
                 force: str | None = None) -> None:
        super().__init__('recover', context, cluster)
        self.failed = [member for member in self.all_members
                       if member.row().task_status.is_error]
        self.labelled = members.by_label(self.all_members)
        asked = {label: member for label, member in self.labelled.items()
                 if member not in self.failed or member.prepared()}
        self.forced = None if force is None else next(
            (name for name, member in asked.items()
             if member.id == force), force)
        self.found = dataclasses.replace(
            self.found, or_larger=bool(self.failed),    # they may have joined
            members=tuple(member for member in self.all_members
                          if member not in self.failed),
            survey=Survey(asked))
        self.stopped: list[Member] = []
        self.order_given = False

    def begin(self) -> Found:
        """Exclude members whose servers are gone."""
        self.check_wanted()
        return missing.leave_out(self)

    def examine(self, state: rows.State) -> None:
        """Also check whether there is a complete cluster to recover."""
        super().examine(state)
        if not any(state.members[member.id].complete
                   for member in self.members):
            raise exceptions.RecoveryRefused(
                'the cluster was never complete',
                'Delete it and create it again', ())

    def look(self, found: Found) -> Found:
        """Ask each member once; the state of one without answer is unknown.

        A member that did not answer before gets a shorter timeout. A failed
        member that was never started is not asked again.
        """
        before, reports = found.survey, {}
        for name, member in before.all_members.items():
            if member in found.lost:
                continue
            missed = before.asked and name not in before.reports
            try:
                reports[name] = member.guest.member_report(
                    member.options.status_call_timeout if missed else None)
            except SILENT as silence:
                LOG.info('Recovery of cluster %s: no report from %s: %s',
                         self.cluster_id, name, silence)
        ignored = [name for name, report in reports.items()
                   if not report.started
                   and before.all_members[name] in self.failed]
        return dataclasses.replace(found, survey=dataclasses.replace(
            before, asked=True,
            all_members=_without(before.all_members, ignored),
            reports=_without(reports, ignored)))

    def look_closely(self, found: Found, wait: Wait) -> Found:
        """Ask until each server that runs reports its state.

        A state that is not known at the timeout stays unknown, and decisions
        are refused.

        :param wait: called with a probe, a text of what it waits for, and
            the seconds.
        """
        last = found

        def probe() -> None:
            nonlocal last
            last = self.look(last)
            unresponsive = plan.unresponsive_servers(last.survey.answers)
            if unresponsive:
                raise waiting.NotYet(
                    f'the server of {", ".join(unresponsive)} does not '
                    'report its state')
        try:
            wait(probe, 'the servers to report their state',
                 self.members[0].options.self_recovery_timeout)
        except exceptions.DeadlineExceeded as late:
            LOG.info('Recovery of cluster %s: %s', self.cluster_id, late)
        return last

    def read(self, found: Found, names: Iterable[str]) -> Found:
        """Read the positions of these members from their disks."""
        positions = dict(found.survey.positions)
        for name in names:
            positions.pop(name, None)
            try:
                positions[name] = found.survey.all_members[name].position()
            except SILENT as silence:
                LOG.warning('Recovery of cluster %s: no position from %s: '
                            '%s', self.cluster_id, name, silence)
        return dataclasses.replace(found, survey=dataclasses.replace(
            found.survey, positions=positions))

    def choose(self, survey: Survey) -> plan.Choice:
        choice = plan.choose_bootstrap(
            list(survey.all_members), survey.answers, forced=self.forced)
        LOG.info('Recovery of cluster %s: %s', self.cluster_id,
                 choice.reason)
        return choice

    def meet_primary(self, found: Found) -> Found | None:
        """Find a primary component in the last reports.

        :returns: with its source and history; None: there is none.
        :raises RecoveryRefused: if there are two.
        """
        survey = found.survey
        primaries = [name for name, report in survey.reports.items()
                     if report.view is not None and report.view.in_primary]
        if not primaries:
            return None
        choice = self.choose(survey)
        if choice.step is not plan.Step.REJOIN or choice.member is None:
            raise self.refused(choice.reason)
        return found.through(survey.all_members[choice.member],
                             survey.reports[choice.member])

    def refused(self, reason: Reason) -> exceptions.RecoveryRefused:
        """Make the error of a refusal; an advice to force names the option."""
        advice = reason.advice
        if reason.force:
            advice = f'{advice.rstrip(".")} (--force MEMBER)'
        return exceptions.RecoveryRefused(
            reason.cause, advice, tuple(
                member.id for name, member in self.labelled.items()
                if name in reason.named))


def _without(named: Mapping[str, Kept],
             ignored: Collection[str]) -> dict[str, Kept]:
    return {name: kept for name, kept in named.items()
            if name not in ignored}


def primary(operation: Recovery) -> Sequence[Member]:
    """The source, which is in a primary component but may be locked.

    Another member must be Synced before its server is restarted.
    """
    return [member for member in operation.members
            if member is operation.found.source]
