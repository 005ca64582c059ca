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

"""Reads a backup from the store, and checks it on the way.

The restore uses it. Each segment is read as a whole and compared with its MD5
in the manifest before anything of it is used. At the end the SHA-256 of all is
compared with that in the backup's metadata.
"""

from collections.abc import Iterator
from concurrent import futures
import hashlib

from trove_pxc import exceptions
from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import backups
from trove_pxc.guestagent.backup import store as stores

_AGAIN = 2


class Download:
    """The stored stream of one backup.

    :ivar read_bytes: of the segments that were read.
    """

    def __init__(self, store: stores.Store,
                 described: backups.Result) -> None:
        self._store = store
        self._described = described
        self.read_bytes = 0

    def pieces(self) -> Iterator[bytes]:
        """The stream, in segments; the next one is read in the meantime.

        :raises trove_pxc.exceptions.BackupUnusable: if a segment is missing
            or damaged.
        """
        _, name = layout.split_location(self._described.location)
        sha = hashlib.sha256()
        segments = list(self._segments(name))
        with futures.ThreadPoolExecutor(1, 'backup-download') as reader:
            ahead: futures.Future[bytes] | None = None
            for number in range(len(segments)):
                ahead = ahead or reader.submit(self._read, segments[number])
                content = ahead.result()
                ahead = (reader.submit(self._read, segments[number + 1])
                         if number + 1 < len(segments) else None)
                sha.update(content)
                self.read_bytes += len(content)
                yield content
        if sha.hexdigest() != self._described.checksum:
            raise exceptions.BackupUnusable(
                f'the backup {self._described.id} has the checksum '
                f'{sha.hexdigest()} in the store, and had '
                f'{self._described.checksum} when it was made')

    def _segments(self, name: str) -> Iterator[layout.Segment]:
        _, body = self._store.get(name, 'multipart-manifest=get')
        for one in layout.listed(body):
            if one.is_manifest:
                yield from self._segments(one.name)
            else:
                yield one

    def _read(self, segment: layout.Segment) -> bytes:
        """Read a segment; once more if it was damaged on the way."""
        for _ in range(_AGAIN):
            _, content = self._store.get(segment.name)
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            if digest == segment.etag:
                return content
        raise exceptions.BackupUnusable(
            f'the segment {segment.name} of the backup '
            f'{self._described.id} is damaged: its checksum is {digest}, and '
            f'the manifest lists {segment.etag}')
