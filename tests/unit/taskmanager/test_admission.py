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
"""Which requests run, which wait, and what is recorded of them."""

from collections.abc import Callable
import functools
import threading
from typing import Any

import fixtures
import mock
from oslo_db import exception as db_exceptions
from sqlalchemy import exc as sqlalchemy
import testtools
from trove.common import cfg
from trove.common import exception

from tests.unit import tables
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc import masking
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc.taskmanager import admission

CONF = cfg.CONF
LONG, SHORT = admission.LONG, admission.SHORT
SECONDS = 30


class AdmissionTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.log = self.useFixture(fixtures.FakeLogger())
        conf.register(CONF)
        self.limit(2, 'long_operations')
        self.limit(2, 'short_operations')
        self.limit(2, 'deletions')
        self.limit(2, 'member_creations')
        self.admission = admission.Admission()
        self.begun: list[str] = []
        self.places: dict[str, starts.Start | None] = {}
        self.elsewhere: set[str] = set()
        self.ends: dict[str, threading.Event] = {}
        self.changed = threading.Condition()
        self.addCleanup(self.stop_signs)
        self.addCleanup(self.end_all)

    def limit(self, number: int, option: str) -> None:
        CONF.set_override(option, number, conf.OWN_GROUP)
        self.addCleanup(CONF.clear_override, option, conf.OWN_GROUP)

    def work(self, name: str) -> Callable[[], None]:
        """A request that runs until it is ended."""
        over = self.ends[name] = threading.Event()

        def run() -> None:
            with self.changed:
                self.begun.append(name)
                self.changed.notify_all()
            self.assertTrue(over.wait(SECONDS))
        return run

    def admit(self, name: str, lane: str = LONG) -> admission.Request:
        return self.admission.admit(
            lane, name, tables.context(), self.work(name))

    def begin(self, name: str) -> None:
        """Record that a creation begins; it still waits by its record."""
        if name == 'c':     # it waits; the others begin at the same time
            self.places[name] = queued.place_of(name)
        if name in self.elsewhere:
            raise exceptions.LeaseLost('another taskmanager has begun it')

    def create(self, name: str) -> admission.Request:
        return self.admission.admit_creation(
            name, tables.context(), lambda: f'message of {name}',
            functools.partial(self.begin, name), self.work(name))

    def end_all(self) -> None:
        for over in self.ends.values():
            over.set()

    def stop_signs(self) -> None:
        """Stop the thread, which would write into tables of other tests."""
        if self.admission._signs is not None:
            self.admission._signs.__exit__()

    def wait_begun(self, *names: str) -> None:
        """Wait for as many requests; those of one moment in any order."""
        with self.changed:
            self.assertTrue(self.changed.wait_for(
                lambda: len(self.begun) >= len(names), SECONDS), self.begun)
            self.assertEqual(sorted(names), sorted(self.begun))

    def wait_over(self, *requests: admission.Request) -> None:
        for request in requests:
            self.assertTrue(request._over.wait(SECONDS))


class OrderTest(AdmissionTestCase):

    def test_as_many_run_as_the_option_allows(self) -> None:
        for name in 'abcd':
            self.admit(name)
        self.wait_begun('a', 'b')
        self.ends['b'].set()
        self.wait_begun('a', 'b', 'c')
        self.ends['a'].set()
        self.wait_begun('a', 'b', 'c', 'd')

    def test_burst_of_one_kind_does_not_delay_the_others(self) -> None:
        for number in range(20):
            self.admit(f'long-{number}')
        self.wait_begun('long-0', 'long-1')
        for number in range(20):
            self.admit(f'delete-{number}', admission.DELETIONS)
        self.admit('restart', SHORT)
        begun = ['long-0', 'long-1', 'delete-0', 'delete-1', 'restart']
        self.wait_begun(*begun)
        self.create('member')
        self.wait_begun(*begun, 'member')

    def test_operations_that_are_resumed_begin_first(self) -> None:
        for name in 'abc':
            self.admit(name)
        for name in 'xy':
            self.admission.resume(LONG, name, self.work(name))
        for name in 'ab':
            self.ends[name].set()
        self.wait_begun('a', 'b', 'x', 'y')
        self.ends['x'].set()
        self.wait_begun('a', 'b', 'x', 'y', 'c')

    def test_raised_limit_applies_to_the_next_request(self) -> None:
        for name in 'abcd':
            self.admit(name)
        self.limit(4, 'long_operations')
        self.admit('e')
        self.wait_begun('a', 'b', 'c', 'd')

    def test_those_that_wait_fill_the_room_of_a_raised_limit(self) -> None:
        for name in 'abcd':
            self.admit(name)
        enter = self.useFixture(fixtures.MockPatchObject(
            queued, 'enter_operation', autospec=True)).mock
        self.limit(3, 'long_operations')
        self.admit('e')     # c begins, d and e wait
        self.assertEqual('e', enter.call_args.args[0])
        enter.reset_mock()
        self.limit(6, 'long_operations')
        self.admit('f')     # all of them begin
        enter.assert_not_called()

    def test_lowered_limit_applies_as_requests_end(self) -> None:
        requests = [self.admit(name) for name in 'abcd']
        self.wait_begun('a', 'b')
        self.limit(1, 'long_operations')
        self.ends['a'].set()
        self.wait_over(requests[0])
        self.ends['b'].set()
        self.wait_begun('a', 'b', 'c')
        self.wait_over(requests[1])
        self.assertEqual(['a', 'b', 'c'], self.begun)

    def test_it_is_busy_until_the_last_has_ended(self) -> None:
        self.assertFalse(self.admission.busy)
        request = self.admit('a')
        self.assertTrue(self.admission.busy)
        self.assertTrue(request.is_alive())
        self.end_all()
        self.wait_over(request)
        self.assertFalse(request.is_alive())


class ErrorTest(AdmissionTestCase):

    def run_with(self, error: BaseException) -> None:
        request = self.admission.admit(
            LONG, 'c', tables.context(), mock.Mock(side_effect=error))
        self.wait_over(request)
        for thread in threading.enumerate():
            if thread.name == request.what:
                thread.join(SECONDS)

    def test_error_is_logged_and_the_next_request_begins(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'threading.excepthook', threading.excepthook))
        masking.install()
        self.limit(1, 'long_operations')
        for error in (exception.TroveError('no host'), ZeroDivisionError()):
            self.run_with(error)
        self.assertIn('ended an operation of cluster c: no host',
                      self.log.output)
        self.assertIn('An unexpected error ended an operation of cluster c\n'
                      'Traceback', self.log.output)
        self.assertIn('ZeroDivisionError', self.log.output)
        self.admit('next')
        self.wait_begun('next')

    def test_operation_that_runs_elsewhere_is_no_error(self) -> None:
        self.run_with(exceptions.LeaseLost('another taskmanager runs it'))
        self.assertIn('another taskmanager runs it', self.log.output)
        self.assertNotIn('Traceback', self.log.output)

    def test_log_of_a_request_has_its_context(self) -> None:
        seen: list[Any] = []
        context = tables.context()
        context.update_store = mock.Mock()
        request = self.admission.admit(
            LONG, 'c', context,
            lambda: seen.append(context.update_store.call_count))
        self.wait_over(request)
        self.assertEqual([1], seen)


class RecordTest(AdmissionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.enter = self.patch('enter_operation')
        self.signs = self.patch('show_life')
        self.end_of_signs = self.patch('show_no_life')

    def patch(self, name: str, **more: Any) -> Any:
        return self.useFixture(fixtures.MockPatchObject(
            queued, name, autospec=True, **more)).mock

    def test_only_what_waits_is_recorded(self) -> None:
        for name in 'ab':
            self.admit(name)
        self.enter.assert_not_called()
        self.signs.assert_not_called()
        self.admit('c')
        (cluster_id, request_id, place), _ = self.enter.call_args
        self.assertEqual('c', cluster_id)
        self.assertTrue(request_id.startswith('req-'))
        self.assertEqual((self.admission.process, LONG, 3), place)
        self.signs.assert_called_once_with(self.admission.process, 1)

    def test_creation_that_begins_leaves_its_record(self) -> None:
        first = [self.create(name) for name in 'ab']
        waits = self.create('c')
        self.assertIsNotNone(queued.place_of('c'))
        self.end_all()
        self.wait_over(*first, waits)
        self.assertIsNotNone(self.places['c'])
        self.assertIsNone(queued.place_of('c'))

    def test_creation_that_another_taskmanager_has_begun(self) -> None:
        first = [self.create(name) for name in 'ab']
        waits = self.create('c')
        self.elsewhere.add('c')
        self.end_all()
        self.wait_over(*first, waits)
        self.assertNotIn('c', self.begun)
        self.assertIsNone(queued.place_of('c'))
        self.assertIn('another taskmanager has begun it', self.log.output)

    def test_one_statement_shows_life_for_all_that_wait(self) -> None:
        for name in 'abcdef':
            self.admit(name)
        for number in (2, 3):
            self.admission._sign()
            self.assertEqual(number, self.signs.call_count)
        self.assertEqual(3, len({call.args for call in
                                 self.signs.call_args_list}))

    def test_nothing_is_written_while_nothing_waits(self) -> None:
        requests = [self.admit(name) for name in 'abc']
        self.end_all()
        self.wait_over(*requests)
        self.admission._sign()
        self.end_of_signs.assert_called_once_with(self.admission.process)
        self.admission._sign()
        self.end_of_signs.assert_called_once()
        self.signs.assert_called_once()

    def test_without_the_database_requests_run_all_the_same(self) -> None:
        self.enter.side_effect = db_exceptions.DBConnectionError
        self.signs.side_effect = sqlalchemy.TimeoutError
        for name in 'abc':
            self.admit(name)
        self.assertIn('could not be written', self.log.output)
        self.end_all()
        self.wait_begun('a', 'b', 'c')
