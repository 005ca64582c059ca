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

"""Trove's manager with the periodic tasks, as trove-taskmanager loads it."""

from collections.abc import Callable
import logging
import types
from typing import Any

import fixtures
import mock
from oslo_utils import importutils
import testtools
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.quota import quota
from trove.taskmanager import manager as troves
from trove.taskmanager import models as task_models

from tests.unit import specs
from tests.unit import tables
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc import masking
from trove_pxc import queued
from trove_pxc import quotas
from trove_pxc import retries
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager import manager
from trove_pxc.taskmanager import tasks
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc.taskmanager.watchers import orphans
from trove_pxc.taskmanager.watchers import resume

STRATEGY = 'trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy'
DUTIES = {'resume_operations': resume.Resumption,
          'take_creations': orphans.Orphans,
          'recover_clusters': automatic.Watch}


def fake_context() -> Any:
    context = mock.Mock()
    context.notification.server_type = 'taskmanager'
    return context


class Queues:
    """As admission.Admission; each request runs at once.

    :ivar lanes: the queue of each request.
    """

    process = 'a1'

    def __init__(self) -> None:
        self.lanes: list[str] = []

    def admit(self, lane: str, cluster_id: str, context: Any,
              call: Callable[[], None]) -> None:
        self.lanes.append(lane)
        call()

    def admit_creation(self, instance_id: str, context: Any,
                       message: Callable[[], str],
                       begin: Callable[[], None],
                       call: Callable[[], None]) -> None:
        self.message = message
        begin()
        self.admit(admission.CREATIONS, instance_id, context, call)


class ManagerTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.useFixture(fixtures.MockPatchObject(
            retries, 'install', autospec=True))
        self.looks = {
            duty: self.useFixture(fixtures.MockPatchObject(
                watcher, 'look', autospec=True)).mock
            for duty, watcher in DUTIES.items()}
        self.queues = Queues()
        self.useFixture(fixtures.MockPatchObject(
            admission, 'Admission', return_value=self.queues))
        self.ours = self.useFixture(fixtures.MockPatchObject(
            discovery, 'is_ours', autospec=True,
            return_value=True)).mock
        self.tasks = specs.spec(tasks.GaleraClusterTasks)
        self.useFixture(fixtures.MockPatchObject(
            task_models, 'load_cluster_tasks', autospec=True,
            return_value=self.tasks))
        self.useFixture(fixtures.MockPatchObject(
            cluster_models.DBCluster, 'get_by', return_value=None))
        self.clean = self.useFixture(fixtures.MockPatchObject(
            queued, 'clean', autospec=True)).mock
        self.repair = self.useFixture(fixtures.MockPatchObject(
            quotas, 'repair', autospec=True)).mock

    def load(self) -> manager.Manager:
        """Create it as trove/common/rpc/service.py does."""
        loaded = importutils.import_object(
            'trove_pxc.taskmanager.manager.Manager')
        assert isinstance(loaded, manager.Manager)
        return loaded

    def test_it_is_troves_own(self) -> None:
        self.assertIsInstance(self.load(), troves.Manager)

    def create(self, loaded: manager.Manager, cluster: Any,
               datastore: str) -> None:
        loaded.create_instance(
            None, instance_id=f'instance of {datastore}',
            cluster_config=cluster, datastore_manager=datastore)

    def test_calls_are_repeated_while_a_member_is_created(self) -> None:
        loaded = self.load()
        seen = []

        def create(manager: Any, context: Any, **kwargs: Any) -> None:
            seen.append(retries._seconds.get())
        with (mock.patch.object(troves.Manager, 'create_instance', create),
              mock.patch.object(instance_creation, 'begin', autospec=True)
              as begin):
            for cluster, datastore in (
                    ({'id': 'c'}, 'mariadb'), (None, 'mariadb'),
                    ({'id': 'c'}, 'mongodb')):
                self.create(loaded, cluster, datastore)
        self.assertEqual([180.0, 0.0, 0.0], seen)
        begin.assert_called_once_with('instance of mariadb')
        self.assertEqual(['creations'], self.queues.lanes)

    def test_member_whose_cluster_is_deleted_is_not_created(self) -> None:
        loaded = self.load()
        context = fake_context()
        with (mock.patch.object(troves.Manager, 'create_instance',
                                autospec=True) as create,
              mock.patch.object(
                  instance_creation, 'begin', autospec=True,
                  side_effect=exceptions.ClusterBeingDeleted("gone"))):
            self.assertRaises(exceptions.ClusterBeingDeleted,
                              loaded.create_instance, context,
                              instance_id='i', cluster_config={'id': 'c'},
                              datastore_manager='mariadb')
        create.assert_not_called()
        context.notification.notify_exc_info.assert_called_once()

    def test_member_that_another_taskmanager_creates(self) -> None:
        """It is not created here, and no end is notified."""
        loaded = self.load()
        context = mock.Mock()
        with (mock.patch.object(troves.Manager, 'create_instance',
                                autospec=True) as create,
              mock.patch.object(instance_creation, 'begin', autospec=True,
                                side_effect=exceptions.LeaseLost("taken"))):
            self.assertRaises(exceptions.LeaseLost,
                              loaded.create_instance, context,
                              instance_id='i', cluster_config={'id': 'c'},
                              datastore_manager='mariadb')
        create.assert_not_called()
        self.assertEqual([], context.notification.method_calls)

    def test_member_is_created_from_the_stored_message(self) -> None:
        loaded = self.load()
        seen: list[Any] = []

        def create(manager: Any, context: Any, **kwargs: Any) -> None:
            seen.append((context.request_id, kwargs))
        arguments = {'instance_id': 'i', 'cluster_config': {'id': 'c'},
                     'datastore_manager': 'mariadb', 'nics': [{'a': 'b'}]}
        context = tables.context()
        with (mock.patch.object(troves.Manager, 'create_instance', create),
              mock.patch.object(instance_creation, 'begin', autospec=True)):
            loaded.create_instance(context, **arguments)
            loaded._orphans._create(self.queues.message())
        self.assertEqual([(context.request_id, arguments)] * 2, seen)

    def test_cluster_that_is_deleted_is_not_deleted_again(self) -> None:
        """Trove would send an error notification."""
        loaded = self.load()
        for row, calls in ((types.SimpleNamespace(deleted=True), 0),
                           (types.SimpleNamespace(deleted=False), 1),
                           (None, 1)):
            with (mock.patch.object(cluster_models.DBCluster, 'get_by',
                                    autospec=True, return_value=row),
                  mock.patch.object(troves.Manager, 'delete_cluster',
                                    autospec=True) as delete):
                loaded.delete_cluster(None, 'c')
                self.assertEqual(calls, delete.call_count)

    def test_queue_of_each_operation(self) -> None:
        loaded = self.load()
        for group in conf.MANAGERS:
            cfg.CONF.set_override('taskmanager_strategy', STRATEGY, group)
            self.addCleanup(cfg.CONF.clear_override, 'taskmanager_strategy',
                            group)
        for name, arguments, lane in (
                ('create_cluster', {}, 'long'),
                ('grow_cluster', {'new_instance_ids': ['i']}, 'long'),
                ('shrink_cluster', {'instance_ids': ['i']}, 'long'),
                ('delete_cluster', {}, 'deletions'),
                ('mariadb_restart_members', {'instance_ids': ['i']}, 'short'),
                ('pxc_recover_cluster', {'force': None}, 'short'),
                ('mariadb_resize_flavor_of_members', {
                    'instance_ids': ['i'], 'flavor_id': '7'}, 'long'),
                ('mariadb_resize_volume_of_members', {
                    'instance_ids': ['i'], 'volume_gb': 7}, 'long'),
                ('pxc_rotate_certificates', {}, 'long')):
            self.queues.lanes.clear()
            self.tasks.reset_mock()
            getattr(loaded, name)(fake_context(), cluster_id='c', **arguments)
            self.assertEqual([lane], self.queues.lanes, name)
            (call,) = self.tasks.method_calls
            self.assertIn(call[0], name)

    def test_clusters_of_others_go_troves_way(self) -> None:
        self.ours.return_value = False
        loaded = self.load()
        for name in ('create_cluster', 'delete_cluster'):
            getattr(loaded, name)(fake_context(), cluster_id='c')
        self.assertEqual([], self.queues.lanes)
        self.assertEqual(2, len(self.tasks.method_calls))

    def test_method_that_does_not_exist(self) -> None:
        loaded = self.load()
        for name in ('mariadb_other', 'other', '_private'):
            self.assertRaises(AttributeError, getattr, loaded, name)

    def test_it_looks_at_the_first_tick(self) -> None:
        self.load().run_periodic_tasks(context=None)
        for look in self.looks.values():
            look.assert_called_once_with(mock.ANY)

    def test_a_look_that_fails_is_followed_by_another(self) -> None:
        loaded = self.load()
        for duty, look in self.looks.items():
            look.side_effect = OSError('the database is away')
            loaded.run_periodic_tasks(context=None)
            loaded._periodic_last_run[duty] -= 2
            loaded.run_periodic_tasks(context=None)
            self.assertEqual(2, look.call_count)
            self.assertIn(duty, self.log.output)

    def test_one_that_fails_keeps_no_other_from_its_turn(self) -> None:
        self.looks['resume_operations'].side_effect = OSError
        self.load().run_periodic_tasks(context=None)
        self.looks['recover_clusters'].assert_called_once_with(mock.ANY)

    def test_duties_of_once_an_hour(self) -> None:
        loaded = self.load()
        for _ in range(2):
            loaded.run_periodic_tasks(context=None)
        for duty, call in (('repair_quotas', self.repair),
                           ('clean_records', self.clean)):
            call.assert_called_once_with()
            self.assertEqual(3600, manager.Manager._periodic_spacing[duty])

    def test_trove_counts_with_our_driver(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            quota, 'QUOTAS', quota.QuotaEngine()))
        self.assertNotIsInstance(quota.QUOTAS._driver, quotas.Driver)
        self.load()
        self.assertIsInstance(quota.QUOTAS._driver, quotas.Driver)

    def test_it_keeps_secrets_out_of_the_log(self) -> None:
        """Before the service logs its options, among them the keys of RPC."""
        self.addCleanup(logging.setLogRecordFactory,
                        logging.getLogRecordFactory())
        logging.setLogRecordFactory(logging.LogRecord)
        with mock.patch.object(masking.secret_options, 'mark',
                               autospec=True) as mark:
            self.load()
        self.assertIs(masking.MaskedRecord, logging.getLogRecordFactory())
        mark.assert_called_once_with(masking._OPTIONS)

    def test_it_may_look_as_often_as_trove_ticks(self) -> None:
        self.assertEqual({duty: 1 for duty in DUTIES}, {
            duty: manager.Manager._periodic_spacing[duty]
            for duty in DUTIES})

    def test_no_test_of_these_asks_a_database(self) -> None:
        self.load().run_periodic_tasks(context=None)
        self.assertNotIn('Error during Manager', self.log.output)
