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

import pathlib
import tempfile

import testtools

from lab.cloud import store as cloud_store


class StoreTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / 'cloud' / 'cloud.sqlite'
        self.store = cloud_store.Store(self.path)

    def test_documents_outlive_the_daemon(self) -> None:
        self.store.put('servers', {'id': '1', 'name': 'one'})
        again = cloud_store.Store(self.path)
        self.assertEqual({'id': '1', 'name': 'one'},
                         again.get('servers', '1'))

    def test_nobody_else_reads_it(self) -> None:
        self.store.put('servers', {'id': '1'})
        for path in self.path.parent.iterdir():
            self.assertEqual(0o600, path.stat().st_mode & 0o777, path)

    def test_kinds_are_apart(self) -> None:
        self.store.put('servers', {'id': '1'})
        self.assertIsNone(self.store.get('ports', '1'))
        self.assertEqual([], self.store.all('ports'))

    def test_all_keeps_the_order_of_making(self) -> None:
        for key in ('b', 'a', 'c'):
            self.store.put('ports', {'id': key})
        self.store.update('ports', 'b', name='changed')
        self.assertEqual(['b', 'a', 'c'], [document['id'] for document in
                                           self.store.all('ports')])

    def test_a_document_read_is_a_copy(self) -> None:
        self.store.put('ports', {'id': '1', 'name': 'kept'})
        document = self.store.get('ports', '1') or {}
        document['name'] = 'changed'
        self.assertEqual('kept', (self.store.get('ports', '1')
                                  or {})['name'])

    def test_what_is_gone_is_not_brought_back_by_an_update(self) -> None:
        self.store.put('ports', {'id': '1'})
        self.store.delete('ports', '1')
        self.assertIsNone(self.store.update('ports', '1', name='x'))
        self.assertEqual([], self.store.all('ports'))

    def test_numbers_are_given_once(self) -> None:
        self.assertEqual([1, 2], [self.store.next('server')
                                  for _ in range(2)])
        self.assertEqual(3, cloud_store.Store(self.path).next('server'))
