# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The traffic between members cannot be read, and no other server joins.

The firewall's rules are removed. ``tests.e2e.test_clear_text`` runs the same
attacks on members that use clear text, where they succeed.
"""

import uuid

from lab import netns
from tests.e2e import laboratory
from tests.e2e import listening
from tests.e2e import strangers
from tests.e2e.together import cluster

#: The attacker has a self-signed certificate.
HANDSHAKE = """
cd "$(mktemp -d)"
openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=stranger \\
    -keyout key -out cert 2> /dev/null
sleep 5 | openssl s_client -connect "$1:4567" -cert cert -key key 2>&1
rm -r "$PWD"
"""


class TestEncrypted(listening.Listening, cluster.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.open_ports(laboratory.wait_ready(cls.cluster_id))

    def test_rows_cannot_be_read(self):
        secret = uuid.uuid4().hex
        self.assertEqual(0, self.overheard(secret))
        self.assertEqual(0, self.overheard_in_transfer(secret))

    def test_server_without_a_certificate_of_the_cluster_cannot_join(self):
        uuid_before = laboratory.wait_agreement(self.members)
        stranger = self.useFixture(strangers.Stranger(self.home))
        for options in ('', listening.TLS):
            log = self.intrude(stranger, options)
            self.assertNotIn('Shifting OPEN -> PRIMARY', log)
            self.assertIn('failed to reach primary view', log)
            laboratory.wait_agreement(self.members, uuid_before)

    def test_members_close_a_connection_with_an_unknown_certificate(self):
        stranger = self.useFixture(strangers.Stranger(self.home))
        said = netns.run(stranger.name, [
            'timeout', '20', 'sh', '-c', HANDSHAKE, 'sh', self.addresses[0]],
            check=False)
        self.assertIn('alert', said.stdout + said.stderr)
