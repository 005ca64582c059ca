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
import datetime
import enum

from trove_pxc.galera import expiry
from trove_pxc.galera import history
from trove_pxc.galera import remedy
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role
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


class UnderWay(enum.StrEnum):
    """What is being done to the cluster; commands are refused meanwhile."""

    NOTHING = ''
    CREATE = 'The cluster is being built'
    DELETE = 'The cluster is being deleted'
    CHANGE = 'An operation on the cluster is under way'


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state, why, and what to do next ('' if nothing)."""

    state: ClusterState
    sentence: str
    next_action: str


#: what is to be expected of a cluster that is not built yet
_UNFINISHED = (ClusterState.RECOVERING, ClusterState.DEGRADED,
               ClusterState.DOWN, ClusterState.NON_PRIMARY)


def diagnose(expected_members: Sequence[str],
             reports: Mapping[str, MemberReport | None],
             cluster: str = 'CLUSTER',
             under_way: UnderWay = UnderWay.NOTHING,
             now: datetime.datetime | None = None) -> Diagnosis:
    """The state of a cluster.

    :param expected_members: names of all members, in member order.
    :param reports: by name; None or absent for one that did not answer.
        Reports of members that are not expected are ignored.
    :param cluster: its name, for the commands of the next action.
    :param under_way: it turns the next action into waiting, but for a
        split, which cannot wait.
    :param now: the time in UTC; None: nobody looks at certificates.
    """
    expected = {name: reports.get(name) for name in expected_members}
    remedies = remedy.Remedies(cluster)
    found = _as_it_stands(expected, remedies)
    warning = '' if now is None else expiry.warning(expected, now)
    if warning:
        found = dataclasses.replace(
            found, sentence=f'{found.sentence} {warning}',
            next_action=found.next_action or (
                remedies.of_certificates()
                if under_way is UnderWay.NOTHING else ''))
    if (under_way is UnderWay.NOTHING
            or found.state in (ClusterState.HEALTHY, ClusterState.SPLIT)):
        return found
    state = found.state
    if under_way is UnderWay.CREATE and state in _UNFINISHED:
        state = ClusterState.NEW
    return Diagnosis(state, f'{under_way}: {_lowered(found.sentence)}',
                     'Wait until that is over.')


def _as_it_stands(reports: Mapping[str, MemberReport | None],
                  remedies: remedy.Remedies) -> Diagnosis:
    if not reports:
        return Diagnosis(ClusterState.NEW, 'The cluster has no members.',
                         f'Wait until it has some: {remedies.members}.')
    told = {name: roles.role(report) for name, report in reports.items()}
    views = {name: report.view for name, report in reports.items()
             if report is not None and report.view is not None
             and report.server is ServerState.RUNNING}
    primaries = {name: view for name, view in views.items()
                 if view.in_primary}
    parts = history.components(primaries)
    if len(parts) > 1:
        return Diagnosis(
            ClusterState.SPLIT, 'There are two primary components that '
            f'both take writes: {_sides(parts)}.',
            remedies.of_two_primaries())
    outside = {name: view for name, view in views.items()
               if not view.in_primary}
    if parts:
        return _with_primary(told, primaries, outside, remedies)
    return _without_primary(told, outside, remedies)


def _with_primary(told: Mapping[str, Role],
                  primaries: Mapping[str, NodeView],
                  outside: Mapping[str, NodeView],
                  remedies: remedy.Remedies) -> Diagnosis:
    total = len(told)
    size = max(view.cluster_size for view in primaries.values())
    if size > total:
        return Diagnosis(
            ClusterState.UNCERTAIN, f'The primary component has {size} '
            f'members, but only {total} are known.', 'Look for the stranger '
            'with "SHOW STATUS LIKE \'wsrep_incoming_addresses\'" on any '
            'member, and have an operator stop its server ("openstack '
            'server stop").')
    own = {view.cluster_uuid for view in primaries.values()}
    foreign = [name for name, view in outside.items()
               if view.cluster_uuid is not None
               and view.cluster_uuid not in own]
    if foreign:
        return Diagnosis(
            ClusterState.SPLIT, f'{_listed(foreign)} cannot come back: the '
            'data there is of another history than that of the primary '
            f'component, {_listed(list(primaries))}.',
            remedies.of_foreign(foreign[0]))
    wrong = {name: what for name, what in told.items()
             if what not in roles.SERVING}
    if not wrong:
        return _all_in(told, primaries, size)
    state = ClusterState.DEGRADED
    if all(what in roles.ON_THEIR_WAY for what in wrong.values()):
        state = ClusterState.RECOVERING
    return Diagnosis(
        state, f'{_serving(total - len(wrong), total)}; {_told(wrong)}.'
        f'{_giving(told)}{_of_the_silent(told, size, len(primaries))}',
        remedies.of_members(wrong))


def _serving(number: int, total: int) -> str:
    if not number:
        return f'None of the {total} members serves'
    return f'{number} of {total} members serve{"s" if number == 1 else ""}'


def _giving(told: Mapping[str, Role]) -> str:
    donors = [name for name, what in told.items() if what is Role.DONOR]
    if not donors:
        return ''
    if len(donors) == 1:
        return f' {donors[0]} gives its data away and serves meanwhile.'
    return f' {_listed(donors)} give their data away and serve meanwhile.'


def _of_the_silent(told: Mapping[str, Role], size: int,
                   inside: int) -> str:
    """What the primary component knows of those that tell nothing."""
    silent = [name for name, what in told.items() if what in roles.UNKNOWN]
    if not silent:
        return ''
    if size - inside >= len(silent):
        return (f' The primary component counts {_listed(silent)} among its '
                f'{size} members.')
    if size <= inside:
        return (f' The primary component of {size} goes on without '
                f'{_listed(silent)}.')
    return ''


def _all_in(told: Mapping[str, Role], primaries: Mapping[str, NodeView],
            size: int) -> Diagnosis:
    total = len(told)
    if any(view.cluster_size != total for view in primaries.values()):
        return Diagnosis(
            ClusterState.RECOVERING, f'All {total} members serve, but some '
            f'see a component of {size}: it is changing.'
            if size != total else f'All {total} members serve, but not all '
            f'of them see all {total} yet: the component is changing.',
            'Wait until all of them see the same.')
    return Diagnosis(
        ClusterState.HEALTHY, f'All {total} members are in the primary '
        f'component and serve.{_giving(told)}', '')


def _without_primary(told: Mapping[str, Role],
                     outside: Mapping[str, NodeView],
                     remedies: remedy.Remedies) -> Diagnosis:
    by_history: dict[str, list[str]] = {}
    for name, view in outside.items():
        if view.cluster_uuid is not None:
            by_history.setdefault(view.cluster_uuid, []).append(name)
    if len(by_history) > 1:
        return Diagnosis(
            ClusterState.SPLIT, 'No member is in a primary component, and '
            'those that run are of different histories: '
            f'{_sides(list(by_history.values()))}.',
            remedies.of_two_histories())
    unknown = {name: what for name, what in told.items()
               if what in roles.UNKNOWN}
    if unknown:
        return _uncertain(told, unknown, remedies)
    coming = {name: what for name, what in told.items()
              if what in roles.ON_THEIR_WAY}
    if coming:
        return Diagnosis(
            ClusterState.RECOVERING, 'No member is in a primary component '
            f'yet; {_told(told)}.', remedies.of_coming(list(coming)))
    if all(what is Role.NEW for what in told.values()):
        return Diagnosis(
            ClusterState.NEW, 'No member was started yet.', 'Wait until the '
            f'cluster is formed; {remedies.members} shows how it goes.')
    if all(what in roles.STILL for what in told.values()):
        return Diagnosis(
            ClusterState.DOWN, f'No member runs: {_told(told)}.',
            f'Recover the cluster: {remedies.recover}.')
    return _cut_off(told, outside, remedies)


def _uncertain(told: Mapping[str, Role], unknown: Mapping[str, Role],
               remedies: remedy.Remedies) -> Diagnosis:
    if len(unknown) == len(told):
        sentence = f'No member can be told of: {_told(unknown)}.'
    else:
        sentence = ('No member that answers is in a primary component, but '
                    f'{_told(unknown)}, and may be.')
    return Diagnosis(ClusterState.UNCERTAIN, sentence,
                     remedies.of_unknown(list(unknown)))


def _cut_off(told: Mapping[str, Role], outside: Mapping[str, NodeView],
             remedies: remedy.Remedies) -> Diagnosis:
    """Some run, and all of those are outside."""
    see_each_other = all(view.cluster_size == len(told)
                         for view in outside.values())
    all_run = len(outside) == len(told)
    sentence = ('No member is in a primary component, so nobody takes '
                f'writes: {_told(told)}.')
    if all_run and see_each_other:
        sentence += ' They see each other.'
    elif all_run:
        seen = max(view.cluster_size for view in outside.values())
        sentence += (' None of them sees another.' if seen <= 1 else
                     f' At most {seen} of them see each other.')
    return Diagnosis(ClusterState.NON_PRIMARY, sentence,
                     remedies.of_cut_off(see_each_other or not all_run))


def _told(told: Mapping[str, Role]) -> str:
    return _listed([f'{name} {what}' for name, what in told.items()])


def _sides(parts: Sequence[Sequence[str]]) -> str:
    return ' and '.join(', '.join(part) for part in parts)


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f'{", ".join(first)} and {last}' if first else last


def _lowered(sentence: str) -> str:
    """As it follows a colon."""
    return sentence[:1].lower() + sentence[1:]
