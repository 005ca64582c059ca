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

"""The knowledge of a run about its cluster: one frozen object.

Imported by the engine, the steps and the operations. An operation begins
with the data of Trove's rows. A step reads ``operation.found``. If it finds
out more, its ``do`` returns a new object, and only ``engine/workflow``
replaces the old one. So ``done`` cannot change anything, a step that is
interrupted changes nothing, and another run can find out the same again.

Changes that a run must undo if it fails (for example the servers that a
recovery has stopped) are attributes of the operation, because they remain
even if their step fails.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any
from typing import Self

from trove_pxc.galera import certificates
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
    """The reports and positions of all members, for a recovery.

    :ivar all_members: the members that are asked, by the name that decisions
        use.
    :ivar reports: of the members that answered the last time.
    :ivar positions: of the members whose disk was read.
    :ivar asked: whether the members were asked yet.
    """

    all_members: Mapping[str, Member] = dataclasses.field(default_factory=dict)
    reports: Mapping[str, view.MemberReport] = dataclasses.field(
        default_factory=dict)
    positions: Mapping[str, position.Position] = dataclasses.field(
        default_factory=dict)
    asked: bool = False

    @property
    def answers(self) -> dict[str, history.Answer]:
        """The input of decisions, without members that do not answer."""
        return {name: history.Answer(report, self.positions.get(name))
                for name, report in self.reports.items()}

    @property
    def silent(self) -> list[Member]:
        """The members that did not answer the last time."""
        return [member for name, member in self.all_members.items()
                if name not in self.reports]


@dataclasses.dataclass(frozen=True)
class Found:
    """The knowledge of a run about its cluster.

    :ivar members: the members that the steps work on, in member order.
    :ivar registered: the members in the settings and the security group of
        each member.
    :ivar passing: the members that the operation still has to change: they
        are to join, to leave, or to be stopped for a while.
    :ivar needed: the members that must be Synced before a member joins or
        leaves; if empty, the members that serve are enough.
    :ivar source: the member that was found in the primary component.
    :ivar history: the UUID of the history of the cluster, once it exists.
    :ivar secrets: the secrets of all members, once one of them was asked.
    :ivar issued: certificates for members that have none yet, by the id of
        the member.
    :ivar component: the last observed component of the members.
    :ivar forming: whether the cluster is being created and has no data.
    :ivar or_larger: whether other members may be in the component: they
        were down, and may come back during the operation.
    :ivar flavor: the new flavor of the members, as Nova returns it.
    :ivar keeps_flavor: whether the resize of a member is being undone.
    :ivar authorities: the certificate authorities of each member, by the id
        of the member, while they are replaced.
    :ivar lost: the members whose servers were deleted.
    :ivar survey: the reports and positions of all members, for a recovery.
    :ivar backup_id: of the backup from which the cluster is created; '' if
        it has no data.
    """

    members: tuple[Member, ...]
    registered: tuple[Member, ...]
    passing: tuple[Member, ...] = ()
    needed: tuple[Member, ...] = ()
    source: Member | None = None
    history: str = ''
    secrets: settings.ClusterSecrets | None = None
    issued: Mapping[str, certificates.Certificate] = dataclasses.field(
        default_factory=dict)
    component: components.Component = components.Component()
    forming: bool = False
    or_larger: bool = False
    flavor: Any = None
    keeps_flavor: bool = False
    authorities: Mapping[str, tuple[secret.Secret, ...]] = dataclasses.field(
        default_factory=dict)
    lost: tuple[Member, ...] = ()
    survey: Survey = Survey()
    backup_id: str = ''

    def through(self, member: Member, report: view.MemberReport) -> Self:
        """Record that a member is in the primary component."""
        assert report.view is not None
        return dataclasses.replace(
            self, source=member, history=report.view.cluster_uuid or '')

    def had_its_turn(self, member: Member) -> Self:
        """Record that the operation has changed a member."""
        return dataclasses.replace(self, passing=tuple(
            one for one in self.passing if one is not member))

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """Whether a member is Synced in this cluster, of this size."""
        return plan.joined(report, self.history, size,
                           or_larger=self.or_larger)
