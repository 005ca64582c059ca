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

"""Clusters on a network with IPv6 alone, and on one with both versions.

``tests.e2e.long.test_ipv6`` has their operations.
"""

import sys

from lab.cloud import seed
from lab import netns
from tests.e2e import case
from tests.e2e import knocking
from tests.e2e import laboratory

FLAVOR = '1'
GALERA = (4444, 4567, 4568)
USERS = 3306


def create(name, network):
    return laboratory.create_cluster(
        name, 3 * [laboratory.member_option(FLAVOR, network=network)])


class Base(case.TestCase):

    def members(self, cluster):
        return [member['name'] for member in cluster['instances']]

    def check_rows(self, members):
        """Rows that are written on each member are read on all others."""
        laboratory.sql(members[0], (
            'CREATE DATABASE IF NOT EXISTS reach; '
            'CREATE OR REPLACE TABLE reach.rows (member VARCHAR(64) '
            'PRIMARY KEY)'))
        for name in members:
            laboratory.sql(name, f"INSERT INTO reach.rows VALUES ('{name}')")
        for name in members:
            rows = laboratory.sql(name, (
                'SET SESSION wsrep_sync_wait = 1; '
                'SELECT member FROM reach.rows ORDER BY member'))
            self.assertEqual(sorted(members), [row[0] for row in rows], name)

    def check_encrypted(self, members, listening):
        for name in members:
            options = laboratory.sql(
                name, 'SELECT @@wsrep_provider_options')[0][0]
            self.assertIn('socket.ssl = YES', options)
            self.assertIn(f'gmcast.listen_addr = ssl://{listening}:4567',
                          options)

    def check_ports(self, address):
        """Users reach the server, and no other port."""
        printed = netns.run(laboratory.home().controller, knocking.command(
            address, (USERS, *GALERA), sys.executable)).stdout
        self.assertEqual(
            {USERS: 'open', **dict.fromkeys(GALERA, 'silent')},
            knocking.told(printed))

    def check_addresses(self, cluster, prefix):
        """All members use addresses of this network, each a different one."""
        shown = [member['ip'] for member in cluster['instances']]
        for addresses in shown:
            (address,) = addresses
            self.assertTrue(address.startswith(prefix), address)
        for name in self.members(cluster):
            told = laboratory.wsrep(name)['wsrep_incoming_addresses']
            self.assertEqual(
                sorted(address.removesuffix(':3306').strip('[]')
                       for address in told.split(',')),
                sorted(address for (address,) in shown))


class TestNetworks(Base):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ids = {}
        for name, network in (('six', seed.IPV6_NETWORK_ID),
                              ('dual', seed.DUAL_NETWORK_ID)):
            ids[name] = create(name, network)
            cls.addClassCleanup(laboratory.delete_cluster, ids[name])
        cls.clusters = {name: laboratory.wait_ready(key)
                        for name, key in ids.items()}

    def check(self, name, prefix, listening):
        cluster = self.clusters[name]
        members = self.members(cluster)
        laboratory.wait_agreement(members)
        self.check_addresses(cluster, prefix)
        self.check_encrypted(members, listening)
        self.check_rows(members)
        self.check_ports(cluster['ip'][0])

    def test_network_with_ipv6_alone(self):
        self.check('six', 'fd10:88::', '[::]')

    def test_network_with_both_versions(self):
        self.check('dual', '10.89.', '0.0.0.0')
