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

"""What trove-api loads for the option api_strategy."""

import os
import subprocess
import sys
import textwrap

import testtools
from trove.common import cfg
from trove.common.strategies.cluster import strategy as trove_strategy

from trove_pxc.api import cluster
from trove_pxc.api import strategy
from trove_pxc.api import views


class StrategyTest(testtools.TestCase):

    def test_as_trove_loads_it(self) -> None:
        cfg.CONF.set_override(
            'api_strategy', 'trove_pxc.api.strategy.GaleraAPIStrategy',
            'pxc')
        self.addCleanup(cfg.CONF.clear_override, 'api_strategy', 'pxc')
        loaded = trove_strategy.load_api_strategy('pxc')
        self.assertIs(cluster.GaleraCluster, loaded.cluster_class)
        self.assertIs(views.GaleraClusterView, loaded.cluster_view_class)
        self.assertIs(views.GaleraMgmtClusterView,
                      loaded.mgmt_cluster_view_class)

    def test_with_it_come_the_options(self) -> None:
        self.assertIsNotNone(strategy.cfg.CONF.pxc.status_call_timeout)
        self.assertIsNotNone(strategy.cfg.CONF.mariadb.status_call_timeout)


class LoadedTest(testtools.TestCase):
    """All modules of this package that trove-api loads, in a new process."""

    PROGRAM = textwrap.dedent("""
        import sys
        import types

        from trove.cmd import api
        from trove.common import cfg
        from trove import rpc

        CONF = cfg.CONF
        CONF([], project='trove', default_config_files=[])
        rpc.init(CONF)
        before = set(sys.modules)

        from trove.common.strategies.cluster import strategy
        from trove_pxc.api import extension
        from trove_pxc.api import pipeline
        from trove_pxc.api import root  # [mariadb] root_controller

        extension.GaleraExtension().get_resources()
        pipeline.factory({})(None)
        for option, value in (
                ('api_strategy', 'api.strategy.GaleraAPIStrategy'),
                ('guestagent_strategy',
                 'guestagent.strategy.GaleraGuestAgentStrategy'),
                ('taskmanager_strategy',
                 'taskmanager.strategy.GaleraTaskManagerStrategy')):
            CONF.set_override(option, f'trove_pxc.{value}', 'mariadb')
        strategy.load_guestagent_strategy('mariadb').guest_client_class
        made = strategy.load_api_strategy('mariadb').cluster_class
        made.task_api(types.SimpleNamespace(context=None, ds_version=(
            types.SimpleNamespace(manager='mariadb'))))
        print(*sorted(set(sys.modules) - before))
        """)

    def test_no_driver_of_a_broker_and_nothing_of_other_services(
            self) -> None:
        """Trove loads only the configured driver."""
        loaded = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', self.PROGRAM],
            check=True, capture_output=True, text=True, env={
                **os.environ, 'OS_DEFAULT__TRANSPORT_URL': 'fake://'},
        ).stdout.split()
        self.assertIn('trove_pxc.taskmanager.api', loaded)
        for name in ('oslo_messaging._drivers.impl_rabbit', 'kombu', 'amqp',
                     'docker', 'pymysql', 'trove_pxc.taskmanager.tasks',
                     'trove_pxc.guestagent.service'):
            self.assertNotIn(name, loaded)
