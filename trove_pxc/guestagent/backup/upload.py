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

"""Stores a stream in segments, while it is made.

The running backup uses it. The agent cannot read the stream again, so it holds
a segment until the store has it: at most two are in its memory, one that is
being sent and one that is being filled.
"""

from collections.abc import Sequence
from concurrent import futures
import hashlib
import io
from typing import Self

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import backups
from trove_pxc.guestagent.backup import store as stores

LOG = logging.getLogger(__name__)


class Upload:
    """The objects of one backup.

    As a context manager, it waits for its thread at the end.

    :ivar stored_bytes: of complete segments.
    """

    def __init__(self, store: stores.Store, backup_id: str,
                 segment_bytes: int = layout.SEGMENT_BYTES) -> None:
        self._store = store
        self._id = backup_id
        self._most = segment_bytes
        self._buffer = io.BytesIO()
        self._sending: futures.Future[layout.Segment] | None = None
        self._sender = futures.ThreadPoolExecutor(1, 'backup-upload')
        self._segments: list[layout.Segment] = []
        self._sha = hashlib.sha256()
        self.stored_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait until nothing is being sent any more."""
        self._sender.shutdown()

    @property
    def checksum(self) -> str:
        """SHA-256 of all segments that were sent so far."""
        return self._sha.hexdigest()

    def write(self, data: bytes) -> None:
        """Take a piece; it waits while both segments are full.

        :raises trove_pxc.exceptions.BackupStoreFailed: if a segment could
            not be stored.
        """
        rest = memoryview(data)
        while rest:
            room = self._most - self._buffer.tell()
            self._buffer.write(rest[:room])
            rest = rest[room:]
            if self._buffer.tell() == self._most:
                self._send()

    def finish(self) -> int:
        """Store the last segment; returns the bytes of all of them."""
        if self._buffer.tell():
            self._send()
        self._await_sent()
        return self.stored_bytes

    def write_manifest(self, headers: dict[str, str]) -> str:
        """Store the manifest, which makes it a backup; returns its name."""
        listed: Sequence[layout.Segment] = self._segments
        parts = layout.groups(listed)
        if len(parts) > 1:
            listed = [self._write_part(number, part)
                      for number, part in enumerate(parts)]
        name = layout.manifest_name(self._id)
        self._store.put(name, layout.manifest(listed), headers=headers,
                        query='multipart-manifest=put')
        return name

    def _write_part(self, number: int,
                    part: Sequence[layout.Segment]) -> layout.Segment:
        name = layout.part_name(self._id, number)
        etag = self._store.put(name, layout.manifest(part),
                               query='multipart-manifest=put')
        return layout.Segment(f'/{self._store.container}/{name}',
                              etag.strip('"'), sum(one.size for one in part))

    def _send(self) -> None:
        self._await_sent()
        number = len(self._segments)
        full, self._buffer = self._buffer, io.BytesIO()
        self._sending = self._sender.submit(self._put, number, full)

    def _await_sent(self) -> None:
        if self._sending is not None:
            self._segments.append(self._sending.result())
            self._sending = None

    def _put(self, number: int, body: io.BytesIO) -> layout.Segment:
        name = layout.segment_name(self._id, number)
        # In this thread, which sends them one after another.
        self._sha.update(body.getbuffer())
        digest = hashlib.md5(
            body.getbuffer(), usedforsecurity=False).hexdigest()
        etag = self._store.put(name, body, etag=digest).strip('"')
        if etag != digest:
            raise exceptions.BackupStoreFailed(
                f'the store reports the checksum {etag} for {name}, and the '
                f'guest sent {digest}')
        size = len(body.getbuffer())
        self.stored_bytes += size
        return layout.Segment(
            f'/{self._store.container}/{name}', digest, size)


def discard(store: stores.Store, backup_id: str) -> None:
    """Delete all that is stored of an incomplete backup."""
    store.delete(layout.manifest_name(backup_id))
    store.delete(layout.segment_prefix(backup_id))


def describe(store: stores.Store, location: str) -> backups.Result:
    """The result that was stored with a backup.

    :raises trove_pxc.galera.errors.Unusable: if it is not such a backup.
    :raises trove_pxc.exceptions.BackupUnusable: if it does not exist.
    """
    _, name = layout.split_location(location)
    return layout.result_of(store.head(name))
