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

"""What the members' reports add up to: the state of the whole cluster.

Pure. The answer is a state, a sentence and the next thing to do; what
cannot be told is UNCERTAIN, never guessed. The API's views and the
taskmanager may import it.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import enum

from trove_pxc.galera import history
from trove_pxc.galera.view import LocalState
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import ServerState


class ClusterState(enum.StrEnum):
    """The cluster as a whole, as its members see it."""

    NEW = 'NEW'
    HEALTHY = 'HEALTHY'
    RECOVERING = 'RECOVERING'
    DEGRADED = 'DEGRADED'
    NON_PRIMARY = 'NON_PRIMARY'
    SPLIT = 'SPLIT'
    DOWN = 'DOWN'
    UNCERTAIN = 'UNCERTAIN'


class Role(enum.StrEnum):
    """What one member is to the cluster right now."""

    SYNCED = 'synced'
    DONOR = 'donating'
    JOINING = 'joining'
    STARTING = 'starting'
    NON_PRIMARY = 'outside the primary component'
    FROZEN = 'there but not answering'
    MUTE = 'running without telling its state'
    STOPPED = 'stopped'
    CRASHED = 'crashed'
    NEW = 'not started yet'
    SILENT = 'not reporting'


_ON_THEIR_WAY = (Role.JOINING, Role.STARTING)
_STILL = (Role.STOPPED, Role.CRASHED, Role.NEW)
_UNKNOWN = (Role.SILENT, Role.FROZEN, Role.MUTE)

_NEXT = {
    Role.JOINING: 'Wait until {0} is Synced.',
    Role.STARTING: 'Wait until {0} is up.',
    Role.NON_PRIMARY: 'Look at the network between {0} and the others.',
    Role.FROZEN: 'Restart {0}.',
    Role.MUTE: 'Look at the error log of {0}.',
    Role.STOPPED: 'Restart {0}.',
    Role.CRASHED: 'Look at the error log of {0}, then restart it.',
    Role.NEW: 'Look at the faults of {0}.',
    Role.SILENT: 'Look at the guest and the agent of {0}.',
}


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state, why, and what to do next ('' if nothing)."""

    state: ClusterState
    sentence: str
    next_action: str


_ROLE_OF_STILL_SERVER = {
    ServerState.STARTING: Role.STARTING,
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
    if report.server is not ServerState.RUNNING:
        return _ROLE_OF_STILL_SERVER[report.server]
    if report.view is None:
        return Role.MUTE
    return _role_in_component(report.view)


def _role_in_component(view: NodeView) -> Role:
    if not view.in_primary:
        return Role.NON_PRIMARY
    if view.local_state is LocalState.SYNCED:
        return Role.SYNCED if view.ready else Role.JOINING
    if view.local_state is LocalState.DONOR:
        return Role.DONOR
    if view.local_state in (LocalState.JOINING, LocalState.JOINED):
        return Role.JOINING
    return Role.MUTE


def diagnose(expected_members: Sequence[str],
             reports: Mapping[str, MemberReport | None]) -> Diagnosis:
    """The state of a cluster.

    :param expected_members: names of all members, in member order.
    :param reports: by name; None or absent for one that did not answer.
        Reports of members that are not expected are ignored.
    """
    roles = {name: role(reports.get(name)) for name in expected_members}
    primaries = {
        name: view for name in expected_members
        if (view := _view(reports.get(name))) is not None
        and view.in_primary}
    parts = history.components(primaries)
    if len(parts) > 1:
        sides = ' and '.join(', '.join(part) for part in parts)
        return Diagnosis(
            ClusterState.SPLIT, 'There are two primary components that '
            f'both take writes: {sides}.', 'Stop all writes, decide which '
            'side is to be kept, and stop the members of the other.')
    if parts:
        return _with_primary(roles, primaries)
    return _without_primary(roles)


def _view(report: MemberReport | None) -> NodeView | None:
    if report is None or report.server is not ServerState.RUNNING:
        return None
    return report.view


def _with_primary(roles: Mapping[str, Role],
                  primaries: Mapping[str, NodeView]) -> Diagnosis:
    total = len(roles)
    size = max(view.cluster_size for view in primaries.values())
    if size > total:
        return Diagnosis(
            ClusterState.UNCERTAIN, f'The primary component has {size} '
            f'members, but only {total} are known.', 'Look at '
            'wsrep_incoming_addresses for the stranger.')
    wrong = {name: what for name, what in roles.items()
             if what not in (Role.SYNCED, Role.DONOR)}
    if not wrong:
        return _all_in(roles, primaries, size)
    state = ClusterState.DEGRADED
    if all(what in _ON_THEIR_WAY for what in wrong.values()):
        state = ClusterState.RECOVERING
    return Diagnosis(
        state, f'{total - len(wrong)} of {total} members serve; '
        f'{_told(wrong)}.', _next(wrong))


def _all_in(roles: Mapping[str, Role], primaries: Mapping[str, NodeView],
            size: int) -> Diagnosis:
    total = len(roles)
    if any(view.cluster_size != total for view in primaries.values()):
        return Diagnosis(
            ClusterState.RECOVERING, f'All {total} members serve, but some '
            f'see a component of {size}: it is changing.',
            'Wait until all of them see the same.')
    donors = [name for name, what in roles.items() if what is Role.DONOR]
    giving = f' {", ".join(donors)} gives its state away.' if donors else ''
    return Diagnosis(
        ClusterState.HEALTHY, f'All {total} members are in the primary '
        f'component and serve.{giving}', '')


def _without_primary(roles: Mapping[str, Role]) -> Diagnosis:
    unknown = {name: what for name, what in roles.items()
               if what in _UNKNOWN}
    if unknown:
        return Diagnosis(
            ClusterState.UNCERTAIN, 'No member that answers is in a primary '
            f'component, but {_told(unknown)}, and may be.', _next(unknown))
    coming = {name: what for name, what in roles.items()
              if what in _ON_THEIR_WAY}
    if coming:
        return Diagnosis(
            ClusterState.RECOVERING, 'No member is in a primary component '
            f'yet; {_told(coming)}.', _next(coming))
    if all(what is Role.NEW for what in roles.values()):
        return Diagnosis(ClusterState.NEW, 'No member was started yet.',
                         'Wait until the cluster is formed.')
    if all(what in _STILL for what in roles.values()):
        return Diagnosis(
            ClusterState.DOWN, f'No member runs: {_told(roles)}.',
            'Recover the cluster.')
    return Diagnosis(
        ClusterState.NON_PRIMARY, 'No member is in a primary component, so '
        f'nobody takes writes: {_told(roles)}.', 'Look at the network '
        'between the members; if it is whole, recover the cluster.')


def _told(roles: Mapping[str, Role]) -> str:
    return ', '.join(f'{name} is {what}' for name, what in roles.items())


def _next(roles: Mapping[str, Role]) -> str:
    """What to do about the first of the worst."""
    worst = max(roles, key=lambda name: list(Role).index(roles[name]))
    return _NEXT[roles[worst]].format(worst)
