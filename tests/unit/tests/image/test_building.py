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


import shlex

import testtools

from tests.image import building

PROGRAMS = {'apt-get', 'builder/bin/pip', 'disk-image-create', 'export',
            'pip', 'python3', 'tar', 'touch'}


class DocumentedTest(testtools.TestCase):

    def commands(self, section: str) -> list[list[str]]:
        text = building.documented(section).replace('\\\n', ' ')
        return [shlex.split(line) for line in text.splitlines() if line]

    def test_only_commands_are_extracted(self) -> None:
        for section in (building.PREPARATION, building.DISTRIBUTION):
            programs = {words[0] for words in self.commands(section)}
            self.assertEqual(set(), programs - PROGRAMS, section)

    def test_last_command_builds_the_image_of_the_test(self) -> None:
        last = self.commands(building.DISTRIBUTION)[-1]
        self.assertEqual('disk-image-create', last[0])
        self.assertEqual(building.IMAGE, last[last.index('-o') + 1])

    def test_distributions_differ_only_in_their_own_elements(self) -> None:
        debian, ubuntu = (
            self.commands(section)[-1] for section in ('Debian', 'Ubuntu'))
        self.assertEqual(
            {'debian-minimal', 'trove-pxc-debian'}, set(debian) - set(ubuntu))
        self.assertEqual(
            {'pip-cache', 'ubuntu-docker', 'ubuntu-minimal'},
            set(ubuntu) - set(debian))

    def test_preparation_of_the_building_host_comes_first(self) -> None:
        self.assertEqual('apt-get', self.commands(building.PREPARATION)[0][0])
