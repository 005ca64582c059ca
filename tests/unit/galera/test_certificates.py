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

"""The certificate of a member, and its paths."""

import datetime
import json

import testtools

from trove_pxc.galera import certificates
from trove_pxc.galera.secret import Secret

OWN = certificates.Certificate(
    'CERT\n', Secret('KEY\n'), 'CA\n',
    datetime.datetime(2036, 1, 1, tzinfo=datetime.timezone.utc))
PATHS = certificates.Paths('/etc/mysql/tls')


class IdentityTest(testtools.TestCase):

    def test_it_survives_the_wire_and_its_key_shows_nowhere_else(self):
        wire = json.loads(json.dumps(OWN.to_dict()))
        self.assertEqual(OWN, certificates.Certificate.from_dict(wire))
        self.assertNotIn('KEY', repr(OWN))

    def test_every_file_has_what_its_name_says(self):
        written = {path: text.reveal() for path, text
                   in PATHS.contents(OWN, paired=True).items()}
        self.assertEqual({
            '/etc/mysql/tls/ca.pem': 'CA\n',
            '/etc/mysql/tls/cert.pem': 'CERT\n',
            '/etc/mysql/tls/key.pem': 'KEY\n',
            '/etc/mysql/tls/pair.pem': 'CERT\nKEY\n'}, written)

    def test_the_key_is_written_once_unless_a_pair_is_read(self):
        self.assertNotIn(PATHS.pair, PATHS.contents(OWN, paired=False))

    def test_fields_are_filled_in(self):
        self.assertEqual(
            ['/etc/mysql/tls/ca.pem', '/etc/mysql/tls/cert.pem',
             '/etc/mysql/tls/key.pem', '/etc/mysql/tls/pair.pem', '3'],
            [PATHS.filled_in(option) for option in (
                '{ca}', '{cert}', '{key}', '{pair}', '3')])
