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

"""The state of a create, and the selection of members for a phase.

Imported by the steps and the operations. A run asks the members for their
state; galera/ makes decisions from the answers.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import functools

from trove_pxc.galera import naming
from trove_pxc.galera import plan
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc import restores
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision

Member = members.Member
Supervised = supervision.Supervised


class Creations:
    """Follows Trove's creation of instances, if it may be interrupted.

    :ivar interrupted: whether a taskmanager died during the operation, and
        perhaps during the creation of the instances; otherwise nothing is
        checked.
    """

    def __init__(self, being_created: Sequence[Member],
                 interrupted: bool) -> None:
        self.interrupted = interrupted
        self._being_created = being_created

    @functools.cached_property
    def _creations(self) -> dict[str, instance_creation.Creation]:
        return {member.id: instance_creation.Creation(member)
                for member in self._being_created}

    @functools.cached_property
    def _looks(self) -> dict[str, Callable[[], None]]:
        return {member.id: supervision.every(
            member.options.cloud_poll_interval,
            self._creations[member.id].look) for member in self._being_created}

    def look(self, concerned: Sequence[Member]) -> None:
        """Check the progress of these members in the cloud.

        :raises MemberFailed: one of them makes no progress.
        """
        if self.interrupted:
            for member in concerned:
                self._looks[member.id]()

    def queued(self, member: Member, seen: rows.Instance) -> int:
        """Return a number that changes until Trove begins to create it.

        :param seen: the state of the member in Trove's tables.
        :raises MemberFailed: creation_start_timeout has passed.
        """
        return self._creations[member.id].queued(seen)

    def ask(self, member: Member) -> None:
        """Check whether the guest of a member was called to prepare.

        :raises MemberFailed: it runs and was not called.
        """
        if self.interrupted:
            self._creations[member.id].ask()


class Formation(Supervised):
    """The state of one run; another run can find out all of it again.

    :ivar creations: the progress of Trove's creation of the instances.
    """

    remedy = 'delete the cluster'

    def __init__(self, name: str, context: Context, cluster: Cluster,
                 interrupted: bool = False) -> None:
        super().__init__(name, context, cluster)
        self.creations = Creations(self.all_members, interrupted)
        self.found = dataclasses.replace(self.found, forming=True)

    def begin(self) -> Found | None:
        """Find out whether the cluster is created from a backup."""
        restore = restores.of([self.cluster_id]).get(self.cluster_id)
        return None if restore is None else dataclasses.replace(
            self.found, backup_id=restore.backup_id)

    def examine(self, state: rows.State) -> None:
        """Also check whether Trove is still creating the instances."""
        super().examine(state)
        self.creations.look(self.members)


def every_member(operation: Supervised) -> Sequence[Member]:
    return operation.members


def first_member(operation: Supervised) -> Sequence[Member]:
    return operation.members[:1]


def restored_member(operation: Supervised) -> Sequence[Member]:
    """The member that restores a backup, if the cluster is made of one."""
    return operation.members[:1] if operation.found.backup_id else ()


def last_member(operation: Supervised) -> Sequence[Member]:
    return operation.members[-1:]


def prepared_joiners(operation: Supervised) -> Sequence[Member]:
    """The members that are to join a new cluster, if they are prepared."""
    return [member for member in operation.members[1:] if member.prepared()]


def joiners(operation: Supervised) -> Sequence[Member]:
    """All members but the source, in the order in which they are to join.

    Members with the highest position come first, if their disks were read;
    then in member order. Members that did not answer a recovery come last.
    """
    found, names = operation.found, members.by_label(operation.all_members)
    source = next(name for name, member in names.items()
                  if member is found.source)
    order = plan.join_order(list(names), source, found.survey.positions)
    return sorted((names[name] for name in order
                   if names[name] in found.members),
                  key=lambda member: member in found.survey.silent)


def passing(operation: Supervised) -> Sequence[Member]:
    """The members that the operation still has to change."""
    return operation.found.passing


def facts(operation: Supervised, member: Member) -> settings.MemberFacts:
    """The values that the configuration of a member depends on."""
    found = operation.found
    has_new_flavor = found.flavor is not None and not found.keeps_flavor
    return settings.MemberFacts(
        cluster_id=operation.cluster_id,
        cluster_name=naming.wsrep_cluster_name(operation.cluster_id),
        member_name=member.node_name,
        member_address=member.address,
        members=tuple((other.node_name, other.address)
                      for other in found.registered),
        instance_id=member.id,
        memory_mb=(int(found.flavor.ram) if has_new_flavor
                   else member.memory_mb),
        volume_gb=member.volume_gb,
        sst_method=member.options.sst_method)


def serving(operation: Supervised,
            member: Member) -> view.MemberReport | None:
    """The report of a member in the primary component, else None."""
    if not member.prepared():
        return None
    report = operation.ask(member)
    if report.view is not None and report.view.in_primary:
        return report
    return None
