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

"""A member that comes back under load shows how it catches up.

The clients insert through two members while the third is cut off from them.
It has few applier threads, so that it is behind for some seconds.
"""

import time

from lab import api
from lab.guest import control
from lab import waiting
from tests.benchmarks import loads
from tests.e2e import laboratory
from tests.e2e.together import cluster
from tests.faults import member as members

STRUCK = cluster.MEMBERS[2]
PEERS = cluster.MEMBERS[:2]
THREADS = 2
#: the others exclude it after some seconds, and write again
OUTAGE_SECONDS = 14
#: then the load ends, so that it can become Synced
LOAD_SECONDS = 8
SYNCED_SECONDS = 60
LOOKS = 4


class TestCatchUp(cluster.TestCase):

    def setUp(self):
        super().setUp()
        self.member = members.Member(self.home, STRUCK)
        self.addCleanup(laboratory.wait_ready, self.cluster_id)
        (threads,), = self.member.ask('SELECT @@wsrep_slave_threads')
        self.set_threads(THREADS)
        self.addCleanup(self.set_threads, threads)
        self.clients = loads.Clients(
            loads.INSERTS,
            [members.Member(self.home, name) for name in PEERS])
        self.clients.prepare()
        self.addCleanup(self.member.ask, f'DROP DATABASE {loads.SCHEMA}')

    def set_threads(self, number):
        self.member.ask(f'SET GLOBAL wsrep_slave_threads = {int(number)}')

    def look(self):
        """The member, as the list of members shows it."""
        listed = api.get(
            self.home, f'/clusters/{self.cluster_id}/members')['members']
        return next(one for one in listed if one['name'] == STRUCK)

    def looks(self, seconds):
        """Look every second until it is Synced, or so long."""
        began, found = time.monotonic(), []
        while time.monotonic() - began < seconds:
            found.append(self.look())
            if found[-1].get('state') == 'Synced':
                break
            waiting.pause(1)
        return found

    def test_every_look_shows_what_is_left_and_the_rate(self):
        with self.clients.running():
            control.cut(self.home, STRUCK, PEERS)
            self.addCleanup(control.heal, self.home, STRUCK)
            waiting.pause(OUTAGE_SECONDS)
            control.heal(self.home, STRUCK)
            looks = self.looks(LOAD_SECONDS)
        looks += self.looks(SYNCED_SECONDS)
        self.assertEqual(('member', 'Synced'), (
            looks[-1]['role'], looks[-1]['state']))
        behind = [one for one in looks if one['role'] == 'joiner']
        print('\n'.join(one.get('detail', '-') for one in behind))
        self.assertGreaterEqual(len(behind), LOOKS)
        for one in behind:
            self.assertRegex(one['detail'], (
                r'^(catching|cannot keep) up: [\d,]+ write sets? waits?'
                r'.*, [\d,]+/s applied'))
            self.assertGreaterEqual(one['behind'], one['recv_queue'])
        self.assertTrue(any('catch_up_seconds' in one for one in behind))
