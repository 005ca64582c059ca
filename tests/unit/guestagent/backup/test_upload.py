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

"""Segments and manifests of a stream, in a store that fails now and then."""

import hashlib
import threading

import mock

from trove_pxc import exceptions
from trove_pxc.galera import backup_layout as layout
from trove_pxc.guestagent.backup import upload

from tests.unit.galera import test_backups
from tests.unit.guestagent.backup import test_store

DATA = bytes(range(250)) * 41       # 10250 bytes
NAME = 'backups/b-1.xbstream'


class UploadTestCase(test_store.StoreTestCase):

    def upload(self, piece: int = 333) -> upload.Upload:
        made = upload.Upload(self.store, 'b-1', segment_bytes=1000)
        with made:
            for at in range(0, len(DATA), piece):
                made.write(DATA[at:at + piece])
            self.assertEqual(len(DATA), made.finish())
            made.write_manifest({'x-object-meta-backup-format': '1'})
        return made


class UploadTest(UploadTestCase):

    def test_the_stream_is_stored_in_segments(self) -> None:
        for piece in (333, 1000, 5000, len(DATA)):
            made = self.upload(piece)
            self.assertEqual(DATA, self.swift.content(NAME))
            self.assertEqual(11, len(self.swift.manifests[NAME]))
            self.assertEqual(hashlib.sha256(DATA).hexdigest(), made.checksum)
        self.assertEqual('1', self.swift.headers[NAME][
            'x-object-meta-backup-format'])

    def test_large_backups_have_manifests_of_manifests(self) -> None:
        self.swift.most = 4
        with mock.patch.object(layout.groups, '__defaults__', (4,)):
            self.upload()
        self.assertEqual(3, len(self.swift.manifests[NAME]))
        self.assertEqual(DATA, self.swift.content(NAME))

    def test_segments_that_failed_are_sent_again(self) -> None:
        self.swift.answers = [503, 0, 422]
        self.upload()
        self.assertEqual(DATA, self.swift.content(NAME))

    def test_a_store_that_fails_ends_it(self) -> None:
        made = upload.Upload(self.made(0.1), 'b-1', segment_bytes=1000)
        with made:
            self.swift.answers = [507] * 10000
            failure = self.assertRaises(
                exceptions.BackupStoreFailed, self.write_on, made)
        self.assertIn('it has no space', str(failure))

    def write_on(self, made: upload.Upload) -> None:
        for _ in range(1000):
            made.write(DATA)

    def test_a_slow_store_is_waited_for(self) -> None:
        self.swift.held.clear()
        made = upload.Upload(self.store, 'b-1', segment_bytes=1000)
        written: list[int] = []

        def write() -> None:
            for number in range(10):
                made.write(DATA[:1000])
                written.append(number)

        thread = threading.Thread(target=write)
        thread.start()
        self.until(lambda: len(written) == 1)
        thread.join(0.3)
        # One is being sent, and the other is full.
        self.assertEqual(1, len(written))
        self.swift.held.set()
        thread.join(20)
        self.assertEqual(10, len(written))
        made.close()

    def test_nothing_is_left_of_a_discarded_one(self) -> None:
        self.upload()
        self.store.put('b-2.xbstream', b'another')
        upload.discard(self.store, 'b-1')
        self.assertEqual(['backups/b-2.xbstream'], list(self.swift.headers))

    def test_the_result_is_stored_with_it(self) -> None:
        result = test_backups.RESULT
        made = upload.Upload(self.store, 'b-1', segment_bytes=1000)
        with made:
            made.write(DATA)
            made.finish()
            made.write_manifest(layout.metadata(result, {}, 'zstd'))
        self.assertEqual(result, upload.describe(
            self.store, f'{self.swift.url}/backups/b-1.xbstream'))
