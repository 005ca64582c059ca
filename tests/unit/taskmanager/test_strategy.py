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

"""The strategy that Trove's loader finds under the name of the option."""

import fixtures
import testtools
from trove.common import cfg
from trove.common.strategies.cluster import base
from trove.common.strategies.cluster import strategy as loader
from trove.taskmanager import api as troves
from trove.taskmanager import models as task_models

from trove_pxc import conf
from trove_pxc.taskmanager import api
from trove_pxc.taskmanager import backing
from trove_pxc.taskmanager import strategy
from trove_pxc.taskmanager import tasks

CONF = cfg.CONF
NAME = 'trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy'


class StrategyTest(testtools.TestCase):

    def load(self, manager: str) -> base.BaseTaskManagerStrategy:
        CONF.set_override('taskmanager_strategy', NAME, manager)
        self.addCleanup(CONF.clear_override, 'taskmanager_strategy', manager)
        return loader.load_taskmanager_strategy(manager)

    def test_it_is_loaded_for_each_datastore(self) -> None:
        for manager in conf.MANAGERS:
            self.assertIsInstance(self.load(manager),
                                  strategy.GaleraTaskManagerStrategy)

    def test_what_it_gives_to_trove(self) -> None:
        loaded = self.load('pxc')
        self.assertIs(api.GaleraTaskAPI, loaded.task_manager_api_class)
        self.assertTrue(issubclass(loaded.task_manager_api_class,
                                   troves.API))
        self.assertIs(tasks.GaleraClusterTasks,
                      loaded.task_manager_cluster_tasks_class)
        self.assertTrue(issubclass(loaded.task_manager_cluster_tasks_class,
                                   task_models.ClusterTasks))
        self.assertEqual({**tasks.ACTIONS, **backing.ACTIONS},
                         loaded.task_manager_manager_actions)

    def test_trove_s_client_of_the_taskmanager_is_ours(self) -> None:
        self.load('pxc')
        self.useFixture(fixtures.MockPatchObject(
            troves.API, 'get_client', autospec=True))
        self.assertIsInstance(troves.load(None, 'pxc'), api.GaleraTaskAPI)

    def test_our_options_are_there(self) -> None:
        for manager in conf.MANAGERS:
            self.assertEqual(300, CONF[manager].bootstrap_timeout)
