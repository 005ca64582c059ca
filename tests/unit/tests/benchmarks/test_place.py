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

"""Where a benchmark can run, and the command to type where it cannot."""

import dataclasses
import os
import sys
from typing import Any

import fixtures
import mock
import testtools

from lab import api
from lab.guest import control
from lab import home as lab_home
from lab import preflight
from lab.services import all as all_services
from lab import venv
from tests.benchmarks import place
from tests.benchmarks import program

GOOD = place.Place(
    root='/lab', down=(), plain=False, clusters=(('products', 'NONE'),),
    guests=('products-1', 'products-2', 'products-3'),
    memory=8 << 30, disk=20 << 30)
MEMINFO = ('MemTotal:       100 kB\nMemAvailable:   60 kB\n'
           'SwapFree:       5 kB\nHugePages_Total: 0\n')


class RefusalTest(testtools.TestCase):

    def refusal(self, room: int = 0, **changes: Any) -> str:
        return dataclasses.replace(GOOD, **changes).refusal(
            ['bringup3', 'bringup5'], 5, room)

    def check(self, words: str, typed: str, **changes: Any) -> None:
        """One line, with the reason and the command."""
        told = self.refusal(**changes)
        self.assertIn(words, told)
        self.assertIn(typed, told)
        self.assertNotIn('\n', told)

    def test_lab_with_other_clusters_is_accepted(self) -> None:
        self.assertEqual('', self.refusal())

    def test_services_that_are_down_are_reported(self) -> None:
        self.check('api, taskmanager', './lab/lab up',
                   down=('api', 'taskmanager'))

    def test_plain_lab_is_refused(self) -> None:
        self.check('without this project', './lab/lab up', plain=True)

    def test_cluster_of_an_earlier_run_is_reported(self) -> None:
        self.check(
            'a cluster bringup5',
            './lab/lab openstack database cluster delete bringup5',
            clusters=(('products', 'NONE'), ('bringup5', 'NONE')))

    def test_cluster_with_a_task_is_reported(self) -> None:
        self.check('products of this lab has the task BUILDING',
                   './lab/lab openstack database cluster wait products',
                   clusters=(('products', 'BUILDING'),))

    def test_too_little_memory_is_reported(self) -> None:
        self.check('2000 MiB', 'use fewer', memory=(2000 << 20) - 1)
        self.assertEqual('', self.refusal(memory=2000 << 20))

    def test_too_little_disk_is_reported(self) -> None:
        self.check('/lab has 5 MiB free and 6 are needed', 'free space',
                   disk=5 << 20, room=6 << 20)

    def test_others_are_listed(self) -> None:
        self.assertEqual('3 other guests; clusters: products', GOOD.others)
        self.assertEqual(
            '0 other guests; clusters: none',
            dataclasses.replace(GOOD, guests=(), clusters=()).others)

    def test_free_memory_is_read(self) -> None:
        self.assertEqual(65 << 10, preflight.free_memory(MEMINFO))


class SeenTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.states = self.patch(all_services, 'states')
        self.states.return_value = {'api': 'up', 'cloud': 'up'}
        self.clusters = self.patch(api, 'clusters')
        self.clusters.return_value = [
            {'name': 'products', 'task': {'name': 'NONE'}}]
        guest = mock.create_autospec(control.GuestInfo, instance=True)
        guest.name = 'products-1'
        self.patch(control, 'guests').return_value = [guest]

    def patch(self, *where: Any) -> Any:
        patcher = mock.patch.object(*where, autospec=True)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def test_lab_that_is_up_is_read(self) -> None:
        seen = place.check(self.home, ['bringup3'], 0)
        self.assertEqual(
            (str(self.home.root), (), (('products', 'NONE'),),
             ('products-1',)),
            (seen.root, seen.down, seen.clusters, seen.guests))
        self.assertGreater(seen.memory, 0)
        self.assertGreater(seen.disk, 0)

    def test_trove_is_not_asked_while_something_is_down(self) -> None:
        self.states.return_value = {'api': 'down', 'cloud': 'up'}
        refused = self.assertRaises(
            program.Refused, place.check, self.home, [], 0)
        self.assertIn(' run: api;', str(refused))
        self.clusters.assert_not_called()

    def test_second_benchmark_is_refused(self) -> None:
        def again() -> None:
            with place.alone(self.home):
                self.fail('a second one has begun')

        with place.alone(self.home):
            refused = self.assertRaises(program.Refused, again)
        self.assertIn('another benchmark', str(refused))
        with place.alone(self.home):
            self.assertTrue((self.home.root / place.LOCK).exists())


class EnterTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        for name in ('geteuid', 'execv'):
            patcher = mock.patch.object(os, name, autospec=True)
            setattr(self, name, patcher.start())
            self.addCleanup(patcher.stop)
        self.geteuid.return_value = 0

    def lab(self) -> None:
        self.home.set(api_port=1)
        python = venv.python(self.home)
        python.parent.mkdir(parents=True)
        python.touch()
        (self.home.venv / venv.STAMP).write_text('of this')

    def refused(self) -> str:
        return str(self.assertRaises(
            program.Refused, place.enter, self.home))

    def test_other_user_is_refused(self) -> None:
        self.geteuid.return_value = 1000
        self.assertIn('type: sudo ', self.refused())

    def test_missing_lab_is_refused(self) -> None:
        told = self.refused()
        self.assertIn(f'there is no lab in {self.home.root}', told)
        self.assertIn('./lab/lab up', told)

    def test_lab_that_was_never_built_is_refused(self) -> None:
        self.home.set(api_port=1)
        self.assertIn('there is no lab', self.refused())

    def test_program_continues_in_the_labs_python(self) -> None:
        self.lab()
        place.enter(self.home)
        python = str(venv.python(self.home))
        self.execv.assert_called_once_with(python, [python, *sys.argv])

    def test_labs_python_is_not_started_again(self) -> None:
        self.lab()
        self.useFixture(fixtures.MonkeyPatch(
            'sys.prefix', str(self.home.venv)))
        place.enter(self.home)
        self.execv.assert_not_called()
