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

"""The format of the backup tools' stream, as far as the guest reads it.

Pure. The guest uses it while the stream passes: it keeps the small files with
the position of the backup, and checks that the stream is complete.

Source: "The xbstream binary" and "xbstream format" (docs.percona.com). A chunk
is: magic (8 bytes), flags (1), type (1), length of the path (4), path; unless
it ends a file: for type S the number of holes (4), then length of the payload
(8), offset (8), CRC32 (4), for type S the holes (8 each), payload. All numbers
are little-endian. mbstream of MariaDB has no type S.
"""

import re
import struct


_MAGIC = b'XBSTCK01'
_HEAD = struct.Struct('<8sBcI')
_LENGTHS = struct.Struct('<QQI')
_HOLES = struct.Struct('<I')
_PAYLOAD, _SPARSE, _END = b'P', b'S', b'E'
_HOLE_BYTES = 8
_LONGEST_PATH = 4096
#: a larger file is not one of those that are kept
_LONGEST_KEPT = 1 << 20


class BadStream(ValueError):
    """The stream of the backup tool is not in its format."""


class Reader:
    """Follows a stream that is passed in pieces of any size.

    :param kept: matches the whole names of the files to keep.
    :ivar files: the texts of these files, by name, when they are complete.
    :ivar complete: the number of complete files so far.
    """

    def __init__(self, kept: re.Pattern[str]) -> None:
        self._kept = kept
        self._head = bytearray()
        self._needed = _HEAD.size
        self._payload = 0
        self._collects = ''
        self._texts: dict[str, bytearray] = {}
        self._open: set[str] = set()
        self.files: dict[str, str] = {}
        self.complete = 0

    @property
    def whole(self) -> bool:
        """Whether the stream may end here."""
        return not (self._head or self._payload or self._open)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream.

        :raises BadStream: if it is in another format.
        """
        at = 0
        while at < len(data):
            if self._payload:
                taken = min(self._payload, len(data) - at)
                if self._collects:
                    self._texts[self._collects] += data[at:at + taken]
                self._payload -= taken
                at += taken
                continue
            taken = min(self._needed - len(self._head), len(data) - at)
            self._head += data[at:at + taken]
            at += taken
            if len(self._head) == self._needed:
                self._read_head()

    def _read_head(self) -> None:
        """Read what is known of the head of a chunk; it may need more."""
        magic, _, kind, length = _HEAD.unpack_from(self._head)
        if magic != _MAGIC or length > _LONGEST_PATH or (
                kind not in (_PAYLOAD, _SPARSE, _END)):
            raise BadStream('the output of the backup tool is not a stream '
                            'of files')
        needed = _HEAD.size + length
        holes = 0
        if kind == _SPARSE:
            if len(self._head) >= needed + _HOLES.size:
                holes, = _HOLES.unpack_from(self._head, needed)
            needed += _HOLES.size
        if kind != _END:
            needed += _LENGTHS.size
        if len(self._head) < needed:
            self._needed = needed
            return
        path = bytes(self._head[_HEAD.size:_HEAD.size + length]).decode(
            errors='replace')
        payload = 0
        if kind != _END:
            payload, _, _ = _LENGTHS.unpack_from(
                self._head, needed - _LENGTHS.size)
        self._begin(path, kind, payload + holes * _HOLE_BYTES)
        self._head.clear()
        self._needed = _HEAD.size

    def _begin(self, path: str, kind: bytes, payload: int) -> None:
        if kind == _END:
            self._open.discard(path)
            self.complete += 1
            if path in self._texts:
                self.files[path] = self._texts.pop(path).decode(
                    errors='replace')
            return
        self._open.add(path)
        self._payload = payload
        self._collects = ''
        if self._kept.fullmatch(path):
            text = self._texts.setdefault(path, bytearray())
            if len(text) + payload > _LONGEST_KEPT:
                raise BadStream(f'the file {path} of the backup tool is '
                                'larger than any such file')
            self._collects = path
