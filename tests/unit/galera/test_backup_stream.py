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

"""The reader of the backup tools' stream, with pieces of all sizes."""

import re
import struct
import zlib

import hypothesis
from hypothesis import given
from hypothesis import strategies
import testtools

from trove_pxc.galera import backup_stream

KEPT = re.compile('xtrabackup_(info|galera_info)')


def chunk(path: str, payload: bytes = b'', kind: bytes = b'P',
          holes: int = 0) -> bytes:
    """A chunk as xbstream writes it."""
    name = path.encode()
    made = struct.pack('<8sBcI', b'XBSTCK01', 0, kind, len(name)) + name
    if kind == b'E':
        return made
    if kind == b'S':
        made += struct.pack('<I', holes)
    made += struct.pack('<QQI', len(payload), 0, zlib.crc32(payload))
    return made + bytes(8 * holes) + payload


def stream(*files: tuple[str, bytes]) -> bytes:
    return b''.join(chunk(path, payload) + chunk(path, kind=b'E')
                    for path, payload in files)


WHOLE = stream(('ibdata1', b'x' * 5000), ('shop/order.ibd', b'y' * 77),
               ('xtrabackup_galera_info', b'uuid:17'), ('empty', b''),
               ('xtrabackup_info', b'a = b\n'))


class ReaderTest(testtools.TestCase):

    def read(self, data: bytes, size: int) -> backup_stream.Reader:
        reader = backup_stream.Reader(KEPT)
        for at in range(0, len(data), size):
            reader.feed(data[at:at + size])
        return reader

    def test_small_files_are_kept(self) -> None:
        reader = self.read(WHOLE, len(WHOLE))
        self.assertEqual({'xtrabackup_galera_info': 'uuid:17',
                          'xtrabackup_info': 'a = b\n'}, reader.files)
        self.assertEqual(5, reader.complete)
        self.assertTrue(reader.whole)

    @hypothesis.settings(deadline=None, max_examples=50)
    @given(strategies.integers(1, 200))
    def test_pieces_of_any_size_give_the_same(self, size: int) -> None:
        reader = self.read(WHOLE, size)
        self.assertEqual(2, len(reader.files))
        self.assertTrue(reader.whole)

    def test_a_stream_that_was_cut_off_in_a_file_is_not_whole(self) -> None:
        second = len(stream(('ibdata1', b'x' * 5000)))
        for size in (1, 13, 14, 5000, second - 1, second + 40):
            self.assertFalse(self.read(WHOLE[:size], 64).whole, size)
        self.assertTrue(self.read(WHOLE[:second], 64).whole)

    def test_a_file_in_several_chunks_is_put_together(self) -> None:
        reader = self.read(
            chunk('xtrabackup_info', b'a = ') + chunk('t.ibd', b'z')
            + chunk('xtrabackup_info', b'b') + chunk('t.ibd', kind=b'E')
            + chunk('xtrabackup_info', kind=b'E'), 7)
        self.assertEqual({'xtrabackup_info': 'a = b'}, reader.files)

    def test_files_with_holes_are_followed(self) -> None:
        reader = self.read(
            chunk('t.ibd', b'abc', b'S', holes=3) + chunk('t.ibd', kind=b'E')
            + stream(('xtrabackup_info', b'q')), 5)
        self.assertEqual({'xtrabackup_info': 'q'}, reader.files)
        self.assertTrue(reader.whole)

    def test_another_format_is_refused(self) -> None:
        for data in (b'mariadb-backup: Error: no such file\n' * 3,
                     chunk('a', b'b', b'Q'),
                     struct.pack('<8sBcI', b'XBSTCK01', 0, b'P', 1 << 30)):
            self.assertRaises(backup_stream.BadStream, self.read, data, 9)

    def test_no_file_fills_the_memory(self) -> None:
        reader = backup_stream.Reader(KEPT)
        failure = self.assertRaises(
            backup_stream.BadStream, reader.feed,
            struct.pack('<8sBcI', b'XBSTCK01', 0, b'P', 15)
            + b'xtrabackup_info' + struct.pack('<QQI', 1 << 40, 0, 0))
        self.assertIn('xtrabackup_info', str(failure))
