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

"""Trove's own loader finds the strategy and its client."""

import testtools
from trove.common import cfg
from trove.common.strategies.cluster import strategy as loader

from trove_pxc.guestagent import api
from trove_pxc.guestagent import strategy


class StrategyTest(testtools.TestCase):

    def test_trove_loads_it_by_its_option(self) -> None:
        path = 'trove_pxc.guestagent.strategy.GaleraGuestAgentStrategy'
        for manager in ('pxc', 'mariadb'):
            cfg.CONF.set_override('guestagent_strategy', path, manager)
            self.addCleanup(cfg.CONF.clear_override, 'guestagent_strategy',
                            manager)
            loaded = loader.load_guestagent_strategy(manager)
            self.assertIsInstance(loaded, strategy.GaleraGuestAgentStrategy)
            self.assertIs(api.GaleraGuestAPI, loaded.guest_client_class)
