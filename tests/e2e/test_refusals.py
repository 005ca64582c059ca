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

"""An invalid request gets one clear error and leaves nothing behind."""

import uuid

from lab.services import trove
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import leftovers

NAME = 'refused'


class TestRefusals(case.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = leftovers.snapshot(laboratory.home())

    def check(self, *words, members=None, version=laboratory.VERSION):
        """The request is refused in one line that contains all the words."""
        refused = self.assertRaises(
            laboratory.Refused, laboratory.create_cluster, NAME, members,
            version)
        lines = [line for line in str(refused).splitlines() if line]
        self.assertEqual(1, len(lines), lines)
        for word in words:
            self.assertIn(word.lower(), lines[0].lower())
        self.assertNotIn('Traceback', lines[0])
        leftovers.wait_unchanged(laboratory.home(), self.before, timeout=5)

    def test_two_members_are_refused(self):
        self.check('at least 3', members=[laboratory.member_option()] * 2)

    def test_different_volumes_are_refused(self):
        self.check('volume', 'same', members=[
            laboratory.member_option(volume=size) for size in (1, 1, 2)])

    def test_unknown_flavor_is_refused(self):
        self.check('flavor', '4711', members=[
            laboratory.member_option(flavor='4711')] * 3)

    def test_no_volume_is_refused(self):
        self.check('volume', members=[
            laboratory.member_option(volume=None)] * 3)

    def test_more_than_the_quota_is_refused(self):
        self.check('quota', members=[
            laboratory.member_option(volume=10)] * 11)

    def test_image_that_does_not_exist_is_refused(self):
        image = str(uuid.uuid4())
        self.register('10.11.no-image', image)
        self.check('image', image, version='10.11.no-image')

    def register(self, version, image):
        """A datastore version as an operator could register it by mistake."""
        home = laboratory.home()
        command = [
            *trove.command(home, 'trove-pxc-manage'), 'datastore', 'add',
            '--manager', 'mariadb', '--datastore', laboratory.DATASTORE,
            '--version', version, '--image', image]
        trove.run(home, command)
        self.addCleanup(trove.run, home, [*command, '--inactive'])
