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

"""The component that serves: may a member come to it, or leave it?

Pure. The operations that change the size of a cluster decide by it.

A member that gives no answer is unknown. It may be taken for one that is
down only where the component itself does not count it: as many members as
its size says have answered from inside.
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
    """The primary component, as the reports of one moment show it.

    :ivar inside: ids of those that say they are in it, in their order.
    :ivar size: how many members it counts; 0 if there is none.
    :ivar uuid: of its history.
    :ivar obstacle: why its membership must not be changed now; '' if it
        may.
    """

    inside: tuple[str, ...] = ()
    size: int = 0
    uuid: str = ''
    obstacle: str = ''

    @property
    def hidden(self) -> int:
        """How many it counts that did not answer from inside."""
        return max(0, self.size - len(self.inside))

    def survives_without(self, lost: Collection[str]) -> bool:
        """Whether it stays primary if these, and all hidden, just vanish.

        Galera's rule: more than half of the members of the last view.
        """
        left = [name for name in self.inside if name not in lost]
        return 2 * len(left) > self.size


def look(reports: Mapping[str, MemberReport | None],
         needed: Collection[str] = (),
         passing: Collection[str] = (),
         labels: Mapping[str, str] | None = None) -> Component:
    """What the reports add up to.

    :param reports: of all members by id, in member order; None for one that
        gave no answer.
    :param needed: who has to be inside and Synced.
    :param passing: who is on its way in or out, and may be anything.
    :param labels: how to name them in an obstacle, by id; None: by the id.
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
    """Who should serve and does not."""
    unfit = [
        name for name in reports if (
            name in needed and not (
                name in views and views[name].serves
                and views[name].is_synced)
            or name in views and name not in passing
            and not views[name].serves)]
    return f'not all serve: {_told(reports, unfit)}' if unfit else ''


def _unsettled(found: Component, sizes: Collection[int],
               uuid: str | None) -> str:
    if uuid is None:
        return 'the primary component tells no UUID'
    if len(sizes) > 1 or found.size < len(found.inside):
        seen = ', '.join(str(size) for size in sorted(sizes))
        return (f'the component is changing: {len(found.inside)} members '
                f'are in it, it counts {seen}')
    return ''


def _uncounted(found: Component,
               reports: Mapping[str, MemberReport | None],
               passing: Collection[str]) -> str:
    """Whether the component counts more than those that may be in it."""
    expected = [name for name in passing if name not in found.inside
                and _may_be_inside(reports.get(name))]
    if found.hidden <= len(expected):
        return ''
    others = [name for name in reports if name not in found.inside]
    return (f'the component counts {found.size} members, but only '
            f'{", ".join(found.inside)} answer from inside; '
            f'{_told(reports, others) or "Trove knows no other"}')


def _may_be_inside(report: MemberReport | None) -> bool:
    """Whether the component may count it, though it does not say so."""
    return report is None or (
        report.view is None and report.server not in NOT_RUNNING)


def _told(reports: Mapping[str, MemberReport | None],
          names: Collection[str]) -> str:
    return ', '.join(f'{name} {role}'
                     for name, role in roles.of_all(reports).items()
                     if name in names)
