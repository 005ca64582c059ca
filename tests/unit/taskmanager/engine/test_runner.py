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

"""The end of an operation, and the order of what is called then."""

from collections.abc import Iterator
import contextlib
import types
from typing import Any

import fixtures
from oslo_concurrency import lockutils
import testtools
from trove.cluster.tasks import ClusterTasks

from tests.unit import clock
from tests.unit import specs
from trove_pxc import exceptions
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import runner

RUN, RECORD, BACK, COMPLETE, FREE, DELETED, END = (
    'run', 'record', 'put_back', 'complete', 'free', 'deleted', 'end')


class AloneTest(testtools.TestCase):

    def test_the_lease_is_asked_for_when_no_other_run_is_here(self) -> None:
        self.useFixture(clock.Clock())
        done: list[object] = []

        @contextlib.contextmanager
        def lock(name: str, blocking: bool) -> Iterator[None]:
            if len(done) < 2:
                raise runner.lockutils.AcquireLockFailedException(name)
            done.append(name)
            yield
            done.append('left')
        self.useFixture(fixtures.MockPatchObject(
            runner.lockutils, 'lock', side_effect=lock))
        wanted = specs.spec(lease.Lease)
        wanted.check_free.side_effect = lambda: done.append('free')
        wanted.__enter__.side_effect = lambda _: done.append('taken')
        made = self.useFixture(fixtures.MockPatchObject(
            lease, 'Lease', return_value=wanted)).mock
        with runner.alone('c', ClusterTasks.DELETING, 30, None, 'req-1'):
            self.assertEqual(
                ['free', 'free', 'trove-pxc-DELETING-c', 'taken'], done)
        self.assertEqual(['left'], done[4:])
        made.assert_called_once_with(
            'c', ClusterTasks.DELETING, 30, None, 'req-1')

    def test_what_was_started_meanwhile_is_not_waited_for(self) -> None:
        self.useFixture(clock.Clock())
        wanted = specs.spec(lease.Lease)
        wanted.check_free.side_effect = [None, exceptions.LeaseLost('begun')]
        self.useFixture(fixtures.MockPatchObject(
            lease, 'Lease', return_value=wanted))
        with lockutils.lock('trove-pxc-DELETING-c'):
            self.assertRaises(
                exceptions.LeaseLost, runner.alone(
                    'c', ClusterTasks.DELETING, 30, None).__enter__)


class RunnerTest(testtools.TestCase):
    """One run of an operation that fails where the test wants.

    :ivar done: the names of the called functions, in order.
    :ivar errors: the errors that they raise.
    :ivar recorded: the failures that were recorded.
    """

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.done: list[str] = []
        self.errors: dict[str, BaseException] = {}
        self.recorded: list[exceptions.StepFailed] = []
        self.held = specs.spec(lease.Lease)
        self.held.end.side_effect = lambda: self.do(END)
        self.state: Any = types.SimpleNamespace(
            name='grow', remedy='ask again', cluster_id='c', at=None,
            subject=None, members=[], held=None,
            check_wanted=self.held.check)

    def do(self, what: str) -> None:
        self.done.append(what)
        if what in self.errors:
            raise self.errors[what]

    def record(self, state: Any, failure: exceptions.StepFailed) -> None:
        self.recorded.append(failure)
        self.do(RECORD)

    def run_it(self, *hooks: str, **values: bool) -> None:
        """:param hooks: the optional functions of the operation."""
        def hook(name: str) -> Any:
            return lambda state: self.do(name)
        runner.run(runner.Operation(
            None, lambda: self.state, hook(RUN), self.record, **values,
            **{name: hook(name) for name in hooks}), self.state, self.held)

    def fails(self, *hooks: str) -> exceptions.StepFailed:
        failure = self.assertRaises(
            exceptions.StepFailed, self.run_it, *hooks)
        self.assertIs(self.errors[RUN], failure.__cause__)
        return failure

    def test_one_that_is_complete(self) -> None:
        self.run_it(BACK, COMPLETE, DELETED)
        self.assertEqual([RUN, COMPLETE, END], self.done)
        self.assertIs(self.held, self.state.held)
        self.assertIn('grow of cluster c is complete', self.log.output)

    def test_one_that_takes_its_task_away(self) -> None:
        self.run_it(ends_task=False)
        self.assertEqual([RUN], self.done)

    def test_one_that_frees_members(self) -> None:
        self.run_it(FREE)
        self.assertEqual([RUN, FREE, END], self.done)

    def test_one_that_frees_nobody_when_the_lease_is_lost(self) -> None:
        self.held.held.return_value = False
        self.run_it(FREE)
        self.assertEqual([RUN], self.done)

    def test_a_failure_is_recorded_and_raised(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake')}
        failure = self.fails(COMPLETE, DELETED)
        self.assertEqual([RUN, RECORD, END], self.done)
        self.assertEqual([failure], self.recorded)
        self.assertEqual('a mistake', failure.cause)
        self.assertIn('ZeroDivisionError', self.log.output)

    def test_also_of_one_that_takes_its_task_away(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake')}
        self.assertRaises(exceptions.StepFailed, self.run_it,
                          ends_task=False)
        self.assertEqual([RUN, RECORD, END], self.done)

    def test_members_are_put_back_then_freed(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake')}
        self.fails(BACK, FREE)
        self.assertEqual([RUN, RECORD, BACK, FREE, END], self.done)

    def test_one_that_cannot_be_put_back(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake'),
                       BACK: KeyError('no port')}
        failure = self.fails(BACK, FREE)
        self.assertEqual([RUN, RECORD, BACK, RECORD, FREE, END], self.done)
        self.assertIn('could not be started again: ', failure.cause)
        self.assertIn('no port', failure.cause)
        self.assertIs(failure, self.recorded[-1])

    def test_members_are_freed_if_nothing_can_be_recorded(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake'),
                       RECORD: OSError('no table')}
        self.assertRaises(OSError, self.run_it, FREE)
        self.assertEqual([RUN, RECORD, FREE, END], self.done)

    def test_without_members_to_free_another_run_is_to_record_it(
            self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake'),
                       RECORD: OSError('no table')}
        self.assertRaises(OSError, self.run_it)
        self.assertEqual([RUN, RECORD], self.done)

    def stops(self, kind: type[exceptions.OperationStopped],
              where: str) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake'),
                       where: kind('it is gone')}
        self.held.held.return_value = False
        self.assertRaises(kind, self.run_it, BACK, FREE, DELETED)
        self.assertIn('it is gone', self.log.output)

    def test_one_that_lost_its_lease_changes_nothing(self) -> None:
        self.stops(exceptions.LeaseLost, RUN)
        self.assertEqual([RUN], self.done)

    def test_one_whose_cluster_is_deleted(self) -> None:
        self.stops(exceptions.ClusterBeingDeleted, RUN)
        self.assertEqual([RUN, DELETED], self.done)

    def test_also_while_members_are_put_back(self) -> None:
        self.stops(exceptions.ClusterBeingDeleted, BACK)
        self.assertEqual([RUN, RECORD, BACK, DELETED], self.done)

    def test_a_failure_of_what_is_deleted_is_none(self) -> None:
        self.errors = {RUN: ZeroDivisionError('a mistake')}
        self.held.check.side_effect = exceptions.ClusterBeingDeleted('gone')
        self.assertRaises(exceptions.ClusterBeingDeleted, self.run_it)
        self.assertEqual([RUN], self.done)

    def test_what_is_no_error_is_not_taken_for_one(self) -> None:
        self.errors = {RUN: KeyboardInterrupt()}
        self.assertRaises(KeyboardInterrupt, self.run_it, BACK)
        self.assertEqual([RUN], self.done)
