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
"""The pipeline and the accounts of a lab with and without Keystone."""

import configparser
from pathlib import Path
import sys

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab import identity
from lab.services import trove
from lab.services import trove_conf


class TroveConfTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)

    def options(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(trove_conf.trove(self.home))
        return parser

    def test_without_keystone(self) -> None:
        options = self.options()
        self.assertEqual('lab.cloud.clients.nova',
                         options['DEFAULT']['remote_nova_client'])
        self.assertEqual('http://10.88.0.1:8080/v1/AUTH_',
                         options['DEFAULT']['swift_url'])
        self.assertNotIn('keystone_authtoken', options)
        self.assertNotIn('authtoken', trove_conf.paste(self.home))

    def test_with_keystone(self) -> None:
        self.home.set(keystone=True)
        options = self.options()
        self.assertNotIn('remote_nova_client', options['DEFAULT'])
        self.assertNotIn('swift_url', options['DEFAULT'])
        self.assertIn(
            ('swift', 'object-store', *2 * (
                'http://10.88.0.1:8080/v1/AUTH_%(project_id)s',)),
            identity.services(self.home))
        for section in ('keystone_authtoken', 'service_credentials'):
            self.assertEqual(
                ('trove', self.home.secret('keystone-trove'), 'service',
                 self.home.identity_url),
                tuple(options[section][name] for name in (
                    'username', 'password', 'project_name', 'auth_url')))

    def test_guests_know_the_controller_by_its_name(self) -> None:
        """The name has addresses of both IP versions in guests."""
        self.assertIn('swift_url = http://controller:8080/v1/AUTH_\n',
                      trove_conf.guest(self.home))

    def test_a_plain_lab_names_nothing_of_ours(self) -> None:
        for plain in (False, True):
            self.home.set(plain=plain)
            for text in (trove_conf.trove(self.home),
                         trove_conf.paste(self.home)):
                self.assertEqual(not plain, 'trove_pxc' in text, text)
            self.assertEqual(not plain,
                             'docker_image' in trove_conf.guest(self.home))

    def test_what_was_made_of_a_plain_lab_stays(self) -> None:
        self.home.set(plain=True)
        file = trove.configuration_file(self.home)
        trove.configure(self.home)
        file.write_text(file.read_text() + '[mariadb]\n')
        changed = file.read_text()
        trove.configure(self.home)
        self.assertEqual(changed, file.read_text())
        self.home.set(plain=False)
        trove.configure(self.home)
        self.assertNotEqual(changed, file.read_text())

    def test_the_shipped_pipeline_with_our_filter(self) -> None:
        """The file of the installed release of Trove."""
        shipped = Path(sys.prefix, trove_conf.SHIPPED).read_text()
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(trove_conf.with_filter(shipped))
        filters = parser['pipeline:troveapi']['pipeline'].split()
        self.assertEqual(['galera', 'extensions', 'troveapp'], filters[-3:])
        self.assertLess(filters.index('authtoken'),
                        filters.index('authorization'))
        self.assertEqual('trove_pxc.api.pipeline:factory',
                         parser['filter:galera']['paste.filter_factory'])

    def test_a_pipeline_that_is_another(self) -> None:
        self.assertRaises(errors.LabError, trove_conf.with_filter,
                          '[pipeline:troveapi]\npipeline = troveapp\n')
