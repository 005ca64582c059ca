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

"""A fifth of all answers of the cloud fails; every operation succeeds.

Some of the failures are requests that were carried out but whose answers
were lost, so that nothing may be created twice.
"""

import os

from lab import api
from tests.e2e import case
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import leftovers

NAME = 'shaky'
SHARE = 0.2
#: 10 is the number for a release; a round takes four minutes.
ROUNDS = int(os.environ.get('LAB_FAILING_ROUNDS', '1'))
TIMEOUT = 900


class TestFailingCloud(case.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.before = leftovers.snapshot(self.home)

    def test_every_operation_succeeds(self):
        for number in range(ROUNDS):
            with cloud.share_failing(self.home, SHARE):
                self.one_round()
            leftovers.wait_unchanged(self.home, self.before)
            print(f'round {number + 1} of {ROUNDS} succeeded', flush=True)

    def one_round(self):
        cluster_id = laboratory.create_cluster(
            NAME, [laboratory.member_option('1')] * 3)
        self.addCleanup(self.make_sure, cluster_id)
        laboratory.wait_ready(cluster_id, TIMEOUT)
        self.change('grow', NAME, '--instance',
                    laboratory.member_option('1'))
        laboratory.wait_ready(cluster_id, TIMEOUT)
        members = self.members(cluster_id)
        self.assertEqual(4, len(members))
        laboratory.wait_agreement(members)
        self.change('resize', 'flavor', NAME, '2', '--wait')
        self.change('resize', 'volume', NAME, '2', '--wait')
        self.assertEqual({('2', 2)}, set(self.members(cluster_id).values()))
        laboratory.wait_agreement(members)
        laboratory.delete_cluster(cluster_id, TIMEOUT)

    def change(self, *words):
        laboratory.lab('openstack', 'database', 'cluster', *words,
                       timeout=TIMEOUT)

    def members(self, cluster_id):
        instances = api.cluster(self.home, cluster_id)['instances']
        return {one['name']: (one['flavor']['id'], one['volume']['size'])
                for one in instances}

    def make_sure(self, cluster_id):
        """Delete what a failed round has left, for later tests."""
        listed = api.get(self.home, '/clusters')['clusters']
        if cluster_id in [one['id'] for one in listed]:
            laboratory.delete_cluster(cluster_id, TIMEOUT)
