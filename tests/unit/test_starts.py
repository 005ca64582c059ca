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

"""The record of the request and the holder of an operation."""

import datetime
from typing import Any

import testtools
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.guestagent import models as agent_models

from tests.unit import tables
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc import quotas
from trove_pxc import starts

RESTART = ClusterTasks.RESTARTING_CLUSTER
SECOND = datetime.timedelta(seconds=1)


class StartTest(testtools.TestCase):

    def test_what_is_written_is_read(self) -> None:
        for start in (starts.Start(8, ''), starts.Start(8, 'req-1'),
                      starts.Start(2, 'req-1', 3, 'fd00::1'),
                      starts.Start(2, 'req-1', host='fd00::1',
                                   place=starts.Place('a1', 'long', 7))):
            self.assertEqual(start, starts.Start.parse(start.text))

    def test_its_form(self) -> None:
        self.assertEqual('pxc1:8:req-1:2:192.0.2.7',
                         starts.Start(8, 'req-1', 2, '192.0.2.7').text)

    def test_texts_of_others(self) -> None:
        """Trove's table was made for the versions of guest agents."""
        for text in (None, '', '26.0.0', 'pxc1:restart', 'pxc1:8:req-1',
                     'pxc2:8:req-1:0:', 'pxc1:x:req-1:0:'):
            self.assertIsNone(starts.Start.parse(text))

    def test_it_fits_into_the_column(self) -> None:
        longest = starts.Start(8, 'r:' * 500, 10 ** 9, 'h' * 500)
        self.assertLess(len(longest.text), 255)
        self.assertIsNotNone(starts.Start.parse(longest.text))

    def test_cast_of_the_request_may_start_it(self) -> None:
        start = starts.Start.parse(starts.Start(8, 'r:' * 100).text)
        assert start is not None
        start.check('r:' * 100)
        start.check('')
        starts.Start(8, '').check('req-1')

    def test_other_casts_may_not(self) -> None:
        error = self.assertRaises(exceptions.LeaseLost,
                                  starts.Start(8, 'req-1').check, 'req-2')
        self.assertIn('req-1', str(error))
        error = self.assertRaises(
            exceptions.LeaseLost,
            starts.Start(8, 'req-1', 1, '192.0.2.7').check, 'req-1')
        self.assertIn('192.0.2.7', str(error))


class RecordTest(testtools.TestCase):
    """The record in Trove's tables."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.version = tables.add_version()
        self.cluster = tables.add_cluster(self.version)

    def claim(self, request_id: str = 'req-1') -> None:
        self.assertTrue(pending.claim(
            self.cluster.id, RESTART, [], None, request_id=request_id))

    def begin(self, wanted: str | None = 'req-1',
              seen: datetime.datetime | None = None) -> bool:
        seen = seen or self.updated
        return starts.begin(self.cluster.id, RESTART, seen, seen + SECOND,
                            wanted)

    @property
    def updated(self) -> Any:
        return tables.again(self.cluster).updated

    @property
    def start(self) -> starts.Start | None:
        row = cluster_models.DBCluster.get_by(id=self.cluster.id)
        return starts.of({row.id: row.task_id}).get(row.id)

    def test_cluster_without_an_operation_has_none(self) -> None:
        self.assertIsNone(self.start)
        self.assertEqual({}, starts.of({}))

    def test_claim_records_the_request(self) -> None:
        self.claim()
        self.assertEqual(starts.Start(RESTART.code, 'req-1'), self.start)

    def test_claim_that_is_refused_records_nothing(self) -> None:
        self.claim()
        self.assertFalse(pending.claim(
            self.cluster.id, ClusterTasks.GROWING_CLUSTER, [], None,
            request_id='req-2'))
        self.assertEqual(starts.Start(RESTART.code, 'req-1'), self.start)

    def test_claim_replaces_the_record_of_an_earlier_operation(self) -> None:
        self.claim()
        self.begin()
        self.cluster.update(task_status=ClusterTasks.NONE)
        self.claim('req-2')
        self.assertEqual(starts.Start(RESTART.code, 'req-2'), self.start)
        self.assertEqual(1, agent_models.AgentHeartBeat.find_all().count())

    def test_first_start(self) -> None:
        self.claim()
        seen = self.updated
        self.assertTrue(self.begin())
        start = self.start
        assert start is not None
        self.assertEqual(('req-1', 1), (start.request, start.number))
        self.assertTrue(start.host)
        self.assertEqual(seen + SECOND, self.updated)

    def test_second_start_of_a_cast_changes_nothing(self) -> None:
        self.claim()
        self.begin()
        before = self.updated, self.start
        self.assertRaises(exceptions.LeaseLost, self.begin)
        self.assertEqual(before, (self.updated, self.start))

    def test_other_request_changes_nothing(self) -> None:
        self.claim()
        before = self.updated, self.start
        self.assertRaises(exceptions.LeaseLost, self.begin, 'req-0')
        self.assertEqual(before, (self.updated, self.start))

    def test_resumption_is_counted(self) -> None:
        self.claim()
        self.begin()
        self.assertTrue(self.begin(None))
        start = self.start
        assert start is not None
        self.assertEqual(('req-1', 2), (start.request, start.number))

    def test_other_value_of_the_lease(self) -> None:
        self.claim()
        self.assertFalse(self.begin(seen=self.updated - SECOND))
        self.assertEqual(starts.Start(RESTART.code, 'req-1'), self.start)

    def test_task_of_an_older_trove_api(self) -> None:
        """It wrote no record, or left that of an earlier operation."""
        for earlier in (False, True):
            self.cluster.update(task_status=ClusterTasks.NONE)
            if earlier:
                self.claim()
                self.begin()
                with quotas.transaction() as session:
                    starts.request(session, self.cluster.id,
                                   ClusterTasks.GROWING_CLUSTER, 'req-0')
            self.cluster.update(task_status=RESTART)
            self.assertIsNone(self.start)
            self.assertTrue(self.begin('req-3'))
            start = self.start
            assert start is not None
            self.assertEqual(('req-3', 1), (start.request, start.number))
            pending.end(self.cluster.id, RESTART)

    def test_end_deletes_the_record(self) -> None:
        other = tables.add_cluster(self.version)
        with quotas.transaction() as session:
            starts.request(session, other.id, RESTART, 'req-9')
        self.claim()
        self.begin()
        self.assertTrue(pending.end(self.cluster.id, RESTART))
        (left,) = agent_models.AgentHeartBeat.find_all().all()
        self.assertEqual(other.id, left.instance_id)

    def test_end_that_is_refused_keeps_the_record(self) -> None:
        self.claim()
        self.begin()
        self.assertFalse(pending.end(
            self.cluster.id, RESTART, updated=self.updated - SECOND))
        self.assertIsNotNone(self.start)
