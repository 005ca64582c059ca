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

"""A few faults at random, the same each time: nothing acknowledged is lost.

"tox -e faults" takes each fault by itself, tests/faults/campaign as many
as there is time for.
"""

import os
import subprocess

import testtools

from lab import api
from tests.e2e import laboratory

PROGRAM = laboratory.TOP / 'tests' / 'faults' / 'campaign'
#: draws a reboot, the power of all, power and network at once, kill -9 of
#: all, two that do not reach each other, and a full volume
SEED = 536
ROUNDS = 6
SECONDS = 900


class TestCampaign(testtools.TestCase):

    def test_a_short_one(self):
        self.addCleanup(self.remove_cluster)
        done = subprocess.run(
            [str(PROGRAM), '--seed', str(SEED), '--times', str(ROUNDS)],
            capture_output=True, text=True, timeout=SECONDS,
            env=dict(os.environ))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn(', 0 lost', done.stdout)
        self.assertIn('0 split histories', done.stdout)
        self.assertIn(f'in {ROUNDS} rounds, 0 of them failed', done.stdout)

    def remove_cluster(self):
        for cluster in api.clusters(laboratory.home()):
            if cluster['name'] == 'faults':
                laboratory.delete_cluster(cluster['id'], timeout=120)
