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

"""One member of a cluster: its rows, its cloud resources and its guest.

Imported by the engine, the steps and the operations. It reports the state;
the operations and galera/ make the decisions.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import functools
import itertools
from typing import Any

from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance import tasks as instance_tasks

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import addresses
from trove_pxc.galera import lost
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import naming
from trove_pxc.galera import position
from trove_pxc.galera import roles
from trove_pxc.galera import view
from trove_pxc import guest_statuses
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Neutron
from trove_pxc.protocols import Record
from trove_pxc.protocols import ServiceStatus
from trove_pxc.protocols import StatusRow
from trove_pxc import quotas
from trove_pxc import retries
from trove_pxc.taskmanager.cloud.guest import Guest
from trove_pxc.taskmanager.cloud import rows
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)
Statuses = service_status.ServiceStatuses

_BUILDING = instance_tasks.InstanceTasks.BUILDING
_LOOKS = 3      # checks of Trove at an instance that it creates
# Seconds for which one call is retried; after that the whole step is
# retried. A step of twenty calls must not start again for one failed call.
_BRIEFLY = 5.0
_SERVER_FAILED = ('ERROR', 'FAILED')


def load(context: Context, cluster: Cluster) -> list['Member']:
    """The members of a cluster, in member order."""
    there: list[InstanceRow] = instance_models.DBInstance.find_all(
        cluster_id=cluster.id, deleted=False).all()
    ordered = naming.in_member_order(
        cluster.name, there, name=lambda row: str(row.name),
        age=lambda row: (str(row.created), str(row.id)),
        kept=lambda row: row.shard_id)
    found = [Member(context, cluster.ds_version.manager, number, row)
             for number, row in zip(_numbers(cluster.name, ordered), ordered,
                                    strict=True)]
    names = [member.name for member in found]
    for member in found:
        member.name_is_unique = names.count(member.name) == 1
    return found


def labels(found: Iterable['Member']) -> dict[str, str]:
    """The names of members in messages, by id."""
    return naming.labels({member.id: member.name for member in found})


def _numbers(cluster_name: str, ordered: Sequence[InstanceRow]) -> list[int]:
    """The numbers of members; renamed ones get numbers after the highest."""
    own = [naming.number_of(cluster_name, str(row.name), row.shard_id)
           for row in ordered]
    further = itertools.count(max((one or 0 for one in own), default=0) + 1)
    return [one or next(further) for one in own]


def by_label(found: Sequence['Member']) -> dict[str, 'Member']:
    """Members by their names in messages."""
    named = labels(found)
    return {named[member.id]: member for member in found}


def check_all_made(cluster_id: str, asked: Sequence['Member'],
                   there: Iterable['Member']) -> None:
    """Raise unless Trove has rows of all members of one request.

    :param asked: members of the request.
    :param there: all members of the cluster.
    :raises ClusterInconsistent: trove-api ended during the request.
    """
    numbers = range(
        min((member.number for member in asked), default=1),
        max((member.last_asked or 0 for member in asked), default=1) + 1)
    missing = sorted(set(numbers) - {member.number for member in there})
    if missing:
        raise exceptions.ClusterInconsistent(
            f'trove-api ended before it had created all instances: member '
            f'{", ".join(map(str, missing))} of cluster {cluster_id} is '
            'missing')


def be_counted(cluster_id: str, made: Iterable['Member']) -> None:
    """Count members in the quota if trove-api ended before it did."""
    quotas.settle_members(
        cluster_id, [member.number for member in made], quotas.COMMITTED)


class Member:
    """One member: the current state of its rows, its server and its guest.

    :ivar number: its permanent number in the cluster.
    :ivar name_is_unique: whether no other member of the cluster has its
        name.
    :ivar last_asked: the number of the last member in the request that
        created it; None if its row does not have it.
    """

    def __init__(self, context: Context, manager: str, number: int,
                 row: InstanceRow) -> None:
        self.context = context
        self.manager = manager
        self.number = number
        self.last_asked = naming.last_asked(row.shard_id)
        self.id = str(row.id)
        self.name = str(row.name)
        self.name_is_unique = True
        self.tenant_id = str(row.tenant_id)
        self.region = row.region_id
        self.flavor_id = str(row.flavor_id)
        self.volume_gb = int(row.volume_size or 0)
        self._address: str | None = None
        self._silence: waiting.Stopwatch | None = None
        self._failure: waiting.Stopwatch | None = None

    @property
    def options(self) -> Any:
        """The options of its datastore."""
        return CONF.get(self.manager)

    @functools.cached_property
    def guest(self) -> Guest:
        """The client of its guest, from the strategy of the datastore."""
        client: Guest = clients.create_guest_client(
            self.context, self.id, self.manager)
        return client

    @functools.cached_property
    def nova(self) -> Any:
        with retries.repeated(_BRIEFLY):
            return clients.create_nova_client(self.context, self.region)

    @functools.cached_property
    def neutron(self) -> Neutron:
        with retries.repeated(_BRIEFLY):
            client: Neutron = clients.create_neutron_client(
                self.context, self.region)
        return client

    @functools.cached_property
    def cinder(self) -> Any:
        with retries.repeated(_BRIEFLY):
            return clients.create_cinder_client(self.context, self.region)

    @functools.cached_property
    def memory_mb(self) -> int:
        return int(self.nova.flavors.get(self.flavor_id).ram)

    def has_flavor(self, flavor_id: str) -> None:
        """Record the new flavor."""
        self.row().update(flavor_id=flavor_id)
        self.flavor_id = flavor_id
        self.__dict__.pop('memory_mb', None)

    def has_volume(self, size_gb: int) -> None:
        """Record the new size of its volume."""
        self.row().update(volume_size=size_gb)
        self.volume_gb = size_gb

    @property
    def node_name(self) -> str:
        """Its wsrep_node_name, which is unique, because it names donors."""
        return naming.node_name(
            self.name if self.name_is_unique else '', self.number)

    def row(self) -> InstanceRow:
        """Its current row.

        :raises MemberFailed: if it was deleted.
        """
        row = self.find_row()
        if row is None:
            raise self.failed('the instance was deleted')
        return row

    def find_row(self) -> InstanceRow | None:
        """Its current row; None if it was deleted."""
        row: InstanceRow | None = instance_models.DBInstance.get_by(
            id=self.id, deleted=False)
        return row

    def status(self) -> ServiceStatus:
        """The status that its guest last reported to Trove."""
        row: StatusRow = instance_models.InstanceServiceStatus.find_by(
            instance_id=self.id)
        return row.status

    def failed(self, cause: str,
               advice: str = '') -> exceptions.MemberFailed:
        """Make an error with this member, the cause and the next action."""
        return exceptions.MemberFailed(self.name, self.id, cause, advice)

    def check(self, seen: rows.Instance | None) -> None:
        """Raise MemberFailed if its rows show a failure.

        :param seen: its state in Trove's tables; None: it was deleted.
        """
        if seen is None or seen.status is None:
            raise self.failed('the instance was deleted')
        task, status = seen.task, seen.status
        if status == Statuses.FAILED and task == _BUILDING:
            # Trove notices this within seconds, and its fault would replace
            # that of the operation. But it does not notice if the
            # taskmanager that created the instance has died.
            self._failure = self._failure or waiting.Stopwatch()
            if self._failure.elapsed < _LOOKS * CONF.usage_sleep_time:
                return
        if task.is_error or status in guest_statuses.FAILED:
            self.check_server(seen.server_id)
            raise self.failed(self._guest_says() or faults.cause(self.id) or (
                task.db_text if task.is_error
                else f'its guest is "{status.description}"'))

    def check_server(self, server_id: str | None) -> None:
        """Raise MemberFailed if Nova could not create its server.

        :param server_id: None before Trove has created one.
        :raises ServerGone: it was deleted in Nova.
        """
        server = server_id and self._server(server_id)
        if server and server.status in _SERVER_FAILED:
            fault = getattr(server, 'fault', None) or {}
            raise self.failed(
                f'its server is {server.status}: '
                f'{fault.get("message", "Nova gives no reason")}')

    def find_server(self) -> Any:
        """Its server; None before Trove has created one.

        :raises ServerGone: it was deleted in Nova.
        """
        server_id = self.row().compute_instance_id
        return self._server(server_id) if server_id else None

    def _server(self, server_id: str) -> Any:
        try:
            return self.nova.servers.get(server_id)
        except nova_exceptions.NotFound as gone:
            raise exceptions.ServerGone(
                self.name, self.id,
                f'its {lost.server_gone(server_id)}') from gone

    def prepared(self) -> bool:
        """Whether its guest was ever ready to be configured.

        Otherwise its server was never configured and never started. A guest,
        like Trove, reports a failure only while it prepares.
        """
        return self.status() not in (*guest_statuses.UNPREPARED,
                                     *guest_statuses.FAILED)

    def untouched(self) -> bool:
        """Whether its guest has not begun to prepare."""
        return bool(self.status() == Statuses.NEW)

    def complete(self) -> bool:
        """Whether it was ever a member of a complete cluster."""
        return self.status() not in guest_statuses.INCOMPLETE

    def healthy(self) -> bool:
        return bool(self.status() == Statuses.HEALTHY)

    def find_address(self) -> str | None:
        """Its private address outside the management networks.

        It is known when its port exists, before its server boots. If there
        are several, it is the one that galera/addresses prefers.
        """
        if self._address is None:
            found = addresses.usable(
                fixed.get('ip_address') for port in self._ports()
                for fixed in port['fixed_ips'])
            self._address = found[0] if found else None
        return self._address

    @property
    def address(self) -> str:
        """Its private address outside the management networks.

        :raises MemberFailed: if it has none.
        """
        found = self.find_address()
        if found is None:
            raise self.failed('it has no address')
        return found

    def report(self, patience: float = 0.0) -> view.MemberReport:
        """The report of its guest about the server.

        :param patience: for so many seconds the guest waits until the server
            is Synced, before it reports another state.
        :raises waiting.NotYet: if the guest does not answer.
        :raises MemberFailed: if it has not answered for
            guest_silence_timeout seconds.
        """
        try:
            report = (self.guest.awaited_report(patience) if patience
                      else self.guest.member_report())
        except (exception.GuestTimeout, exception.GuestError) as silent:
            self._silence = self._silence or waiting.Stopwatch()
            limit = self.options.guest_silence_timeout
            if self._silence.elapsed >= limit:
                raise self.failed(f'its guest has not reported for '
                                  f'{limit} s: {silent}') from silent
            raise waiting.NotYet(
                f'no report from {self.name}: {silent}') from silent
        self._silence = None
        return report

    def position(self) -> position.Position:
        """The position of its data, which its guest reads from the disk."""
        return self.guest.member_position()

    def settings(self) -> Membership | None:
        """Its settings, secrets and certificate; None if never configured."""
        return self.guest.member_context()

    def _ports(self) -> list[Record]:
        ports = self.neutron.list_ports(name=f'trove-{self.id}')['ports']
        server_id = None if ports else self.row().compute_instance_id
        if server_id:
            ports = self.neutron.list_ports(device_id=server_id)['ports']
        return [port for port in ports
                if port['network_id'] not in CONF.management_networks]

    def _guest_says(self) -> str:
        """The error of its guest that failed to prepare; '' if unknown."""
        if self.status() not in guest_statuses.FAILED:
            return ''
        try:
            return str(self.guest.member_report().error)
        except (exception.GuestTimeout, exception.GuestError) as silent:
            LOG.info('The failed guest of %s does not report the reason: %s',
                     self.name, silent)
            return ''


def seen(report: view.MemberReport) -> str:
    """A summary of a report, for time-out errors."""
    if report.view is None:
        error = f', "{report.error}"' if report.error else ''
        return f'server {report.server.value}{error}'
    (role,) = roles.of_all({'': report}).values()
    hindered = f', and it {role}' if role in roles.HINDERED else ''
    return (f'server {report.server.value}, '
            f'{report.view.cluster_status.value}, '
            f'{report.view.local_state.value}, '
            f'size {report.view.cluster_size}{hindered}')
