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

"""How busy the machine was, according to the counters of its kernel."""

import mock
import testtools

from lab import waiting
from tests.benchmarks import machine

#: user nice system idle iowait irq softirq steal guest guest_nice
STAT = 'cpu  100 10 50 800 40 5 5 90 30 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n'


class TicksTest(testtools.TestCase):

    def test_guests_are_part_of_user(self) -> None:
        self.assertEqual(machine.Ticks(total=1100, idle=840, stolen=90),
                         machine.Ticks.parse(STAT))

    def test_counters_of_this_kernel_are_parsed(self) -> None:
        ticks = machine.Ticks.parse(machine.STAT.read_text())
        self.assertGreater(ticks.total, ticks.idle + ticks.stolen)
        self.assertGreater(ticks.idle, 0)


class ShareTest(testtools.TestCase):

    def test_shares_are_those_of_the_time_between(self) -> None:
        self.assertEqual(
            machine.Share(busy=40.0, stolen=10.0),
            machine.Share.between(machine.Ticks(1000, 500, 100),
                                  machine.Ticks(2000, 1000, 200)))

    def test_no_time_between_has_no_shares(self) -> None:
        self.assertEqual(
            machine.Share(0.0, 0.0),
            machine.Share.between(machine.Ticks(5, 5, 0),
                                  machine.Ticks(5, 5, 0)))


class WatchTest(testtools.TestCase):

    def watch(self, busy: float = 3.0, stolen: float = 0.0,
              load: float = 0.4, others: str = '') -> machine.Watch:
        return machine.Watch(
            machine.Share(busy, stolen),
            machine.Look((load, 1.0, 1.0), machine.Ticks(1000, 500, 0)),
            others, cores=2)

    def end(self, stolen: int = 0) -> machine.Look:
        return machine.Look((3.25, 2.0, 1.0),
                            machine.Ticks(2000, 700, stolen))

    def test_it_measures_before_the_run(self) -> None:
        with mock.patch.object(waiting, 'pause', autospec=True) as pause:
            watch = machine.Watch.started('two')
        pause.assert_called_once_with(machine.LOOK_SECONDS)
        self.assertEqual('two', watch.others)
        self.assertGreaterEqual(watch.cores, 1)

    def test_quiet_machine_is_not_busy(self) -> None:
        self.assertFalse(self.watch().was_busy())

    def test_each_reason_for_a_busy_machine(self) -> None:
        self.assertTrue(self.watch(busy=machine.BUSY + 1).was_busy())
        self.assertTrue(self.watch(stolen=machine.STOLEN + 1).was_busy())
        self.assertTrue(self.watch(load=2.1).was_busy())

    def test_lines(self) -> None:
        text = '\n'.join(self.watch(others='3 other guests').lines(
            self.end()))
        for words in ('machine: 2 cores', 'load average 0.40',
                      '3.0 % busy', 'load average 3.25', '80.0 % busy',
                      'in the same lab: 3 other guests'):
            self.assertIn(words, text)
        self.assertNotIn('had other work', text)

    def test_busy_machine_has_a_warning(self) -> None:
        self.assertIn('had other work',
                      self.watch(busy=90.0).lines(self.end())[-1])

    def test_stolen_time_during_the_run_has_a_warning(self) -> None:
        self.assertIn('had other work',
                      self.watch().lines(self.end(stolen=300))[-1])

    def test_record(self) -> None:
        record = self.watch(others='none').record(self.end(stolen=100))
        self.assertEqual((2, 'none', False), (
            record['cores'], record['others'], record['was_busy']))
        self.assertEqual({'load': (0.4, 1.0, 1.0), 'busy': 3.0,
                          'stolen': 0.0}, record['before'])
        self.assertEqual({'busy': 70.0, 'stolen': 10.0}, record['during'])
        self.assertEqual({'load': (3.25, 2.0, 1.0)}, record['after'])
