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

"""No password is visible to others.

A cluster is created, used, made to fail and deleted while Trove logs at the
level DEBUG and the broker shows every message; then each password is searched
for in all recorded data, and in every file.
"""

import contextlib
from pathlib import Path
import secrets

import testtools

from lab.guest import control
from lab import web
from tests.e2e import laboratory
from tests.faults import cluster as clusters
from tests.faults import passwords
from tests.faults import witness

NAME = 'secrets'
SERVICES = ('api', 'conductor', 'taskmanager')


class TestSecrets(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.known = {}
        before = bool(self.home.settings().get('debug', False))
        self.addCleanup(self.restart_services, before)
        self.restart_services(True)

    def test_no_password_is_visible(self):
        with witness.Witness(self.home).running() as seen:
            cluster = self.make_and_use()
            guests = self.guests(cluster)
            self.collect(guests)
            held = self.holders(guests)
        self.assertEqual([], seen.trouble)
        self.check_that_it_looked(seen, held)
        for what in ('messages', 'commands', 'containers'):
            text = b'\0'.join(getattr(seen, what))
            self.assertEqual(set(), passwords.named(self.known, text), what)
        self.assertEqual([], passwords.holders(self.known, [self.home.logs]))
        self.assertEqual([], [
            str(path) for path, top in held
            if passwords.open_to_others(path, top)])

    def make_and_use(self):
        """Requests that make Trove and the guests handle each password."""
        cluster_id = laboratory.create_cluster(NAME)
        self.addCleanup(laboratory.delete_cluster, cluster_id, 120)
        laboratory.wait_ready(cluster_id)
        cluster = clusters.Cluster(self.home, cluster_id)
        self.known['root as enabled'] = laboratory.openstack_json(
            'database', 'root', 'enable', cluster_id)['password']
        self.known['a user'] = secrets.token_urlsafe(16)
        # Through the API: the client would have it on its command line.
        self.post(f'/instances/{cluster.members[0].instance_id}/users', {
            'users': [{'name': 'visitor', 'databases': [],
                       'password': self.known['a user']}]})
        last = cluster.members[-1]
        control.kill_database(self.home, last.instance_id)
        cluster.wait_recovered()
        control.kill_agent(self.home, last.instance_id)
        laboratory.wait_ready(cluster_id)
        return cluster

    def post(self, path, content):
        answer = web.ask(web.request(
            'POST', f'{self.home.api_url}{path}', content))
        self.assertEqual(202, answer.code, answer.words)

    def guests(self, cluster):
        return [member.info for member in cluster.members]

    def collect(self, guests):
        """Collect every password that was created."""
        self.known.update(passwords.of_lab(self.home))
        for guest in guests:
            found = dict(passwords.of_guest(guest))
            self.assertGreaterEqual(len(found), 6, guest.name)
            self.known.update(found)

    def holders(self, guests):
        """Files with a password, and the folder that they are visible in."""
        held = []
        for guest in guests:
            root = Path(guest.root)
            held += [(path, root) for path in passwords.holders(
                self.known, [root / name for name in passwords.FOLDERS])]
        held += [(path, self.home.root) for path in passwords.holders(
            self.known, [self.home.root / name for name in passwords.OWN])]
        return held

    def check_that_it_looked(self, seen, held):
        """The search finds what is known to be there."""
        self.assertIn('create_cluster', seen.methods())
        self.assertIn('prepare', seen.methods())
        commands = b'\0'.join(seen.commands)
        self.assertIn(b'--wsrep_start_position', commands)
        self.assertIn(b'RestartPolicy', b''.join(seen.containers))
        names = {path.name for path, _ in held}
        self.assertLessEqual(
            {'os_admin.cnf', 'root.cnf', 'galera-member.json',
             '90-galera.cnf', 'trove.conf', 'key.pem'}, names)
        for name in ('api', 'taskmanager'):
            text = (self.home.logs / f'{name}.log').read_text()
            # assertIn would print the log.
            self.assertGreater(text.count(' DEBUG '), 0, name)

    def restart_services(self, debug):
        for name in SERVICES:
            with contextlib.suppress(laboratory.Refused):
                laboratory.lab('service', 'kill', name)
        laboratory.lab('up', '--debug' if debug else '--no-debug')
