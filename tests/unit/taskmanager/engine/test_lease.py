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

"""How a lease is taken, held and lost.

Trove's table is replaced by one in memory, and the thread that renews a
lease by calls of the test.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
from typing import Any
from typing import Self

import fixtures
import mock
from oslo_db import exception as db_exceptions
import testtools
from trove.cluster.tasks import ClusterTask
from trove.cluster.tasks import ClusterTasks

from tests.unit import clock
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc import starts
from trove_pxc.taskmanager.engine import lease
from trove_pxc import waiting

NOON = datetime.datetime(2026, 11, 30, 12)
SECOND = datetime.timedelta(seconds=1)
SECONDS = 30.0
TASK = ClusterTasks.GROWING_CLUSTER


@dataclasses.dataclass
class Row:
    """The row of a cluster."""

    id: str
    updated: datetime.datetime
    task_id: int = TASK.code
    deleted: bool = False

    @property
    def task_status(self) -> ClusterTask:
        return ClusterTask.from_code(self.task_id)


class Table:
    """Trove's table of clusters, with the queries of a lease.

    :ivar before_update: called between the start and the end of an update.
    """

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)
        self.before_update: Callable[[], object] = lambda: None

    def get_by(self, **conditions: Any) -> Row | None:
        return next(iter(self.filter_by(**conditions).rows), None)

    @contextlib.contextmanager
    def query(self) -> Iterator[Self]:
        yield self

    def filter_by(self, **conditions: Any) -> 'Table':
        found = Table(*(
            row for row in self.rows
            if all(getattr(row, name) == value
                   for name, value in conditions.items())))
        found.before_update = self.before_update
        return found

    def update(self, values: dict[str, Any]) -> int:
        self.before_update()
        for row in self.rows:
            for name, value in values.items():
                setattr(row, name, value)
        return len(self.rows)


class Signs:
    """Replaces the thread that renews the lease."""

    def __init__(self, seconds: float, call: Callable[[], object]) -> None:
        self.seconds = seconds
        self.give = call
        self.going = False

    def __enter__(self) -> Self:
        self.going = True
        return self

    def __exit__(self, *error: object) -> None:
        self.going = False


class LeaseTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.useFixture(fixtures.MockPatch(
            'trove.common.timeutils.utcnow',
            side_effect=lambda: NOON + self.clock.now * SECOND))
        self.row = Row('a-cluster', NOON - 60 * SECOND)
        self.other = Row('other', self.row.updated)
        self.table = Table(self.other, self.row)
        self.useFixture(fixtures.MockPatch(
            'trove.cluster.models.DBCluster', self.table))
        self.found: dict[str, starts.Start] = {}
        self.useFixture(fixtures.MockPatchObject(
            starts, 'of', autospec=True,
            side_effect=lambda task_ids: self.found))
        self.begun = self.useFixture(fixtures.MockPatchObject(
            starts, 'begin', autospec=True, side_effect=self.begin)).mock
        self.signs: list[Signs] = []
        self.useFixture(fixtures.MockPatchObject(
            waiting, 'Regularly', self.regularly))

    def begin(self, cluster_id: str, task: ClusterTask,
              seen: datetime.datetime, value: datetime.datetime,
              wanted: str | None) -> bool:
        return bool(self.table.filter_by(
            id=cluster_id, deleted=False, updated=seen,
            task_id=task.code).update({'updated': value}))

    def regularly(self, seconds: float,
                  call: Callable[[], object]) -> Signs:
        self.signs.append(Signs(seconds, call))
        return self.signs[-1]

    def tick(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def wanted(self, task: ClusterTask = TASK,
               seen: datetime.datetime | None = None) -> lease.Lease:
        return lease.Lease('a-cluster', task, SECONDS, seen)

    def assert_lost(self, held: lease.Lease, *words: str) -> None:
        error = self.assertRaises(exceptions.LeaseLost, held.check)
        for word in ('GROWING_CLUSTER', 'a-cluster', *words):
            self.assertIn(word, str(error))


class TakeTest(LeaseTest):

    def refused(self, wanted: lease.Lease,
                error: type[Exception] = exceptions.LeaseLost) -> str:
        before = dataclasses.replace(self.row)
        refusal = self.assertRaises(error, wanted.__enter__)
        self.assertEqual(before, self.row)
        self.assertFalse(self.signs[-1].going)
        return str(refusal)

    def test_a_new_order_is_taken_whatever_its_value(self) -> None:
        with self.wanted() as held:
            self.assertEqual(NOON, self.row.updated)
            held.check()

    def test_a_cast_asks_for_its_request(self) -> None:
        with lease.Lease('a-cluster', TASK, SECONDS, request='req-1'):
            self.assertEqual('req-1', self.begun.call_args.args[-1])

    def test_an_expired_lease_is_taken_from_any_request(self) -> None:
        with lease.Lease('a-cluster', TASK, SECONDS, self.row.updated,
                         'req-1'):
            self.assertIsNone(self.begun.call_args.args[-1])

    def test_a_refusal_names_the_operation_and_the_reason(self) -> None:
        self.begun.side_effect = exceptions.LeaseLost('it was started before')
        refusal = self.refused(self.wanted())
        for words in ('GROWING_CLUSTER', 'a-cluster', 'it was started'):
            self.assertIn(words, refusal)

    def test_before_a_cast_takes_it_the_record_is_read(self) -> None:
        wanted = lease.Lease('a-cluster', TASK, SECONDS, request='req-1')
        wanted.check_free()
        for refused in (starts.Start(TASK.code, 'req-2'),
                        starts.Start(TASK.code, 'req-1', 1, 'here')):
            self.found['a-cluster'] = refused
            self.assertRaises(exceptions.LeaseLost, wanted.check_free)
            self.wanted(seen=self.row.updated).check_free()
        self.found['a-cluster'] = starts.Start(TASK.code, 'req-1')
        wanted.check_free()
        self.row.task_id = ClusterTasks.NONE.code
        self.assertRaises(exceptions.LeaseLost, wanted.check_free)

    def test_no_other_cluster_is_touched(self) -> None:
        before = dataclasses.replace(self.other)
        with self.wanted():
            self.assertEqual(before, self.other)

    def test_who_saw_the_last_value_takes_it(self) -> None:
        with self.wanted(seen=self.row.updated) as held:
            held.check()

    def test_of_two_who_saw_the_same_one_takes_it(self) -> None:
        seen = self.row.updated
        with self.wanted(seen=seen) as first:
            told = self.refused(self.wanted(seen=seen))
            self.assertIn('another taskmanager', told)
            first.check()

    def test_of_two_who_take_a_new_order_one_gets_it(self) -> None:
        """The other taskmanager takes it between the read and the update."""
        read = dataclasses.replace(self.row)
        self.useFixture(fixtures.MockPatchObject(
            self.table, 'get_by', return_value=read))
        self.row.updated += SECOND
        self.refused(self.wanted())

    def test_no_value_is_written_twice(self) -> None:
        """Even if the clock of the last holder is ahead."""
        self.row.updated = NOON + 5 * SECOND
        with self.wanted():
            self.assertEqual(NOON + 6 * SECOND, self.row.updated)

    def test_no_value_is_written_twice_within_a_second(self) -> None:
        with self.wanted():
            self.tick(0.25)
            self.signs[-1].give()
            self.assertEqual(NOON + SECOND, self.row.updated)

    def test_a_value_is_what_the_column_can_hold(self) -> None:
        """Whole seconds, because a value that is read back must be equal."""
        self.tick(0.75)
        with self.wanted():
            self.assertEqual(NOON, self.row.updated)

    def test_a_value_with_parts_of_a_second(self) -> None:
        """Trove's own values may have microseconds."""
        self.row.updated = NOON + 0.25 * SECOND
        with self.wanted():
            self.assertEqual(NOON + SECOND, self.row.updated)

    def test_a_task_that_is_over(self) -> None:
        self.row.task_id = ClusterTasks.NONE.code
        self.assertIn('NONE', self.refused(self.wanted()))

    def test_a_cluster_that_is_being_deleted(self) -> None:
        self.row.task_id = ClusterTasks.DELETING.code
        self.refused(self.wanted(), exceptions.ClusterBeingDeleted)

    def test_a_cluster_that_is_deleted(self) -> None:
        self.row.deleted = True
        self.refused(self.wanted(), exceptions.ClusterBeingDeleted)

    def test_a_cluster_that_is_gone(self) -> None:
        self.table.rows.remove(self.row)
        self.refused(self.wanted(), exceptions.ClusterBeingDeleted)

    def test_the_deletion_itself_has_a_lease(self) -> None:
        self.row.task_id = ClusterTasks.DELETING.code
        with self.wanted(ClusterTasks.DELETING) as held:
            held.check()
            self.row.deleted = True
            self.assertRaises(exceptions.ClusterBeingDeleted, held.check)

    def test_a_deletion_comes_between(self) -> None:
        """Between the read of the row and the update."""
        for task, deleted in ((ClusterTasks.DELETING, False), (TASK, True)):
            self.row.task_id, self.row.deleted = TASK.code, False
            read = dataclasses.replace(self.row)
            self.row.task_id, self.row.deleted = task.code, deleted
            with mock.patch.object(self.table, 'get_by', side_effect=[
                    read, self.row]):
                self.refused(self.wanted(), exceptions.ClusterBeingDeleted)


class HoldTest(LeaseTest):

    def setUp(self) -> None:
        super().setUp()
        self.held = self.useFixture(Held(self.wanted())).lease
        self.sign = self.signs[-1]

    def test_signs_of_life_are_given_until_the_end(self) -> None:
        self.assertTrue(self.sign.going)
        self.held.__exit__(None, None, None)
        self.assertFalse(self.sign.going)

    def test_several_signs_fit_into_its_time(self) -> None:
        """So that a late renewal has no effect."""
        self.assertGreaterEqual(SECONDS / self.sign.seconds, 3)

    def test_a_sign_moves_the_value(self) -> None:
        self.tick(5)
        self.sign.give()
        self.assertEqual(NOON + 5 * SECOND, self.row.updated)
        self.held.check()

    def test_with_signs_it_is_held_for_ever(self) -> None:
        for _ in range(20):
            self.tick(SECONDS - 1)
            self.held.check()
            self.sign.give()

    def test_without_a_sign_it_is_lost_in_its_time(self) -> None:
        self.tick(SECONDS - 1)
        self.held.check()
        self.tick(1)
        self.assert_lost(self.held, 'could not be renewed for 30 s')

    def test_who_was_away_for_long_finds_it_lost(self) -> None:
        self.tick(10 * SECONDS)
        self.assert_lost(self.held, 'could not be renewed for 30 s')

    def test_its_time_counts_from_before_the_write(self) -> None:
        """Another taskmanager may have read the value after the write."""
        self.table.before_update = lambda: self.tick(20)
        self.sign.give()
        self.tick(9)
        self.held.check()
        self.tick(1)
        self.assert_lost(self.held)

    def test_another_has_it(self) -> None:
        self.row.updated += SECOND
        self.assert_lost(self.held, 'another taskmanager')

    def test_another_has_it_whose_clock_is_behind(self) -> None:
        self.row.updated -= SECOND
        self.assert_lost(self.held, 'another taskmanager')

    def test_what_is_lost_stays_lost(self) -> None:
        value = self.row.updated
        self.row.updated += SECOND
        self.assert_lost(self.held)
        self.row.updated = value
        self.assert_lost(self.held, 'another taskmanager')
        self.tick(SECONDS)
        self.assert_lost(self.held, 'another taskmanager')

    def test_without_it_no_sign_is_given(self) -> None:
        value = self.row.updated
        self.row.updated += SECOND
        self.assert_lost(self.held)
        self.row.updated = value
        self.tick(5)
        self.sign.give()
        self.assertEqual(value, self.row.updated)

    def test_a_sign_never_takes_it_back(self) -> None:
        self.row.updated = NOON + 3 * SECOND
        self.tick(5)
        self.sign.give()
        self.assertEqual(NOON + 3 * SECOND, self.row.updated)
        self.assert_lost(self.held)

    def test_a_sign_that_fails_is_not_one(self) -> None:
        """The database may be away for a short or for a long time."""
        self.tick(20)
        self.table.before_update = mock.Mock(
            side_effect=db_exceptions.DBConnectionError)
        self.sign.give()
        self.assertEqual(NOON, self.row.updated)
        self.held.check()
        self.tick(10)
        self.assert_lost(self.held)

    def test_the_task_was_reset(self) -> None:
        self.row.task_id = ClusterTasks.NONE.code
        self.assert_lost(self.held, 'NONE')

    def test_the_cluster_is_being_deleted(self) -> None:
        self.row.task_id = ClusterTasks.DELETING.code
        self.assertRaises(exceptions.ClusterBeingDeleted, self.held.check)
        self.assertFalse(self.held.held())

    def test_held_tells_what_check_does(self) -> None:
        self.assertTrue(self.held.held())
        self.row.updated += SECOND
        self.assertFalse(self.held.held())

    def away(self, seconds: float) -> Any:
        """The table cannot be read for the seconds of the lease."""
        get_by = self.table.get_by

        def read(**conditions: Any) -> Any:
            if self.clock.now < until:
                raise db_exceptions.DBConnectionError
            return get_by(**conditions)
        until = self.clock.now + seconds
        return mock.patch.object(self.table, 'get_by', side_effect=read)

    def test_held_does_not_guess(self) -> None:
        """It waits for the table to answer."""
        with self.away(7):
            self.assertTrue(self.held.held())
        with self.away(7):
            self.row.updated += SECOND
            self.assertFalse(self.held.held())

    def test_without_the_table_it_is_lost_in_time(self) -> None:
        """Another taskmanager may have the lease then."""
        with self.away(1000):
            error = self.assertRaises(exceptions.LeaseLost, self.held.check)
        self.assertIn('its lease could not be renewed for', str(error))
        self.assertLess(self.clock.now, 60)


class EndTest(LeaseTest):

    def setUp(self) -> None:
        super().setUp()
        self.held = self.useFixture(Held(self.wanted())).lease
        self.ended = self.useFixture(fixtures.MockPatchObject(
            pending, 'end', autospec=True, side_effect=self.end)).mock

    def end(self, cluster_id: str, task: ClusterTask,
            **values: Any) -> bool:
        self.row.task_id = ClusterTasks.NONE.code
        return True

    def test_only_who_holds_it_ends_the_task(self) -> None:
        self.tick(5)
        self.signs[-1].give()
        self.held.end()
        self.ended.assert_called_once_with(
            'a-cluster', TASK, updated=NOON + 5 * SECOND)

    def test_afterwards_it_is_over(self) -> None:
        self.held.end()
        self.assert_lost(self.held, 'it has ended')
        self.tick(5)
        self.signs[-1].give()
        self.assertEqual(NOON, self.row.updated)

    def test_a_task_of_another_is_left_alone(self) -> None:
        self.ended.side_effect = None
        self.ended.return_value = False
        self.held.end()
        self.held.check()


class Held(fixtures.Fixture):
    """A lease that is held until the end of the test."""

    def __init__(self, wanted: lease.Lease) -> None:
        super().__init__()
        self.lease = wanted

    def _setUp(self) -> None:
        self.lease.__enter__()
        self.addCleanup(self.lease.__exit__, None, None, None)
