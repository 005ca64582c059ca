# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The order of a deletion, remaining resources, and a resumed deletion."""

import types
from typing import Any

import fixtures
import mock
from novaclient import exceptions as nova_exceptions
from oslo_db import exception as db_exceptions
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import clients
from trove.instance import models as instance_models

from tests.unit import specs
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import quotas
from trove_pxc import starts
from trove_pxc.taskmanager.cloud import cleanup
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.operations import delete

GROUP = f'locality_{fakes.CLUSTER}'


class DeleteTestCase(fakes.ClusterTestCase):
    """The cleanup of one member is replaced.

    :ivar done: the calls, in order.
    :ivar left: by member, the remaining resources at each check.
    """

    def setUp(self) -> None:
        super().setUp()
        self.delete_cluster()
        self.tables.change(cluster_models.DBCluster, fakes.CLUSTER,
                           configuration_id='configuration')
        self.done: list[str] = []
        self.left: dict[str, list[list[str]]] = {}
        self.groups: list[Any] = []
        self.useFixture(fixtures.MockPatchObject(
            cleanup, 'Leftovers', autospec=True, side_effect=self._remains))
        self.rows = self.useFixture(fixtures.MockPatchObject(
            cleanup, 'delete_rows', autospec=True,
            side_effect=self._delete_rows)).mock
        self.useFixture(fixtures.MockPatchObject(
            cleanup, 'forget_former_members', autospec=True,
            side_effect=lambda cluster_id: self.done.append(
                f'forget {cluster_id}')))
        self.useFixture(fixtures.MockPatchObject(
            clients, 'create_nova_client', side_effect=lambda context:
            types.SimpleNamespace(server_groups=types.SimpleNamespace(
                list=lambda: list(self.groups)))))

    def _remains(self, member: Any) -> Any:
        def clean_up() -> list[str]:
            looks = self.left.get(member.name, [])
            left = looks.pop(0) if looks else []
            if not left:
                self.done.append(f'{member.name} gone')
            return [f'{member.name}: {thing}' for thing in left]
        return types.SimpleNamespace(
            member=member, server_id=f'server-{member.number}',
            clean_up=clean_up)

    def _delete_rows(self, context: Any, member: Any) -> None:
        self.done.append(f'{member.name} rows')
        self.change(member.number, deleted=True)

    def add_group(self, name: str, *servers: str) -> Any:
        group = mock.Mock(spec=['name', 'members', 'delete'])
        group.name, group.members = name, list(servers)
        group.delete.side_effect = (
            lambda: self.done.append(f'group {name}'))
        self.groups.append(group)
        return group

    def delete(self) -> delete.Deletion:
        operation = delete.Deletion('context', self.cluster)
        delete.run(operation)
        return operation

    def is_deleted(self) -> bool:
        return bool(self.tables.cluster(fakes.CLUSTER).deleted)


class DeleteTest(DeleteTestCase):

    def test_resources_then_rows_then_groups_then_the_cluster(self) -> None:
        self.add_group(GROUP, 'server-1')
        self.delete()
        self.assertEqual(
            ['c-1 gone', 'c-2 gone', 'c-3 gone',
             'c-1 rows', 'c-2 rows', 'c-3 rows', f'group {GROUP}',
             f'forget {fakes.CLUSTER}'], self.done)
        self.assertEqual(
            ['context'] * 3, [call.args[0] for call in
                              self.rows.call_args_list])

    def test_what_its_row_says_then(self) -> None:
        self.delete()
        row = self.tables.cluster(fakes.CLUSTER)
        self.assertTrue(row.deleted)
        self.assertIsNotNone(row.deleted_at)
        self.assertEqual(ClusterTasks.NONE, row.task_status)
        self.assertIsNone(row.configuration_id)

    def test_the_record_of_its_request_is_deleted(self) -> None:
        deleting = ClusterTasks.DELETING
        with quotas.transaction() as session:
            starts.request(session, fakes.CLUSTER, deleting, 'req-1')
        self.delete()
        self.assertEqual({}, starts.of({fakes.CLUSTER: deleting.code}))

    def test_no_row_goes_while_anything_is_left(self) -> None:
        self.left = {'c-2': [['server s'], ['port p'], []]}
        self.delete()
        self.assertEqual([4, 4], self.clock.pauses)
        self.assertLess(self.done.index('c-2 gone'),
                        self.done.index('c-1 rows'))

    def test_what_will_not_go_is_named(self) -> None:
        self.override(None, cluster_delete_time_out=60)
        self.left = {'c-1': [['port p']] * 99, 'c-3': [['server s']] * 99}
        error = self.assertRaises(exceptions.DeadlineExceeded, self.delete)
        self.assertEqual('c-1: port p; c-3: server s', error.last_seen)
        self.assertEqual(60, error.seconds)
        self.assertIn('members to be gone from the cloud', str(error))
        self.rows.assert_not_called()
        self.assertFalse(self.is_deleted())

    def test_who_is_looked_at_is_the_subject(self) -> None:
        operation = delete.Deletion(None, self.cluster)
        operation.leftovers[1].clean_up = mock.Mock(
            side_effect=nova_exceptions.Forbidden(403))
        self.assertRaises(nova_exceptions.Forbidden, delete.run, operation)
        self.assertEqual('c-2', operation.subject.name)

    def test_while_all_are_waited_for_nobody_is(self) -> None:
        self.left = {'c-2': [['server s']] * 999}
        operation = delete.Deletion(None, self.cluster)
        self.assertRaises(exceptions.DeadlineExceeded, delete.run,
                          operation)
        self.assertIsNone(operation.subject)

    def test_whose_rows_will_not_go_is_the_subject(self) -> None:
        operation = delete.Deletion(None, self.cluster)
        self.rows.side_effect = [None, ZeroDivisionError]
        self.assertRaises(ZeroDivisionError, delete.run, operation)
        self.assertEqual('c-2', operation.subject.name)
        self.assertFalse(self.is_deleted())

    def test_the_cluster_has_no_subject_in_the_end(self) -> None:
        self.assertIsNone(self.delete().subject)

    def test_another_run_does_what_is_left(self) -> None:
        def cut_short(context: Any, member: Any) -> None:
            if member.number == 2:
                raise ZeroDivisionError
            self._delete_rows(context, member)
        self.rows.side_effect = cut_short
        self.assertRaises(ZeroDivisionError, self.delete)
        self.rows.side_effect = self._delete_rows
        self.done.clear()
        operation = self.delete()
        self.assertEqual(['c-2', 'c-3'],
                         [member.name for member in operation.members])
        self.assertNotIn('c-1 gone', self.done)
        self.assertTrue(self.is_deleted())

    def test_a_cluster_without_members(self) -> None:
        for number in self.guests:
            self.change(number, deleted=True)
        self.delete()
        self.assertEqual([f'forget {fakes.CLUSTER}'], self.done)
        self.assertTrue(self.is_deleted())

    def test_a_cluster_that_is_deleted_already(self) -> None:
        self.tables.change(cluster_models.DBCluster, fakes.CLUSTER,
                           deleted=True)
        self.tables.add(cluster_models.DBCluster, ClusterTasks.NONE,
                        id='another')
        self.delete()
        self.assertIsNone(self.tables.cluster(fakes.CLUSTER).deleted_at)
        self.assertFalse(self.tables.cluster('another').deleted)

    def test_who_lost_the_lease_deletes_no_more_rows(self) -> None:
        operation = delete.Deletion(None, self.cluster)
        operation.held = specs.spec(lease.Lease)

        def check() -> None:
            if self.rows.call_count:
                raise exceptions.LeaseLost('it is gone')
        operation.held.check.side_effect = check
        self.assertRaises(exceptions.LeaseLost, delete.run, operation)
        self.assertEqual(1, self.rows.call_count)
        self.assertEqual(2, len(instance_models.DBInstance.find_all(
            deleted=False).all()))

    def test_who_lost_the_lease_sweeps_no_more(self) -> None:
        operation = delete.Deletion(None, self.cluster)
        operation.held = specs.spec(lease.Lease)
        operation.held.check.side_effect = exceptions.LeaseLost('gone')
        self.assertRaises(exceptions.LeaseLost, delete.run, operation)
        self.assertEqual([], self.done)


class CloudTest(DeleteTestCase):

    def test_a_cloud_that_fails_now_and_then(self) -> None:
        """It is killed at each of the calls."""
        busy = nova_exceptions.ClientException(503)
        group = self.add_group(GROUP, 'server-1')
        group.delete.side_effect = [busy, None]
        self.rows.side_effect = [
            busy, db_exceptions.DBDeadlock(), None, busy, None, None]
        with mock.patch.object(
                clients, 'create_nova_client', side_effect=[
                    busy, clients.create_nova_client(None)]):
            self.delete()
        self.assertEqual(6, self.rows.call_count)
        self.assertEqual(2, group.delete.call_count)
        self.assertTrue(self.is_deleted())

    def test_one_that_stays_away(self) -> None:
        self.override(None, cluster_delete_time_out=7)
        self.rows.side_effect = nova_exceptions.ClientException(503, 'busy')
        late = self.assertRaises(exceptions.DeadlineExceeded, self.delete)
        self.assertIn('the rows of c-1 to be deleted', str(late))
        self.assertIn('Nova answers 503: busy', str(late))


class GroupTest(DeleteTestCase):

    def test_those_of_its_servers_whatever_they_are_called(self) -> None:
        self.add_group('of trove', 'server-9', 'server-2')
        self.delete()
        self.assertIn('group of trove', self.done)

    def test_one_that_no_server_got_into(self) -> None:
        self.add_group(GROUP)
        self.delete()
        self.assertIn(f'group {GROUP}', self.done)

    def test_those_of_others_stay(self) -> None:
        group = self.add_group('of others', 'server-9')
        self.add_group('locality_another')
        self.delete()
        group.delete.assert_not_called()
        self.assertNotIn('group locality_another', self.done)

    def test_they_are_found_before_the_servers_go(self) -> None:
        group = self.add_group('of trove', 'server-1')
        self.rows.side_effect = lambda context, member: (
            group.members.clear())
        self.delete()
        self.assertIn('group of trove', self.done)

    def test_one_that_is_gone_already(self) -> None:
        self.add_group(GROUP).delete.side_effect = (
            nova_exceptions.NotFound(404))
        self.delete()
        self.assertTrue(self.is_deleted())
