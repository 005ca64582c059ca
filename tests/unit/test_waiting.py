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

"""Deadlines and polling."""

import threading

import testtools

from tests.unit import clock
from trove_pxc import exceptions
from trove_pxc import waiting


class UntilTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.calls = 0

    def after(self, calls: int) -> str:
        self.calls += 1
        if self.calls <= calls:
            raise waiting.NotYet(f'look {self.calls}')
        return 'there'

    def test_what_the_probe_returns_is_returned(self) -> None:
        self.assertEqual('there', waiting.until(
            'it', lambda: self.after(0), 5, 1))
        self.assertEqual([], self.clock.pauses)

    def test_it_asks_at_the_interval(self) -> None:
        waiting.until('it', lambda: self.after(3), 5, 0.5)
        self.assertEqual([0.5, 0.5, 0.5], self.clock.pauses)

    def test_time_out_tells_what_was_seen_last(self) -> None:
        error = self.assertRaises(
            exceptions.DeadlineExceeded, waiting.until, 'the 100% thing',
            lambda: self.after(99), 2, 1)
        self.assertEqual('timed out after 2 s waiting for the 100% thing '
                         '(last observed: look 3)', str(error))
        self.assertEqual((2, 'look 3'), (error.seconds, error.last_seen))

    def test_it_asks_once_more_at_the_very_end(self) -> None:
        waiting.until('it', lambda: self.after(2), 1.5, 1)
        self.assertEqual([1, 0.5], self.clock.pauses)

    def test_even_without_time_it_asks_once(self) -> None:
        self.assertEqual('there', waiting.until(
            'it', lambda: self.after(0), 0, 1))

    def test_another_error_ends_the_wait(self) -> None:
        def broken() -> None:
            raise KeyError('broken')
        self.assertRaises(KeyError, waiting.until, 'it', broken, 5, 1)
        self.assertEqual([], self.clock.pauses)

    def test_progress_pushes_the_deadline_back(self) -> None:
        arrived = iter([1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7])
        deadline = waiting.Deadline(2, lambda: next(arrived))
        self.assertRaises(
            exceptions.DeadlineExceeded, waiting.until, 'it',
            lambda: self.after(99), deadline, 1)
        self.assertEqual(8, self.clock.now)

    def test_a_stopwatch_measures(self) -> None:
        watch = waiting.Stopwatch()
        waiting.pause(3)
        self.assertEqual(3, watch.elapsed)


class RegularlyTest(testtools.TestCase):

    def test_it_calls_again_and_again_until_it_is_left(self) -> None:
        calls: list[int] = []
        third = threading.Event()

        def call() -> None:
            calls.append(1)
            if len(calls) == 3:
                third.set()
        with waiting.Regularly(0.01, call):
            self.assertTrue(third.wait(60))
        before = len(calls)
        waiting.pause(0.05)
        self.assertEqual(before, len(calls))

    def test_it_is_left_at_once_however_long_it_would_wait(self) -> None:
        watch = waiting.Stopwatch()
        with waiting.Regularly(600, lambda: None):
            pass
        self.assertLess(watch.elapsed, 60)
