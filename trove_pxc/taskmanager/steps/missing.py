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

"""Members whose servers were deleted in Nova, past Trove.

Imported by the operations that need all servers, and by recover, which
brings back the other members. Each look costs one call for each member.
"""

from typing import Any

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import lost
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import workflow

LOG = logging.getLogger(__name__)

Member = members.Member


def _nothing(operation: Any, member: Member) -> None:
    """The servers are looked at before the first step."""


LOOK = workflow.Step[Any](
    'look at the servers', 'to have its server', 'verify_timeout',
    lambda operation, member: True, _nothing)


def refuse(operation: Any) -> None:
    """Raise if a member has no server any more; nobody is touched then.

    :raises ServerGone: of the first one, with what to do instead.
    """
    operation.at = LOOK
    for member in operation.members:
        _find(operation, member, len(operation.members))


def leave_out(operation: Any) -> None:
    """Let a recovery be about those whose servers are there.

    It may be called again: who was lost before stays lost.

    :raises RecoveryRefused: there is none.
    """
    operation.at = LOOK
    operation.lost = [*operation.lost, *(
        member for member in operation.members if _is_gone(member))]
    operation.members = [member for member in operation.members
                         if member not in operation.lost]
    if operation.lost and not operation.members:
        raise exceptions.RecoveryRefused(
            'the servers of all members are gone: they were deleted in '
            'Nova, past Trove',
            'Delete the cluster, and restore a backup into a new one',
            tuple(member.id for member in operation.lost))


def refuse_without_primary(operation: Any) -> None:
    """Whom to go on from is an operator's to say, if one is lost.

    :raises RecoveryRefused: no member is in a primary component.
    """
    if not operation.lost or operation.forced is not None:
        return
    operation.look()
    if not operation.meet_primary():
        names = ', '.join(member.name for member in operation.lost)
        raise exceptions.RecoveryRefused(
            f'the server of {names} is gone, so nobody can know whether it '
            'held the last writes, and no other member serves',
            'Choose the member to go on from (--force MEMBER)',
            tuple(member.id for member in operation.lost))


def tell(operation: Any) -> None:
    """When all others are back: tell of the first that cannot come back.

    :raises ServerGone: with what to do.
    """
    operation.at, operation.subject = LOOK, None
    present = len(operation.members) + len(operation.lost)
    for member in operation.lost:
        _find(operation, member, present)


def _find(operation: Any, member: Member, present: int) -> None:
    try:
        member.find_server()
    except exceptions.ServerGone as gone:
        gone.advice = lost.replacement(lost.Member(
            operation.handle, member.id, member.name, present,
            member.options.min_cluster_member_count))
        raise


def _is_gone(member: Member) -> bool:
    try:
        member.find_server()
    except exceptions.ServerGone as gone:
        LOG.warning('%s', gone)
        return True
    return False
