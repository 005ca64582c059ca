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

"""What a run knows of its cluster: one frozen object, replaced as a whole.

Imported by the engine, the steps and the operations. An operation begins
with what its rows tell. A step reads ``operation.found``, and its ``do``
returns another one if it has found out more; ``engine/workflow`` puts that in
its place, and nothing else does. So ``done`` can change nothing, a step that
is cut short leaves what was known before it, and another run finds out the
same again.

What a run has *done* and must undo if it fails (the servers that a recovery
has stopped) is kept apart, by the operation: it counts even if the step that
did it fails.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any
from typing import Self

from trove_pxc.galera import component as components
from trove_pxc.galera import history
from trove_pxc.galera import plan
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members

Member = members.Member


@dataclasses.dataclass(frozen=True)
class Survey:
    """What members said when all were asked, for a recovery.

    :ivar all_members: the members that were asked, by the name that decisions
        know them by.
    :ivar reports: of those who answered the last time.
    :ivar positions: of those whose disk was read.
    :ivar asked: whether anybody was asked yet.
    """

    all_members: Mapping[str, Member] = dataclasses.field(default_factory=dict)
    reports: Mapping[str, view.MemberReport] = dataclasses.field(
        default_factory=dict)
    positions: Mapping[str, position.Position] = dataclasses.field(
        default_factory=dict)
    asked: bool = False

    @property
    def answers(self) -> dict[str, history.Answer]:
        """What decisions are made from; who is silent is not in it."""
        return {name: history.Answer(report, self.positions.get(name))
                for name, report in self.reports.items()}

    @property
    def silent(self) -> list[Member]:
        """Those who did not answer the last time."""
        return [member for name, member in self.all_members.items()
                if name not in self.reports]


@dataclasses.dataclass(frozen=True)
class Found:
    """What a run knows of its cluster.

    :ivar members: those that its steps are about, in member order.
    :ivar registered: those that stand in each one's settings, and that each
        one's security group lets in.
    :ivar passing: those whose turn is to come, or is now: they are to come
        in, to leave, or to be out for a while.
    :ivar needed: those that must be Synced before a member comes or goes;
        none: whoever serves is enough.
    :ivar source: the member through which the cluster was found to exist.
    :ivar history: the UUID of the cluster's history, once it exists.
    :ivar secrets: what all members share, once one of them was asked.
    :ivar component: what the members were last seen to form.
    :ivar forming: whether the cluster is still empty and serves nobody.
    :ivar or_larger: whether members besides these may be in the component:
        they were down, and come back meanwhile.
    :ivar flavor: the one that members are to get, as Nova shows it.
    :ivar keeps_flavor: whether the resize of a member is being undone.
    :ivar authorities: those that each member holds, by its id, while they
        are replaced.
    :ivar lost: the members whose servers are gone.
    :ivar survey: what the members said when a recovery asked all.
    """

    members: tuple[Member, ...]
    registered: tuple[Member, ...]
    passing: tuple[Member, ...] = ()
    needed: tuple[Member, ...] = ()
    source: Member | None = None
    history: str = ''
    secrets: settings.ClusterSecrets | None = None
    component: components.Component = components.Component()
    forming: bool = False
    or_larger: bool = False
    flavor: Any = None
    keeps_flavor: bool = False
    authorities: Mapping[str, tuple[secret.Secret, ...]] = dataclasses.field(
        default_factory=dict)
    lost: tuple[Member, ...] = ()
    survey: Survey = Survey()

    def through(self, member: Member, report: view.MemberReport) -> Self:
        """The cluster exists: this member is in its primary component."""
        assert report.view is not None
        return dataclasses.replace(
            self, source=member, history=report.view.cluster_uuid or '')

    def had_its_turn(self, member: Member) -> Self:
        """A member is done."""
        return dataclasses.replace(self, passing=tuple(
            one for one in self.passing if one is not member))

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """Whether a member is Synced in this cluster, of this size."""
        return plan.joined(report, self.history, size,
                           or_larger=self.or_larger)
