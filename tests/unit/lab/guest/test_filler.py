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

import errno
import pathlib
import tempfile

import mock
import testtools

from lab.guest import filler


class FillerTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def fill(self, room: int) -> int:
        """Fill a file system of this size; return the bytes that are free."""
        left = room

        def fallocate(_: int, offset: int, length: int) -> None:
            nonlocal left
            self.assertEqual(room - left, offset)
            if length > left:
                raise OSError(errno.ENOSPC, 'no space')
            left -= length
            with (self.folder / filler.NAME).open('r+b') as file:
                file.truncate(room - left)

        with mock.patch.object(filler.os, 'posix_fallocate', fallocate):
            filler.fill(self.folder)
        return left

    def test_no_block_is_left(self) -> None:
        self.assertLess(self.fill((5 << 20) + 12345), filler.LAST)

    def test_it_is_given_back(self) -> None:
        self.fill(1 << 20)
        filler.free(self.folder)
        self.assertEqual([], list(self.folder.iterdir()))
        filler.free(self.folder)

    def test_another_error_is_told(self) -> None:
        with mock.patch.object(
                filler.os, 'posix_fallocate',
                side_effect=OSError(errno.EIO, 'broken')):
            self.assertRaises(OSError, filler.fill, self.folder)
