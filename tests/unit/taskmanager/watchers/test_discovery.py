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

"""Which clusters the watchers find, and the context they use."""


import mock
from oslo_context import context as oslo_context
from oslo_db import exception as db_exceptions
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import context as trove_context
from trove.datastore import models as datastore_models

from tests.unit.taskmanager import fakes
from trove_pxc.taskmanager.watchers import discovery

CONF = cfg.CONF
STRATEGY = 'trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy'


class ClustersTest(fakes.ClusterTestCase):

    size = 0
    tasks = (ClusterTasks.NONE.code, ClusterTasks.DELETING.code)

    def setUp(self) -> None:
        super().setUp()
        for manager in ('mariadb', 'pxc'):
            self.override(manager, taskmanager_strategy=STRATEGY)
        for manager in ('mariadb', 'pxc', 'mongodb'):
            self.tables.add(datastore_models.DBDatastoreVersion,
                            id=f'version of {manager}', manager=manager)
        model = cluster_models.DBCluster
        self.tables.change(model, fakes.CLUSTER,
                           datastore_version_id='version of mariadb')
        self.add = lambda name, manager, task: self.tables.add(
            model, task, id=name, tenant_id='demo',
            datastore_version_id=f'version of {manager}')
        self.change = lambda name, **values: self.tables.change(
            model, name, **values)

    def found(self) -> dict[str, str]:
        """The managers of the found clusters, by their ids."""
        clusters = discovery.clusters(self.tasks)
        for cluster_id, one in clusters.items():
            self.assertEqual(cluster_id, one.row.id)
        return {cluster_id: one.manager
                for cluster_id, one in clusters.items()}

    def test_those_of_all_our_datastores(self) -> None:
        self.add('other', 'pxc', ClusterTasks.DELETING)
        self.assertEqual({fakes.CLUSTER: 'mariadb', 'other': 'pxc'},
                         self.found())

    def test_however_many_there_are_it_costs_the_same(self) -> None:
        for number in range(50):
            self.add(f'cluster-{number}', 'pxc', ClusterTasks.NONE)
        before = self.tables.statements
        self.assertEqual(51, len(self.found()))
        self.assertEqual(2, self.tables.statements - before)

    def test_only_those_with_such_a_task(self) -> None:
        self.add('other', 'pxc', ClusterTasks.GROWING_CLUSTER)
        self.assertEqual([fakes.CLUSTER], list(self.found()))

    def test_not_those_that_are_deleted(self) -> None:
        self.change(fakes.CLUSTER, deleted=True)
        self.assertEqual({}, self.found())

    def test_not_those_of_other_datastores(self) -> None:
        self.override('mongodb', taskmanager_strategy=STRATEGY)
        self.add('other', 'mongodb', ClusterTasks.NONE)
        self.assertEqual([fakes.CLUSTER], list(self.found()))

    def test_not_those_that_trove_s_own_classes_run(self) -> None:
        CONF.clear_override('taskmanager_strategy', 'pxc')
        self.add('other', 'pxc', ClusterTasks.NONE)
        self.assertEqual([fakes.CLUSTER], list(self.found()))

    def test_the_manager_of_a_row(self) -> None:
        for manager in ('mariadb', 'pxc'):
            self.change(fakes.CLUSTER,
                        datastore_version_id=f'version of {manager}')
            self.assertEqual(manager, discovery.manager(
                cluster_models.DBCluster.get_by(id=fakes.CLUSTER)))

    def test_clusters_of_this_package(self) -> None:
        self.assertTrue(discovery.is_ours(fakes.CLUSTER))
        for version in ('version of mongodb', 'gone'):
            self.change(fakes.CLUSTER, datastore_version_id=version)
            self.assertFalse(discovery.is_ours(fakes.CLUSTER))
        self.assertFalse(discovery.is_ours('no cluster'))

    def test_without_the_database_it_is_assumed_to_be(self) -> None:
        with mock.patch.object(cluster_models.DBCluster, 'find_by',
                               side_effect=db_exceptions.DBConnectionError):
            self.assertTrue(discovery.is_ours('c'))

    def test_the_options_of_one(self) -> None:
        self.override('pxc', operation_lease=60)
        self.assertEqual(60, discovery.Found(
            None, 'pxc').options.operation_lease)

    def test_trove_s_own_account_acts_for_the_project(self) -> None:
        self.override('service_credentials', username='trove',
                      user_domain_name='service')
        context = discovery.context(
            cluster_models.DBCluster.get_by(id=fakes.CLUSTER))
        self.assertEqual(
            ('trove', 'demo', 'service', True),
            (context.user_id, context.project_id, context.user_domain_name,
             context.is_admin))

    def test_what_the_thread_does_besides_keeps_its_context(self) -> None:
        own = trove_context.TroveContext(overwrite=True)
        self.assertIs(own, oslo_context.get_current())
        discovery.context(cluster_models.DBCluster.get_by(id=fakes.CLUSTER))
        self.assertIs(own, oslo_context.get_current())
