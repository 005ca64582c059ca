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
"""The space on the disk of the object server."""

import os
import types

import fixtures
import mock
import testtools

from lab import errors
from lab import home as lab_home
from lab.swift import disk

BLOCK = 4096


class DiskTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.owner: int | None = os.getpid()
        self.useFixture(fixtures.MonkeyPatch(
            'lab.process.find', lambda home, name: self.owner))
        disk.folder(self.home).mkdir(parents=True)
        self.left = 5000
        self.useFixture(fixtures.MonkeyPatch('os.statvfs', lambda path: (
            types.SimpleNamespace(f_frsize=BLOCK, f_blocks=10000,
                                  f_bavail=self.left))))

    def test_the_reserve_is_not_for_objects(self) -> None:
        self.assertEqual(4900 * BLOCK, disk.space(self.home))
        self.left = 50
        self.assertEqual(0, disk.space(self.home))

    def filled(self, room: int) -> int:
        with mock.patch.object(os, 'posix_fallocate') as allocate:
            disk.fill(self.home, room)
        if not allocate.called:
            return 0
        return int(allocate.call_args.args[2])

    def test_so_much_is_left(self) -> None:
        self.assertEqual(4900 * BLOCK, self.filled(0))
        self.assertEqual(900 * BLOCK, self.filled(4000 * BLOCK))
        self.assertEqual(0, self.filled(4900 * BLOCK))
        self.assertTrue(disk.is_filled(self.home))
        disk.free(self.home)
        self.assertFalse(disk.is_filled(self.home))

    def test_less_is_left_already(self) -> None:
        error = self.assertRaises(errors.LabError, disk.fill, self.home,
                                  5000 * BLOCK)
        self.assertIn(f'only {4900 * BLOCK} bytes', str(error))

    def test_its_server_must_run(self) -> None:
        self.owner = None
        error = self.assertRaises(errors.LabError, disk.fill, self.home)
        self.assertIn('swift-storage does not run', str(error))
