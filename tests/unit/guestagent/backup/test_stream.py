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

"""From the tool to the store and back."""

import threading

import testtools
import zstandard

from trove_pxc import exceptions
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import stream

from tests.unit import clock

KEY = secret.Secret('the key of the operator')
DATA = b''.join(b'row %d of a table\n' % number for number in range(99999))


def packed(data: bytes, key: secret.Secret | None = None,
           piece: int = 32768) -> bytes:
    packer = stream.Packer(key)
    return b''.join(packer.feed(data[at:at + piece])
                    for at in range(0, len(data), piece)) + packer.finish()


def unpacked(data: bytes, key: secret.Secret | None = None,
             piece: int = 40000) -> bytes:
    return b''.join(stream.unpack(
        (data[at:at + piece] for at in range(0, len(data), piece)), key))


class StreamTest(testtools.TestCase):

    def test_data_comes_back(self) -> None:
        for key in (None, KEY):
            for data in (b'', b'x', DATA):
                self.assertEqual(data, unpacked(packed(data, key), key))

    def test_ordinary_programs_read_what_is_not_encrypted(self) -> None:
        self.assertEqual(DATA, zstandard.ZstdDecompressor().decompressobj(
        ).decompress(packed(DATA)))

    def test_damaged_data_is_refused(self) -> None:
        good = packed(DATA)
        for bad in (good[:100] + b'xxxx' + good[104:], b'not compressed'):
            self.assertRaises(exceptions.BackupUnusable, unpacked, bad)

    def test_small_data_that_becomes_large_comes_in_pieces(self) -> None:
        empty = packed(bytes(64 << 20))
        self.assertLess(len(empty), 1 << 20)
        sizes = [len(piece) for piece in stream.unpack([empty], None)]
        self.assertEqual(64 << 20, sum(sizes))
        self.assertLessEqual(max(sizes), 1 << 20)


class LimitTest(testtools.TestCase):

    def test_no_limit_does_not_wait(self) -> None:
        stream.Limit(None).passed(1 << 40, threading.Event())

    def test_it_waits_until_the_rate_is_kept(self) -> None:
        now = self.useFixture(clock.Clock())
        limit = stream.Limit(10)
        over = Recorder()
        limit.passed(20 << 20, over)
        self.assertEqual([2.0], over.waited)
        now.advance(2.0)
        limit.passed(5 << 20, over)
        self.assertEqual([2.0, 0.5], over.waited)

    def test_what_is_slower_anyway_does_not_wait(self) -> None:
        now = self.useFixture(clock.Clock())
        limit = stream.Limit(10)
        now.advance(60.0)
        over = Recorder()
        limit.passed(20 << 20, over)
        self.assertEqual([], over.waited)


class Recorder(threading.Event):
    """An event that returns at once from a wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        return False
