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

"""The ports of a member: for another machine, and for the other members."""

import sys

from lab.guest import control
from lab import netns
from tests.e2e import knocking
from tests.e2e import laboratory
from tests.e2e import strangers
from tests.e2e.together import cluster

MEMBERS = cluster.MEMBERS
USERS = 3306
GALERA = (4444, 4567, 4568)
OTHERS = (22, 4445, 4566, 4569)


class TestPorts(cluster.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addresses = laboratory.wait_ready(cls.cluster_id)['ip']

    def test_other_machines_reach_only_the_port_for_users(self):
        stranger = self.useFixture(strangers.Stranger(self.home)).name
        for address in self.addresses:
            ports = (USERS, *GALERA, *OTHERS)
            done = netns.run(
                stranger, knocking.command(address, ports, sys.executable))
            self.assertEqual(
                {USERS: 'open',
                 **{port: 'silent' for port in (*GALERA, *OTHERS)}},
                knocking.told(done.stdout), address)

    def test_members_reach_each_other(self):
        for name in MEMBERS:
            own = laboratory.sql(name, 'SELECT @@wsrep_node_address')[0][0]
            for address in set(self.addresses) - {own}:
                done = control.run(
                    self.home, name,
                    knocking.command(address, GALERA), timeout=30)
                self.assertEqual(
                    {4444: 'refused', 4567: 'open', 4568: 'refused'},
                    knocking.told(done.stdout), f'{name} to {address}')
