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

"""Grow a cluster: its new instances are on their way, now let them in.

Imported by tasks. One new member after another becomes a full one. Nothing
is done to the server of an old member. One that is down may be missing;
whoever replaces a lost member grows first.
"""

from collections.abc import Sequence
from typing import Any

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import outcome
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import admit
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import donors
from trove_pxc.taskmanager.steps import join
from trove_pxc.taskmanager.steps import prepare
from trove_pxc.taskmanager.steps import standing
from trove_pxc.taskmanager.steps import verify

LOG = logging.getLogger(__name__)

Member = members.Member
Each = workflow.Each

STEPS: tuple[Each[Any], ...] = (
    Each(standing.passing, (        # one after another
        standing.LOOK,              # before anyone waits for a server
        prepare.KNOW_ADDRESS,
        prepare.BE_PREPARED,
        standing.LOOK,              # who serves now, and their history
        donors.RESTORE_ACCOUNTS,    # a donor needs them
        admit.ADMIT_ALL,
        configure.CONFIGURE,
        join.JOIN,                  # Synced, the others see one more
        verify.REPLICATE,           # what it writes, all the others read
        complete.COMPLETE,
        complete.BE_HEALTHY,
        configure.MAKE_KNOWN,       # the old ones' next start knows it
        complete.BRING_IN,
    )),
)


def run(operation: 'Growth') -> None:
    """Let all in, or go on where an earlier run was cut short."""
    workflow.begin(operation)
    members.be_counted(operation.cluster_id, operation.newcomers)
    members.check_all_made(
        operation.cluster_id, operation.newcomers, operation.everyone)
    workflow.run(operation, STEPS)


class Growth(standing.Standing):
    """The state of one run.

    :ivar newcomers: the members that are to come in, in member order.
    """

    remedy = 'shrink it away, then grow again'

    def __init__(self, context: Any, cluster: Any,
                 new_instance_ids: Sequence[str],
                 interrupted: bool = False) -> None:
        super().__init__('grow', context, cluster)
        self.interrupted = interrupted
        self.newcomers = [member for member in self.everyone
                          if member.id in new_instance_ids]
        if not self.newcomers:
            self.remedy = 'ask for it again'

    @property
    def unborn(self) -> Sequence[Member]:
        return self.newcomers

    @property
    def unfinished(self) -> list[Member]:
        return [member for member in self.newcomers
                if member not in self.finished]

    @property
    def registered(self) -> Sequence[Member]:
        """Also who is down, for it may come back."""
        return [member for member in self.everyone
                if member.find_address() is not None]

    def passing(self) -> Sequence[Member]:
        return self.unfinished

    def look(self) -> Any:
        found = super().look()
        self.members = [
            member for member in self.everyone
            if member is self.subject or (
                member.id in found.inside
                and member not in self.unfinished)]
        return found

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """One that was down may come back meanwhile."""
        return plan.joined(report, self.history, size, or_larger=True)

    def check(self) -> None:
        """What becomes of an old member does not stop the new one."""
        self.check_wanted()
        if not self.newcomers:
            raise exceptions.ClusterInconsistent(
                f'none of the new members of cluster {self.cluster_id} was '
                'made')
        if self.subject in self.newcomers:
            self.subject.check()
            self.look_at_births([self.subject])


def _record(operation: Growth, failure: exceptions.StepFailed) -> None:
    """Mark those that did not come in, and keep them out.

    Those that came in before stay. The old ones are not touched.
    """
    at_fault = operation.subject
    outcome.let_trove_finish(operation.unfinished)
    operation.check_wanted()
    for member in operation.unfinished:
        instead = ''
        if at_fault is not None and member is not at_fault:
            instead = (f'{member.name} did not join: the grow failed at '
                       f'{at_fault.name}; see its fault')
        outcome.set_error(member, InstanceTasks.GROWING_ERROR)
        outcome.save_fault(member.id, failure, instead)
    for member in operation.unfinished:
        _keep_out(member)


def _keep_out(member: Member) -> None:
    """Stop its server, so that it does not come in unseen later on."""
    report = standing.glimpse(member)
    if report is None or not report.started:
        return
    try:
        member.guest.stop_member()
    except (exception.GuestTimeout, exception.GuestError) as failure:
        LOG.warning('The server of %s, which did not come in, may still '
                    'run: %s', member.name, failure)


OPERATION = runner.Operation(
    ClusterTasks.GROWING_CLUSTER, Growth, run, _record)
