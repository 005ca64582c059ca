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
"""The program removes only folders that it has created."""

import fixtures
import testtools

from lab import report
from tests.benchmarks import program
from tests.benchmarks.scaling import durations
from tests.benchmarks.scaling import place
from tests.benchmarks.scaling import services


class ServicesTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = place.Home(self.useFixture(fixtures.TempDir()).path)


class CheckHomeTest(ServicesTest):

    def test_empty_and_missing_folders_can_be_used(self) -> None:
        services.check_home(self.home)
        services.check_home(place.Home(self.home.root / 'missing'))

    def test_folder_of_another_is_refused(self) -> None:
        (self.home.root / 'thesis.tex').touch()
        self.assertRaises(program.Refused, services.check_home, self.home)

    def test_folder_of_a_killed_run_can_be_used(self) -> None:
        self.home.set(**{services.MINE: True})
        services.check_home(self.home)


class SiteTest(ServicesTest):

    def test_each_taskmanager_has_its_own_queue(self) -> None:
        site = services.Site(self.home, report.Report(quiet=True), 3)
        self.assertEqual(
            ['api', 'conductor', 'taskmanager-1', 'taskmanager-2',
             'taskmanager-3'], site.names)
        for name, one in zip(site.names[2:], site.taskmanagers, strict=True):
            number = site.names.index(name)
            self.assertEqual(f'taskmanager.{place.address(number)}',
                             one.queue)
            self.assertIn(str(self.home.etc / f'{name}.conf'), one.argv())

    def test_world_gets_the_times_of_its_guests(self) -> None:
        words = services.world_arguments(
            7.0, durations.Durations(prepare=3.0))
        self.assertEqual(['--boot', '7.0'], words[:2])
        self.assertIn('"prepare": 3.0', words[-1])
