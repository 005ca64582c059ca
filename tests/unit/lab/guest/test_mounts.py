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

"""The order of a guest's mounts, for checkouts in different folders."""

from pathlib import PurePosixPath

import testtools

from lab.guest import mounts

DISK = '/var/lib/lab/guests/1/disk'
PLACES = (
    '/tmp/x', '/var/tmp/x', '/run/x', '/run/user/0/x', '/dev/shm/x',
    '/dev/x', '/home/u/x', '/root/x', '/opt/x', '/mnt/x', '/srv/a b/x',
    '/data/x', '/lab', '/etc/x', '/var/lib/x', '/home', '/srv', '/mnt')
OWN = ('/etc', '/var', '/root', '/opt', '/run', '/tmp', '/dev', '/dev/pts',
       '/dev/shm', '/dev/mqueue', '/usr')


def seen(plan: list[mounts.Mount], place: str) -> mounts.Mount:
    """The mount at a path when all mounts are done."""
    return [mount for mount in plan
            if PurePosixPath(place).is_relative_to(mount.target)][-1]


class PlanTest(testtools.TestCase):

    def test_what_is_shown_is_seen_and_nothing_of_the_guest_is_lost(
            self) -> None:
        for place in PLACES:
            plan = mounts.plan(DISK, [place])
            self.assertEqual(
                mounts.Mount(place, place, read_only=True),
                seen(plan, f'{place}/lab'), place)
            for own in OWN:
                self.assertEqual(own, seen(plan, own).target, place)

    def test_no_mount_comes_before_the_one_that_it_lies_in(self) -> None:
        plan = mounts.plan(DISK, [*PLACES, '/tmp/x/home/venv'])
        for number, mount in enumerate(plan):
            for later in plan[number + 1:]:
                self.assertFalse(
                    PurePosixPath(mount.target).is_relative_to(later.target),
                    f'{later.target} hides {mount.target}')

    def test_a_folder_is_mounted_once(self) -> None:
        plan = mounts.plan(DISK, ['/srv/x', '/srv', '/srv', '/usr/src/x'],
                           ['/usr', '/lib32'])
        self.assertEqual(
            ['/lib32', '/srv', '/usr'],
            sorted(mount.target for mount in plan if mount.read_only))
        self.assertEqual(len({mount.target for mount in plan}), len(plan))

    def test_a_name_that_begins_alike_is_another_folder(self) -> None:
        plan = mounts.plan(DISK, ['/srv/x', '/srv/x2'])
        self.assertEqual('/srv/x2', seen(plan, '/srv/x2/lab').target)

    def test_what_is_not_shown_is_on_the_disk_of_the_guest(self) -> None:
        plan = mounts.plan(DISK, ['/opt/x'])
        for place in ('/opt', '/opt/trove-guestagent', '/etc', '/home'):
            self.assertEqual(f'{DISK}/{place.split("/")[1]}',
                             seen(plan, place).source)


class ConflictTest(testtools.TestCase):

    def test_every_place_can_be_shown(self) -> None:
        for place in (*PLACES, '/usr', '/usr/local/x', '/var/lib/mysqlx'):
            self.assertIsNone(mounts.conflict(place), place)

    def test_what_a_guest_has_itself(self) -> None:
        for place in ('/', '/etc', '/var', '/var/lib', '/root', '/opt',
                      '/run', '/tmp', '/dev', '/dev/shm', '/proc', '/sys',
                      mounts.TOOLS):
            own = mounts.conflict(place)
            assert own is not None, place
            self.assertTrue(PurePosixPath(own).is_relative_to(place), place)

    def test_what_is_mounted_over_later(self) -> None:
        for place in ('/var/lib/mysql/x', '/var/lib/docker/volumes/x/_data',
                      '/proc/x', f'{mounts.TOOLS}/x'):
            own = mounts.conflict(place)
            assert own is not None, place
            self.assertTrue(PurePosixPath(place).is_relative_to(own), place)
