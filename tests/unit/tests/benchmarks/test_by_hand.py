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

"""The guests of the run by hand are removed, and no others."""

from collections.abc import Iterator
import contextlib
from types import SimpleNamespace
from typing import Any

import fixtures
import mock
import testtools

from lab.cloud import clients
from lab.guest import control
from lab import home as lab_home
from lab import netns
from lab import report as lab_report
from tests.benchmarks import by_hand


class Things:
    """Servers or volumes of a cloud, which exist at once."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)

    def list(self) -> list[Any]:
        return [SimpleNamespace(id=name, name=name, status='available')
                for name in self.names]

    def get(self, name: str) -> Any:
        return SimpleNamespace(id=name, name=name, status='available')

    def create(self, *words: Any, name: str = '', **others: Any) -> Any:
        self.names.append(name or words[0])
        return self.get(name or words[0])

    def delete(self, name: str) -> None:
        self.names.remove(name)


class HandTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.servers = Things('products-1')
        self.volumes = Things('products-1')
        for where, name, instead in (
                (clients, 'nova', self.cloud), (clients, 'cinder', self.cloud),
                (netns, 'entered', self.entered)):
            patcher = mock.patch.object(
                where, name, autospec=True, side_effect=instead)
            patcher.start()
            self.addCleanup(patcher.stop)
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.hand = by_hand.Hand(self.home, 'image')
        self.report = lab_report.Report(quiet=True)

    def cloud(self, context: Any, *others: Any) -> Any:
        return SimpleNamespace(servers=self.servers, volumes=self.volumes)

    @contextlib.contextmanager
    def entered(self, target: Any) -> Iterator[None]:
        yield

    def check_clear(self) -> None:
        self.assertEqual((['products-1'], ['products-1']),
                         (self.servers.names, self.volumes.names))

    def test_guests_are_removed_with_the_block(self) -> None:
        with self.hand.guests(3, self.report) as guests:
            self.assertEqual(['byhand-1', 'byhand-2', 'byhand-3'],
                             [guest.name for guest in guests])
            self.assertEqual(4, len(self.servers.names))
            self.assertEqual(4, len(self.volumes.names))
        self.check_clear()

    def test_guests_are_removed_after_an_interruption(self) -> None:
        made = []

        def interrupted(*words: Any, **others: Any) -> Any:
            made.append(words)
            if len(made) == 2:
                raise KeyboardInterrupt
            return Things.create(self.servers, *words, **others)

        self.servers.create = interrupted  # type: ignore[method-assign]
        self.assertRaises(
            KeyboardInterrupt, self.hand.guests(3, self.report).__enter__)
        self.assertEqual(2, len(made))
        self.check_clear()

    def test_guests_of_a_killed_run_are_removed(self) -> None:
        self.servers.names.append('byhand-2')
        self.volumes.names += ['byhand-1', 'byhand-2']
        for there in (['products-1'], ['products-1', 'byhand-2']):
            self.assertIn('byhand-2', self.servers.names)
            with mock.patch.object(
                    control, 'guests', autospec=True,
                    return_value=[SimpleNamespace(name=name)
                                  for name in there]):
                by_hand.clear_left(self.home, self.report)
        self.check_clear()


class ClockTest(testtools.TestCase):

    def test_phases_follow_each_other(self) -> None:
        report = mock.create_autospec(lab_report.Report, instance=True)
        clock = by_hand.Clock(report)
        clock.mark('guest boot')
        clock.mark('bootstrap of byhand-1')
        self.assertEqual(
            ['guest boot', 'bootstrap of byhand-1'],
            [phase['name'] for phase in clock.phases])
        self.assertAlmostEqual(
            sum(phase['seconds'] for phase in clock.phases), clock.seconds)
        said = [call.args[0] for call in report.say.mock_calls]
        self.assertEqual(2, len(said))
        self.assertIn('guest boot took 0.0 s', said[0])
