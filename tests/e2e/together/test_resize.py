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

"""Members are resized and restarted while users keep writing."""

import time

from lab import api
from lab.guest import control
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e.together import cluster

NAME = cluster.NAME
MEMBERS = cluster.MEMBERS
FLAVORS = {'1': 512, '2': 1024, '3': 2048}
LONGEST_GAP = 8
TIMEOUT = 300


class Base(cluster.TestCase):

    def setUp(self):
        super().setUp()
        self.uuid = laboratory.wait_agreement(MEMBERS)
        self.ask = load.through_lab(self.home)

    def under_load(self, *words):
        """Run a command to its end under writes; return its progress."""
        users = load.Load(MEMBERS, self.ask)
        users.prepare()
        with users.running():
            progress = laboratory.lab_error_output(
                'openstack', 'database', 'cluster', *words, '--wait',
                timeout=TIMEOUT)
        self.assertGreater(len(users.acknowledged), 20)
        self.assertGreater(users.counted, 5)
        self.assertGreaterEqual(users.fewest, 2)
        self.assertLess(users.longest_gap, LONGEST_GAP)
        laboratory.wait_agreement(MEMBERS, self.uuid)
        for name in MEMBERS:
            self.assertEqual(set(), users.lost(name), name)
        self.assertEqual({}, load.differing(MEMBERS, self.ask))
        return progress

    def shown(self):
        instances = api.cluster(self.home, self.cluster_id)['instances']
        return {instance['name']: (instance['flavor']['id'],
                                   instance['volume']['size'])
                for instance in instances}

    def buffer_pool(self, name):
        return int(laboratory.sql(
            name, 'SELECT @@innodb_buffer_pool_size')[0][0])

    def room(self, name):
        """The size in bytes of the file system with the data."""
        printed = control.run(
            self.home, name,
            ['df', '--output=size', '-B1', '/var/lib/mysql']).stdout
        return int(printed.split()[-1])

    def new_flavor(self):
        """A flavor that no member has."""
        taken = {flavor for flavor, _ in self.shown().values()}
        return next(flavor for flavor in FLAVORS if flavor not in taken)

    def new_size(self):
        return max(size for _, size in self.shown().values()) + 1

    def assert_settings_fit(self, name, flavor):
        share = self.buffer_pool(name) / (FLAVORS[flavor] << 20)
        self.assertTrue(0.1 <= share <= 0.8, (name, flavor, share))


class TestResize(Base):

    def test_flavor_of_one_member_is_changed(self):
        before, pool = self.shown(), self.buffer_pool(MEMBERS[1])
        others = {name: self.buffer_pool(name) for name in MEMBERS[::2]}
        flavor = self.new_flavor()
        self.under_load('resize', 'flavor', NAME, flavor,
                        '--member', MEMBERS[1])
        self.assertEqual(
            {**before, MEMBERS[1]: (flavor, before[MEMBERS[1]][1])},
            self.shown())
        self.assertEqual(
            others, {name: self.buffer_pool(name) for name in others})
        self.assertNotEqual(pool, self.buffer_pool(MEMBERS[1]))
        self.assert_settings_fit(MEMBERS[1], flavor)

    def test_volume_of_one_member_is_extended(self):
        before, room = self.shown(), self.room(MEMBERS[2])
        size = self.new_size()
        self.under_load('resize', 'volume', NAME, str(size),
                        '--member', MEMBERS[2])
        self.assertEqual(
            {**before, MEMBERS[2]: (before[MEMBERS[2]][0], size)},
            self.shown())
        self.assertGreater(self.room(MEMBERS[2]), room + (800 << 20))

    def test_all_members_are_restarted(self):
        began = time.monotonic()
        self.under_load('restart', NAME)
        for name in MEMBERS:
            self.assertLess(laboratory.uptime(name),
                            time.monotonic() - began)

    def test_members_and_health_show_the_operation(self):
        rows = laboratory.openstack_json(
            'database', 'cluster', 'member', 'list', NAME)
        self.assertEqual(
            [(name, 'member', 'Synced') for name in MEMBERS],
            [(row['Name'], row['Role'], row['State']) for row in rows])
        health = laboratory.openstack_json(
            'database', 'cluster', 'health', 'show', NAME)
        self.assertEqual(('HEALTHY', 3, 3), tuple(
            health[key] for key in ('state', 'members', 'reachable')))

    def test_refusals_name_the_reason(self):
        flavor, size = self.shown()[MEMBERS[0]]
        for words, reason in (
                (('flavor', NAME, flavor, '--member', MEMBERS[0]),
                 f'already has the flavor {flavor}'),
                (('volume', NAME, str(size), '--member', MEMBERS[0]),
                 'The new size must be larger'),
                (('volume', NAME, '9', '--member', 'nobody'),
                 'is not a member of cluster')):
            refused = self.assertRaises(
                laboratory.Refused, laboratory.openstack,
                'database', 'cluster', 'resize', *words)
            self.assertIn(reason, str(refused))
