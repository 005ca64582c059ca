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

"""The clock of the functional tests."""

import datetime
import socket
import subprocess
import sys
import threading
import time

import eventlet
import testtools

from tests.functional import clock
from trove_pxc import exceptions
from trove_pxc import waiting

DAY = 24 * 3600
DIALOGUE = 'print(input())'
# It closes its outputs before it ends.
SLOW_END = 'exec >&- 2>&-; sleep 0.2'


def never() -> None:
    raise waiting.NotYet('nothing')


class ClockTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(clock.TimeOfDay())

    def test_a_day_passes_at_once_on_every_clock(self) -> None:
        began, today = time.monotonic(), datetime.datetime.now()
        self.assertRaises(exceptions.DeadlineExceeded,
                          waiting.until, 'never', never, DAY, 60)
        self.assertEqual(DAY, round(time.monotonic() - began))
        passed = datetime.datetime.now() - today
        self.assertEqual(DAY, round(passed.total_seconds()))

    def test_computation_takes_no_time(self) -> None:
        began, today = time.monotonic(), time.time()
        self.assertEqual(499999500000, sum(range(1000000)))
        self.assertEqual((began, today), (time.monotonic(), time.time()))

    def test_events_keep_their_order(self) -> None:
        happened = []

        def happen(at: float, what: str) -> None:
            waiting.pause(at)
            happened.append(what)
        threads = [threading.Thread(target=happen, args=one) for one in (
            (3600, 'last'), (0.1, 'first'), (60, 'second'))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(['first', 'second', 'last'], happened)

    def test_timers_for_one_time_run_in_the_order_of_setting(self) -> None:
        happened: list[int] = []
        for number in range(50):
            eventlet.spawn_after(60, happened.append, number)
        waiting.pause(60)
        self.assertEqual(list(range(50)), happened)

    def test_wait_for_an_event_expires_or_gets_it(self) -> None:
        event = threading.Event()
        began = time.monotonic()
        self.assertFalse(event.wait(DAY))
        self.assertEqual(DAY, round(time.monotonic() - began))
        threading.Timer(60, event.set).start()
        self.assertTrue(event.wait(DAY))
        self.assertEqual(DAY + 60, round(time.monotonic() - began))

    def test_time_is_not_skipped_while_a_program_is_waited_for(self) -> None:
        program = subprocess.Popen(
            [sys.executable, '-c', DIALOGUE], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(program.wait)
        expired = []
        eventlet.spawn_after(DAY, expired.append, 'a day')
        answer, _ = program.communicate('well\n', timeout=DAY)
        self.assertEqual(('well\n', []), (answer, expired))

    def test_end_of_a_program_is_noticed_in_time(self) -> None:
        began = time.monotonic()
        subprocess.run(['sh', '-c', SLOW_END], capture_output=True)
        self.assertLess(time.monotonic() - began, 60)

    def test_socket_that_a_test_leaves_is_reported_to_the_next(self) -> None:
        one, other = socket.socketpair()
        self.addCleanup(other.close)
        with one:
            eventlet.spawn(other.recv, 1)
            waiting.pause(0)
            error = self.assertRaises(
                RuntimeError, clock.refuse_what_was_left)
        self.assertIn('has left', str(error))
        clock.refuse_what_was_left()
