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

"""A guest's root, built in a mount namespace that ends with the test.

The folders of the host that may contain a checkout are empty file systems in
it, so that the machine is not changed.
"""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[4]
PLACES = ('/tmp', '/var/tmp', '/run', '/dev/shm', '/home', '/root', '/opt',
          '/mnt', '/srv')
#: builds a root, and writes the results to the guest's disk
BUILD = '''
import json, os, pathlib, sys
sys.path.insert(0, sys.argv[1])
from lab.guest import kernel, mounts, rootfs
base, places = pathlib.Path(sys.argv[2]), sys.argv[3:]
kernel.mount('none', '/', flags=kernel.MS_REC | kernel.MS_PRIVATE)
folders = []
for place in places:
    kernel.mount('host', place, 'tmpfs')
    folders.append(pathlib.Path(place, 'a b', 'x'))
    folders[-1].mkdir(parents=True)
    (folders[-1] / 'who').write_text(f'host {place}')
# a checkout that holds the lab's folder
outer = base / 'checkout'
folders.append(outer)
root, disk = outer / 'home' / 'root', outer / 'home' / 'disk'
for folder in (root, *(disk / name for name in (
        'etc', 'var/tmp', 'root', 'home', 'srv', 'mnt', 'opt'))):
    folder.mkdir(parents=True)
(outer / 'who').write_text('host')
rootfs.build(root, disk, [*map(str, folders), '/not/there'])
rootfs.leave_host(root)
print(json.dumps({
    'seen': {str(folder): (folder / 'who').read_text()
             for folder in folders},
    'writable': [str(folder) for folder in folders
                 if os.access(folder, os.W_OK)],
    'own': {place: os.access(place, os.W_OK) for place in places},
    'devices': sorted(os.listdir('/dev')), 'root': sorted(os.listdir('/')),
    'tools': os.listdir(mounts.TOOLS),
    'mounted': [line.split()[4] for line in open('/proc/self/mountinfo')],
    'again': os.path.exists(root / 'etc')}))
'''


class BuildTest(testtools.TestCase):

    def build(self, *places: str) -> dict[str, Any]:
        if os.geteuid() != 0:
            self.skipTest('only root makes mounts')
        # Not in /tmp or /var/tmp, which are among these folders.
        base = self.useFixture(fixtures.TempDir(rootdir='/var/lib')).path
        done = subprocess.run(
            ['unshare', '--mount', '--pid', '--fork', sys.executable, '-c',
             BUILD, str(TOP), base, *places], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return dict(json.loads(done.stdout))

    def test_a_checkout_in_any_place(self) -> None:
        told = self.build(*PLACES)
        for place in PLACES:
            self.assertEqual(f'host {place}',
                             told['seen'][f'{place}/a b/x'])
        self.assertEqual([], told['writable'])
        self.assertEqual(dict.fromkeys(PLACES, True), told['own'])

    def test_a_lab_in_its_checkout_is_not_shown_twice(self) -> None:
        self.assertFalse(self.build()['again'])

    def test_nothing_of_the_host_is_left(self) -> None:
        told = self.build()
        self.assertLessEqual(
            {'null', 'urandom', 'pts', 'shm', 'mqueue', 'fd', 'ptmx'},
            set(told['devices']))
        self.assertNotIn('boot', told['root'])
        self.assertEqual(['sudo'], told['tools'])
        self.assertEqual([], [place for place in told['mounted']
                              if place.startswith('/run/')])
