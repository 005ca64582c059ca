# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The description of a guest is written and read again."""

import pathlib

import fixtures
import testtools

from lab.guest import spec as guest_spec
from lab import home as lab_home

REST = {'server_id': 's', 'instance_id': 'i', 'name': 'products-1',
        'number': 1, 'mac': 'fa:16:3e:00:00:01', 'mtu': 1500, 'image': 'm',
        'memory_mb': 512, 'vcpus': 1}
FOUR = guest_spec.Address('10.89.0.10', 16, '10.89.0.1')
SIX = guest_spec.Address('fd10:89::b', 64, 'fd10:89::1')


class SpecTest(testtools.TestCase):

    def test_it_is_read_as_it_was_saved(self) -> None:
        home = lab_home.Home(pathlib.Path(
            self.useFixture(fixtures.TempDir()).path))
        folder = guest_spec.GuestFolder(home, 's')
        folder.path.mkdir(parents=True)
        saved = guest_spec.GuestSpec(
            addresses=[FOUR, SIX], **REST,
            volumes=[guest_spec.Volume('v', 'vdb', 'file')])
        folder.save(saved)
        self.assertEqual(saved, folder.load())
        self.assertEqual('10.89.0.10', saved.ip)

    def test_of_an_older_lab(self) -> None:
        read = guest_spec.GuestSpec.from_json({
            **REST, 'ip': FOUR.ip, 'prefix': FOUR.prefix,
            'gateway': FOUR.gateway})
        self.assertEqual([FOUR], read.addresses)
