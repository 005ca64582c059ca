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

"""Recovery of a real cluster: no acknowledged write is lost."""

import json

from lab import api
from lab.guest import control
from lab import parallel
from lab import waiting
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e.together import cluster

NAME = cluster.NAME
MEMBERS = cluster.MEMBERS
ONE, TWO, THREE = MEMBERS
TIMEOUT = 900
DATA = '/var/lib/mysql/data'
SEEN = '/var/lib/mysql/conf.d/galera-seen.json'


class Base(cluster.TestCase):
    """Automatic recovery is switched off.

    It could be faster than the command.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        laboratory.use_options(cls, 'by-hand',
                               '[mariadb]\nautomatic_recovery = False\n')

    def setUp(self):
        super().setUp()
        self.uuid = laboratory.wait_agreement(MEMBERS, timeout=180)
        self.ask = load.through_lab(self.home)
        self.users = load.Load(MEMBERS, self.ask)
        self.users.prepare()
        self.written = 0

    def write(self, number=5):
        """Write rows that a member has acknowledged."""
        for _ in range(number):
            self.assertTrue(self.users.write_once(self.written))
            self.written += 1

    def others_go_on(self):
        def probe():
            if not self.users.write_once(self.written):
                raise waiting.NotYet('no member takes a write')
            self.written += 1
            return True
        waiting.until('the others to serve', probe, 60, 0.5)

    def recover(self, *words):
        return laboratory.lab_error_output(
            'openstack', 'database', 'cluster', 'recover', NAME, *words,
            '--wait', '--wait-timeout', str(TIMEOUT), timeout=TIMEOUT)

    def refused(self, *words):
        """The message of the refused recovery; no member serves afterwards."""
        error = self.assertRaises(laboratory.Refused, self.recover, *words)
        self.assertEqual(
            'NONE', api.cluster(self.home, self.cluster_id)['task']['name'])
        return ' '.join(str(error).split())

    def health(self):
        return laboratory.openstack_json(
            'database', 'cluster', 'health', 'show', NAME)

    def wait_reachable(self):
        """Wait until guests that have booted report their positions."""
        def probe():
            health = self.health()
            if int(health['reachable']) != len(MEMBERS):
                raise waiting.NotYet(str(health))
            return True
        waiting.until('all guests to answer', probe, 120, 1)

    def assert_down(self):
        """The fault took effect: no member takes writes."""
        def probe():
            serving = [name for name in MEMBERS if load.serves(
                self.users._status(name))]
            if serving:
                raise waiting.NotYet(f'{serving} serve')
            return True
        waiting.until('all members to stop serving', probe, 60, 0.5)

    def assert_whole(self):
        laboratory.wait_agreement(MEMBERS, self.uuid, timeout=300)
        self.assertEqual(self.written, len(self.users.acknowledged))
        for name in MEMBERS:
            self.assertEqual(set(), self.users.lost(name), name)
        self.assertEqual({}, load.differing(MEMBERS, self.ask))

        def probe():
            health = self.health()
            if health['state'] != 'HEALTHY':
                raise waiting.NotYet(str(health))
            return True
        # After a loss of power the broker still has the old agents' consumers.
        waiting.until('the cluster to be healthy', probe, 180, 1)

    def shell(self, name, script):
        return control.run(self.home, name, ['sh', '-c', script]).stdout

    def each(self, what, names=MEMBERS):
        """Run a script in all these guests at the same time."""
        parallel.each(lambda name: what(self.home, name), names)


class TestRecover(Base):

    def test_members_stopped_one_by_one_are_recovered(self):
        """The last one bootstraps, unless a guest observed a later position.

        The test simulates disks restored from an older snapshot.
        """
        for name in MEMBERS:
            self.write()
            control.stop_database(self.home, name)
        self.assert_down()
        noted = json.dumps({'uuid': self.uuid, 'seqno': 1000000})
        self.shell(TWO, f"cp -p {SEEN} {SEEN}.kept; echo '{noted}' > {SEEN}")
        self.assertIn(f'{TWO} recorded position 1000000',
                      self.refused())
        self.shell(TWO, f'mv {SEEN}.kept {SEEN}')
        progress = self.recover()
        self.assertIn('RESTARTING_CLUSTER', progress)
        self.assert_whole()

    def test_killed_members_with_different_last_views_are_recovered(self):
        """They cannot restore a view: one has none, one an older one."""
        self.write()
        control.power_off(self.home, ONE)
        self.others_go_on()
        self.write()
        self.each(control.kill_database, (TWO, THREE))
        self.shell(TWO, f'rm -f {DATA}/gvwstate.dat')
        self.each(control.power_off, (TWO, THREE))
        self.each(control.power_on)
        self.wait_reachable()
        self.recover()
        self.assert_whole()

    def test_recovery_without_a_lost_member_needs_force(self):
        self.write()
        control.power_off(self.home, ONE)
        self.others_go_on()
        self.each(control.stop_database, (TWO, THREE))
        self.assert_down()
        self.assertIn(f'{ONE} did not answer', self.refused())
        self.recover('--force', TWO)
        self.write()
        laboratory.wait_agreement((TWO, THREE), self.uuid)
        self.assertEqual('DEGRADED', self.health()['state'])
        control.power_on(self.home, ONE)
        self.assert_whole()

    def test_member_with_corrupt_data_does_not_bootstrap(self):
        self.write()
        self.each(control.stop_database)
        self.shell(ONE, f'cd {DATA} && touch sst_in_progress && '
                        'chown --reference=. sst_in_progress')
        self.recover()
        self.assert_whole()
