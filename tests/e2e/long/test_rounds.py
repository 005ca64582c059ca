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

"""Clusters are created and deleted, and nothing is left."""

from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import leftovers

ROUNDS = 3


class TestRounds(case.TestCase):

    def test_three_rounds_leave_nothing_behind(self):
        home = laboratory.home()
        before = leftovers.snapshot(home)
        for number in range(1, ROUNDS + 1):
            name = f'round{number}'
            cluster_id = laboratory.create_cluster(name)
            self.addCleanup(self.make_sure, cluster_id)
            laboratory.wait_ready(cluster_id)
            laboratory.wait_agreement(
                [f'{name}-{member}' for member in (1, 2, 3)])
            seconds = laboratory.delete_cluster(cluster_id)
            leftovers.wait_unchanged(
                home, before, laboratory.DELETE_TIMEOUT - seconds)

    def make_sure(self, cluster_id):
        """Delete what a failed round has left, for later tests."""
        listed = laboratory.openstack_json('database', 'cluster', 'list')
        if cluster_id in [row['ID'] for row in listed]:
            laboratory.delete_cluster(cluster_id, timeout=60)
