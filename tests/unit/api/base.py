# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Shared by the tests of the API: rows, and fakes of clients and services."""

import types
from typing import Any

import fixtures
import mock
from neutronclient.v2_0 import client as neutron_client
from novaclient.v2 import flavors
from novaclient.v2 import server_groups
from novaclient.v2 import servers
from oslo_serialization import jsonutils
import testtools
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.common import clients
from trove.common import wsgi
from trove import rpc

from tests.unit import specs
from tests.unit import tables
from trove_pxc.api import cluster as cluster_model
from trove_pxc import conf
from trove_pxc.guestagent import api as guest_api
from trove_pxc.taskmanager import api as task_api

CONF = cfg.CONF
PROJECT = tables.PROJECT


class ServerGroups(server_groups.ServerGroupsManager):
    """Server groups of the microversion that Trove requests, 2.57."""

    def create(self, name: str, policies: list[str]) -> Any:
        """Versions before 2.64 accept several policies."""


class Nova:
    """The client of Nova, with the calls that the API uses."""

    def __init__(self) -> None:
        self.api_version = mock.MagicMock()
        self.api_version.__ge__.return_value = True
        self.servers = specs.spec(servers.ServerManager)
        self.servers.list.return_value = []
        self.servers.get.side_effect = lambda server_id: (
            types.SimpleNamespace(id=server_id, status='ACTIVE'))
        self.server_groups = specs.spec(ServerGroups)
        self.server_groups.list.return_value = []
        self.flavors = specs.spec(flavors.FlavorManager)


class Notifier:
    """Records notifications."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.payloads: list[dict[str, Any]] = []

    def info(self, context: Any, event: str, payload: Any) -> None:
        self.events.append(event.removeprefix('dbaas.'))
        self.payloads.append(dict(payload))

    error = info


class ApiTestCase(testtools.TestCase):
    """A project with a MariaDB version, without clusters."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.useFixture(tables.Tables())
        conf.register(CONF)
        for manager in conf.MANAGERS:
            self.override('api_strategy',
                          'trove_pxc.api.strategy.GaleraAPIStrategy',
                          manager)
        self.nova = Nova()
        self.neutron = mock.Mock(spec=neutron_client.Client)
        self.neutron.list_ports.return_value = {'ports': []}
        self.neutron.list_floatingips.return_value = {'floatingips': []}
        self.guest = specs.spec(guest_api.GaleraGuestAPI)
        self.task_api = specs.spec(task_api.GaleraTaskAPI)
        self.notifier = Notifier()
        self.create_nova = self.patch(
            clients, 'create_nova_client', self.nova)
        self.patch(clients, 'create_neutron_client', self.neutron)
        self.create_guest = self.patch(
            clients, 'create_guest_client', self.guest)
        self.make_task_api = self.patch(
            task_api, 'GaleraTaskAPI', self.task_api)
        self.patch(rpc, 'get_notifier', self.notifier)
        self.version = tables.add_version('mariadb', '10.11')

    def patch(self, where: Any, name: str, result: Any) -> Any:
        """Replace a function of Trove by one with this result."""
        return self.useFixture(fixtures.MockPatchObject(
            where, name, autospec=True, return_value=result)).mock

    def override(self, name: str, value: Any,
                 group: str | None = None) -> None:
        CONF.set_override(name, value, group)
        self.addCleanup(CONF.clear_override, name, group)

    def add_cluster(self, name: str = 'c', members: int = 3,
                    **values: Any) -> Any:
        """Create the row of a cluster. Its members are NAME-1 and so on."""
        row = tables.add_cluster(self.version, name, **values)
        for number in range(1, members + 1):
            tables.add_member(row, f'{name}-{number}')
        return row

    def members(self, row: Any) -> list[Any]:
        """Return the rows of a cluster's members, by their names."""
        found = cluster_model.instance_models.DBInstance.find_all(
            cluster_id=row.id, deleted=False).all()
        return sorted(found, key=lambda member: str(member.name))

    def load(self, row: Any, role: str = 'member') -> Any:
        """Load the cluster for a request of a user with this role."""
        return cluster_models.Cluster.load(tables.context(role), row.id)


def request(method: str = 'GET', path: str = '/', body: Any = None,
            role: str = 'member', project: str = PROJECT,
            of: str = PROJECT) -> Any:
    """Return a request as it leaves trove-api's filter of contexts.

    :param project: of the user.
    :param of: the project in the path.
    """
    made = wsgi.Request.blank(
        f'/{of}{path}', method=method,
        headers={'Content-Type': 'application/json'},
        body=b'' if body is None else jsonutils.dump_as_bytes(body))
    made.environ[wsgi.CONTEXT_KEY] = tables.context(
        role, project, limit=made.GET.get('limit'),
        marker=made.GET.get('marker'))
    return made
