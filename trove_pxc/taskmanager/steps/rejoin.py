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

"""Makes a member join an existing primary component again.

Imported by recover and primary. If a member does not join by itself, its
server is restarted once.
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
    """Whether it is Synced in this history, with any component size."""
    return report.view is not None and plan.joined(
        report, uuid, report.view.cluster_size)


def joined(operation: Supervised, member: Member) -> bool:
    return is_in(operation.ask(member), operation.found.history)


def join(operation: Supervised, member: Member) -> None:
    """Wait until it joins; restart its server once if it does not."""
    if not _comes(operation, member):
        operation.tell(member, functools.partial(_restart, operation, member))
    watch = supervision.CrashWatch(member)
    operation.wait(_joining(operation, member, watch),
                   progress=watch.progress)


def _restart(operation: Supervised, member: Member) -> None:
    report = member.guest.member_report()
    if held_back(report):
        # halt_member does not stop a server that is primary.
        _refuse_last(operation, member)
        member.guest.stop_member()
    elif report.server not in view.DOWN:
        member.guest.halt_member()
    member.guest.start_member()


def held_back(report: view.MemberReport) -> bool:
    """Whether a member of the primary component is locked or desynced.

    It is desynced without being a donor, or does not replicate. Only a
    statement on it or a restart ends this.
    """
    return (report.view is not None and report.view.in_primary
            and report.giving is False and not report.backup
            and ('wsrep_on' in report.view.altered
                 or report.view.local_state is view.LocalState.DONOR))


def _refuse_last(operation: Supervised, member: Member) -> None:
    """Raise unless another member keeps the primary component.

    A component of one member ends when its server stops, and then needs a
    bootstrap.

    :raises MemberFailed: with the statements that end the lock.
    """
    for other in operation.members:
        report = None if other is member else online.glimpse(other)
        if report is not None and keeps_primary(
                report, operation.found.history):
            return
    raise member.failed(
        'it is locked, desynced or not replicating, and no other member has '
        'joined its primary component, so its server is not stopped',
        'End this on the member, as a user with all privileges: KILL the '
        'connection that holds the lock (SHOW PROCESSLIST), or SET GLOBAL '
        'wsrep_desync = OFF, wsrep_on = ON; then repeat the recovery')


def keeps_primary(report: view.MemberReport, uuid: str) -> bool:
    """Whether a member has the data and keeps the component primary."""
    return (report.view is not None and report.view.in_primary
            and report.view.cluster_uuid == uuid
            and report.view.local_state in (view.LocalState.SYNCED,
                                            view.LocalState.DONOR))


def _comes(operation: Supervised, member: Member) -> bool:
    """Whether a member joins by itself, or a state transfer proceeds."""
    report = operation.ask(member)
    if report.server not in view.UP:
        return False
    # A server that ends repeatedly may join after a restart.
    watch = supervision.CrashWatch(member, forgiven=math.inf)
    try:
        operation.wait(_joining(operation, member, watch),
                       seconds=member.options.self_recovery_timeout,
                       progress=watch.progress)
    except exceptions.DeadlineExceeded as late:
        LOG.info('Recovery of cluster %s: restarting %s: %s',
                 operation.cluster_id, member.name, late)
        return False
    return True


def _joining(operation: Supervised, member: Member,
             watch: supervision.CrashWatch) -> Callable[[], None]:
    def probe() -> None:
        report = watch.report()
        verify.refuse_other_history(operation, member, report)
        if not is_in(report, operation.found.history):
            raise waiting.NotYet(members.seen(report))
    return probe


JOIN = workflow.Step(
    'join', 'to be Synced in the cluster', 'join_stall_timeout',
    joined, join)
