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

"""What happens to a backup between the tool and the store.

The running backup and the restore use it. To store: compress with Zstandard,
then encrypt. To restore: decrypt, then decompress. All of it in pieces; the
memory does not depend on the size of the backup.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import io
import threading
from typing import Any

import zstandard

from trove_pxc import exceptions
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import cipher
from trove_pxc import waiting

#: as in the metadata of backups
COMPRESSION = 'zstd'
# As xtrabackup ("compress-zstd-level"): higher levels take more of the CPU,
# which the server needs, than they save in the store.
LEVEL = 1
# The window of the levels up to 19 is at most 8 MiB; a larger one in a
# backup that was changed must not take the memory of the guest.
_WINDOW = 8 << 20
_MIB = 1 << 20
_PIECE = 1 << 20


class Packer:
    """Compresses and maybe encrypts one stream.

    :param key: None: do not encrypt.
    """

    def __init__(self, key: secret.Secret | None) -> None:
        # In a thread of the library, while the next data is read.
        self._compressor = zstandard.ZstdCompressor(
            level=LEVEL, write_checksum=True, threads=1).compressobj()
        self._encryptor = None if key is None else cipher.Encryptor(key)

    def feed(self, data: bytes) -> bytes:
        """What can be stored now; may be empty."""
        packed = self._compressor.compress(data)
        if self._encryptor is None or not packed:
            return packed
        return self._encryptor.feed(packed)

    def finish(self) -> bytes:
        """The rest of the stream."""
        packed = self._compressor.flush()
        if self._encryptor is None:
            return packed
        return self._encryptor.feed(packed) + self._encryptor.finish()


def unpack(pieces: Iterable[bytes],
           key: secret.Secret | None) -> Iterator[bytes]:
    """The data of a stored stream, in pieces of limited size.

    A small piece may become very large data, for example of empty pages, so
    it is not decompressed at once.

    :param key: None: it is not encrypted.
    :raises trove_pxc.exceptions.BackupUnusable: if it is damaged.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    source = io.BufferedReader(
        _Source(pieces if key is None else _decrypted(pieces, key)), _PIECE)
    with decompressor.stream_reader(source, closefd=False) as reader:
        while True:
            try:
                data = reader.read(_PIECE)
            except zstandard.ZstdError as error:
                raise exceptions.BackupUnusable(
                    f'the backup cannot be decompressed: {error}') from error
            if not data:
                return
            yield data


def _decrypted(pieces: Iterable[bytes],
               key: secret.Secret) -> Iterator[bytes]:
    decryptor = cipher.Decryptor(key)
    for piece in pieces:
        yield decryptor.feed(piece)
    yield decryptor.finish()


class _Source(io.RawIOBase):
    """Pieces, as a file to read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b'')

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class Limit:
    """Limits the rate of a stream.

    :param mib: per second; None: no limit.
    """

    def __init__(self, mib: int | None) -> None:
        self._rate = None if mib is None else mib * _MIB
        self._watch = waiting.Stopwatch()
        self._passed = 0

    def passed(self, number: int, over: threading.Event) -> None:
        """Wait until so many more bytes are allowed, or it is over."""
        if self._rate is None:
            return
        self._passed += number
        early = self._passed / self._rate - self._watch.elapsed
        if early > 0:
            over.wait(early)
