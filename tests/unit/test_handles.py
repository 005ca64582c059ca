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

"""How commands identify a cluster."""

from tests.unit.api import base
from tests.unit import tables
from trove_pxc import handles


class HandleTest(base.ApiTestCase):

    def handle(self, name: str, *others: str, project: str = base.PROJECT
               ) -> tuple[str, str]:
        row = tables.add_cluster(self.version, name)
        for other in others:
            tables.add_cluster(self.version, other, project=project)
        return handles.of_cluster(self.load(row)), row.id

    def test_a_name_that_is_the_only_one(self) -> None:
        self.assertEqual('shop', self.handle('shop', 'other')[0])
        self.assertEqual('mine', self.handle(
            'mine', 'mine', project='theirs')[0])

    def test_a_name_that_two_clusters_have(self) -> None:
        handle, cluster_id = self.handle('shop', 'shop')
        self.assertEqual(cluster_id, handle)

    def test_a_name_that_looks_like_an_option(self) -> None:
        handle, cluster_id = self.handle('--help')
        self.assertEqual(cluster_id, handle)
