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

import logging
import types
from typing import Any

import fixtures
import mock
from oslo_utils import importutils
import testtools
from trove.cluster import models as cluster_models
from trove.quota import quota
from trove.taskmanager import manager as troves

from trove_pxc import masking
from trove_pxc import quotas
from trove_pxc import retries
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager import manager
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import resume

DUTIES = {'resume_operations': resume.Resumption,
          'recover_clusters': automatic.Watch}


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
                loaded.create_instance(
                    None, instance_id=f'instance of {datastore}',
                    cluster_config=cluster, datastore_manager=datastore)
        self.assertEqual([180.0, 0.0, 0.0], seen)
        begin.assert_called_once_with('instance of mariadb')

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

    def test_quotas_are_repaired_once_an_hour(self) -> None:
        loaded = self.load()
        for _ in range(2):
            loaded.run_periodic_tasks(context=None)
        self.repair.assert_called_once_with()
        self.assertEqual(
            3600, manager.Manager._periodic_spacing['repair_quotas'])

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
