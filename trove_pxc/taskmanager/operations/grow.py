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
import functools
import traceback
from typing import Any

from oslo_log import log as logging
from trove.common import exception
from trove.extensions.common import models as root_models
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import outcome
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import admit
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import defaults
from trove_pxc.taskmanager.steps import join
from trove_pxc.taskmanager.steps import prepare
from trove_pxc.taskmanager.steps import standing
from trove_pxc.taskmanager.steps import verify

LOG = logging.getLogger(__name__)

Member = members.Member
Each = workflow.Each


class Growth(standing.Standing):
    """The state of one run.

    :ivar newcomers: the members that are to come in, in member order.
    :ivar finished: those that are full members.
    """

    remedy = 'shrink it away, then grow again'

    def __init__(self, context: Any, cluster: Any,
                 new_instance_ids: Sequence[str],
                 interrupted: bool = False) -> None:
        super().__init__('grow', context, cluster)
        self.interrupted = interrupted
        self.newcomers = [member for member in self.everyone
                          if member.id in new_instance_ids]
        self.finished: list[Member] = []
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


def newcomers(operation: Growth) -> Sequence[Member]:
    return operation.newcomers


def _all_admit(operation: Growth, member: Member) -> bool:
    return all(admit.doors(operation, other).right()
               for other in operation.registered)


def _admit_all(operation: Growth, member: Member) -> None:
    for other in operation.registered:
        admit.doors(operation, other).set_right()


def _to_be_told(operation: Growth, member: Member) -> list[Member]:
    """Whose settings should name the new member, but for its own."""
    return [other for other in operation.members if other is not member]


def _known(operation: Growth, member: Member) -> bool:
    told = [operation.tell(other, other.settings)
            for other in _to_be_told(operation, member)]
    return all(had is not None
               and had.facts == defaults.facts(operation, other, had)
               for other, had in zip(
                   _to_be_told(operation, member), told))


def _make_known(operation: Growth, member: Member) -> None:
    """A running server keeps its own; the next start knows all.

    Each keeps the secrets that its server runs with: it may be between two
    authorities, if a rotation of certificates was not brought to its end.
    """
    for other in _to_be_told(operation, member):
        had = operation.tell(other, other.settings)
        if had is None:
            raise other.failed('it serves, and has no settings')
        operation.tell(other, functools.partial(
            other.guest.configure_member,
            defaults.facts(operation, other, had),
            had.secrets, had.identity))
    missing = [other.name for other in operation.everyone
               if other not in operation.members
               and other not in operation.unfinished]
    if missing:
        LOG.warning('Cluster %s: %s serve not and were not told of %s',
                    operation.cluster_id, ', '.join(missing), member.name)


def _bring_in(operation: Growth, member: Member) -> None:
    """Let Trove's rows say of it what they say of the others."""
    histories = [root_models.RootHistory.load(operation.context, other.id)
                 for other in operation.everyone if other is not member]
    if any(history is not None and not (
            history.deleted_at and history.deleted_at > history.created)
            for history in histories):
        root_models.RootHistory.create(operation.context, member.id)
    outcome.release([member])
    operation.finished.append(member)


def _restore_accounts(operation: Growth, member: Member) -> None:
    """Have those that serve see to the accounts that a donor needs.

    What Galera brings to all need but be done by one. An agent of an older
    version does not know how; the join tells then what is missing.
    """
    for other in operation.inside():
        if other in operation.unfinished:
            continue
        try:
            other.guest.restore_accounts()
        except (exception.GuestTimeout, exception.GuestError) as failure:
            LOG.warning('%s could not see to its accounts: %s', other.name,
                        failure)
        else:
            return


RESTORE_ACCOUNTS = workflow.Step(
    'see to the accounts', 'to have donors that can log in',
    'verify_timeout', workflow.never, _restore_accounts)
ADMIT_ALL = workflow.Step(
    'admit each other', 'to be let in by the others, and let them in',
    'member_start_timeout', _all_admit, _admit_all)
MAKE_KNOWN = workflow.Step(
    'make known', 'to stand in the settings of the others',
    'member_start_timeout', _known, _make_known)
BRING_IN = workflow.Step(
    'finish', 'to be a full member', 'verify_timeout', workflow.never,
    _bring_in)

STEPS: tuple[Each[Any], ...] = (
    Each(newcomers, (               # one after another
        standing.LOOK,              # before anyone waits for a server
        prepare.KNOW_ADDRESS,
        prepare.BE_PREPARED,
        standing.LOOK,              # who serves now, and their history
        RESTORE_ACCOUNTS,           # a donor needs them
        ADMIT_ALL,
        configure.CONFIGURE,
        join.JOIN,             # Synced, the others see one more
        verify.REPLICATE,        # what it writes, all the others read
        complete.COMPLETE,
        complete.BE_HEALTHY,
        MAKE_KNOWN,                 # the old ones' next start knows it
        BRING_IN,
    )),
)


def run(operation: Growth) -> None:
    """Let all in, or go on where an earlier run was cut short."""
    workflow.begin(operation)
    members.be_counted(operation.cluster_id, operation.newcomers)
    members.check_all_made(
        operation.cluster_id, operation.newcomers, operation.everyone)
    workflow.run(operation, STEPS)


def give_up(operation: Growth, failure: exceptions.StepFailed) -> None:
    """Mark those that did not come in, and keep them out.

    Those that came in before stay. The old ones are not touched.
    """
    details = ''.join(traceback.format_exception(
        failure.__cause__ or failure))
    at_fault = operation.subject
    outcome.let_trove_finish(operation.unfinished)
    operation.check_wanted()
    for member in operation.unfinished:
        outcome.set_error(member, InstanceTasks.GROWING_ERROR)
        if at_fault is None or member is at_fault:
            outcome.save_fault(member.id, failure, details)
        else:
            faults.save_fault(
                member.id, f'{member.name} was not let in, for the grow '
                f'ended at {at_fault.name}, which tells why. '
                f'Next: {failure.next_action}', details)
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
