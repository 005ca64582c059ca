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

"""The states of clusters, which parallel operations read together."""

from collections.abc import Iterable
import threading
from typing import Any

from oslo_db import exception as db_exceptions

from tests.unit.taskmanager import fakes
from trove_pxc.taskmanager.cloud import rows

InstanceTasks = fakes.InstanceTasks
Statuses = fakes.Statuses


class ReaderTest(fakes.ClusterTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.reads: list[set[str]] = []
        self.error: Exception | None = None
        self.reader = rows.Reader(self.read)

    def read(self, cluster_ids: Iterable[str]) -> Any:
        self.reads.append(set(cluster_ids))
        if self.error is not None:
            raise self.error
        return {one: rows.State(len(self.reads), self.time, {})
                for one in cluster_ids if one != 'deleted'}

    time: Any = None

    def number(self, cluster_id: str, age: float = 0.0) -> int:
        """The number of the read with the state that is returned."""
        state = self.reader.state(cluster_id, age)
        assert state is not None
        return state.task_id

    def test_without_an_age_each_call_reads(self) -> None:
        self.assertEqual([1, 2, 3], [self.number('a') for _ in range(3)])

    def test_a_state_of_this_age_is_not_read_again(self) -> None:
        self.assertEqual(1, self.number('a', 0.3))
        self.clock.advance(0.2)
        self.assertEqual(1, self.number('a', 0.3))
        self.assertEqual(2, self.number('a', 0.1))
        self.clock.advance(0.3)
        self.assertEqual(3, self.number('a', 0.3))

    def test_clusters_that_were_asked_for_are_read_together(self) -> None:
        self.number('a', 0.3)
        self.number('b', 0.3)
        self.clock.advance(0.3)
        for _ in range(10):
            self.number('a', 0.3)
            self.number('b', 0.3)
        self.assertEqual([{'a'}, {'a', 'b'}, {'a', 'b'}], self.reads)

    def test_one_that_is_not_asked_for_any_more_is_not_read(self) -> None:
        self.number('a')
        self.clock.advance(10)
        self.number('b')
        self.assertEqual([{'a'}, {'b'}], self.reads)

    def test_a_deleted_cluster_has_no_state(self) -> None:
        self.assertIsNone(self.reader.state('deleted'))
        self.assertIsNone(self.reader.state('deleted', 0.3))
        self.assertEqual(1, len(self.reads))

    def test_an_error_is_that_of_all_who_asked(self) -> None:
        """So not each of a hundred operations waits for a connection."""
        self.number('a', 0.3)
        self.number('b', 0.3)
        self.clock.advance(1)
        self.error = db_exceptions.DBConnectionError(Exception('lost'))
        for cluster_id in ('a', 'b', 'a'):
            self.assertRaises(db_exceptions.DBConnectionError,
                              self.reader.state, cluster_id, 0.3)
        self.assertEqual(3, len(self.reads))
        self.error = None
        self.clock.advance(0.3)
        self.assertEqual(4, self.number('a', 0.3))

    def test_after_another_error_it_is_read_again(self) -> None:
        self.error = ValueError()
        self.assertRaises(ValueError, self.reader.state, 'a', 0.3)
        self.error = None
        self.assertEqual(2, self.number('a', 0.3))


class ParallelTest(fakes.ClusterTestCase):
    """Threads that ask while another one reads."""

    def test_they_share_the_next_read(self) -> None:
        began, goes_on = threading.Event(), threading.Event()
        reads: list[set[str]] = []

        def read(cluster_ids: Iterable[str]) -> Any:
            reads.append(set(cluster_ids))
            began.set()
            goes_on.wait(60)
            return {one: rows.State(len(reads), None, {})  # type: ignore
                    for one in cluster_ids}
        reader = rows.Reader(read)
        found: list[Any] = []

        def ask(cluster_id: str) -> None:
            found.append(reader.state(cluster_id))
        threads = [threading.Thread(target=ask, args=('first',))]
        threads[0].start()
        began.wait(60)
        for number in range(5):
            threads.append(threading.Thread(
                target=ask, args=(f'c{number}',)))
            threads[-1].start()
        goes_on.set()
        for thread in threads:
            thread.join()
        self.assertEqual({'first'}, reads[0])
        self.assertEqual(6, len(found))
        # Each of the others got a state that was read after it had asked.
        self.assertEqual(1, sum(state.task_id == 1 for state in found))


class InstanceTest(fakes.ClusterTestCase):

    def test_statuses(self) -> None:
        for status, prepared, complete, healthy in (
                (None, False, False, False),
                (Statuses.NEW, False, False, False),
                (Statuses.BUILDING, False, False, False),
                (Statuses.FAILED, False, False, False),
                (Statuses.INSTANCE_READY, True, False, False),
                (Statuses.SHUTDOWN, True, True, False),
                (Statuses.HEALTHY, True, True, True)):
            seen = rows.Instance(InstanceTasks.NONE, status, None)
            self.assertEqual(
                (prepared, complete, healthy),
                (seen.prepared, seen.complete, seen.healthy), status)

    def test_statuses_mean_the_same_as_those_of_a_member(self) -> None:
        member = fakes.members.load(None, self.cluster)[0]
        for status in (Statuses.NEW, Statuses.FAILED, Statuses.BLOCKED,
                       Statuses.INSTANCE_READY, Statuses.HEALTHY,
                       Statuses.FAILED_TIMEOUT_GUESTAGENT):
            self.report_status(1, status)
            seen = rows.SHARED.state(self.cluster.id).members[member.id]
            self.assertEqual(
                (member.prepared(), member.complete(), member.healthy()),
                (seen.prepared, seen.complete, seen.healthy), status)

    def test_words(self) -> None:
        self.assertEqual('healthy', rows.Instance(
            InstanceTasks.NONE, Statuses.HEALTHY, None).described)
        self.assertEqual('unknown', rows.Instance(
            InstanceTasks.NONE, None, None).described)


class WatchTest(fakes.ClusterTestCase):

    def test_the_last_state_is_kept(self) -> None:
        watch = rows.Watch(self.cluster.id)
        self.assertIsNone(watch.last(self.id_of(1)))
        watch.read()
        self.change(1, deleted=True)
        self.assertIsNotNone(watch.last(self.id_of(1)))
        watch.read()
        self.assertIsNone(watch.last(self.id_of(1)))
        self.assertIsNotNone(watch.last(self.id_of(2)))
