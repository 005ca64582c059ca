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

"""Decides whether members can be added to the component, or removed.

Pure. The operations that change the size of a cluster use it.

A member that does not answer is unknown. It counts as down only if the
component does not include it: the number of members that report to be in the
component equals the size that the component reports.
"""

from collections.abc import Collection
from collections.abc import Mapping
import dataclasses

from trove_pxc.galera import history
from trove_pxc.galera import roles
from trove_pxc.galera.view import MemberReport
from trove_pxc.galera.view import NodeView
from trove_pxc.galera.view import NOT_RUNNING


@dataclasses.dataclass(frozen=True, slots=True)
class Component:
    """The primary component at one moment.

    :ivar inside: ids of the members that report to be in it, in order.
    :ivar size: its reported size; 0 if there is no component.
    :ivar uuid: the UUID of its history.
    :ivar obstacle: why its membership must not be changed now; '' if it
        can be changed.
    """

    inside: tuple[str, ...] = ()
    size: int = 0
    uuid: str = ''
    obstacle: str = ''

    @property
    def hidden(self) -> int:
        """The number of its members that did not report to be in it."""
        return max(0, self.size - len(self.inside))

    def survives_without(self, lost: Collection[str]) -> bool:
        """Whether it keeps the quorum if these and all hidden ones fail.

        Galera's rule: more than half of the members of the last view.
        """
        left = [name for name in self.inside if name not in lost]
        return 2 * len(left) > self.size


def look(reports: Mapping[str, MemberReport | None],
         needed: Collection[str] = (),
         passing: Collection[str] = (),
         labels: Mapping[str, str] | None = None) -> Component:
    """The component that follows from the reports.

    :param reports: by id, in member order; None for a member that did not
        answer.
    :param needed: members that must be in the component and Synced.
    :param passing: members that are joining or leaving; they may have any
        state.
    :param labels: their names in an obstacle, by id; None for the ids.
    """
    called = labels or {one: one for one in reports}
    found = _look({called[one]: report for one, report in reports.items()},
                  [called[one] for one in needed],
                  [called[one] for one in passing])
    inside = set(found.inside)
    return dataclasses.replace(found, inside=tuple(
        one for one in reports if called[one] in inside))


def _look(reports: Mapping[str, MemberReport | None],
          needed: Collection[str], passing: Collection[str]) -> Component:
    views = {name: view for name, report in reports.items()
             if (view := _inside(report)) is not None}
    if not views:
        return Component(obstacle='no member is in a primary component: '
                         + _told(reports, reports))
    parts = history.components(views)
    if len(parts) > 1:
        sides = ' and '.join(', '.join(part) for part in parts)
        return Component(
            obstacle=f'there are two primary components: {sides}')
    sizes = {view.cluster_size for view in views.values()}
    uuid = next(iter(views.values())).cluster_uuid
    found = Component(tuple(views), max(sizes), uuid or '')
    return dataclasses.replace(found, obstacle=(
        _unfit(reports, views, needed, passing)
        or _unsettled(found, sizes, uuid)
        or _uncounted(found, reports, passing)))


def _inside(report: MemberReport | None) -> NodeView | None:
    if (report is None or report.view is None
            or not report.view.in_primary):
        return None
    return report.view


def _unfit(reports: Mapping[str, MemberReport | None],
           views: Mapping[str, NodeView], needed: Collection[str],
           passing: Collection[str]) -> str:
    """Name the members that must serve and do not."""
    unfit = [
        name for name in reports if (
            name in needed and not (
                name in views and views[name].serves
                and views[name].is_synced)
            or name in views and name not in passing
            and not views[name].serves)]
    return f'not all members serve: {_told(reports, unfit)}' if unfit else ''


def _unsettled(found: Component, sizes: Collection[int],
               uuid: str | None) -> str:
    if uuid is None:
        return 'the primary component reports no UUID'
    if len(sizes) > 1 or found.size < len(found.inside):
        seen = ', '.join(str(size) for size in sorted(sizes))
        return (f'the component is changing: {len(found.inside)} members '
                f'are in it, but they report a size of {seen}')
    return ''


def _uncounted(found: Component,
               reports: Mapping[str, MemberReport | None],
               passing: Collection[str]) -> str:
    """Explain a component that is larger than expected, or return ''."""
    expected = [name for name in passing if name not in found.inside
                and _may_be_inside(reports.get(name))]
    if found.hidden <= len(expected):
        return ''
    others = [name for name in reports if name not in found.inside]
    return (f'the component has {found.size} members, but only '
            f'{", ".join(found.inside)} report that they are in it; '
            f'{_told(reports, others) or "Trove knows no other member"}')


def _may_be_inside(report: MemberReport | None) -> bool:
    """Whether it may be in the component without a report of it."""
    return report is None or (
        report.view is None and report.server not in NOT_RUNNING)


def _told(reports: Mapping[str, MemberReport | None],
          names: Collection[str]) -> str:
    return ', '.join(f'{name} {role}'
                     for name, role in roles.of_all(reports).items()
                     if name in names)
