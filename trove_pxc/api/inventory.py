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

"""Servers, ports and addresses of members in Nova and Neutron.

Imported by api/members. Each service is called once for all members of many
clusters. A call names at most as many members as fit into a URL of 8 kB.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import functools
from typing import Any
from typing import TypeVar

from novaclient import api_versions
from novaclient import exceptions as nova_exceptions
from trove.common import cfg
from trove.common import clients
from trove.instance import tasks as instance_tasks

from trove_pxc.galera import addresses
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Neutron
from trove_pxc.protocols import Record
from trove_pxc.protocols import Server
from trove_pxc.protocols import ServerGroup

CONF = cfg.CONF

#: members per call
AT_ONCE = 120
#: missing servers that are looked up by id; for more, all are listed
BY_ID = 10

_DELETED = ('DELETED', 'SOFT_DELETED')
_TAGS_SINCE = api_versions.APIVersion('2.26')


Subject = TypeVar('Subject')
Found = TypeVar('Found')


class Inventory:
    """The servers and addresses of instances in one region.

    :param rows: of the instances.
    """

    def __init__(self, context: Context, region: str | None,
                 rows: Sequence[InstanceRow]) -> None:
        self._context = context
        self._region = region
        self._rows = rows

    def server_status(self, row: InstanceRow) -> str:
        """Return Nova's status, or a status for a missing server."""
        server = self._servers.get(row.compute_instance_id or '')
        if server is not None:
            return str(server.status)
        being_built = (
            row.task_status.action
            == instance_tasks.InstanceTasks.BUILDING.action)
        return ('BUILD' if being_built and not row.compute_instance_id
                else 'SHUTDOWN')

    def server_gone(self, row: InstanceRow) -> bool:
        """Whether Nova does not have the server of an instance any more."""
        return bool(row.compute_instance_id
                    and row.compute_instance_id not in self._servers)

    def addresses(self, row: InstanceRow) -> list[dict[str, str]]:
        """Return private and public addresses outside management networks.

        Ports are found by the names that Trove gives them, so that they are
        found before the server exists. If there are IPv4 and IPv6 addresses,
        only those are returned that the database server listens on.
        """
        found: list[dict[str, str]] = []
        ports = [port for port in self._ports
                 if port['name'] == _port_name(row)]
        used = addresses.usable(fixed.get('ip_address') for port in ports
                                for fixed in port['fixed_ips'])
        for port in ports:
            found.extend(
                {'address': fixed['ip_address'], 'type': 'private',
                 'network': port['network_id']}
                for fixed in port['fixed_ips']
                if fixed.get('ip_address') in used)
            found.extend(
                {'address': ip['floating_ip_address'], 'type': 'public'}
                for ip in self._floating if ip['port_id'] == port['id'])
        return found

    def server_group(self, servers: set[str]) -> ServerGroup | None:
        """Return the group that one of these servers is in, or None."""
        return next((group for group in self._groups
                     if servers & set(group.members)), None)

    @functools.cached_property
    def _nova(self) -> Any:
        return clients.create_nova_client(self._context, self._region)

    @functools.cached_property
    def _neutron(self) -> Neutron:
        client: Neutron = clients.create_neutron_client(
            self._context, self._region)
        return client

    @functools.cached_property
    def _servers(self) -> dict[str, Server]:
        """By tags. Missing ones are looked up by id, or all are listed.

        Trove tags its servers since release 26. Servers of older releases have
        no tags before "trove-manage set_nova_tags". If only a few are missing,
        they were usually deleted in Nova, and it would be too expensive to
        list all servers of Trove.
        """
        rows = [row for row in self._rows if row.compute_instance_id]
        tagged: list[Server] = []
        if self._nova_has_tags:
            tagged.extend(_asked(
                rows, lambda some: self._nova.servers.list(
                    search_opts={'tags-any': ','.join(
                        f'trove_instance_id_{row.id}' for row in some)},
                    limit=-1)))
        found = {str(server.id): server for server in tagged}
        missing = [server_id for row in rows
                   if (server_id := row.compute_instance_id)
                   and server_id not in found]
        seen = (self._nova.servers.list(limit=-1)
                if len(missing) > BY_ID else self._by_id(missing))
        found.update((str(server.id), server) for server in seen)
        return found

    def _by_id(self, server_ids: Iterable[str]) -> Iterator[Server]:
        """Yield existing servers; Nova shows deleted ones for a while."""
        for server_id in server_ids:
            try:
                server = self._nova.servers.get(server_id)
            except nova_exceptions.NotFound:
                continue
            if server.status not in _DELETED:
                yield server

    @property
    def _nova_has_tags(self) -> bool:
        return bool(self._nova.api_version >= _TAGS_SINCE)

    @functools.cached_property
    def _ports(self) -> list[Record]:
        found = _asked(self._rows, lambda some: self._neutron.list_ports(
            name=[_port_name(row) for row in some])['ports'])
        return [port for port in found
                if port['network_id'] not in CONF.management_networks]

    @functools.cached_property
    def _floating(self) -> list[Record]:
        return list(_asked(
            self._ports, lambda some: self._neutron.list_floatingips(
                port_id=[port['id'] for port in some])['floatingips']))

    @functools.cached_property
    def _groups(self) -> list[ServerGroup]:
        return list(self._nova.server_groups.list())


def _port_name(row: InstanceRow) -> str:
    return f'trove-{row.id}'


def _asked(subjects: Sequence[Subject],
           ask: Callable[[Sequence[Subject]], Iterable[Found]]
           ) -> Iterator[Found]:
    """Yield the answers for all subjects, AT_ONCE of them in each call."""
    for first in range(0, len(subjects), AT_ONCE):
        yield from ask(subjects[first:first + AT_ONCE])
