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
"""The cloud in memory keeps what the lab's cloud keeps."""

import testtools

from tests.benchmarks.scaling import cloud


class MemoryStoreTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.store = cloud.MemoryStore()

    def test_results_are_copies(self) -> None:
        self.store.put('servers', {'id': 'a', 'volumes': []})
        server = self.store.get('servers', 'a')
        assert server is not None
        server['volumes'].append('x')
        self.assertEqual([{'id': 'a', 'volumes': []}],
                         self.store.all('servers'))

    def test_update_changes_a_document_that_exists(self) -> None:
        self.store.put('servers', {'id': 'a'})
        self.store.update('servers', 'a', status='ACTIVE')
        self.assertIsNone(self.store.update('servers', 'b', status='X'))
        self.assertEqual([{'id': 'a', 'status': 'ACTIVE'}],
                         self.store.all('servers'))

    def test_deleted_document_is_gone(self) -> None:
        self.store.put('servers', {'id': 'a'})
        self.store.delete('servers', 'a')
        self.store.delete('servers', 'a')
        self.assertIsNone(self.store.get('servers', 'a'))

    def test_numbers_are_never_repeated(self) -> None:
        self.assertEqual([1, 2, 3],
                         [self.store.next('mac') for _ in range(3)])

    def test_limits_are_larger_than_any_run(self) -> None:
        limits = self.store.get('settings', 'limits')
        assert limits is not None
        self.assertGreater(limits['instances'], 10 ** 6)
