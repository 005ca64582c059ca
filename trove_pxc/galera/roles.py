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

"""The role of a member in its cluster, from its report.

Pure. diagnosis and remedy use it, and the API shows it.
"""

from collections.abc import Collection
from collections.abc import Mapping
import enum

from trove_pxc.galera.view import LocalState
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import ServerState


class Role(enum.StrEnum):
    """The current role of a member; the text follows its name."""

    SYNCED = 'is Synced'
    DONOR = 'is the donor of a joining member'
    BACKED_UP = 'is desynced while a backup of it is made'
    BUSY = 'takes no statements while it is the donor of a joining member'
    JOINING = 'is joining'
    STARTING = 'is starting'
    DESYNCED = ('is desynced, because wsrep_desync is ON: it may return old '
                'data')
    LOCKED = ('is locked by a "FLUSH TABLES WITH READ LOCK" or a backup: its '
              'writes wait')
    READ_ONLY = 'is read-only: it refuses the writes of users'
    REJECTING = ('rejects all statements, because wsrep_reject_queries is '
                 'not NONE')
    UNREPLICATED = ('has wsrep_on = OFF: its writes do not reach the other '
                    'members')
    NON_PRIMARY = 'is outside the primary component'
    FROZEN = 'has a server that does not answer'
    UNRESPONSIVE = 'has a server that runs but does not report its state'
    DENIED = ('has a server that runs but refuses the login of its guest '
              'agent')
    STOPPED = 'is stopped'
    CRASHED = 'has crashed'
    NEW = 'was never started'
    FAILED = 'failed to join or to leave the cluster'
    GONE = 'has no server in Nova any more'
    SILENT = 'has a guest agent that does not answer'


#: In the primary component, and they take statements.
SERVING = (Role.SYNCED, Role.DONOR, Role.BACKED_UP)
#: Writes of users are replicated to all members.
TAKING_WRITES = (*SERVING, Role.DESYNCED, Role.LOCKED)
#: In the primary component, but they do not serve in full.
HINDERED = (Role.DESYNCED, Role.LOCKED, Role.READ_ONLY, Role.REJECTING,
            Role.UNREPLICATED)
#: All roles in the primary component.
INSIDE = (*SERVING, *HINDERED, Role.BUSY, Role.JOINING)
ON_THEIR_WAY = (Role.JOINING, Role.BUSY, Role.STARTING)
STILL = (Role.STOPPED, Role.CRASHED, Role.NEW, Role.FAILED, Role.GONE)
#: They may be in a primary component, but do not report it.
UNKNOWN = (Role.SILENT, Role.FROZEN, Role.UNRESPONSIVE, Role.DENIED)

_OF_STILL_SERVER = {
    ServerState.UNRESPONSIVE: Role.FROZEN,
    ServerState.STOPPED: Role.STOPPED,
    ServerState.CRASHED: Role.CRASHED,
}
_MAY_RECEIVE = (Role.JOINING, Role.STARTING, *UNKNOWN)
_READ_ONLY = {'read_only', 'super_read_only', 'tx_read_only',
              'transaction_read_only'}


def of_all(reports: Mapping[str, MemberReport | None],
           failed: Collection[str] = (),
           gone: Collection[str] = ()) -> dict[str, Role]:
    """The role of each member, by id.

    A donor counts as a donor only if another member may be joining.

    :param reports: by id; None for a member that did not answer.
    :param failed: ids of members that failed to join or to leave.
    :param gone: ids of members whose server was deleted in Nova.
    """
    found = {one: role(report) for one, report in reports.items()}
    joins = any(found[one] in _MAY_RECEIVE for one in found
                if one not in gone)
    for one, report in reports.items():
        if one in gone and found[one] is Role.SILENT:
            found[one] = Role.GONE
        elif one in failed:
            found[one] = Role.FAILED
        elif (found[one] is Role.DONOR and not joins and report is not None
                and report.giving is False):
            found[one] = Role.LOCKED
    return found


def role(report: MemberReport | None) -> Role:
    """The role of this member; None if it did not answer.

    Galera reports the same state for a locked member and for a donor. of_all
    distinguishes them.
    """
    if report is None:
        return Role.SILENT
    if report.server is ServerState.ABSENT:
        return Role.STOPPED if report.started else Role.NEW
    if report.server is ServerState.STARTING:
        return Role.JOINING if report.receiving else Role.STARTING
    if report.server is not ServerState.RUNNING:
        return _OF_STILL_SERVER[report.server]
    if report.denied:
        return Role.DENIED
    if report.view is None:
        return Role.UNRESPONSIVE
    return _in_component(report.view, bool(report.backup))


def _in_component(view: NodeView, backed_up: bool) -> Role:
    if not view.in_primary:
        return Role.NON_PRIMARY
    # Such a server does not report the rest.
    if 'wsrep_on' in view.altered:
        return Role.UNREPLICATED
    if view.serves:
        return _serving(view, backed_up)
    if view.local_state is LocalState.DONOR:
        return Role.BUSY
    if view.local_state in (LocalState.JOINING, LocalState.JOINED,
                            LocalState.SYNCED):
        return Role.JOINING
    return Role.UNRESPONSIVE


def _serving(view: NodeView, backed_up: bool) -> Role:
    if 'wsrep_reject_queries' in view.altered:
        return Role.REJECTING
    if _READ_ONLY & set(view.altered):
        return Role.READ_ONLY
    if backed_up and not view.is_synced:
        return Role.BACKED_UP
    if 'wsrep_desync' in view.altered:
        return Role.DESYNCED
    return Role.SYNCED if view.is_synced else Role.DONOR
