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

"""Encrypted streams: whole, changed, cut off, and with another key."""

import testtools

from trove_pxc import exceptions
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import cipher

KEY = secret.Secret('the key of the operator')
PLAIN = bytes(range(256)) * 3000        # three chunks, the last not full


def encrypted(plain: bytes, piece: int = 70000) -> bytes:
    encryptor = cipher.Encryptor(KEY)
    return b''.join(encryptor.feed(plain[at:at + piece])
                    for at in range(0, len(plain), piece)
                    ) + encryptor.finish()


def decrypted(data: bytes, piece: int = 50000,
              key: secret.Secret = KEY) -> bytes:
    decryptor = cipher.Decryptor(key)
    return b''.join(decryptor.feed(data[at:at + piece])
                    for at in range(0, len(data), piece)
                    ) + decryptor.finish()


class CipherTest(testtools.TestCase):

    def refused(self, data: bytes, key: secret.Secret = KEY) -> str:
        return str(self.assertRaises(exceptions.BackupUnusable, decrypted,
                                     data, key=key))

    def test_streams_of_any_length_come_back(self) -> None:
        chunk = 1 << 18
        for size in (0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk):
            plain = PLAIN[:size]
            self.assertEqual(plain, decrypted(encrypted(plain)), size)

    def test_pieces_of_any_size(self) -> None:
        data = encrypted(PLAIN)
        for piece in (999, 1 << 18, len(data)):
            self.assertEqual(PLAIN, decrypted(data, piece))

    def test_nothing_is_readable_and_nothing_repeats(self) -> None:
        plain = b'secret of a user ' * 1000
        first, second = encrypted(plain), encrypted(plain)
        self.assertNotIn(b'secret of a user', first)
        self.assertNotEqual(first[30:], second[30:])

    def test_another_key_is_told(self) -> None:
        self.assertIn('the key is not the one', self.refused(
            encrypted(PLAIN), secret.Secret('another')))

    def test_every_change_is_found(self) -> None:
        data = encrypted(PLAIN)
        for at in (0, 10, 30, len(data) // 2, len(data) - 1):
            changed = bytearray(data)
            changed[at] ^= 1
            self.refused(bytes(changed))

    def test_a_missing_end_is_found(self) -> None:
        data = encrypted(PLAIN)
        chunk = (1 << 18) + 16
        for size in (0, 5, 24, 24 + chunk, 24 + 2 * chunk, len(data) - 1):
            self.refused(data[:size])

    def test_chunks_cannot_change_places(self) -> None:
        data = encrypted(PLAIN)
        chunk = (1 << 18) + 16
        first, second = 24, 24 + chunk
        self.refused(data[:first] + data[second:second + chunk]
                     + data[first:second] + data[second + chunk:])
