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

"""Encrypts the stream of a backup with AES-256-GCM, in chunks.

The stream module uses it. Each chunk is authentic by itself, so that nothing
that was changed is ever unpacked. Chunks cannot be reordered, left out, or cut
off at the end: the nonce has the number of the chunk, and whether it is the
last ("Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", STREAM; Hoang, Reyhanitabar, Rogaway, Vizar 2015). Each
backup has its own key, which is derived from that of the operator and a random
salt.
"""

import os

from cryptography import exceptions as cryptography_exceptions
from cryptography.hazmat.primitives.ciphers import aead
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf import hkdf

from trove_pxc import exceptions
from trove_pxc.galera import secret

_MAGIC = b'TPXCAES1'
_SALT = 16
_KEY = 32
_CHUNK = 1 << 18
_TAG = 16
_COUNTER = 11
_LAST, _NOT_LAST = b'\1', b'\0'


class Encryptor:
    """Encrypts one stream.

    :param key: of the operator; any text.
    """

    def __init__(self, key: secret.Secret) -> None:
        salt = os.urandom(_SALT)
        self._cipher = _cipher(key, salt)
        self._pending = bytearray()
        self._number = 0
        self._begin = _MAGIC + salt

    def feed(self, data: bytes) -> bytes:
        """What can be stored now; may be empty."""
        self._pending += data
        made = bytearray(self._begin)
        self._begin = b''
        at = 0
        # The last chunk is encrypted at the end.
        while len(self._pending) - at > _CHUNK:
            made += self._chunk(bytes(self._pending[at:at + _CHUNK]),
                                _NOT_LAST)
            at += _CHUNK
        del self._pending[:at]
        return bytes(made)

    def finish(self) -> bytes:
        """The rest of the stream."""
        return self.feed(b'') + self._chunk(bytes(self._pending), _LAST)

    def _chunk(self, data: bytes, last: bytes) -> bytes:
        made = self._cipher.encrypt(_nonce(self._number, last), data, None)
        self._number += 1
        return made


class Decryptor:
    """Decrypts one stream.

    feed and finish raise trove_pxc.exceptions.BackupUnusable if the key is
    wrong, or the stream was changed or cut off.
    """

    def __init__(self, key: secret.Secret) -> None:
        self._key = key
        self._cipher: aead.AESGCM | None = None
        self._pending = bytearray()
        self._number = 0

    def feed(self, data: bytes) -> bytes:
        self._pending += data
        if self._cipher is None and not self._read_begin():
            return b''
        made = bytearray()
        at, size = 0, _CHUNK + _TAG
        while len(self._pending) - at > size:
            made += self._chunk(bytes(self._pending[at:at + size]),
                                _NOT_LAST)
            at += size
        del self._pending[:at]
        return bytes(made)

    def finish(self) -> bytes:
        if self._cipher is None:
            raise _damaged('it is too short')
        return self._chunk(bytes(self._pending), _LAST)

    def _read_begin(self) -> bool:
        needed = len(_MAGIC) + _SALT
        if len(self._pending) < needed:
            return False
        if not self._pending.startswith(_MAGIC):
            raise _damaged('it is not encrypted by this package')
        self._cipher = _cipher(
            self._key, bytes(self._pending[len(_MAGIC):needed]))
        del self._pending[:needed]
        return True

    def _chunk(self, data: bytes, last: bytes) -> bytes:
        assert self._cipher is not None
        try:
            made = self._cipher.decrypt(
                _nonce(self._number, last), data, None)
        except (cryptography_exceptions.InvalidTag, ValueError):
            raise _damaged(
                'the key is not the one of the backup, or the backup was '
                'changed or cut off' if self._number == 0 else
                f'chunk {self._number} was changed, or the end is '
                'missing') from None
        self._number += 1
        return made


def _damaged(reason: str) -> exceptions.BackupUnusable:
    return exceptions.BackupUnusable(
        f'the backup cannot be decrypted: {reason}')


def _cipher(key: secret.Secret, salt: bytes) -> aead.AESGCM:
    derived = hkdf.HKDF(hashes.SHA256(), _KEY, salt,
                        b'trove-pxc backup').derive(key.reveal().encode())
    return aead.AESGCM(derived)


def _nonce(number: int, last: bytes) -> bytes:
    return number.to_bytes(_COUNTER, 'big') + last
