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
"""The project and the token of a request to the lab's trove-api."""

from typing import Any

from cryptography import fernet
import testtools

from lab import noauth

KEY = fernet.Fernet.generate_key().decode()


class ProjectOfUrlTest(testtools.TestCase):

    def environ(self, path: str) -> dict[str, Any]:
        """What the application gets."""
        seen: dict[str, Any] = {}

        def application(environ: dict[str, Any], start: Any) -> list[bytes]:
            seen.update(environ)
            return []

        noauth.factory({}, key=KEY)(application)(
            {'PATH_INFO': path}, lambda *words: None)
        return seen

    def groups(self, path: str) -> str:
        """The groups in the token that the application gets."""
        token = self.environ(path)['HTTP_X_AUTH_TOKEN']
        return fernet.Fernet(KEY).decrypt(token[len('AUTH_ftk'):]).decode()

    def test_the_project_of_the_url(self) -> None:
        seen = self.environ('/demo/clusters')
        self.assertEqual('demo', seen['HTTP_X_PROJECT_ID'])
        self.assertEqual('member', seen['HTTP_X_ROLES'])
        self.assertEqual('admin', self.environ('/admin')['HTTP_X_ROLES'])

    def test_the_token_is_for_the_account_of_the_project(self) -> None:
        self.assertEqual('other,other:other,AUTH_other',
                         self.groups('/other/backups'))

    def test_a_name_that_is_a_group_with_rights_gets_none(self) -> None:
        for name in ('.reseller_admin', 'x,AUTH_demo'):
            self.assertEqual('', self.groups(f'/{name}/backups'))
