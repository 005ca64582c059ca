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

"""The record of the backup from which a cluster is created."""

import datetime

import testtools
from trove.cluster.tasks import ClusterTasks
from trove.guestagent import models as agent_models

from tests.unit import tables
from trove_pxc import pending
from trove_pxc import queued
from trove_pxc import quotas
from trove_pxc import restores
from trove_pxc import starts

BUILDING = ClusterTasks.BUILDING_INITIAL
RESTORE = restores.Restore('b-1', 'fetch the backup, 1.0 of 2.0 GiB: 5 %')


class RestoreTest(testtools.TestCase):

    def test_what_is_written_is_read(self) -> None:
        for restore in (restores.Restore('b-1'), RESTORE):
            self.assertEqual(restore, restores.Restore.parse(restore.text))

    def test_texts_of_others(self) -> None:
        for text in (None, '', '26.0.0', 'pxc1:8:req-1:0:',
                     'pxc1restore:b-1'):
            self.assertIsNone(restores.Restore.parse(text))

    def test_a_long_progress_is_cut_off(self) -> None:
        cut = restores.Restore('b-1', 'x' * 500)
        self.assertEqual(255, len(cut.text))
        self.assertIsNotNone(restores.Restore.parse(cut.text))


class RecordTest(testtools.TestCase):
    """The record in Trove's tables."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.version = tables.add_version()
        self.cluster = self.restored_cluster()

    def restored_cluster(self, backup_id: str = 'b-1') -> str:
        cluster_id = str(tables.add_cluster(self.version, task=BUILDING).id)
        with quotas.transaction() as session:
            starts.request(session, cluster_id, BUILDING, 'req-1')
            restores.request(session, cluster_id, backup_id)
        return cluster_id

    def test_each_cluster_has_its_own(self) -> None:
        other = self.restored_cluster('b-2')
        plain = str(tables.add_cluster(self.version).id)
        self.assertEqual(
            {self.cluster: restores.Restore('b-1'),
             other: restores.Restore('b-2')},
            restores.of([self.cluster, other, plain]))
        self.assertEqual({}, restores.of([]))

    def test_progress_is_recorded(self) -> None:
        restores.show(self.cluster, RESTORE)
        self.assertEqual({self.cluster: RESTORE},
                         restores.of([self.cluster]))

    def test_record_of_the_request_is_another(self) -> None:
        restores.show(self.cluster, RESTORE)
        self.assertEqual('req-1', starts.of(
            {self.cluster: BUILDING.code})[self.cluster].request)

    def test_end_of_the_operation_deletes_both(self) -> None:
        other = self.restored_cluster('b-2')
        self.assertTrue(pending.end(self.cluster, BUILDING))
        self.assertEqual([other], list(restores.of([self.cluster, other])))
        self.assertEqual(2, len(agent_models.AgentHeartBeat.find_all().all()))

    def test_late_progress_is_dropped(self) -> None:
        pending.end(self.cluster, BUILDING)
        restores.show(self.cluster, RESTORE)
        self.assertEqual([], agent_models.AgentHeartBeat.find_all().all())

    def test_a_long_restore_keeps_its_record(self) -> None:
        """Old records of taskmanagers that ended are deleted."""
        for row in agent_models.AgentHeartBeat.find_all().all():
            row.update(updated_at=datetime.datetime(2020, 1, 1))
        queued.clean()
        self.assertEqual([self.cluster], list(restores.of([self.cluster])))
