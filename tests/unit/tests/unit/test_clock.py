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

"""The clock of the unit tests."""

import testtools

from tests.unit import clock
from trove_pxc import waiting


class ClockTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.happened: list[tuple[str, float]] = []

    def note(self, what: str) -> None:
        self.happened.append((what, self.clock.now))

    def test_a_pause_takes_no_time(self) -> None:
        watch = waiting.Stopwatch()
        waiting.pause(3600)
        self.assertEqual(3600, watch.elapsed)
        self.assertEqual([3600], self.clock.pauses)

    def test_a_deadline_expires_at_its_second(self) -> None:
        deadline = waiting.Deadline(5)
        self.clock.advance(4.9)
        self.assertFalse(deadline.expired())
        self.clock.advance(0.1)
        self.assertTrue(deadline.expired())
        self.assertEqual([], self.clock.pauses)

    def test_events_happen_in_their_order(self) -> None:
        self.clock.after(2, lambda: self.note('second'))
        self.clock.after(1, lambda: self.note('first'))
        self.clock.after(2, lambda: self.note('third'))
        self.clock.after(4, lambda: self.note('too late'))
        waiting.pause(3)
        self.assertEqual([('first', 1), ('second', 2), ('third', 2)],
                         self.happened)
        self.assertEqual(3, self.clock.now)

    def test_one_event_may_cause_another(self) -> None:
        self.clock.after(1, lambda: self.clock.after(
            1, lambda: self.note('late')))
        self.clock.advance(2)
        self.assertEqual([('late', 2)], self.happened)

    def test_a_wait_sees_events_that_happen_meanwhile(self) -> None:
        self.clock.after(2, lambda: self.note('there'))

        def probe() -> str:
            if not self.happened:
                raise waiting.NotYet('nothing')
            return self.happened[0][0]
        self.assertEqual('there', waiting.until('it', probe, 60, 1.5))
        self.assertEqual(3, self.clock.now)

    def test_a_wait_that_never_ends_fails_the_test(self) -> None:
        def probe() -> None:
            self.clock.after(0, lambda: self.note('progress'))
            raise waiting.NotYet('nothing')
        self.assertRaises(
            AssertionError, waiting.until, 'it', probe,
            waiting.Deadline(600, lambda: len(self.happened)), 60)

    def test_regular_calls_are_made_until_the_block_is_left(self) -> None:
        with waiting.Regularly(2, lambda: self.note('called')):
            self.clock.advance(5)
        self.clock.advance(5)
        self.assertEqual([('called', 2), ('called', 4)], self.happened)

    def test_the_clock_does_not_run_backwards(self) -> None:
        self.assertRaises(ValueError, self.clock.advance, -1)

    def test_the_real_time_is_back_afterwards(self) -> None:
        with clock.Clock() as other:
            self.assertIs(waiting.time, other)
        self.assertIs(waiting.time, self.clock)
