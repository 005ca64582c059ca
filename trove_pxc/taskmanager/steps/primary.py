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

"""Restores a primary component: self-recovery, promotion or bootstrap.

Imported by recover. galera/plan decides from the states of the servers and
the positions on the disks.
"""

import dataclasses
import functools

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine.found import Survey
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import recovery
from trove_pxc.taskmanager.steps import rejoin
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member
Recovery = recovery.Recovery
ServerState = view.ServerState


def _someone_primary(operation: Recovery, member: Member) -> bool:
    return operation.found.source is not None


def _wait_for_self_recovery(operation: Recovery, member: Member) -> Found:
    """Wait while members may find each other, or may still answer."""
    return _meet(operation, operation.found)


def _meet(operation: Recovery, found: Found) -> Found:
    last = found

    def probe() -> None:
        nonlocal last
        last = operation.look(last)
        met = operation.meet_primary(last)
        if met is not None:
            last = met
            return
        last = operation.read(last, [
            name for name, report in last.survey.reports.items()
            if report.server is ServerState.STARTING])
        survey = last.survey
        hope = plan.worth_waiting(list(survey.all_members), survey.answers,
                                  operation.forced)
        if hope:
            raise waiting.NotYet(hope)
    try:
        operation.wait(probe, what='the members to find each other')
    except exceptions.DeadlineExceeded as late:
        LOG.info('Recovery of cluster %s: %s', operation.cluster_id, late)
    if operation.forced is None:
        return last
    return dataclasses.replace(last, members=tuple(
        one for one in last.members if one not in last.survey.silent))


def _stop_all_for_recovery(operation: Recovery, member: Member) -> None:
    """Stop servers that restart repeatedly or hang, to read their disks."""
    _stop_what_hangs(operation, operation.found.survey)


def _stop_what_hangs(operation: Recovery, survey: Survey) -> None:
    decision = plan.may_stop_for_recovery(
        list(survey.all_members), survey.answers, operation.forced)
    if not decision.allowed:
        raise operation.refused(decision.reason)
    for name, report in survey.reports.items():
        if report.server is not ServerState.RUNNING and report.started:
            _stop_for_recovery(operation, survey.all_members[name])


def _stop_for_recovery(operation: Recovery, member: Member) -> None:
    def order() -> None:
        if member.guest.halt_member() and member not in operation.stopped:
            operation.stopped.append(member)
    operation.tell(member, order)


def _continue(operation: Recovery, member: Member) -> Found:
    """Make one member primary, by promotion or bootstrap, or refuse."""
    found, choice = _settle(operation, operation.found)
    while (choice.step is plan.Step.PROMOTE and choice.member is not None
           and not _promoted(operation, found, choice)):
        _stop_for_recovery(operation, found.survey.all_members[choice.member])
        found, choice = _settle(operation, found)
    if choice.step is plan.Step.REJOIN:
        return operation.meet_primary(found) or found
    if (choice.step not in (plan.Step.PROMOTE, plan.Step.BOOTSTRAP)
            or choice.member is None):
        raise operation.refused(choice.reason)
    if operation.forced is not None:
        LOG.warning('Recovery of cluster %s: %s', operation.cluster_id,
                    choice.reason)
    chosen = found.survey.all_members[choice.member]
    operation.subject = chosen
    operation.order_given = True
    if choice.step is plan.Step.BOOTSTRAP:
        operation.tell(chosen, functools.partial(
            chosen.guest.continue_member, choice.uuid, choice.seqno))
    return found.through(
        chosen, _await_primary(operation, chosen, choice.uuid))


def _settle(operation: Recovery, found: Found) -> tuple[Found, plan.Choice]:
    """Choose a member by the positions on disks that no server writes to."""
    for _ in found.survey.all_members:
        found = operation.look_closely(found, operation.wait)
        found = operation.read(found, found.survey.reports)
        found = operation.look(found)
        choice = operation.choose(found.survey)
        if choice.step is plan.Step.STOP and choice.member is not None:
            _stop_for_recovery(
                operation, found.survey.all_members[choice.member])
        elif choice.step is plan.Step.WAIT:
            # A server was started meanwhile: begin again.
            found = _meet(operation, found)
            if found.source is not None:
                return found, operation.choose(found.survey)
            _stop_what_hangs(operation, found.survey)
        else:
            break
    return found, choice


def _promoted(operation: Recovery, found: Found,
              choice: plan.Choice) -> bool:
    """Make a survivor primary when Galera has noticed the stopped members.

    :returns: whether it was promoted. If the last of the other members ended
        during a state transfer, the group communication of Galera stays
        primary while its replication layer stays non-primary (measured with
        26.4.23). Such a server must be stopped and bootstrapped.
    """
    chosen = found.survey.all_members[choice.member or '']
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
        LOG.warning('Recovery of cluster %s: %s; stopping and bootstrapping '
                    'it', operation.cluster_id, late)
        return False
    return True


def _await_primary(operation: Recovery, chosen: Member,
                   uuid: str) -> view.MemberReport:
    watch = supervision.CrashWatch(chosen)

    def probe() -> view.MemberReport:
        report = watch.report()
        if not rejoin.is_in(report, uuid):
            raise waiting.NotYet(members.seen(report))
        return report
    return operation.wait(
        probe, what=f'{chosen.name} to be Synced in a primary component')


WAIT_FOR_SELF_RECOVERY = workflow.Step(
    'wait for self-recovery', 'to find the others', 'self_recovery_timeout',
    workflow.never, _wait_for_self_recovery)
STOP_FOR_RECOVERY = workflow.Step(
    'stop for recovery', 'to have stopped', 'member_stop_timeout',
    _someone_primary, _stop_all_for_recovery)
CONTINUE = workflow.Step(
    'continue', 'to be Synced in a primary component', 'bootstrap_timeout',
    _someone_primary, _continue)
