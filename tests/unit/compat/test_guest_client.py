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

"""Contract: every call of Trove's client of a guest uses our method."""

from typing import Any

import fixtures
import testtools
from trove.guestagent import api as guest_api

from trove_pxc.compat import guest_client


class Client(guest_client.Client):
    """Returns its own answer."""

    def call_guest(self, method: str, seconds: float, version: str, /,
                   **arguments: Any) -> Any:
        return method, seconds, version, arguments


class ClientTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.client = self.useFixture(fixtures.MockPatchObject(
            guest_api.API, 'get_client', autospec=True)).mock.return_value
        guest_client._look_for_call.cache_clear()
        self.addCleanup(guest_client._look_for_call.cache_clear)

    def test_trove_s_methods_end_in_ours(self) -> None:
        api = Client(None, 'guest-1')
        self.assertEqual(
            ('get_root_password', api.agent_high_timeout, '1.0', {}),
            api.get_root_password())
        self.assertEqual(
            ('list_users', api.agent_high_timeout, '1.0',
             {'limit': 3, 'marker': None, 'include_marker': False}),
            api.list_users(limit=3))
        self.client.prepare.assert_not_called()
        self.assertEqual('', self.log.output)

    def test_a_name_that_the_guest_s_argument_has_too(self) -> None:
        self.assertEqual(
            ('x', 1, '1.0', {'method': 'y', 'seconds': 2}),
            Client(None, 'guest-1')._call('x', 1, version='1.0',
                                          method='y', seconds=2))

    def test_missing(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'trove.guestagent.api.API._call', fixtures.MonkeyPatch.delete))
        for _ in range(2):
            api = Client(None, 'guest-1')
        self.assertEqual(1, self.log.output.count('calls its guests'))
        self.assertEqual(('x', 1, '1.0', {}), api.call_guest('x', 1, '1.0'))
