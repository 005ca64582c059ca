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

"""The answers of Trove's extensions and of the list for one cluster."""

from lab import api
from lab.cloud import seed
from tests.e2e import laboratory
from tests.e2e.together import cluster

MEMBERS = cluster.MEMBERS


class TestAnswers(cluster.TestCase):
    """The cluster was observed while it was built."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = laboratory.wait_ready(cls.cluster_id)
        cls.ids = [member['id'] for member in cls.cluster['instances']]

    def test_members_were_in_order_while_it_was_built(self):
        """An address is correct or not shown yet."""
        made = cluster.TOGETHER
        self.assertGreater(len(made.listed), 4)
        self.assertGreater(len(made.shown), 4)
        final = dict(zip(self.ids, self.cluster['ip'], strict=True))
        for shown in made.listed + made.shown:
            instances = shown['instances']
            self.assertEqual(list(MEMBERS),
                             [member['name'] for member in instances])
            for member, flavor in zip(instances, cluster.FLAVORS,
                                      strict=True):
                self.assertEqual((flavor, {'size': 1}), (
                    member['flavor']['id'], member['volume']))
                self.assertIn(member.get('ip'), (
                    None, [final[member['id']]]))
                if shown['task']['name'] == 'BUILDING':
                    self.assertIn(member['status'], ('BUILD', 'ACTIVE'))
            self.assertEqual(
                [address for member in instances
                 for address in member.get('ip', [])], shown.get('ip', []))

    def test_list_and_show_are_the_same(self):
        listed = api.get(self.home, '/clusters')['clusters']
        shown = api.cluster(self.home, self.cluster_id)
        for member in shown['instances']:
            # A list calls no guest.
            self.assertEqual('member', member.pop('role'))
        self.assertIn(shown, listed)
        self.assertEqual(3, len(set(self.cluster['ip'])))

    def test_instance_show_has_the_member(self):
        shown = api.get(self.home, f'/clusters/{self.cluster_id}/instances/'
                        f'{self.ids[1]}')['instance']
        self.assertEqual(
            (self.ids[1], MEMBERS[1], self.cluster_id, 'ACTIVE',
             self.cluster['instances'][1]['flavor']['id'],
             [self.cluster['ip'][1]]),
            (shown['id'], shown['name'], shown['cluster_id'],
             shown['status'], shown['flavor']['id'], shown['ip']))
        self.assertEqual(1, shown['volume']['size'])
        self.assertGreater(shown['volume']['used'], 0)

    def test_databases_and_users_are_the_same_on_all_members(self):
        first, second, third = self.ids
        self.ask('db', 'create', first, 'shop')
        self.ask('user', 'create', second, 'joe', 'a-Pass-word-1',
                 '--databases', 'shop')
        for member in self.ids:
            self.assertEqual(['shop'], self.names('databases', member))
            self.assertEqual(['joe'], self.names('users', member))
        for name in MEMBERS:
            self.assertEqual([['joe', '%']], laboratory.sql(
                name, "SELECT User, Host FROM mysql.user WHERE User='joe'"))
        self.ask('user', 'delete', third, 'joe')
        self.ask('db', 'delete', third, 'shop')
        for member in self.ids:
            self.assertEqual([], self.names('databases', member))
            self.assertEqual([], self.names('users', member))

    def test_root_of_one_member_is_root_of_all(self):
        self.ask('root', 'enable', self.ids[1])
        for place in (self.cluster_id, *self.ids):
            self.assertTrue(self.root(place), place)
        for name in MEMBERS:
            self.assertEqual([['%']], laboratory.sql(
                name, "SELECT Host FROM mysql.user WHERE User = 'root' "
                "AND Host = '%'"))
        self.ask('root', 'disable', self.ids[2])
        for place in (self.cluster_id, *self.ids):
            self.assertFalse(self.root(place), place)

    def test_replica_of_a_member_is_refused(self):
        refused = self.assertRaises(
            laboratory.Refused, self.ask, 'instance', 'create', 'replica',
            '--replica-of', self.ids[0], '--nic',
            f'net-id={seed.NETWORK_ID}')
        self.assertIn('cannot have replicas', str(refused))

    def ask(self, *words):
        return laboratory.openstack('database', *words)

    def names(self, kind, member):
        listed = api.get(self.home, f'/instances/{member}/{kind}')[kind]
        return sorted(one['name'] for one in listed)

    def root(self, place):
        kind = 'clusters' if place == self.cluster_id else 'instances'
        return api.get(self.home, f'/{kind}/{place}/root')['rootEnabled']
