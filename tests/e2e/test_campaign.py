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

"""A few random faults, the same in each run: no acknowledged write is lost.

"tox -e faults" tests each fault alone; tests/faults/campaign runs any number
of rounds.
"""

import os
import subprocess

from lab import api
from tests.e2e import case
from tests.e2e import laboratory

PROGRAM = laboratory.TOP / 'tests' / 'faults' / 'campaign'
#: This seed draws each of them once.
FAULTS = ('--only', 'kill-all', '--only', 'part-one',
          '--only', 'disk-full-one', '--seed', '559')
ROUNDS = 3
SECONDS = 900


class Base(case.TestCase):

    def check(self, words, rounds):
        """Run this number of rounds; no round loses a write."""
        self.addCleanup(self.remove_cluster)
        done = subprocess.run(
            [str(PROGRAM), *words, '--times', str(rounds)],
            capture_output=True, text=True, timeout=SECONDS,
            env=dict(os.environ))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn(', 0 lost', done.stdout)
        self.assertIn('0 split histories', done.stdout)
        self.assertIn(f'in {rounds} rounds, 0 of them failed', done.stdout)
        return done.stdout

    def remove_cluster(self):
        for cluster in api.clusters(laboratory.home()):
            if cluster['name'] == 'faults':
                laboratory.delete_cluster(cluster['id'], timeout=120)


class TestCampaign(Base):

    def test_short_campaign_loses_nothing(self):
        printed = self.check(FAULTS, ROUNDS)
        for fault in ('kill of 1, 2, 3', 'part of ', 'disk-full of '):
            self.assertIn(fault, printed)
