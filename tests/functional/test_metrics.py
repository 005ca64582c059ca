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

"""A guest's agent as Trove loads it, and the metrics that Prometheus reads.

The Docker engine and the answers of the server are fakes; the rest is real.
"""

import pathlib
import re
import socket
from typing import Any
from urllib import request

import docker
import fixtures
import mock
from oslo_utils import importutils
from trove.conductor import api as conductor_api
from trove.guestagent.datastore import service as trove_service
import yaml

from tests.unit.galera import test_metrics
from tests.unit.guestagent import fakes
from trove_pxc.galera import metrics as galera_metrics
from trove_pxc.galera import view
from trove_pxc.guestagent import app
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import database
from trove_pxc.guestagent import metrics
from trove_pxc.guestagent import reporter

GUIDE = (pathlib.Path(__file__).parents[2] / 'doc/source/user/metrics.rst')
NAMES = re.compile(r'\b(?:trove_pxc|mysql_global_status)_\w+')


class MetricsTest(fakes.MemberTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.config.config(datastore_manager='mariadb',
                           guest_id='instance-1', report_interval=60)
        self.config.config(group='mariadb')
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = int(free.getsockname()[1])
        self.prepared()
        self.member.configure(
            fakes.facts(), fakes.secrets(), fakes.certificate())
        self.member.start()
        self.engine.holds(status='running')
        self.rows: Any = list(test_metrics.BUSY.items())
        self.replace(docker, 'from_env', return_value=self.engine.client)
        self.replace(app.MemberApp, 'bind', return_value=self.member)
        self.replace(conductor_api, 'API').return_value.client = mock.Mock()
        session = mock.create_autospec(database.Session, instance=True)
        session.view.side_effect = self.answer
        self.replace(database.Database, 'session', return_value=session)
        self.end_servers()
        # A guest whose cluster is complete.
        self.useFixture(fixtures.MonkeyPatch(
            f'{trove_service.__name__}.BaseDbStatus.is_installed', True))

    def new_agent(self, manager: str = 'mariadb') -> members.BackupMember:
        return members.BackupMember(
            manager, self.engine.client, self.trove, where=self.where,
            host_files=self.files)

    def replace(self, target: Any, name: str, **habits: Any) -> Any:
        patch = mock.patch.object(target, name, autospec=True, **habits)
        self.addCleanup(patch.stop)
        return patch.start()

    def end_servers(self) -> None:
        """Close the sockets with the test; in a guest they stay open."""
        servers: list[Any] = []

        class Server(metrics._Server):
            def server_activate(self) -> None:
                super().server_activate()
                servers.append(self)
        self.useFixture(fixtures.MonkeyPatch(
            f'{metrics.__name__}._Server', Server))
        self.useFixture(fixtures.MonkeyPatch(
            f'{metrics.__name__}._NEVER_SHUT_DOWN_SECONDS', 0.1))

        def end() -> None:
            for server in servers:
                server.shutdown()
                server.server_close()
        self.addCleanup(end)

    def answer(self) -> view.NodeView:
        if isinstance(self.rows, Exception):
            raise self.rows
        return view.NodeView.from_status(dict(self.rows))

    def agent(self, **options: Any) -> None:
        """Start an agent in a guest with these options.

        Its polling thread is not started, because it would outlive the test.
        """
        self.replace(reporter, 'Reporter')
        self.config.config(group='mariadb', **options)
        manager = importutils.import_object(
            'trove_pxc.guestagent.manager.MariaDBManager')
        manager.beginning.join(10)
        self.look = manager.status.report_member
        self.look()

    def read(self) -> str:
        url = f'http://127.0.0.1:{self.port}/metrics'
        opener = request.build_opener(request.ProxyHandler({}))
        with opener.open(url, timeout=10) as response:
            return str(response.read().decode())

    def values(self) -> dict[str, float]:
        return {name: value for (name, _), value
                in test_metrics.read(self.read()).items()}

    def test_observations_reach_prometheus(self) -> None:
        self.agent(metrics_port=self.port)
        size = f'{galera_metrics.OF_SERVER}wsrep_cluster_size'
        self.assertEqual(
            (3, 12, 7, 1), tuple(self.values()[name] for name in (
                size, f'{galera_metrics.OF_SERVER}wsrep_local_recv_queue',
                f'{galera_metrics.OF_SERVER}wsrep_local_cert_failures',
                'trove_pxc_member_serves')))
        self.rows = [(name, '2' if name == 'wsrep_cluster_size' else value)
                     for name, value in self.rows]
        self.assertEqual(3, self.values()[size])
        self.look()
        self.assertEqual(2, self.values()[size])
        self.rows = database.NoAnswerInTime('it is silent')
        self.look()
        self.assertEqual(0, self.values()['trove_pxc_member_serves'])
        self.assertNotIn(size, self.values())
        for word in (*fakes.PASSWORDS, *(at for _, at in fakes.MEMBERS)):
            self.assertNotIn(word, self.read())

    def test_without_the_option_no_port_is_open(self) -> None:
        self.agent()
        self.assertRaises(OSError, socket.create_connection,
                          ('127.0.0.1', self.port), 2)

    def test_guide_lists_all_metrics(self) -> None:
        self.agent(metrics_port=self.port)
        there = {f'{galera_metrics.OF_SERVER}{metric.name}'
                 for metric in galera_metrics.WSREP}
        there |= {name for name in self.values()
                  if name.startswith('trove_pxc')}
        guide = GUIDE.read_text()
        tables = set(re.findall(
            r'^   (?:\* - |    )``(\w+)``,?$', guide, re.MULTILINE))
        self.assertEqual(there, {name for name in tables
                                 if NAMES.fullmatch(name)})
        self.assertEqual(set(), set(NAMES.findall(guide)) - there)

    def test_example_of_alerts_is_valid(self) -> None:
        text = GUIDE.read_text().partition('.. code-block:: yaml\n')[2]
        lines = text.partition('\n.. _notifications:')[0]
        (group,) = yaml.safe_load(lines)['groups']
        self.assertEqual('galera', group['name'])
        for rule in group['rules']:
            self.assertTrue(
                NAMES.search(rule['expr']), rule)
            self.assertEqual(rule['expr'].count('('),
                             rule['expr'].count(')'), rule)
