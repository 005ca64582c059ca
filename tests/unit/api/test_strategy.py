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

"""What trove-api gets for the option api_strategy."""

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
