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

"""The state of a run, and which of its members a phase is for.

Imported by the steps and the operations. What a run knows it has asked the
members themselves; what their answers allow is decided in galera/.
"""

from collections.abc import Callable
from collections.abc import Sequence
import functools

from trove_pxc.galera import naming
from trove_pxc.galera import plan
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import birth
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision

Member = members.Member


class Formation(supervision.Supervised):
    """The state of one run; all of it can be found out again by another.

    :ivar secrets: what all members share, once one of them was asked.
    :ivar founder: the member through which the cluster was found to exist.
    :ivar history: the UUID of the cluster's history, once it exists.
    :ivar forming: whether the cluster is still empty and serves nobody.
    :ivar interrupted: whether a taskmanager has died in it, and perhaps in
        Trove's creation of the instances.
    """

    remedy = 'delete the cluster'
    forming = True
    secrets: settings.ClusterSecrets | None = None
    founder: Member | None = None
    history: str = ''
    interrupted = False

    def check(self) -> None:
        """As ever; and whether an instance is still to come at all."""
        super().check()
        self.look_at_births(self.members)

    @property
    def unborn(self) -> Sequence[Member]:
        """Whom Trove has been making for this operation."""
        return self.members

    @functools.cached_property
    def births(self) -> dict[str, birth.Birth]:
        """How far Trove is with each of them, by its id."""
        return {member.id: birth.Birth(member) for member in self.unborn}

    def look_at_births(self, concerned: Sequence[Member]) -> None:
        """See whether they get further, if that may not be so."""
        if self.interrupted:
            for member in concerned:
                self._looks[member.id]()

    @functools.cached_property
    def _looks(self) -> dict[str, Callable[[], None]]:
        return {member.id: supervision.every(
            member.options.cloud_poll_interval,
            self.births[member.id].look) for member in self.unborn}

    @property
    def registered(self) -> Sequence[Member]:
        """Who stands in each one's settings, and is let in by each."""
        return self.members

    def facts(self, member: Member) -> settings.MemberFacts:
        """What its configuration depends on."""
        return settings.MemberFacts(
            cluster_id=self.cluster_id,
            cluster_name=naming.wsrep_cluster_name(self.cluster_id),
            member_name=member.node_name,
            member_address=member.address,
            members=tuple((other.node_name, other.address)
                          for other in self.registered),
            instance_id=member.id, memory_mb=member.memory_mb,
            volume_gb=member.volume_gb,
            sst_method=member.options.sst_method)

    def serving(self, member: Member) -> view.MemberReport | None:
        """Its report if it is in the primary component, else None."""
        if not member.prepared():
            return None
        report = self.ask(member)
        if report.view is not None and report.view.in_primary:
            return report
        return None

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """Whether it is Synced in this cluster, of this size."""
        return plan.joined(report, self.history, size)

    def found_through(self, member: Member,
                      report: view.MemberReport) -> None:
        """Remember that the cluster exists, and its history."""
        assert report.view is not None
        self.founder = member
        self.history = report.view.cluster_uuid or ''


def every_member(operation: Formation) -> Sequence[Member]:
    return operation.members


def first_member(operation: Formation) -> Sequence[Member]:
    return operation.members[:1]


def last_member(operation: Formation) -> Sequence[Member]:
    return operation.members[-1:]


def joiners(operation: Formation) -> Sequence[Member]:
    """All but the one through which the cluster exists."""
    return [member for member in operation.members
            if member is not operation.founder]
