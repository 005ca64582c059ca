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

"""The duration of a create, and of its phases, as observed from outside."""

import os
import pathlib
from typing import Any

import fixtures
import mock
import testtools

from lab import api
from lab import errors
from lab.guest import boot
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import by_trove

LINE = ('2026-11-30 08:25:40.250 4711 INFO '
        'trove_pxc.taskmanager.engine.workflow [-] create of cluster '
        '{cluster}: {step} took {seconds} s\n')


def line(step: str, seconds: float = 2.5, cluster: str = 'c1') -> str:
    return LINE.format(cluster=cluster, step=step, seconds=seconds)


class StepTest(testtools.TestCase):

    def test_step_of_this_cluster_is_parsed(self) -> None:
        step = by_trove.Step.parse(line('join of a-2'), 'c1')
        assert step is not None
        self.assertEqual(('join', 'a-2'), (step.name, step.member))
        self.assertAlmostEqual(2.5, step.ended - step.began)

    def test_step_of_another_cluster_is_ignored(self) -> None:
        self.assertIsNone(by_trove.Step.parse(line('join of a-2'), 'c2'))
        self.assertIsNone(by_trove.Step.parse('something else', 'c1'))


class StepLogTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path) / 'taskmanager.log'

    def write(self, text: str) -> None:
        with self.path.open('a') as log:
            log.write(text)

    def names(self, steps: list[by_trove.Step]) -> list[str]:
        return [f'{step.name} of {step.member}' for step in steps]

    def test_news_has_each_step_once_and_all_has_all(self) -> None:
        self.write(line('prepare of old-1'))
        log = by_trove.StepLog(self.path)
        self.assertEqual([], log.news('c1'))
        self.write(line('prepare of a-1'))
        self.write(line('prepare of b-1', cluster='c2'))
        self.assertEqual(['prepare of a-1'], self.names(log.news('c1')))
        self.assertEqual([], log.news('c1'))
        self.write(line('join of a-2'))
        self.assertEqual(['join of a-2'], self.names(log.news('c1')))
        self.assertEqual(['prepare of a-1', 'join of a-2'],
                         self.names(log.steps))

    def test_incomplete_line_is_read_when_it_is_complete(self) -> None:
        log = by_trove.StepLog(self.path)
        self.assertEqual([], log.news('c1'))
        whole = line('join of a-2')
        self.write(whole[:60])
        self.assertEqual([], log.news('c1'))
        self.write(whole[60:])
        self.assertEqual(['join of a-2'], self.names(log.news('c1')))


class GuestWatchTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.home.guests.mkdir()
        pid = mock.patch.object(boot, 'init_pid', autospec=True,
                                return_value=None)
        self.init_pid = pid.start()
        self.addCleanup(pid.stop)

    def add(self, server_id: str, name: str) -> None:
        folder = guest_spec.GuestFolder(self.home, server_id)
        folder.path.mkdir()
        folder.save(guest_spec.GuestSpec(
            server_id=server_id, instance_id=server_id, name=name, number=1,
            addresses=[guest_spec.Address('10.0.0.1', 16, '10.0.0.254')],
            mac='', mtu=1500,
            image='an image', memory_mb=1, vcpus=1))

    def test_other_guests_of_the_lab_do_not_count(self) -> None:
        self.add('s1', 'bringup3-9')
        watch = by_trove.GuestWatch(self.home, 'bringup3-',
                                    lab_report.Report(quiet=True))
        self.add('s2', 'products-4')
        self.add('s3', 'bringup3-1')
        looks = len(self.init_pid.mock_calls)
        watch.start()
        try:
            # The second poll ends after all of the first.
            waiting.until('two looks at the guests', lambda: len(
                self.init_pid.mock_calls) >= looks + 2, 30, 0.01)
        finally:
            watch.stop()
        self.assertEqual(['s3'], list(watch.there))
        self.assertEqual({}, watch.booted)

    def test_boot_of_a_guest_is_recorded(self) -> None:
        socket = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path) / 'docker.sock'
        socket.touch()
        self.useFixture(fixtures.MonkeyPatch(
            'lab.guest.init.DOCKER_SOCKET', str(socket)))
        self.init_pid.return_value = os.getpid()
        watch = by_trove.GuestWatch(self.home, 'bringup3-',
                                    lab_report.Report(quiet=True))
        self.add('s3', 'bringup3-1')
        watch.start()
        try:
            waiting.until('the boot', lambda: watch.booted, 30, 0.01)
        finally:
            watch.stop()
        self.assertEqual((['s3'], 'an image'),
                         (list(watch.booted), watch.image))


class BringUpTest(testtools.TestCase):
    """A cluster that fails is removed, and its reason reported."""

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.home.guests.mkdir()
        self.calls: list[str] = []
        for where, name, instead in (
                (by_trove.web, 'ask', self.ask),
                (api, 'cluster', self.cluster),
                (api, 'clusters', lambda home: [
                    {'id': 'c1', 'name': 'bringup3'}]),
                (api, 'instance', lambda home, instance_id: {
                    'fault': {'message': 'no space is left'}}),
                (by_trove.removal, 'remove', self.remove)):
            patcher = mock.patch.object(
                where, name, autospec=True, side_effect=instead)
            patcher.start()
            self.addCleanup(patcher.stop)

    def ask(self, wanted: Any, patience: float = 0) -> Any:
        self.calls.append(wanted.method)
        return by_trove.web.Answer(200, {}, '{"cluster": {"id": "c1"}}')

    def cluster(self, home: lab_home.Home, cluster_id: str) -> Any:
        return {'task': {'name': 'NONE'}, 'instances': [
            {'id': 'i1', 'name': 'bringup3-1', 'status': 'ERROR'}]}

    def remove(self, home: lab_home.Home, cluster_id: str) -> None:
        self.calls.append(f'removed {cluster_id}')

    def test_cluster_that_fails_is_removed(self) -> None:
        error = self.assertRaises(
            errors.LabError, by_trove.bring_up, self.home, 3,
            lab_report.Report(quiet=True))
        self.assertIn('bringup3-1 is in ERROR: no space is left', str(error))
        self.assertEqual(['POST', 'removed c1'], self.calls)
