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
"""The records of requests that wait, and of the processes that live."""

import datetime
from typing import Any

import testtools
from trove.cluster.tasks import ClusterTasks
from trove.common import timeutils
from trove.guestagent import models as agent_models

from tests.unit import clock
from tests.unit import tables
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc import queued
from trove_pxc import starts

RESTART = ClusterTasks.RESTARTING_CLUSTER
SECOND = datetime.timedelta(seconds=1)


def place(number: int, process: str = 'a1', lane: str = 'long'
          ) -> starts.Place:
    return starts.Place(process, lane, number)


class QueuedTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.cluster = tables.add_cluster(tables.add_version())
        self.claim(self.cluster)

    def claim(self, cluster: Any) -> None:
        self.assertTrue(pending.claim(cluster.id, RESTART, [], None,
                                      request_id='req-1'))

    @property
    def start(self) -> starts.Start | None:
        return starts.of({self.cluster.id: RESTART.code}).get(self.cluster.id)

    def begin(self, wanted: str | None = 'req-1') -> bool:
        seen = tables.again(self.cluster).updated
        return starts.begin(self.cluster.id, RESTART, seen, seen + SECOND,
                            wanted)

    def texts(self) -> list[str]:
        return [row.guest_agent_version
                for row in agent_models.AgentHeartBeat.find_all().all()]


class OperationTest(QueuedTestCase):

    def test_it_waits_until_it_is_started(self) -> None:
        queued.enter_operation(self.cluster.id, 'req-1', place(7))
        start = self.start
        assert start is not None
        self.assertEqual(('req-1', 0, place(7)),
                         (start.request, start.number, start.place))
        self.assertTrue(start.host)
        self.assertTrue(self.begin())
        start = self.start
        assert start is not None
        self.assertEqual((1, None), (start.number, start.place))

    def test_other_request_does_not_start_it(self) -> None:
        queued.enter_operation(self.cluster.id, 'req-1', place(7))
        self.assertRaises(exceptions.LeaseLost, self.begin, 'req-0')

    def test_one_that_was_started_does_not_wait(self) -> None:
        self.begin()
        before = self.texts()
        queued.enter_operation(self.cluster.id, 'req-1', place(7))
        self.assertEqual(before, self.texts())

    def test_cast_of_an_earlier_request(self) -> None:
        before = self.texts()
        queued.enter_operation(self.cluster.id, 'req-0', place(7))
        self.assertEqual(before, self.texts())

    def test_cluster_without_an_operation(self) -> None:
        pending.end(self.cluster.id, RESTART)
        queued.enter_operation(self.cluster.id, 'req-1', place(7))
        self.assertEqual([], self.texts())


class CreationTest(QueuedTestCase):

    def enter(self, message: str) -> starts.Start:
        return queued.enter_creation('some-id', place(7), message)

    def test_message_is_kept_until_it_begins(self) -> None:
        for length in (0, 1, 240, 241, 5000):
            message = ('0123456789' * 500)[:length]
            start = self.enter(message)
            self.assertEqual(start, queued.place_of('some-id'))
            self.assertEqual({'some-id': start}, queued.creations())
            self.assertEqual(message, queued.leave('some-id', start))
            self.assertIsNone(queued.place_of('some-id'))
            self.assertEqual(1, len(self.texts()))
            self.assertIsNotNone(self.start)

    def test_only_one_takes_it(self) -> None:
        start = self.enter('message')
        self.assertIsNotNone(queued.leave('some-id', start))
        self.assertIsNone(queued.leave('some-id', start))
        again = queued.enter_creation('some-id', place(1, 'b2'), 'message')
        self.assertIsNone(queued.leave('some-id', start))
        self.assertEqual('message', queued.leave('some-id', again))

    def test_message_that_is_too_long_is_not_stored(self) -> None:
        start = self.enter('x' * 100_000)
        self.assertEqual('0', start.request)
        self.assertEqual(2, len(self.texts()))
        self.assertEqual('', queued.leave('some-id', start))

    def test_operations_are_no_creations(self) -> None:
        queued.enter_operation(self.cluster.id, 'req-1', place(7))
        self.assertEqual({}, queued.creations())


class BeforeTest(QueuedTestCase):

    def test_each_queue_counts_its_own(self) -> None:
        for one, where in (
                ('m-1', place(3)), ('m-2', place(5)), ('m-3', place(9)),
                ('m-4', place(4, lane='short')), ('m-5', place(1, 'b2'))):
            queued.enter_creation(one, where, 'message')
        queued.enter_operation(self.cluster.id, 'req-1', place(12))
        self.assertEqual(
            {'m-1': 0, 'm-3': 2, 'm-4': 0, self.cluster.id: 3},
            queued.before(['m-1', 'm-3', 'm-4', self.cluster.id, 'other']))

    def test_what_runs_is_not_counted(self) -> None:
        self.begin()
        queued.show_life('a1', 1)
        self.assertEqual({}, queued.before([self.cluster.id, 'a1']))


class LifeTest(QueuedTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.watched = queued.Watched()

    def silent(self, after: float = 0, looks: int = 1) -> bool:
        """Whether it is silent for 20 seconds."""
        self.clock.advance(after)
        self.watched.look(['a1'])
        return self.watched.is_silent('a1', 20, looks)

    def test_one_that_lives(self) -> None:
        for number in range(3):
            queued.show_life('a1', number)
            self.assertFalse(self.silent(after=100))
            self.assertFalse(self.silent(after=19))
        self.assertTrue(self.silent(after=1))

    def test_one_without_a_row(self) -> None:
        self.assertFalse(self.silent())
        self.assertTrue(self.silent(after=20))
        queued.show_life('a1', 1)
        self.assertFalse(self.silent())
        queued.show_no_life('a1')
        self.assertFalse(self.silent())

    def test_time_in_which_nobody_looks(self) -> None:
        queued.show_life('a1', 1)
        self.silent()
        self.assertFalse(self.silent(after=100, looks=3))
        self.assertTrue(self.silent(looks=3))

    def test_one_row_for_each_process(self) -> None:
        for number in range(3):
            queued.show_life('a1', number)
        queued.show_life('b2', 1)
        self.assertEqual(3, len(self.texts()))

    def test_only_old_records_of_processes_are_deleted(self) -> None:
        queued.show_life('a1', 1)
        queued.enter_creation('m-1', place(1), 'message')
        queued.enter_operation(self.cluster.id, 'req-1', place(2))
        queued.clean()
        self.assertEqual(4, len(self.texts()))
        with agent_models.AgentHeartBeat.query() as query:
            query.update({'updated_at': timeutils.utcnow()
                          - datetime.timedelta(days=2)})
        queued.show_life('b2', 1)
        queued.clean()
        self.assertEqual(2, len(self.texts()))
        self.assertIsNotNone(self.start)
