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

"""One page of a project's clusters, and the number of its statements."""

import mock
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import members
from trove_pxc.api import page
from trove_pxc import queued


class PageTest(base.ApiTestCase):

    def load(self, project: str = base.PROJECT, limit: str | None = None,
             marker: str | None = None) -> tuple[list[str], str | None]:
        """Return the names and the next marker."""
        found, following = page.load(
            tables.context(limit=limit, marker=marker), project)
        return sorted(str(one.name) for one in found), following

    def test_no_cluster(self) -> None:
        self.assertEqual(([], None), self.load())
        self.create_nova.assert_not_called()

    def test_those_of_the_project(self) -> None:
        self.add_cluster('a', 1)
        self.add_cluster('b', 1)
        self.add_cluster('other', 1, project='other')
        self.add_cluster('gone', 1).update(deleted=True)
        self.assertEqual((['a', 'b'], None), self.load())
        self.assertEqual((['other'], None), self.load('other'))

    def test_page_by_page(self) -> None:
        for number in range(5):
            self.add_cluster(f'c{number}', 0)
        seen, marker = self.load(limit='3')
        self.assertEqual(3, len(seen))
        self.assertIsNotNone(marker)
        rest, end = self.load(limit='3', marker=marker)
        self.assertIsNone(end)
        self.assertEqual([f'c{number}' for number in range(5)],
                         sorted(seen + rest))

    def test_no_more_than_trove_gives(self) -> None:
        most = cluster_models.Cluster.DEFAULT_LIMIT
        for _ in range(most + 1):
            self.add_cluster('c', 0)
        self.assertEqual(most, len(self.load(limit='1000')[0]))
        self.assertEqual(most, len(self.load()[0]))

    def test_a_limit_that_is_none(self) -> None:
        self.assertRaises(exception.BadRequest, self.load, limit='x')

    def test_ours_know_their_members(self) -> None:
        for name in ('a', 'b'):
            self.add_cluster(name, 2)
        with mock.patch.object(members, 'load', autospec=True,
                               side_effect=members.load) as load:
            found, _ = page.load(tables.context(), base.PROJECT)
            self.assertEqual(
                {'a': ['a-1', 'a-2'], 'b': ['b-1', 'b-2']},
                {one.name: [member.name for member in one.members]
                 for one in found})
        load.assert_called_once()
        self.assertEqual(2, len(load.call_args.args[1]))

    def test_one_statement_reads_the_queues_of_all_with_a_task(self) -> None:
        for name in ('a', 'b', 'idle'):
            row = self.add_cluster(name, 1)
            if name != 'idle':
                row.update(task_status=ClusterTasks.DELETING)
        with mock.patch.object(queued, 'before', autospec=True,
                               return_value={}) as before:
            found, _ = page.load(tables.context(), base.PROJECT)
            self.assertEqual([{}] * 3, [one.queue for one in found])
        before.assert_called_once()
        self.assertEqual(4, len(before.call_args.args[0]))

    def test_each_has_its_own_datastore(self) -> None:
        pxc = tables.add_version('pxc', '8.0')
        tables.add_cluster(pxc, 'p')
        self.add_cluster('m', 1)
        found, _ = page.load(tables.context(), base.PROJECT)
        self.assertEqual(
            {'p': ('pxc', '8.0'), 'm': ('mariadb', '10.11')},
            {one.name: (one.ds.name, one.ds_version.name)
             for one in found})

    def test_those_of_another_strategy_are_troves(self) -> None:
        self.override('api_strategy', 'trove.common.strategies.cluster.'
                      'experimental.galera_common.api.GaleraCommonAPIStrategy',
                      'pxc')
        tables.add_cluster(tables.add_version('pxc', '8.0'), 'p')
        self.add_cluster('m', 1)
        found, _ = page.load(tables.context(), base.PROJECT)
        self.assertEqual(
            {'p': cluster_models.Cluster,
             'm': cluster_model.GaleraCluster},
            {one.name: type(one) for one in found})
