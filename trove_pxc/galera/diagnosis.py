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

"""The state of a cluster, from the reports of its members.

Pure. The result is a state, a summary and the next action. If the reports do
not suffice, the state is UNCERTAIN, never a guess. The views of the API and
the taskmanager may import it.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import datetime
import enum

from trove_pxc.galera import expiry
from trove_pxc.galera import history
from trove_pxc.galera import naming
from trove_pxc.galera import remedy
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import ServerState


class ClusterState(enum.StrEnum):
    """The state of the whole cluster."""

    NEW = 'NEW'
    FAILED = 'FAILED'
    HEALTHY = 'HEALTHY'
    RECOVERING = 'RECOVERING'
    DEGRADED = 'DEGRADED'
    NON_PRIMARY = 'NON_PRIMARY'
    SPLIT = 'SPLIT'
    DOWN = 'DOWN'
    UNCERTAIN = 'UNCERTAIN'


class UnderWay(enum.StrEnum):
    """The operation in progress; other commands are refused meanwhile."""

    NOTHING = ''
    CREATE = 'The cluster is being built'
    DELETE = 'The cluster is being deleted'
    CHANGE = 'An operation on the cluster is under way'


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """The facts about a cluster that Trove has in its database.

    :ivar names: the names of all members by id, in member order.
    :ivar cluster: the name or id of the cluster, for the commands of the
        next action.
    :ivar under_way: the operation in progress. The next action is then to
        wait, except in a split, which cannot wait.
    :ivar complete: whether the create of the cluster succeeded.
    :ivar failed: by id, the faults of members that failed to join or to
        leave; '' for none.
    :ivar gone: ids of the members whose server was deleted in Nova.
    :ivar least: the minimum number of members.
    """

    names: Mapping[str, str]
    cluster: str = 'CLUSTER'
    under_way: UnderWay = UnderWay.NOTHING
    complete: bool = True
    failed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gone: Collection[str] = ()
    least: int = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state, the summary and the next action ('' for none)."""

    state: ClusterState
    sentence: str
    next_action: str


#: Expected states of a cluster that is being created.
_UNFINISHED = (ClusterState.RECOVERING, ClusterState.DEGRADED,
               ClusterState.DOWN, ClusterState.NON_PRIMARY)


def diagnose(known: Known, reports: Mapping[str, MemberReport | None],
             now: datetime.datetime | None = None) -> Diagnosis:
    """The state of a cluster.

    :param reports: by id; None or absent for a member that did not answer.
        Reports of unknown members are ignored.
    :param now: the time in UTC; None to skip the check of certificates.
    """
    nothing = known.under_way is UnderWay.NOTHING
    if nothing and known.names and not known.complete:
        return _failed_create(known)
    labels = naming.labels(known.names)
    expected = {label: reports.get(one) for one, label in labels.items()}
    remedies = _remedies(known, labels, expected)
    found = _as_it_stands(known, labels, expected, remedies)
    warning = '' if now is None else expiry.warning(expected, now)
    if warning:
        found = dataclasses.replace(
            found, sentence=f'{found.sentence} {warning}',
            next_action=found.next_action or (
                remedies.of_certificates() if nothing else ''))
    if nothing or found.state in (ClusterState.HEALTHY, ClusterState.SPLIT):
        return found
    state = found.state
    if known.under_way is UnderWay.CREATE and state in _UNFINISHED:
        state = ClusterState.NEW
    return Diagnosis(state, f'{known.under_way}: {_lowered(found.sentence)}',
                     'Wait until the operation is complete.')


def _remedies(known: Known, labels: Mapping[str, str],
              reports: Mapping[str, MemberReport | None]
              ) -> remedy.Remedies:
    return remedy.Remedies(
        known.cluster, {label: one for one, label in labels.items()},
        {label: report.view.altered for label, report in reports.items()
         if report is not None and report.view is not None}, known.least)


def _failed_create(known: Known) -> Diagnosis:
    """The create failed, and no taskmanager continues it."""
    causes = [fault for fault in known.failed.values() if fault]
    return Diagnosis(
        ClusterState.FAILED, 'The create of the cluster failed'
        + (f': {_without_end(causes[0])}.' if causes else '.'),
        _remedies(known, {}, {}).of_failed_create())


def _without_end(sentence: str) -> str:
    return sentence.rstrip('. ')


def _as_it_stands(known: Known, labels: Mapping[str, str],
                  reports: Mapping[str, MemberReport | None],
                  remedies: remedy.Remedies) -> Diagnosis:
    if not reports:
        return Diagnosis(ClusterState.NEW, 'The cluster has no members.',
                         f'Wait until it has members: {remedies.members}.')
    gone = [labels[one] for one in known.gone]
    failed = [labels[one] for one in known.failed]
    told = roles.of_all(reports, failed, gone)
    faults = {labels[one]: fault for one, fault in known.failed.items()}
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
        return _with_primary(told, primaries, outside, faults, remedies)
    # A member that failed to leave and does not answer may still serve.
    told = roles.of_all(reports, [
        one for one in failed
        if roles.role(reports[one]) not in roles.UNKNOWN], gone)
    return _without_primary(told, outside, remedies)


def _with_primary(told: Mapping[str, Role],
                  primaries: Mapping[str, NodeView],
                  outside: Mapping[str, NodeView],
                  faults: Mapping[str, str],
                  remedies: remedy.Remedies) -> Diagnosis:
    total = len(told)
    size = max(view.cluster_size for view in primaries.values())
    if size > total:
        return Diagnosis(
            ClusterState.UNCERTAIN, f'The primary component has {size} '
            f'members, but Trove knows {total}: a server that Trove does '
            'not manage is in the cluster.', remedies.of_too_many())
    own = {view.cluster_uuid for view in primaries.values()}
    foreign = [name for name, view in outside.items()
               if view.cluster_uuid is not None
               and view.cluster_uuid not in own]
    if foreign:
        return Diagnosis(
            ClusterState.SPLIT, f'{_listed(foreign)} cannot rejoin: the data '
            'there has another history than the primary component, '
            f'{_listed(list(primaries))}.',
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
        f'{_giving(told)}{_counted(told, size, len(primaries))}'
        f'{_why_failed(told, faults)}', remedies.of_members(wrong))


def _why_failed(told: Mapping[str, Role], faults: Mapping[str, str]) -> str:
    return ''.join(
        f' The fault of {name}: {_without_end(fault)}.'
        for name, fault in faults.items()
        if fault and told[name] is Role.FAILED)


def _serving(number: int, total: int) -> str:
    if not number:
        return f'None of the {total} members serves'
    return f'{number} of {total} members serve{"s" if number == 1 else ""}'


def _giving(told: Mapping[str, Role]) -> str:
    donors = [name for name, what in told.items() if what is Role.DONOR]
    if not donors:
        return ''
    if len(donors) == 1:
        return (f' {donors[0]} is the donor of a joining member and serves '
                'meanwhile.')
    return (f' {_listed(donors)} are the donors of joining members and serve '
            'meanwhile.')


def _counted(told: Mapping[str, Role], size: int, inside: int) -> str:
    """Whether the primary component includes the unknown members."""
    unknown = [name for name, what in told.items() if what in roles.UNKNOWN]
    if not unknown:
        return ''
    if size - inside >= len(unknown):
        return (f' The primary component has {size} members, including '
                f'{_listed(unknown)}.')
    if size <= inside:
        return (f' The primary component has {size} '
                f'member{"" if size == 1 else "s"}, without '
                f'{_listed(unknown)}.')
    return ''


def _all_in(told: Mapping[str, Role], primaries: Mapping[str, NodeView],
            size: int) -> Diagnosis:
    total = len(told)
    if any(view.cluster_size != total for view in primaries.values()):
        return Diagnosis(
            ClusterState.RECOVERING, f'All {total} members serve, but some '
            f'report a size of {size}: the component is changing.'
            if size != total else f'All {total} members serve, but not all '
            f'of them report a size of {total} yet: the component is '
            'changing.', 'Wait until all of them report the same size.')
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
            'the members that run have different histories: '
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
            f'cluster is formed; {remedies.members} shows the progress.')
    if all(what in roles.STILL for what in told.values()):
        return Diagnosis(
            ClusterState.DOWN, f'No server runs: {_told(told)}.',
            remedies.of_down(told))
    return _cut_off(told, outside, remedies)


def _uncertain(told: Mapping[str, Role], unknown: Mapping[str, Role],
               remedies: remedy.Remedies) -> Diagnosis:
    if len(unknown) == len(told):
        sentence = ('No member reports whether it is in a primary component: '
                    f'{_told(unknown)}.')
    else:
        sentence = ('No member that answers is in a primary component, but '
                    f'{_told(unknown)}, and may be in one.')
    return Diagnosis(ClusterState.UNCERTAIN, sentence,
                     remedies.of_unknown(unknown))


def _cut_off(told: Mapping[str, Role], outside: Mapping[str, NodeView],
             remedies: remedy.Remedies) -> Diagnosis:
    """Some members run, and all of them are outside a component."""
    see_each_other = all(view.cluster_size == len(told)
                         for view in outside.values())
    all_run = len(outside) == len(told)
    sentence = ('No member is in a primary component, so none takes '
                f'writes: {_told(told)}.')
    if all_run and see_each_other:
        sentence += ' They are connected to each other.'
    elif all_run:
        seen = max(view.cluster_size for view in outside.values())
        sentence += (' None of them is connected to another.' if seen <= 1
                     else f' At most {seen} of them are connected to each '
                     'other.')
    return Diagnosis(ClusterState.NON_PRIMARY, sentence,
                     remedies.of_cut_off(told, see_each_other or not all_run))


def _told(told: Mapping[str, Role]) -> str:
    return _listed([f'{name} {what}' for name, what in told.items()])


def _sides(parts: Sequence[Sequence[str]]) -> str:
    return ' and '.join(', '.join(part) for part in parts)


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f'{", ".join(first)} and {last}' if first else last


def _lowered(sentence: str) -> str:
    """The sentence as it follows a colon."""
    return sentence[:1].lower() + sentence[1:]
