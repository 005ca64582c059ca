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

import testtools

from lab.guest import cgroups

VERSION_1 = '''\
30 20 0:25 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
32 30 0:27 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
34 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
'''
VERSION_2 = '''\
20 1 254:0 / / rw,relatime - ext4 /dev/vda1 rw
30 20 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate
40 20 0:25 / /var/lib/x/sys/fs/cgroup rw - cgroup2 cgroup2 rw
'''


class HierarchiesTest(testtools.TestCase):

    def test_version_1_leaves_out_the_empty_version_2(self) -> None:
        found = cgroups.hierarchies(VERSION_1)
        self.assertEqual({'cgroup'}, {tree.kind for tree in found})
        self.assertEqual(
            ['cpu,cpuacct', 'pids', 'xattr,name=systemd'],
            [tree.options for tree in found])

    def test_version_2_is_one_tree(self) -> None:
        found = cgroups.hierarchies(VERSION_2)
        self.assertEqual([('/sys/fs/cgroup', 'cgroup2')],
                         [(tree.path, tree.kind) for tree in found])
