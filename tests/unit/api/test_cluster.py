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

"""The model of a cluster: what it writes, casts and undoes."""

import datetime
import types
from typing import Any

import fixtures
import mock
from novaclient import exceptions as nova_exceptions
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.cluster import views as cluster_views
from trove.common import exception
from trove.common import notification
from trove.common import timeutils
from trove.guestagent import models as agent_models
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks
from trove.quota import models as quota_models
from trove.quota import quota

from tests.unit.api import base
from tests.unit import clock
from tests.unit import tables
from trove_pxc.api import actions
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import members
from trove_pxc.api import validation
from trove_pxc import pending
from trove_pxc import starts

LONG_AGO = datetime.datetime(2026, 1, 1)
HINT = {'group': 'group-1'}


class OfTest(base.ApiTestCase):

    def test_a_plain_cluster_becomes_one_of_ours(self) -> None:
        plain = cluster_models.Cluster(tables.context(), self.add_cluster())
        made = cluster_model.GaleraCluster.of(plain)
        self.assertIs(cluster_model.GaleraCluster, type(made))
        for name in ('context', 'db_info', 'ds', 'ds_version'):
            self.assertIs(getattr(plain, name), getattr(made, name))

    def test_one_of_ours_stays(self) -> None:
        made = self.load(self.add_cluster())
        self.assertIs(made, cluster_model.GaleraCluster.of(made))


class CreateTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.context = tables.context()
        self.context.notification = notification.DBaaSClusterCreate(
            self.context, request=base.request())
        self.checked = [
            {'name': f'c-{number}', 'flavor_id': '7', 'volume_size': 5,
             'volume_type': 'fast', 'nics': [{'network_id': 'users'}],
             'availability_zone': 'here', 'region_name': 'r',
             'modules': [{'id': 'module'}], 'number': f'{number}/3',
             'needs': {'instances': 1, 'ram': 512, 'volumes': 5}}
            for number in (1, 2, 3)]
        self.check = self.patch(validation, 'check', self.checked)
        self.made: list[Any] = []
        self.instance_create = self.useFixture(fixtures.MockPatchObject(
            instance_models.Instance, 'create', autospec=True,
            side_effect=self.make)).mock
        self.nova.server_groups.get.return_value = types.SimpleNamespace(
            policies=['affinity'])
        self.nova.server_groups.create.return_value = (
            types.SimpleNamespace(id='group-2'))

    def make(self, context: Any, name: str, *others: Any,
             **values: Any) -> Any:
        """Create a row like Trove, with a cast that nothing receives."""
        row = tables.add_instance(
            self.version, name, task=InstanceTasks.BUILDING,
            cluster_id=values['cluster_config']['id'],
            configuration_id=values['configuration_id'])
        self.made.append(row)
        return row

    def create(self, locality: Any = None, **changes: Any) -> Any:
        return cluster_model.GaleraCluster.create(**{
            'context': self.context, 'name': 'c',
            'datastore': tables.add_datastore(),
            'datastore_version': self.version, 'instances': [{}, {}, {}],
            'extended_properties': {}, 'locality': locality,
            'configuration': 'a-group', 'image_id': 'image-2', **changes})

    def only_row(self) -> Any:
        row, = cluster_models.DBCluster.find_all().all()
        return row


class CreateTest(CreateTestCase):

    def test_rows_and_one_cast(self) -> None:
        made = self.create()
        row = self.only_row()
        self.assertEqual(
            (made.id, 'c', base.PROJECT, self.version.id,
             ClusterTasks.BUILDING_INITIAL, 'a-group'),
            (row.id, row.name, row.tenant_id, row.datastore_version_id,
             row.task_status, row.configuration_id))
        self.task_api.create_cluster.assert_called_once_with(row.id)
        self.task_api.delete_cluster.assert_not_called()

    def test_the_request_is_recorded(self) -> None:
        made = self.create()
        self.assertEqual(
            {made.id: starts.Start(ClusterTasks.BUILDING_INITIAL.code,
                                   self.context.request_id)},
            starts.of({made.id: ClusterTasks.BUILDING_INITIAL.code}))

    def test_what_is_checked(self) -> None:
        self.create(extended_properties={
            'instance_names': ['a', None, 'b']})
        _, request = self.check.call_args.args
        self.assertEqual(
            ('c', 'mariadb', self.version, 'a-group', 'image-2'),
            (request.name, request.datastore.name, request.version,
             request.configuration_id, request.image_id))
        self.assertEqual([{'name': 'a'}, {'name': None}, {'name': 'b'}],
                         request.instances)

    def test_each_member_is_made_by_trove(self) -> None:
        made = self.create()
        self.assertEqual(3, self.instance_create.call_count)
        for number, call in enumerate(
                self.instance_create.call_args_list, start=1):
            context, *arguments = call.args
            self.assertIsInstance(context.notification,
                                  notification.DBaaSInstanceCreate)
            self.assertEqual(
                [f'c-{number}', '7', 'image-1', [], [], made.ds,
                 self.version, 5, None], arguments)
            self.assertEqual(
                {'availability_zone': 'here',
                 'nics': [{'network_id': 'users'}],
                 'configuration_id': 'a-group', 'volume_type': 'fast',
                 'modules': [{'id': 'module'}], 'region_name': 'r',
                 'locality': None, 'cluster_config': {
                     'id': made.id, 'instance_type': 'member',
                     'shard_id': f'{number}/3'}}, call.kwargs)

    def test_an_image_that_was_found_by_tags(self) -> None:
        self.version = tables.add_version(number='10.6', image_id=None)
        self.create()
        self.assertEqual('image-2', self.instance_create.call_args.args[3])

    def test_signs_of_life_between_members(self) -> None:
        """Otherwise a taskmanager would resume the running create."""
        time = self.useFixture(clock.Clock())
        seen = []
        other = self.add_cluster('other', 0)
        with cluster_models.DBCluster.query() as query:
            query.filter_by(id=other.id).update({'updated': LONG_AGO})

        def make(context: Any, name: str, *others: Any,
                 **values: Any) -> Any:
            row = cluster_models.DBCluster.get_by(name='c')
            seen.append(row.updated > LONG_AGO)
            with cluster_models.DBCluster.query() as query:
                query.filter_by(id=row.id).update({'updated': LONG_AGO})
            time.advance(seconds)
            return self.make(context, name, *others, **values)
        self.instance_create.side_effect = make
        seconds = 1.0
        self.create()
        self.assertEqual([True] * 3, seen)
        self.assertEqual(LONG_AGO, tables.again(other).updated)

    def test_no_sign_of_life_within_a_second(self) -> None:
        self.useFixture(clock.Clock())
        row = self.create().db_info
        self.assertEqual(row.updated, tables.again(row).updated)


class UndoCreateTest(CreateTestCase):

    def nothing_but(self, error: type[Exception], locality: Any = None,
                    **changes: Any) -> None:
        """The create fails with this error, and casts nothing."""
        self.assertRaises(error, self.create, locality, **changes)
        self.task_api.create_cluster.assert_not_called()

    def test_a_refusal_leaves_nothing(self) -> None:
        self.check.side_effect = exception.BadRequest('x')
        self.nothing_but(exception.BadRequest, HINT)
        self.assertEqual([], cluster_models.DBCluster.find_all().all())
        self.nova.server_groups.delete.assert_called_once_with('group-1')

    def test_readers_may_not(self) -> None:
        self.context.roles = ['reader']
        self.nothing_but(exception.PolicyNotAuthorized, HINT)
        self.check.assert_not_called()
        self.nova.server_groups.delete.assert_called_once_with('group-1')

    def test_before_the_first_member(self) -> None:
        self.instance_create.side_effect = exception.QuotaExceeded()
        self.nothing_but(exception.QuotaExceeded)
        row = self.only_row()
        self.assertEqual((True, ClusterTasks.NONE),
                         (bool(row.deleted), row.task_status))
        self.assertIsNotNone(row.deleted_at)
        self.assertEqual([], agent_models.AgentHeartBeat.find_all().all())
        self.task_api.delete_cluster.assert_not_called()

    def test_after_the_first_member(self) -> None:
        """The second member leaves a row without any resources."""
        def make(context: Any, name: str, *others: Any,
                 **values: Any) -> Any:
            row = self.make(context, name, *others, **values)
            if name == 'c-2':
                raise exception.VolumeCreationFailure()
            return row
        self.instance_create.side_effect = make
        self.nothing_but(exception.VolumeCreationFailure)
        row = self.only_row()
        self.assertEqual((False, ClusterTasks.DELETING),
                         (bool(row.deleted), row.task_status))
        self.task_api.delete_cluster.assert_called_once_with(row.id)
        first, second = map(tables.again, self.made)
        self.assertEqual((False, row.id, InstanceTasks.BUILDING), (
            bool(first.deleted), first.cluster_id, first.task_status))
        self.assertEqual((True, None, InstanceTasks.NONE, None, None), (
            bool(second.deleted), second.cluster_id, second.task_status,
            second.datastore_version_id, second.configuration_id))
        self.assertIsNotNone(second.deleted_at)

    def test_a_cast_that_fails(self) -> None:
        self.task_api.create_cluster.side_effect = OSError
        self.assertRaises(OSError, self.create, HINT)
        self.task_api.delete_cluster.assert_called_once_with(
            self.only_row().id)
        self.assertEqual(
            [mock.call('group-1'), mock.call('group-2')],
            self.nova.server_groups.delete.mock_calls[:2])


class LocalityTest(CreateTestCase):

    def test_a_group_is_named_after_the_clusters_id(self) -> None:
        made = self.create({**HINT, 'other': 'hint'})
        self.nova.server_groups.get.assert_called_once_with('group-1')
        _, wanted = self.nova.server_groups.create.call_args
        self.assertIn(made.id, wanted['name'])
        self.assertEqual(['affinity'], wanted['policies'])
        self.nova.server_groups.delete.assert_called_once_with('group-1')
        self.assertEqual(
            {'group': 'group-2', 'other': 'hint'},
            self.instance_create.call_args.kwargs['locality'])

    def test_no_group(self) -> None:
        for locality in (None, 'affinity', {'different_host': 'x'}):
            self.create(locality)
            self.assertEqual(
                locality, self.instance_create.call_args.kwargs['locality'])
        self.nova.server_groups.create.assert_not_called()
        self.nova.server_groups.delete.assert_not_called()

    def test_a_group_that_is_gone_already(self) -> None:
        self.nova.server_groups.delete.side_effect = (
            nova_exceptions.NotFound(404))
        self.create(HINT)
        self.assertEqual('group-2', self.instance_create.call_args.kwargs[
            'locality']['group'])

    def test_a_group_that_cannot_be_made(self) -> None:
        self.nova.server_groups.create.side_effect = (
            nova_exceptions.Forbidden(403))
        self.assertRaises(nova_exceptions.Forbidden, self.create, HINT)
        self.assertTrue(self.only_row().deleted)
        self.nova.server_groups.delete.assert_called_once_with('group-1')


class ActionTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.cluster = self.load(self.row)
        patcher = mock.patch.object(
            cluster_models.Cluster, 'action', autospec=True)
        self.addCleanup(patcher.stop)
        self.troves = patcher.start()

    def act(self, action: str) -> None:
        self.cluster.action(self.cluster.context, 'a request', action, {})

    def test_ours_come_first(self) -> None:
        perform = self.patch(actions, 'perform', True)
        for action in ('restart', 'grow'):
            self.act(action)
            perform.assert_called_with(
                self.cluster, 'a request', action, {})
        self.troves.assert_not_called()

    def test_what_is_none_of_ours_is_troves(self) -> None:
        self.act('reset-status')
        self.assertEqual(('a request', 'reset-status', {}),
                         self.troves.call_args.args[2:])

    def test_readers_may_not(self) -> None:
        self.cluster = self.load(self.row, 'reader')
        for action in ('grow', 'reset-status'):
            refusal = self.assertRaises(
                exception.PolicyNotAuthorized, self.act, action)
            self.assertIn('grow' if action == 'grow' else 'galera:action',
                          str(refusal))
        self.troves.assert_not_called()


class ShownLocalityTest(base.ApiTestCase):
    """Only public attributes of Trove's class, which its views read."""

    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.load(self.add_cluster())
        servers = [row.compute_instance_id
                   for row in self.members(self.cluster)]
        self.nova.server_groups.list.return_value = [
            types.SimpleNamespace(members=['x'], policies=['affinity']),
            types.SimpleNamespace(members=servers[1:],
                                  policies=['anti-affinity'])]

    def test_of_the_group_that_the_servers_are_in(self) -> None:
        for _ in range(2):
            self.assertEqual('anti-affinity', self.cluster.locality)
        self.nova.server_groups.list.assert_called_once_with()

    def test_none(self) -> None:
        self.nova.server_groups.list.return_value = []
        self.assertIsNone(self.cluster.locality)

    def test_as_the_request_names_it(self) -> None:
        """The group does not exist yet."""
        self.cluster.locality = 'affinity'
        self.assertEqual('affinity', self.cluster.locality)
        self.nova.server_groups.list.assert_not_called()

    def test_as_troves_view_shows_it(self) -> None:
        view = cluster_views.load_view(
            self.cluster, req=base.request(), load_servers=False)
        self.assertEqual('anti-affinity', view.data()['cluster']['locality'])


class DeleteTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster(task=ClusterTasks.GROWING_CLUSTER)
        with cluster_models.DBCluster.query() as query:
            query.filter_by(id=self.row.id).update({'updated': LONG_AGO})

    def test_whatever_it_does(self) -> None:
        cluster = self.load(self.row)
        cluster.delete()
        row = tables.again(self.row)
        self.assertEqual(ClusterTasks.DELETING, row.task_status)
        self.assertEqual(ClusterTasks.DELETING, cluster.db_info.task_status)
        self.assertGreater(row.updated, LONG_AGO)
        self.task_api.delete_cluster.assert_called_once_with(self.row.id)
        self.assertEqual([InstanceTasks.DELETING] * 3, [
            one.task_status for one in self.members(self.row)])

    def test_twice(self) -> None:
        """The row does not change, which shows whether the deletion runs."""
        self.load(self.row).delete()
        before = self.start()
        self.load(self.row).delete()
        self.assertEqual(before, self.start())
        self.assertEqual(2, self.task_api.delete_cluster.call_count)

    def start(self) -> Any:
        row = tables.again(self.row)
        return row.updated, starts.of({row.id: row.task_id}).get(row.id)

    def hold(self, minutes: float) -> None:
        """A taskmanager runs the operation, and was last seen then."""
        row = tables.again(self.row)
        self.assertTrue(starts.begin(
            row.id, row.task_status, row.updated, timeutils.utcnow()
            - datetime.timedelta(minutes=minutes), None))

    def test_it_is_a_new_operation(self) -> None:
        """The taskmanager that holds the grow does not hold it."""
        self.hold(0)
        cluster = self.load(self.row)
        cluster.delete()
        self.assertEqual(
            starts.Start(ClusterTasks.DELETING.code,
                         cluster.context.request_id), self.start()[1])

    def test_a_holder_is_not_displaced(self) -> None:
        self.load(self.row).delete()
        self.hold(9)
        before = self.start()
        self.assertEqual(1, before[1].number)
        self.load(self.row).delete()
        self.assertEqual(before, self.start())

    def test_a_deletion_that_nobody_resumes_is_requested_anew(self) -> None:
        self.load(self.row).delete()
        self.hold(11)
        before, _ = self.start()
        self.load(self.row).delete()
        after, start = self.start()
        self.assertGreater(after, before)
        self.assertEqual(0, start.number)

    def test_another_cluster_is_left_alone(self) -> None:
        other = self.add_cluster('other')
        self.load(self.row).delete()
        self.assertEqual(ClusterTasks.NONE,
                         tables.again(other).task_status)
        self.assertEqual([InstanceTasks.NONE] * 3, [
            one.task_status for one in self.members(other)])

    def test_what_is_building_stays_that(self) -> None:
        building = tables.add_member(
            self.row, 'c-4', task=InstanceTasks.BUILDING)
        self.load(self.row).delete()
        self.assertEqual(InstanceTasks.BUILDING,
                         tables.again(building).task_status)

    def test_an_order_stays_with_its_member(self) -> None:
        first, second, _ = self.members(self.row)
        order = pending.Order(pending.VOLUME, '9')
        first.update(task_description=order.text)
        self.load(self.row).delete()
        self.assertEqual(order, pending.of(tables.again(first)))
        self.assertIsNone(pending.of(tables.again(second)))

    def test_readers_may_not(self) -> None:
        self.assertRaises(exception.PolicyNotAuthorized,
                          self.load(self.row, 'reader').delete)
        self.assertEqual(ClusterTasks.GROWING_CLUSTER,
                         tables.again(self.row).task_status)


class ResetStatusTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster(task=ClusterTasks.RESTARTING_CLUSTER)
        quota.QUOTAS.get_all_quota_usages_by_tenant(base.PROJECT)

    def test_as_trove_does_it(self) -> None:
        self.load(self.row).reset_status()
        self.assertEqual(ClusterTasks.NONE,
                         tables.again(self.row).task_status)

    def test_what_a_resize_was_to_use_is_given_back(self) -> None:
        first = self.members(self.row)[0]
        first.update(task_description=pending.Order(
            pending.VOLUME, '9').text)
        quota.run_with_quotas(base.PROJECT, {'volumes': 20}, dict)
        self.load(self.row).reset_status()
        usage = quota_models.QuotaUsage.find_by(
            tenant_id=base.PROJECT, resource='volumes')
        self.assertEqual((12, 0), (usage.in_use, usage.reserved))
        self.assertIsNone(pending.of(tables.again(first)))

    def test_what_is_being_deleted_stays_that(self) -> None:
        self.row.update(task_status=ClusterTasks.DELETING)
        self.load(self.row).reset_status()
        self.assertEqual(ClusterTasks.DELETING,
                         tables.again(self.row).task_status)


class MembersTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.load(self.add_cluster())
        self.read = self.useFixture(fixtures.MockPatchObject(
            members, 'load', autospec=True, side_effect=members.load)).mock

    def test_they_are_read_once(self) -> None:
        for _ in range(2):
            self.assertEqual(
                ['c-1', 'c-2', 'c-3'],
                [one.name for one in self.cluster.members])
        self.read.assert_called_once_with(self.cluster.context,
                                          [self.cluster])

    def test_those_that_were_read_with_others(self) -> None:
        self.cluster.know(['known'])
        self.assertEqual(['known'], self.cluster.members)
        self.read.assert_not_called()
        self.cluster.know(None)
        self.assertEqual(3, len(self.cluster.members))

    def test_the_row_anew(self) -> None:
        with cluster_models.DBCluster.query() as query:
            query.filter_by(id=self.cluster.id).update(
                {'updated': timeutils.utcnow(), 'name': 'new'})
        self.assertEqual('c', self.cluster.name)
        self.cluster.know_row()
        self.assertEqual('new', self.cluster.name)

    def test_a_row_that_is_gone(self) -> None:
        tables.again(self.cluster.db_info).update(deleted=True)
        self.assertRaises(exception.ModelNotFoundError,
                          self.cluster.know_row)


class ServerGroupTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.group = types.SimpleNamespace(
            members=['server-of-c-2'], policies=['anti-affinity'])
        self.nova.server_groups.list.return_value = [
            types.SimpleNamespace(members=['another'], policies=['x']),
            self.group]

    def test_the_servers_in_it_tell_it(self) -> None:
        cluster = self.load(self.row)
        for _ in range(2):
            self.assertIs(self.group, cluster.server_group)
        self.assertEqual('anti-affinity', cluster.locality)
        self.nova.server_groups.list.assert_called_once_with()

    def test_none(self) -> None:
        self.group.members = []
        cluster = self.load(self.row)
        member = cluster.members[0]
        member.inventory = mock.create_autospec(
            member.inventory, instance=True)
        member.inventory.server_group.return_value = None
        for _ in range(2):
            self.assertIsNone(cluster.server_group)
        member.inventory.server_group.assert_called_once_with(
            {'server-of-c-1', 'server-of-c-2', 'server-of-c-3'})

    def test_no_server_yet(self) -> None:
        for member in self.members(self.row):
            member.update(compute_instance_id=None)
        self.assertIsNone(self.load(self.row).server_group)
        self.nova.server_groups.list.assert_not_called()
