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

"""Lost writes are found, and members that do not serve are not counted."""

import testtools

from lab import errors
from tests.e2e import load

MEMBERS = ('c-1', 'c-2', 'c-3')
GOOD = [['wsrep_cluster_status', 'Primary'], ['wsrep_ready', 'ON'],
        ['wsrep_local_state_comment', 'Synced'],
        ['wsrep_cluster_size', '3']]


class Servers:
    """Three servers in memory; those that are down refuse everything."""

    def __init__(self):
        self.rows = {name: set() for name in MEMBERS}
        self.down = set()
        self.status = {name: GOOD for name in MEMBERS}

    def __call__(self, member, statement):
        if member in self.down:
            raise errors.LabError('nobody there')
        if statement.startswith('INSERT'):
            number = int(statement.rpartition('(')[2].rstrip(')'))
            for name in MEMBERS:
                self.rows[name].add(number)
        if statement.startswith('SELECT'):
            return [[str(number)] for number in self.rows[member]]
        if statement.startswith('CHECKSUM'):
            return [['t', str(sorted(self.rows[member]))]]
        return self.status[member]


class LoadTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.servers = Servers()
        self.load = load.Load(MEMBERS, self.servers)

    def test_another_member_is_used_after_a_failure(self):
        self.servers.down = {'c-1', 'c-2'}
        self.assertTrue(self.load.write_once(1))
        self.servers.down = set(MEMBERS)
        self.assertFalse(self.load.write_once(2))
        self.assertEqual([1], self.load.acknowledged)

    def test_a_lost_write_is_found(self):
        for number in range(3):
            self.load.write_once(number)
        self.assertEqual(set(), self.load.lost('c-2'))
        self.servers.rows['c-2'].remove(1)
        self.assertEqual({1}, self.load.lost('c-2'))
        self.assertIn('c-2', load.differing(MEMBERS, self.servers))

    def test_members_with_the_same_rows_do_not_differ(self):
        self.load.write_once(1)
        self.assertEqual({}, load.differing(MEMBERS, self.servers))

    def test_members_that_do_not_serve_do_not_count(self):
        self.servers.down = {'c-1'}
        self.servers.status['c-2'] = [
            ['wsrep_cluster_status', 'non-Primary'], *GOOD[1:3],
            ['wsrep_cluster_size', '1']]
        self.servers.status['c-3'] = [
            *GOOD[:2], ['wsrep_local_state_comment', 'Joining'],
            ['wsrep_cluster_size', '1']]
        for name in MEMBERS:
            self.load.count_once(name)
        self.assertEqual((0, 3), (self.load.counted, self.load.fewest))

    def test_the_smallest_component_is_kept(self):
        for size in ('3', '1', '3'):
            self.servers.status['c-2'] = [
                *GOOD[:3], ['wsrep_cluster_size', size]]
            self.load.count_once('c-2')
        self.assertEqual((3, 1), (self.load.counted, self.load.fewest))

    def test_the_longest_gap_is_kept(self):
        with self.load.running():
            self.servers.down = set(MEMBERS)
            watch = load.time.monotonic()
            load.waiting.until(
                'some time without a write',
                lambda: load.time.monotonic() - watch > 0.5, 10, 0.05)
        self.assertGreater(self.load.longest_gap, 0.2)

    def test_running_writes_and_counts(self):
        with self.load.running():
            load.waiting.until(
                'some writes', lambda: len(self.load.acknowledged) > 2,
                10, 0.05)
            self.servers.status['c-2'] = [
                *GOOD[:3], ['wsrep_cluster_size', '1']]
            load.waiting.until(
                'a count of it', lambda: self.load.fewest == 1, 10, 0.05)
        self.assertEqual(set(), self.load.lost('c-3'))
