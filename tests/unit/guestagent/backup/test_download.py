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

"""A stored stream is read, and every damage is found."""

import dataclasses
import hashlib

import mock

from trove_pxc import exceptions
from trove_pxc.galera import backup_layout as layout
from trove_pxc.guestagent.backup import download

from tests.unit.galera import test_backups
from tests.unit.guestagent.backup import test_upload

DATA = test_upload.DATA


class DownloadTest(test_upload.UploadTestCase):

    def read(self, checksum: str | None = None) -> bytes:
        described = dataclasses.replace(
            test_backups.RESULT,
            location=f'{self.swift.url}/backups/b-1.xbstream',
            checksum=checksum or hashlib.sha256(DATA).hexdigest())
        self.download = download.Download(self.store, described)
        return b''.join(self.download.pieces())

    def refused(self, **options: str) -> str:
        return str(self.assertRaises(exceptions.BackupUnusable, self.read,
                                     **options))

    def test_it_is_read_as_it_was_stored(self) -> None:
        self.upload()
        self.assertEqual(DATA, self.read())
        self.assertEqual(len(DATA), self.download.read_bytes)

    def test_manifests_of_manifests_are_read(self) -> None:
        self.swift.most = 4
        with mock.patch.object(layout.groups, '__defaults__', (4,)):
            self.upload()
        self.assertEqual(DATA, self.read())

    def test_a_failing_store_is_asked_again(self) -> None:
        self.upload()
        self.swift.answers = [503, 0, 500]
        self.assertEqual(DATA, self.read())

    def test_a_damaged_segment_is_named(self) -> None:
        self.upload()
        self.swift.damage.add('backups/b-1.segments/00000004')
        self.assertIn('b-1.segments/00000004', self.refused())

    def test_a_missing_segment_is_named(self) -> None:
        self.upload()
        for kept in (self.swift.objects, self.swift.headers):
            del kept['backups/b-1.segments/00000004']
        self.assertIn('b-1.segments/00000004', self.refused())

    def test_another_stream_is_refused(self) -> None:
        self.upload()
        self.assertIn('checksum', self.refused(checksum='00' * 32))
