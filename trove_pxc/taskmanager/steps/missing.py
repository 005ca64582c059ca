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

"""Finds members whose servers were deleted in Nova, not through Trove.

Imported by the operations that need all servers, and by recover, which
recovers the other members. A check takes one call for each member.
"""

import dataclasses
from typing import Protocol

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import lost
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow

LOG = logging.getLogger(__name__)

Member = members.Member
Supervised = supervision.Supervised


class Seeking(Protocol):
    """A recovery that can look for a primary component."""

    found: Found
    forced: str | None

    def look(self, found: Found) -> Found:
        """Ask each member."""

    def meet_primary(self, found: Found) -> Found | None:
        """Find a primary component; None if there is none."""


def _nothing(operation: Supervised, member: Member) -> None:
    """Do nothing: the servers are checked before the first step."""


LOOK = workflow.Step[Supervised](
    'check the servers', 'to have its server', 'verify_timeout',
    lambda operation, member: True, _nothing)


def refuse(operation: Supervised) -> None:
    """Raise if the server of a member is gone, before anything is changed.

    :raises ServerGone: of the first such member, with the next action.
    """
    operation.at = LOOK
    for member in operation.members:
        _find(operation, member, len(operation.members))


def leave_out(operation: Supervised) -> Found:
    """Exclude members whose servers are gone from a recovery.

    It may be called again: a lost member stays lost.

    :returns: with the lost members, and the other members.
    :raises RecoveryRefused: the servers of all members are gone.
    """
    operation.at = LOOK
    found = operation.found
    lost_ones = (*found.lost, *(
        member for member in found.members if _is_gone(member)))
    there = tuple(member for member in found.members
                  if member not in lost_ones)
    if lost_ones and not there:
        raise exceptions.RecoveryRefused(
            'the servers of all members are gone: they were deleted in '
            'Nova, not through Trove',
            'Delete the cluster, and restore a backup into a new one',
            tuple(member.id for member in lost_ones))
    return dataclasses.replace(found, members=there, lost=lost_ones)


def refuse_without_primary(operation: Seeking) -> Found:
    """Raise if a member is lost and no member is in a primary component.

    Then an operator must choose the member to bootstrap from.

    :returns: with the primary component, if a member is lost.
    :raises RecoveryRefused: no member is in a primary component.
    """
    found = operation.found
    if not found.lost or operation.forced is not None:
        return found
    met = operation.meet_primary(operation.look(found))
    if met is None:
        names = ', '.join(member.name for member in found.lost)
        raise exceptions.RecoveryRefused(
            f'the server of {names} is gone, so it is unknown whether it '
            'held the last writes, and no other member serves',
            'Choose the member to bootstrap from (--force MEMBER)',
            tuple(member.id for member in found.lost))
    return met


def tell(operation: Supervised) -> None:
    """Raise for a lost member, after all others are recovered.

    :raises ServerGone: of the first lost member, with the next action.
    """
    operation.at, operation.subject = LOOK, None
    present = len(operation.members) + len(operation.found.lost)
    for member in operation.found.lost:
        _find(operation, member, present)


def _find(operation: Supervised, member: Member, present: int) -> None:
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
