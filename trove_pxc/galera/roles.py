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

"""What one member is to its cluster, from its own report.

Pure. diagnosis and remedy decide by it, the API shows it.
"""

import enum

from trove_pxc.galera.view import LocalState
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import ServerState


class Role(enum.StrEnum):
    """What one member is to the cluster right now; follows its name."""

    SYNCED = 'is Synced'
    DONOR = 'gives its data away'
    BUSY = 'gives its data away and takes no statements meanwhile'
    JOINING = 'is joining'
    STARTING = 'is starting'
    NON_PRIMARY = 'is outside the primary component'
    FROZEN = 'is there but not answering'
    MUTE = 'runs without telling its state'
    STOPPED = 'is stopped'
    CRASHED = 'has crashed'
    NEW = 'was not started yet'
    SILENT = 'is not reporting'


SERVING = (Role.SYNCED, Role.DONOR)
ON_THEIR_WAY = (Role.JOINING, Role.BUSY, Role.STARTING)
STILL = (Role.STOPPED, Role.CRASHED, Role.NEW)
UNKNOWN = (Role.SILENT, Role.FROZEN, Role.MUTE)

_OF_STILL_SERVER = {
    ServerState.UNRESPONSIVE: Role.FROZEN,
    ServerState.STOPPED: Role.STOPPED,
    ServerState.CRASHED: Role.CRASHED,
}


def role(report: MemberReport | None) -> Role:
    """What this member is; None stands for a report that never came."""
    if report is None:
        return Role.SILENT
    if report.server is ServerState.ABSENT:
        return Role.STOPPED if report.started else Role.NEW
    if report.server is ServerState.STARTING:
        return Role.JOINING if report.receiving else Role.STARTING
    if report.server is not ServerState.RUNNING:
        return _OF_STILL_SERVER[report.server]
    if report.view is None:
        return Role.MUTE
    return _in_component(report.view)


def _in_component(view: NodeView) -> Role:
    if not view.in_primary:
        return Role.NON_PRIMARY
    if view.local_state is LocalState.SYNCED:
        return Role.SYNCED if view.ready else Role.JOINING
    if view.local_state is LocalState.DONOR:
        return Role.DONOR if view.ready else Role.BUSY
    if view.local_state in (LocalState.JOINING, LocalState.JOINED):
        return Role.JOINING
    return Role.MUTE
