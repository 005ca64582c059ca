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

"""The state of a cluster in Trove's tables and in Nova."""

from typing import Any

import mock
from novaclient import exceptions as nova_exceptions
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import known
from trove_pxc.galera import diagnosis

Statuses = tables.Statuses
BUILDING_ERROR = InstanceTasks.BUILDING_ERROR_SERVER
FAULT = ('create: "join of c-2" failed: out of memory. Next: delete the\n'
         'cluster')


class KnownTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = tables.add_cluster(self.version)

    def add(self, number: int, **values: Any) -> Any:
        name = values.pop('name', f'c-{number}')
        row = tables.add_member(self.row, name, **{
            'shard_id': f'{number}/3', **values})
        if not values.get('gone'):
            self.nova.servers.list.return_value.append(
                mock.Mock(id=row.compute_instance_id, status='ACTIVE'))
        return row

    def known(self) -> diagnosis.Known:
        return known.of_cluster(self.load(self.row))

    def save_fault(self, row: Any, text: str = FAULT) -> None:
        instance_models.save_instance_fault(row.id, text, 'details')

    def test_names_by_ids_in_member_order(self) -> None:
        second, first = self.add(2), self.add(1, name='a')
        self.assertEqual([(first.id, 'a'), (second.id, 'c-2')],
                         list(self.known().names.items()))

    def test_a_cluster_that_is_well(self) -> None:
        for number in (1, 2, 3):
            self.add(number)
        found = self.known()
        self.assertEqual(
            ('c', diagnosis.UnderWay.NOTHING, True, {}, [], 3),
            (found.cluster, found.under_way, found.complete, found.failed,
             found.gone, found.least))

    def test_what_is_under_way(self) -> None:
        for task, under_way in (
                (ClusterTasks.BUILDING_INITIAL, 'CREATE'),
                (ClusterTasks.DELETING, 'DELETE'),
                (ClusterTasks.GROWING_CLUSTER, 'CHANGE')):
            self.row.update(task_status=task)
            self.assertIs(diagnosis.UnderWay[under_way],
                          self.known().under_way)

    def test_the_least_number_of_members(self) -> None:
        self.override('min_cluster_member_count', 2, 'mariadb')
        self.assertEqual(2, self.known().least)

    def test_a_member_that_did_not_come_in(self) -> None:
        self.add(1)
        row = self.add(2, task=InstanceTasks.GROWING_ERROR,
                       status=Statuses.INSTANCE_READY)
        self.assertEqual({row.id: ''}, self.known().failed)
        self.save_fault(row)
        self.assertEqual(
            {row.id: 'create: "join of c-2" failed: out of memory'},
            self.known().failed)

    def test_a_create_that_failed(self) -> None:
        """The fault has the reason: of a failed member, else of any."""
        other = self.add(1, status=Statuses.INSTANCE_READY)
        self.save_fault(other, 'c-1 is not at fault')
        self.assertEqual((False, {other.id: 'c-1 is not at fault'}), (
            self.known().complete, self.known().failed))
        row = self.add(2, task=BUILDING_ERROR,
                       status=Statuses.INSTANCE_READY)
        self.save_fault(row)
        self.assertEqual([row.id], list(self.known().failed))

    def test_a_create_that_goes_on_has_not_failed(self) -> None:
        self.row.update(task_status=ClusterTasks.BUILDING_INITIAL)
        self.save_fault(self.add(1, status=Statuses.NEW))
        self.assertEqual({}, self.known().failed)

    def test_a_server_that_is_gone(self) -> None:
        self.add(1)
        gone = tables.add_member(self.row, 'c-2')
        self.nova.servers.get.side_effect = nova_exceptions.NotFound(404)
        self.assertEqual([gone.id], list(self.known().gone))


class CompleteTest(base.ApiTestCase):

    def complete(self, *statuses: Any) -> bool:
        row = tables.add_cluster(self.version)
        return known.ever_complete([
            tables.add_member(row, f'c-{number}', status=status).id
            for number, status in enumerate(statuses)])

    def test_ever_complete(self) -> None:
        for status in (Statuses.HEALTHY, Statuses.SHUTDOWN,
                       Statuses.CRASHED, Statuses.BLOCKED):
            self.assertTrue(self.complete(Statuses.NEW, status), status)
        for status in (Statuses.NEW, Statuses.BUILDING, Statuses.FAILED,
                       Statuses.INSTANCE_READY,
                       Statuses.FAILED_TIMEOUT_GUESTAGENT):
            self.assertFalse(self.complete(status, status), status)

    def test_the_refusal(self) -> None:
        row = tables.add_cluster(self.version)
        member = tables.add_member(row, 'c-1', task=BUILDING_ERROR,
                                   status=Statuses.INSTANCE_READY)
        instance_models.save_instance_fault(member.id, FAULT, 'details')
        refused = self.assertRaises(
            exception.BadRequest, known.check_complete, self.load(row),
            [member.id])
        self.assertEqual(
            'The create of the cluster failed: create: "join of c-2" '
            'failed: out of memory. Delete it: "openstack database cluster '
            'delete c". Then create it again.', str(refused))

    def test_what_is_complete_is_not_refused(self) -> None:
        row = self.add_cluster()
        known.check_complete(self.load(row), [
            member.id for member in self.members(row)])
