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
"""The pipeline and the accounts of Swift with and without Keystone."""

import configparser

from cryptography import fernet
import fixtures
import testtools

from lab import home as lab_home
from lab import noauth
from lab.services import trove_conf
from lab.swift import conf


class ConfTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)

    def proxy(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(conf.proxy(self.home))
        return parser

    def test_each_filter_of_the_pipeline_is_configured(self) -> None:
        for keystone in (False, True):
            self.home.set(keystone=keystone)
            proxy = self.proxy()
            *filters, application = proxy['pipeline:main']['pipeline'].split()
            for name in filters:
                self.assertIn(f'filter:{name}', proxy)
            self.assertIn(f'app:{application}', proxy)

    def test_without_keystone(self) -> None:
        proxy = self.proxy()
        filters = proxy['pipeline:main']['pipeline'].split()
        self.assertIn('tempauth', filters)
        self.assertNotIn('keystoneauth', filters)
        users = proxy['filter:tempauth']
        for project in ('demo', 'other'):
            self.assertEqual(
                [conf.password(self.home, project), '.admin'],
                users[f'user_{project}_{project}'].split())

    def test_with_keystone(self) -> None:
        self.home.set(keystone=True)
        proxy = self.proxy()
        filters = proxy['pipeline:main']['pipeline'].split()
        self.assertEqual(
            1, filters.index('keystoneauth') - filters.index('authtoken'))
        self.assertNotIn('tempauth', filters)
        self.assertEqual(self.home.secret('keystone-swift'),
                         proxy['filter:authtoken']['password'])

    def test_faults_come_before_the_authentication(self) -> None:
        filters = self.proxy()['pipeline:main']['pipeline'].split()
        self.assertLess(filters.index('healthcheck'),
                        filters.index('failing'))
        self.assertLess(filters.index('failing'), filters.index('tempauth'))

    def test_the_life_of_tokens(self) -> None:
        self.assertEqual('14400', self.proxy()['filter:tempauth'][
            'token_life'])
        self.home.set(token_seconds=20)
        self.assertEqual('20', self.proxy()['filter:tempauth']['token_life'])

    def test_swift_accepts_the_token_of_trove(self) -> None:
        """trove-api encrypts the groups with the key of tempauth."""
        key = self.proxy()['filter:tempauth']['fernet_key_lab']
        paste = configparser.ConfigParser(interpolation=None)
        paste.read_string(trove_conf.paste(self.home))
        self.assertEqual(key, paste['filter:project_of_url']['key'])
        token = noauth.token(key, 'demo')
        self.assertEqual('AUTH_ftk', token[:8])
        self.assertEqual(b'demo,demo:demo,AUTH_demo',
                         fernet.Fernet(key).decrypt(token[8:]))

    def test_only_the_object_server_needs_a_mount(self) -> None:
        for kind in conf.PORTS:
            self.assertIn(f'mount_check = {kind == "object"}\n',
                          conf.server(self.home, kind))
