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

"""Requests to the store: repeated, refused, cancelled; tokens expire."""

from collections.abc import Callable
import threading

import mock
import testtools

from trove_pxc import exceptions
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import store as stores
from trove_pxc import waiting

from tests.unit.guestagent.backup import swift as swifts


class StoreTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.swift = self.useFixture(swifts.Swift())
        self.swift.containers.add('backups')
        self.over = threading.Event()
        self.token = stores.Token(secret.Secret(swifts.TOKEN))
        self.store = self.made()
        quick = mock.patch.object(stores, '_FIRST_PAUSE', 0.01)
        quick.start()
        self.addCleanup(quick.stop)

    def made(self, patience: float = 30.0,
             silence: float = 2.0) -> stores.Store:
        return stores.Store(self.swift.place, self.token, self.over,
                            patience, silence)

    def until(self, probe: Callable[[], object]) -> None:
        """Wait until this is true."""
        def attempt() -> None:
            if not probe():
                raise waiting.NotYet('it is not')
        waiting.until('the test to go on', attempt, 20, 0.01)


class StoreTest(StoreTestCase):

    def test_what_is_stored_is_read(self) -> None:
        self.store.ensure_container()
        etag = self.store.put('a', b'content', headers={
            'x-object-meta-backup-format': '1'})
        self.assertEqual('9a0364b9e99bb480dd25e1f0284c8555',
                         etag.strip('"'))
        headers, content = self.store.get('a')
        self.assertEqual(b'content', content)
        self.assertEqual('1', headers['x-object-meta-backup-format'])
        self.assertEqual(
            '1', self.store.head('a')['x-object-meta-backup-format'])

    def test_a_temporary_failure_is_repeated(self) -> None:
        for status in (500, 503, 507, 429, 408, 422, 0):
            self.swift.answers = [status, status]
            self.store.put('a', b'content')
            self.assertEqual(b'content', self.swift.objects['backups/a'])
            self.assertEqual('', self.store.trouble)
            self.swift.objects.clear()

    def test_it_tells_what_it_repeats(self) -> None:
        self.swift.answers = [503] * 1000
        thread = threading.Thread(target=self.put_quietly)
        thread.start()
        self.until(lambda: '503' in self.store.trouble)
        self.over.set()
        thread.join()

    def put_quietly(self) -> None:
        try:
            self.store.put('a', b'content')
        except exceptions.BackupCancelled as expected:
            self.cancelled = expected

    def test_what_is_refused_for_good_is_not_repeated(self) -> None:
        for status, reason in ((403, 'may not write'), (413, 'quota'),
                               (400, '400')):
            self.swift.answers = [status]
            failure = self.assertRaises(exceptions.BackupStoreFailed,
                                        self.store.put, 'a', b'content')
            self.assertIn(reason, str(failure))
            self.assertEqual([], self.swift.answers)

    def test_patience_ends_with_the_reason(self) -> None:
        store = self.made(patience=0.1)
        for status, reason in ((503, '503'), (507, 'it has no space'),
                               (0, 'does not answer')):
            self.swift.answers = [status] * 1000
            failure = self.assertRaises(exceptions.BackupStoreFailed,
                                        store.put, 'a', b'content')
            self.assertIn(reason, str(failure))
            self.assertIn('given up', str(failure))

    def test_a_store_that_does_not_exist(self) -> None:
        place = self.swift.place
        store = stores.Store(
            type(place)('http://127.0.0.1:9/v1/AUTH_x', place.token, 'b'),
            self.token, self.over, patience=0.1)
        failure = self.assertRaises(exceptions.BackupStoreFailed,
                                    store.put, 'a', b'content')
        self.assertIn('REFUSED', str(failure).upper())
        self.assertNotIn('0x', str(failure))

    def test_a_new_token_is_awaited(self) -> None:
        self.swift.tokens = {'token-2'}
        thread = threading.Thread(target=self.store.put,
                                  args=('a', b'content'))
        thread.start()
        self.until(lambda: self.token.refused)
        self.assertIn('token', self.store.trouble)
        self.token.renew(secret.Secret('token-2'))
        thread.join(20)
        self.assertEqual(b'content', self.swift.objects['backups/a'])
        self.assertFalse(self.token.refused)

    def test_no_token_is_in_an_error(self) -> None:
        self.swift.tokens = set()
        failure = self.assertRaises(
            exceptions.BackupStoreFailed, self.made(0.1).put, 'a', b'x')
        self.assertNotIn(swifts.TOKEN, str(failure))
        self.assertIn('token has expired', str(failure))

    def test_a_missing_object_is_told(self) -> None:
        for call in (self.store.get, self.store.head):
            failure = self.assertRaises(exceptions.BackupUnusable, call, 'a')
            self.assertIn('does not exist', str(failure))

    def test_a_container_that_was_deleted_is_no_damaged_backup(self) -> None:
        self.swift.containers.clear()
        failure = self.assertRaises(exceptions.BackupStoreFailed,
                                    self.store.put, 'a', b'content')
        self.assertIn('was deleted', str(failure))

    def test_the_store_may_take_long_for_a_manifest(self) -> None:
        """It looks at each of the thousand segments."""
        store = self.made(patience=0.1, silence=0.2)
        self.swift.held.clear()
        release = threading.Timer(1, self.swift.held.set)
        release.start()
        self.addCleanup(release.join)
        store.put('m', b'[]', query='multipart-manifest=put')
        self.assertIn('backups/m', self.swift.manifests)
        self.swift.held.clear()
        self.assertRaises(exceptions.BackupStoreFailed, store.put, 'a', b'x')

    def test_a_cancelled_one_does_not_go_on(self) -> None:
        self.swift.answers = [503] * 1000
        self.over.set()
        self.assertRaises(exceptions.BackupCancelled,
                          self.store.put, 'a', b'content')

    def test_an_earlier_failure_is_not_the_reason(self) -> None:
        """After a failure, its handler deletes what is stored."""
        self.swift.answers = [0] * 1000
        store = self.made(patience=0.1)
        try:
            raise exceptions.BackupCancelled('it was cancelled')
        except exceptions.BackupCancelled:
            failure = self.assertRaises(exceptions.BackupStoreFailed,
                                        store.delete, 'b.segments/')
        self.assertNotIn('cancelled', str(failure))

    def test_all_with_a_prefix_are_deleted(self) -> None:
        for name in ('b.segments/0', 'b.segments/1', 'b.xbstream', 'c'):
            self.store.put(name, b'x')
        self.assertEqual(2, self.store.delete('b.segments/'))
        self.assertEqual({'backups/b.xbstream', 'backups/c'},
                         set(self.swift.objects))
