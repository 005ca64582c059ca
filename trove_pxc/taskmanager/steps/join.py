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

"""Makes a member join the primary component; an SST may take any time.

Imported by create and grow.
"""

from collections.abc import Sequence

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

Supervised = supervision.Supervised
Member = members.Member


def _joined(operation: Supervised, member: Member) -> bool:
    report = formation.serving(operation, member)
    return (report is not None and report.view is not None
            and report.view.is_synced
            and report.view.cluster_uuid == operation.found.history)


def _join(operation: Supervised, member: Member) -> None:
    """Start a member and wait until it has joined, while its SST proceeds."""
    present = [other for other in operation.members
               if other is not member and formation.serving(operation, other)]
    size = len(present) + 1

    def order() -> None:
        if member.report().server in view.NOT_RUNNING:
            member.guest.join_member(forming=operation.found.forming)
    operation.tell(member, order)
    watch = supervision.CrashWatch(member)

    def probe() -> None:
        report = watch.report()
        verify.refuse_other_history(operation, member, report)
        if not operation.found.joined(report, size):
            raise waiting.NotYet(members.seen(report))
    try:
        operation.wait(probe, progress=watch.progress)
    except (exceptions.MemberFailed, exceptions.DeadlineExceeded) as failure:
        _blame_who_was_lost(operation, member, present, failure)
        raise
    for other in present:
        verify.wait_agreed(operation, other, size)


def _blame_who_was_lost(operation: Supervised, member: Member,
                        present: Sequence[Member],
                        failure: exceptions.MemberFailed
                        | exceptions.DeadlineExceeded) -> None:
    """Blame a member that was lost during the join, perhaps the donor.

    :raises MemberFailed: of the first that is not in a primary component.
    """
    if isinstance(failure, exceptions.DeadlineExceeded):
        cause = failure.last_seen
    elif failure.instance_id == member.id:
        cause = failure.cause
    else:
        return
    for other in present:
        report = operation.ask(other)
        if report.view is None or not report.view.in_primary:
            raise other.failed(
                f'it left the cluster while {member.name} joined; its state: '
                f'{members.seen(report)}; {member.name}: {cause}'
            ) from failure


JOIN = workflow.Step(
    'join', 'to be Synced in the cluster', 'join_stall_timeout',
    _joined, _join)
