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

"""Has a member come back into a primary component that there is.

Imported by recover. It comes by itself, or its server is started anew, once.
"""

from collections.abc import Callable
import functools
import math

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Supervised = supervision.Supervised
Member = members.Member


def is_in(report: view.MemberReport, uuid: str) -> bool:
    """Whether it is Synced in this history, however large the component."""
    return report.view is not None and plan.joined(
        report, uuid, report.view.cluster_size)


def joined(operation: Supervised, member: Member) -> bool:
    return is_in(operation.ask(member), operation.found.history)


def join(operation: Supervised, member: Member) -> None:
    """Have it in: by itself if it comes, else stopped and started once."""
    if not _comes(operation, member):
        operation.tell(member, functools.partial(_restart, operation, member))
    watch = supervision.CrashWatch(member)
    operation.wait(_joining(operation, member, watch),
                   progress=watch.progress)


def _restart(operation: Supervised, member: Member) -> None:
    report = member.guest.member_report()
    if held_back(report):
        # The guest halts no server that is primary.
        _refuse_last(operation, member)
        member.guest.stop_member()
    elif report.server not in view.DOWN:
        member.guest.halt_member()
    member.guest.start_member()


def held_back(report: view.MemberReport) -> bool:
    """Whether a member of the primary component is locked or desynced.

    It gives its data to no other member, or does not replicate; nothing
    but a statement on it or a restart ends that.
    """
    return (report.view is not None and report.view.in_primary
            and report.giving is False
            and ('wsrep_on' in report.view.altered
                 or report.view.local_state is view.LocalState.DONOR))


def _refuse_last(operation: Supervised, member: Member) -> None:
    """Raise unless another member keeps the primary component.

    A component of one ends with its server, which then does not come back
    without a bootstrap.

    :raises MemberFailed: with what ends the lock instead.
    """
    for other in operation.members:
        report = None if other is member else online.glimpse(other)
        if report is not None and keeps_primary(
                report, operation.found.history):
            return
    raise member.failed(
        'it is locked, desynced or not replicating, and no other member has '
        'joined its primary component, so its server is not stopped',
        'End that on the member, as a user with all privileges: KILL the '
        'connection that holds the lock (SHOW PROCESSLIST), or SET GLOBAL '
        'wsrep_desync = OFF, wsrep_on = ON; then ask for the recovery again')


def keeps_primary(report: view.MemberReport, uuid: str) -> bool:
    """Whether a member holds the data and counts for the component."""
    return (report.view is not None and report.view.in_primary
            and report.view.cluster_uuid == uuid
            and report.view.local_state in (view.LocalState.SYNCED,
                                            view.LocalState.DONOR))


def _comes(operation: Supervised, member: Member) -> bool:
    """Whether it gets in, or a state transfer moves, without our doing."""
    report = operation.ask(member)
    if report.server not in view.UP:
        return False
    # One that keeps ending may come when it is started anew.
    watch = supervision.CrashWatch(member, forgiven=math.inf)
    try:
        operation.wait(_joining(operation, member, watch),
                       seconds=member.options.self_recovery_timeout,
                       progress=watch.progress)
    except exceptions.DeadlineExceeded as late:
        LOG.info('Recovery of cluster %s: starting %s anew: %s',
                 operation.cluster_id, member.name, late)
        return False
    return True


def _joining(operation: Supervised, member: Member,
             watch: supervision.CrashWatch) -> Callable[[], None]:
    def probe() -> None:
        report = member.report()
        watch.look(report)
        verify.refuse_other_history(operation, member, report)
        if not is_in(report, operation.found.history):
            raise waiting.NotYet(members.seen(report))
    return probe


JOIN = workflow.Step(
    'join', 'to be Synced in the cluster', 'join_stall_timeout',
    joined, join)
