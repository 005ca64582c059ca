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
"""A simulated guest finds the key that Trove injects."""

import testtools

from tests.benchmarks.scaling import agents


class KeyTest(testtools.TestCase):

    def test_key_is_in_a_file_of_the_user_data(self) -> None:
        self.assertEqual('abc/=', agents.key_of({'write_files': [
            {'content_hex': text.encode().hex()} for text in (
                '[DEFAULT]\ndebug = True\n',
                '[DEFAULT]\nguest_id=1\ninstance_rpc_encr_key=abc/=\n')]}))

    def test_server_without_a_key_has_none(self) -> None:
        self.assertIsNone(agents.key_of({}))
