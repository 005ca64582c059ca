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
"""Damage to objects on the disk of the object server."""

import os
from pathlib import Path

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab.swift import disk
from lab.swift import objects

PATH = ('AUTH_demo', 'backups', 'a/b')


class ObjectsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.MonkeyPatch(
            'lab.process.find', lambda home, name: os.getpid()))
        key = objects.digest(self.home, *PATH)
        self.folder = (disk.folder(self.home) / 'objects' / '7' / key[-3:]
                       / key)
        self.folder.mkdir(parents=True)

    def put(self, content: bytes, name: str = '1.data') -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def test_one_byte_is_changed(self) -> None:
        file = self.put(b'abcdef')
        self.assertEqual(3, objects.corrupt(self.home, *PATH))
        damaged = file.read_bytes()
        self.assertEqual(b'abc', damaged[:3])
        self.assertEqual(b'ef', damaged[4:])
        self.assertNotEqual(b'd', damaged[3:4])

    def test_the_newest_file_is_the_object(self) -> None:
        self.put(b'old')
        file = self.put(b'new', '2.data')
        self.assertEqual(file, objects.find(self.home, *PATH))

    def test_no_object(self) -> None:
        self.assertRaises(errors.LabError, objects.find, self.home, *PATH)
        self.put(b'x')
        self.put(b'', '2.ts')
        self.assertRaises(errors.LabError, objects.find, self.home, *PATH)
        self.assertRaises(errors.LabError, objects.corrupt, self.home,
                          'AUTH_other', 'backups', 'a/b')

    def test_a_manifest_is_empty(self) -> None:
        self.put(b'')
        error = self.assertRaises(errors.LabError, objects.corrupt, self.home,
                                  *PATH)
        self.assertIn('name one of its segments', str(error))

    def test_an_object_is_lost(self) -> None:
        self.put(b'x')
        objects.lose(self.home, *PATH)
        self.assertFalse(self.folder.exists())
