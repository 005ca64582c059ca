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
"""The accounts of projects, and what the client of Swift gets."""

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab import identity
from lab.swift import access
from lab.swift import conf


class AccessTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)

    def test_without_keystone(self) -> None:
        self.assertEqual('AUTH_other', access.account(self.home, 'other'))
        self.assertEqual({
            'ST_AUTH': 'http://10.88.0.1:8080/auth/v1.0',
            'ST_USER': 'demo:demo',
            'ST_KEY': conf.password(self.home, 'demo')},
            access.environment(self.home, 'demo'))

    def test_with_keystone(self) -> None:
        self.home.set(keystone=True)
        self.useFixture(fixtures.MonkeyPatch(
            'lab.identity.login',
            lambda home, who: identity.Login(f'token-{who}', 'an-id')))
        self.assertEqual('AUTH_an-id', access.account(self.home, 'demo'))
        self.assertEqual({
            'OS_AUTH_TOKEN': 'token-demo',
            'OS_STORAGE_URL': 'http://10.88.0.1:8080/v1/AUTH_an-id'},
            access.environment(self.home, 'demo'))

    def test_an_unknown_user(self) -> None:
        for keystone in (False, True):
            self.home.set(keystone=keystone)
            error = self.assertRaises(errors.LabError, access.account,
                                      self.home, 'nobody')
            self.assertIn('no user nobody; it has', str(error))

    def test_there_is_no_lab(self) -> None:
        self.assertRaises(errors.LabError, access.client, self.home, 'demo',
                          ['list'])
