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

"""Certificates are replaced while users keep writing."""

import contextlib
import subprocess
import textwrap

from lab import api
from lab.guest import control
from lab import netns
from lab import waiting
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e import strangers
from tests.e2e.together import cluster

NAME = cluster.NAME
MEMBERS = cluster.MEMBERS
GROUP_PORT = 4567
FOLDER = '/etc/mysql/tls'
LONGEST_GAP = 8
TIMEOUT = 400

#: The answer of a member to a client with this certificate.
HANDSHAKE = textwrap.dedent("""
    cd "$(mktemp -d)"
    cat > pair
    sleep 3 | openssl s_client -connect "$1:4567" -cert pair -key pair 2>&1
    rm -r "$PWD"
""")


class Base(cluster.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ready = laboratory.wait_ready(cls.cluster_id)
        cls.address = ready['ip'][0]
        cls.enterClassContext(cloud.everybody_admitted(
            cls.home, ready['instances'][0]['id'], GROUP_PORT, GROUP_PORT))

    def setUp(self):
        super().setUp()
        self.uuid = laboratory.wait_agreement(MEMBERS)
        self.ask = load.through_lab(self.home)

    def files(self, name):
        """What a member trusts, and what it presents: certificate and key."""
        return [control.run(self.home, name, ['cat', *paths]).stdout
                for paths in ([f'{FOLDER}/ca.pem'],
                              [f'{FOLDER}/cert.pem', f'{FOLDER}/key.pem'])]

    def authorities(self):
        trusted = {self.files(name)[0] for name in MEMBERS}
        self.assertEqual(1, len(trusted))
        self.assertEqual(1, trusted.copy().pop().count('BEGIN CERTIFICATE'))
        return trusted

    def heard_by(self, pair):
        """The answer of the first member to a client with this certificate."""
        stranger = strangers.Stranger(self.home)
        with stranger:
            done = subprocess.run(
                netns.inside(stranger.name, [
                    'sh', '-c', HANDSHAKE, 'sh', self.address]),
                input=pair, text=True, errors='replace',
                capture_output=True, timeout=60)
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def under_load(self):
        """Users write while the block runs; it ends with a new authority."""
        before, stolen = self.authorities(), self.files(MEMBERS[1])[1]
        self.assertNotIn('alert', self.heard_by(stolen))
        users = load.Load(MEMBERS, self.ask)
        users.prepare()
        with users.running():
            yield
        self.assertGreater(len(users.acknowledged), 20)
        self.assertGreaterEqual(users.fewest, 2)
        self.assertLess(users.longest_gap, LONGEST_GAP)
        laboratory.wait_agreement(MEMBERS, self.uuid)
        for name in MEMBERS:
            self.assertEqual(set(), users.lost(name), name)
        self.assertEqual(set(), before & self.authorities())
        self.assertIn('alert', self.heard_by(stolen))
        self.assertNotIn('alert', self.heard_by(self.files(MEMBERS[1])[1]))


class TestRotate(Base):

    def test_another_taskmanager_completes_it(self):
        """Users write meanwhile; old certificates are useless afterwards."""
        with self.under_load():
            laboratory.openstack('database', 'cluster', 'certificate',
                                 'rotate', NAME)
            waiting.until('two authorities to be trusted', lambda: (
                self.files(MEMBERS[1])[0].count('BEGIN CERTIFICATE') == 2),
                TIMEOUT, 0.5)
            laboratory.lab('service', 'kill', 'taskmanager')
            self.assertEqual('UPDATING_CLUSTER', api.cluster(
                self.home, self.cluster_id)['task']['name'])
            laboratory.lab('service', 'start', 'taskmanager')
            laboratory.wait_ready(self.cluster_id, TIMEOUT)
