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

"""The processes that use a file system, on this machine."""

import os
import tempfile

import fixtures
import testtools

from lab.guest import disks


class UsersTest(testtools.TestCase):

    def users(self, device: int) -> list[str]:
        """The users of a device, as if it were that of a volume."""
        self.useFixture(fixtures.MockPatchObject(
            disks, 'attached', return_value='/dev/loop0'))
        self.useFixture(fixtures.MockPatchObject(
            disks, 'number', return_value=device))
        return disks.users('/volumes/one')

    def test_a_file_that_is_open_is_a_use(self) -> None:
        with tempfile.TemporaryFile() as file:
            found = self.users(os.fstat(file.fileno()).st_dev)
        self.assertIn(f'({os.getpid()})', ' '.join(found))

    def test_what_is_mounted_is_used(self) -> None:
        found = self.users(os.stat('/proc').st_dev)
        self.assertIn(f'({os.getpid()})', ' '.join(found))

    def test_nobody_uses_what_there_is_not(self) -> None:
        self.assertEqual([], self.users(os.makedev(7, 4095)))

    def test_nobody_uses_a_volume_that_is_no_device(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            disks, 'attached', return_value=None))
        self.assertEqual([], disks.users('/volumes/one'))
