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

"""Members join and leave while users keep writing."""

import contextlib

from lab import api
from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import load

NAME = 'grow'
LONGEST_GAP = 8
TIMEOUT = 300


class Base(case.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.ask = load.through_lab(self.home)
        self.cluster_id = laboratory.create_cluster(
            NAME, [laboratory.member_option('1')] * 3)
        self.addCleanup(
            laboratory.delete_cluster, self.cluster_id, timeout=60)
        laboratory.wait_ready(self.cluster_id)
        self.uuid = laboratory.wait_agreement(self.called(1, 2, 3))

    @contextlib.contextmanager
    def writing(self, members, fewest):
        """No member loses a write while the block runs."""
        users = load.Load(members, self.ask)
        users.prepare()
        with users.running():
            yield
        self.assertGreater(len(users.acknowledged), 50)
        self.assertGreater(users.counted, 5)
        self.assertGreaterEqual(users.fewest, fewest)
        self.assertLess(users.longest_gap, LONGEST_GAP)
        names = self.names()
        laboratory.wait_agreement(names, self.uuid)
        for name in names:
            self.assertEqual(set(), users.lost(name), name)
        self.assertEqual({}, load.differing(names, self.ask))

    def called(self, *numbers):
        return [f'{NAME}-{number}' for number in numbers]

    def members(self):
        return {member['name']: member for member in api.cluster(
            self.home, self.cluster_id)['instances']}

    def names(self):
        return list(self.members())

    def grow(self, number):
        words = ['--instance', laboratory.member_option('1')] * number
        laboratory.openstack('database', 'cluster', 'grow', NAME, *words)
        self.wait_over()

    def shrink(self, *names):
        """By ID, because the client does not find members by name."""
        ids = [self.members()[name]['id'] for name in names]
        laboratory.openstack('database', 'cluster', 'shrink', NAME, *ids)
        self.wait_over()

    def wait_over(self):
        """Also works while a member is lost, which never becomes ready."""
        def over():
            task = api.cluster(self.home, self.cluster_id)['task']['name']
            if task != 'NONE':
                raise waiting.NotYet(task)
            return True
        waiting.until('the cluster to have no task', over, TIMEOUT, 0.5)
        self.assertNotIn('ERROR', {
            member['status'] for member in self.members().values()})


class TestGrow(Base):

    def test_members_join_and_leave_under_writes(self):
        with self.writing(self.called(1, 2, 3), fewest=3):
            self.grow(2)
            self.assertEqual(self.called(1, 2, 3, 4, 5), self.names())
            self.shrink('grow-2', 'grow-4')
        self.assertEqual(self.called(1, 3, 5), self.names())
