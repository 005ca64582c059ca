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

"""The members of clusters in trove-api: rows, servers and ports.

Imported by the rest of api/. It does not use requests or views.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from trove.backup import models as backup_models
from trove.backup import state as backup_state
from trove.common import wsgi
from trove.instance import models as instance_models
from trove.instance import tasks as instance_tasks

from trove_pxc.api import inventory
from trove_pxc.galera import naming
from trove_pxc import guest_statuses
from trove_pxc import protocols
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.protocols import Datastore
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import FaultRow
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Request
from trove_pxc.protocols import StatusRow

Instance = instance_models.InstanceStatus
Inventory = inventory.Inventory

TYPE = 'member'

_SERVER_STATUSES = {
    status: status for status in (
        Instance.BUILD, Instance.ERROR, Instance.REBOOT, Instance.RESIZE,
        Instance.ACTIVE, Instance.SHUTDOWN)}
_SERVER_STATUSES['VERIFY_RESIZE'] = Instance.RESIZE


class Kind(Protocol):
    """What all members of a cluster have in common."""

    @property
    def ds(self) -> Datastore:
        """Their datastore."""

    @property
    def ds_version(self) -> DatastoreVersion:
        """Its version."""


class Member(instance_models.SimpleInstance):
    """Trove's model of an instance, read together with many others.

    :ivar inventory: the source of its server and addresses.
    :ivar backing_up: whether a backup of it runs.
    """

    def __init__(self, context: Context, kind: Kind, row: InstanceRow,
                 status: StatusRow, found: Inventory,
                 backing_up: bool) -> None:
        row.server_status = found.server_status(row)
        row.addresses = found.addresses(row)
        super().__init__(context, row, status, ds_version=kind.ds_version,
                         ds=kind.ds)
        self.ds_version = kind.ds_version
        self.ds = kind.ds
        self.slave_list: list[InstanceRow] = []     # members have no replicas
        self.inventory = found
        self.backing_up = backing_up
        self._known_faults: list[FaultRow] | None = None

    @property
    def server_gone(self) -> bool:
        """Whether its server was deleted in Nova, without Trove.

        The servers of all members are read at once. False for a member that is
        being deleted.
        """
        return (self.db_info.task_status != instance_tasks.InstanceTasks
                .DELETING and self.inventory.server_gone(self.db_info))

    @property
    def fault(self) -> FaultRow | None:
        """Trove's fault, without a query if know_faults() was called."""
        if self._known_faults is None:
            last: FaultRow | None = super().fault
            return last
        return next(iter(self._known_faults), None)

    def know_faults(self, found: Iterable[FaultRow]) -> None:
        """Set the fault, which was read together with those of others.

        :param found: of all these instances. Only administrators see details.
        """
        self._known_faults = [fault for fault in found
                              if fault.instance_id == self.id]
        for fault in self._known_faults:
            if not self.context.is_admin:
                fault.details = None

    @property
    def status(self) -> str:
        """Trove's status, without its query for backups of each member."""
        task = self.db_info.task_status
        if task != instance_tasks.InstanceTasks.NONE:
            return str(super().status)
        if self.backing_up:
            return str(Instance.BACKUP)
        return str(_SERVER_STATUSES.get(
            self.db_info.server_status, 'UNKNOWN'))


def rows(cluster_id: str, cluster_name: str) -> list[InstanceRow]:
    """The instance rows of a cluster that are not deleted, in order."""
    found = instance_models.DBInstance.find_all(
        cluster_id=cluster_id, deleted=False).all()
    return _ordered(cluster_name, found)


def load(context: Context,
         clusters: Sequence[Cluster]) -> dict[str, list[Member]]:
    """Return the members of each cluster in member order, by its id.

    Needs one statement per table and one call per service, for any number of
    clusters. A member that is deleted meanwhile is left out.
    """
    instance = instance_models.DBInstance
    found: list[InstanceRow] = instance.find_by_filter(
        filters=[instance.cluster_id.in_([one.id for one in clusters])],
        deleted=False).all()
    kinds = {cluster.id: cluster for cluster in clusters}
    made = of_rows(context, found, lambda row: kinds[str(row.cluster_id)])
    return {cluster.id: [
        made[row.id] for row in _ordered(cluster.name, (
            row for row in found if row.cluster_id == cluster.id))
        if row.id in made] for cluster in clusters}


def of_rows(context: Context, found: Sequence[InstanceRow],
            kind: Callable[[InstanceRow], Kind]) -> dict[str, Member]:
    """Return the members with these rows, by their ids; see load()."""
    ids = [row.id for row in found]
    statuses = _statuses(ids)
    backups = _backing_up(ids)
    regions = {
        region: Inventory(context, region, [
            row for row in found if row.region_id == region])
        for region in {row.region_id for row in found}}
    return {row.id: Member(
        context, kind(row), row, statuses[row.id], regions[row.region_id],
        row.id in backups) for row in found if row.id in statuses}


def show_addresses(req: Request, shown: Iterable[dict[str, Any]],
                   is_ours: Callable[[str], bool]) -> None:
    """Add the IPv6 addresses of members, which Trove leaves out.

    load_simple_instance_addresses of trove/instance/models.py (Trove 26)
    returns only IPv4 addresses.

    :param shown: instances, as Trove shows them.
    :param is_ours: whether clusters of a datastore version, given by its id,
        are of this package.
    """
    without = {one['id']: one for one in shown if not one.get('ip')}
    instance = instance_models.DBInstance
    found: list[InstanceRow] = [row for row in instance.find_by_filter(
        filters=[instance.id.in_(list(without))], deleted=False).all()
        if is_member(row, is_ours)] if without else []
    for region in {row.region_id for row in found}:
        there = [row for row in found if row.region_id == region]
        inventory_there = Inventory(
            req.environ[wsgi.CONTEXT_KEY], region, there)
        for row in there:
            addresses = inventory_there.addresses(row)
            if addresses:
                without[row.id]['ip'] = [one['address'] for one in addresses]
                without[row.id]['addresses'] = addresses


def is_member(row: InstanceRow, is_ours: Callable[[str], bool]) -> bool:
    """Whether a row is of a member of a cluster of this package.

    :param is_ours: as in show_addresses().
    """
    return bool(row.cluster_id and row.type == TYPE
                and is_ours(row.datastore_version_id))


def shown(member: protocols.Instance, role: str | None) -> dict[str, Any]:
    """Return the keys of a member that all answers have.

    :param role: its role in the cluster; None: unknown.
    """
    told: dict[str, Any] = {
        'id': member.id,
        'name': member.name,
        'status': shown_status(member),
        'operating_status': str(member.operating_status),
    }
    if role is not None:
        told['role'] = role
    addresses = member.get_visible_ip_addresses()
    if addresses:
        told['ip'] = [address['address'] for address in addresses]
    return told


def shown_status(member: protocols.Instance) -> str:
    """Return the status of a member that is shown to users.

    Trove shows ACTIVE when the guest is ready. A member is shown as BUILD
    until the creation of its cluster is completed.
    """
    status = str(member.status)
    if (status == Instance.ACTIVE
            and member.datastore_status.status in guest_statuses.UNBUILT):
        return str(Instance.BUILD)
    return status


def _ordered(cluster_name: str,
             found: Iterable[InstanceRow]) -> list[InstanceRow]:
    return naming.in_member_order(
        cluster_name, found, name=lambda row: str(row.name),
        age=lambda row: (str(row.created), str(row.id)),
        kept=lambda row: row.shard_id)


def _statuses(instance_ids: Sequence[str]) -> dict[str, StatusRow]:
    """Return the last report of each guest.

    Trove's rule for reports that are too old applies to complete guests only.
    A guest that waits for its cluster sends no reports.
    """
    model = instance_models.InstanceServiceStatus
    rows: list[StatusRow] = model.find_by_filter(
        filters=[model.instance_id.in_(instance_ids)]).all()
    found = {row.instance_id: row for row in rows}
    for instance_id, status in found.items():
        if status.status not in guest_statuses.UNBUILT:
            instance_models.update_service_status(
                instance_tasks.InstanceTasks.NONE, status, instance_id)
    return found


def _backing_up(instance_ids: Sequence[str]) -> set[str]:
    model = backup_models.DBBackup
    return {backup.instance_id for backup in model.find_by_filter(
        filters=[model.instance_id.in_(instance_ids),
                 model.state.in_(backup_state.BackupState.RUNNING_STATES)],
        deleted=False).all()}
