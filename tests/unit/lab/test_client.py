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
"""The environment of the ordinary client."""

import json
from pathlib import Path

import fixtures
import testtools

from lab import client
from lab import errors
from lab import home as lab_home
from lab import identity


class ClientTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)

    def test_without_keystone(self) -> None:
        self.assertEqual(
            {'OS_AUTH_TYPE': 'none',
             'OS_ENDPOINT': 'http://127.0.0.1:8779/v1.0/other'},
            client.environment(self.home, 'other'))

    def test_with_keystone(self) -> None:
        """A file that only root may read, and no password."""
        self.home.set(keystone=True)
        self.home.keystone.mkdir()
        identity.write_clouds(self.home)
        told = client.environment(self.home, 'demo-reader')
        self.assertEqual('demo-reader', told['OS_CLOUD'])
        file = Path(told['OS_CLIENT_CONFIG_FILE'])
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        auth = json.loads(file.read_text())['clouds']['demo-reader']['auth']
        self.assertEqual(
            ('demo-reader', 'demo', 'http://127.0.0.1:9779/v3'),
            (auth['username'], auth['project_name'], auth['auth_url']))
        self.assertNotIn(auth['password'],
                         client.exports(self.home, 'demo-reader'))

    def test_a_user_that_there_is_not(self) -> None:
        self.home.set(keystone=True)
        error = self.assertRaises(
            errors.LabError, client.environment, self.home, 'nobody')
        self.assertIn('demo-reader', str(error))
