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

"""An operation returns what it reserved of the quota, however it ends."""

import dataclasses
from typing import Any

import mock
from trove.cluster.tasks import ClusterTasks
from trove.instance import models as instance_models
from trove.quota import models as quota_models
from trove.quota import quota
from trove.taskmanager import models as task_models

from tests.functional import base
from tests.functional import test_actions
from trove_pxc import pending
from trove_pxc.taskmanager.operations import resize

LARGER = {'resize': {'flavorRef': '2'}}
SMALLER = {'resize': {'flavorRef': '1'}}


class EndingTest(test_actions.ActionTest):

    def assert_counted(self) -> None:
        """Usage is what the rows add up to, and nothing is reserved."""
        rows = instance_models.DBInstance.find_all(
            tenant_id=base.PROJECT, deleted=False).all()
        ram = {'1': 512, '2': 1024}
        found = {row.resource: (row.in_use, row.reserved) for row in
                 quota_models.QuotaUsage.find_all(
                     tenant_id=base.PROJECT).all()}
        self.assertEqual(
            [(len(rows), 0), (sum(ram[row.flavor_id] for row in rows), 0),
             (sum(row.volume_size for row in rows), 0)],
            [found[name] for name in ('instances', 'ram', 'volumes')])
        self.assertEqual([None] * len(rows), [pending.of(row) for row in rows])

    def fail(self, body: Any) -> None:
        """Nova refuses to resize the first member."""
        self.cloud.faults['servers.resize'] = 1
        self.accept(body)
        self.wait_notified('dbaas.cluster_resize_flavor.error')


class ResizeTest(EndingTest):

    @staticmethod
    def mistake(*_: Any) -> None:
        raise KeyError('a mistake')

    def test_rollback_that_fails_unexpectedly_returns_the_quota(self) -> None:
        with mock.patch.object(resize, 'FLAVOR', dataclasses.replace(
                resize.FLAVOR, put_back=self.mistake)):
            self.fail(LARGER)
        self.assert_counted()
        self.assertIn('a mistake', self.fault(self.member(1)))

    def test_failure_that_cannot_be_recorded_returns_the_quota(self) -> None:
        with mock.patch.object(resize, 'FLAVOR', dataclasses.replace(
                resize.FLAVOR, record=self.mistake)):
            self.fail(LARGER)
        self.assert_counted()

    def test_flavor_that_is_deleted_meanwhile_returns_the_quota(self) -> None:
        call = self.cloud.call

        def deleted(name: str) -> None:
            if name == 'servers.resize':
                del self.cloud.flavors['2']
            call(name)
        self.cloud.call = deleted  # type: ignore[method-assign]
        self.fail(LARGER)
        self.assert_counted()

    def test_larger_flavor_counts_even_if_the_quota_is_used_up(self) -> None:
        """A member that keeps its larger flavor uses it in any case."""
        self.override('max_ram_per_tenant', 3 * 1024)
        self.accept(LARGER)
        resized = self.galera.named('products-1')
        self.assertEqual(1024, resized.ran_with['memory_mb'])
        call = self.cloud.call

        def taken(name: str) -> None:
            if name == 'servers.resize':
                quota.run_with_quotas(base.PROJECT, {'ram': 1536}, dict)
            call(name)
        self.cloud.call = taken  # type: ignore[method-assign]
        self.fail(SMALLER)
        self.assertEqual(3 * 1024 + 1536, self.used()['ram'])
        quota.run_with_quotas(base.PROJECT, {'ram': -1536}, dict)
        self.assert_counted()

    def test_members_of_several_flavors_are_counted(self) -> None:
        self.accept({'resize': {'flavorRef': '2',
                                'instance': self.member(2)}})
        self.fail(LARGER)
        self.assert_counted()

    def test_trove_api_that_dies_before_its_cast_keeps_the_quota(self) -> None:
        """The task and the pending operations keep their reservation."""
        for body in (LARGER, {'resize': {'volume': {'size': 2}}}):
            with (mock.patch('trove_pxc.faults.forget_of',
                             side_effect=KeyboardInterrupt),
                  mock.patch('contextlib.ExitStack.__exit__',
                             lambda stack, *error: False)):
                self.assertRaises(KeyboardInterrupt, self.act, body)
            self.assertEqual(ClusterTasks.UPDATING_CLUSTER,
                             self.cluster_row(self.cluster_id).task_status)
            self.assertNotEqual(self.before, self.used())
            self.request('POST', f'/clusters/{self.cluster_id}',
                         {'reset-status': {}}, role='admin')
            self.assert_counted()

    def test_insufficient_quota_changes_nothing(self) -> None:
        self.override('max_ram_per_tenant', 3 * 1024 - 1)
        self.refuse(413, 'ram', LARGER)
        self.assert_counted()


class DeleteTest(EndingTest):

    def test_death_when_the_row_is_deleted_returns_the_quota(self) -> None:
        """Another taskmanager finds no row, and the quota is free."""
        died = mock.patch.object(
            task_models.FreshInstanceTasks, 'set_servicestatus_deleted',
            autospec=True, side_effect=KeyError('it is dead'))
        with died:
            self.request('DELETE', f'/clusters/{self.cluster_id}')
            self.wait_notified('dbaas.cluster_delete.error')
        self.assertEqual(2, len(self.instance_rows(self.cluster_id)))
        self.assert_counted()
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assert_nothing_left()

    def test_death_during_a_shrink_returns_the_quota(self) -> None:
        self.accept({'grow': [{
            'flavorRef': '2', 'volume': {'size': 1}}]})
        self.assert_counted()
        row = self.instance_rows(self.cluster_id)[3]
        with mock.patch.object(
                task_models.FreshInstanceTasks, 'set_servicestatus_deleted',
                autospec=True, side_effect=KeyError('it is dead')):
            self.accept({'shrink': [{'id': row.id}]})
        self.assertEqual(self.before, self.used())
        self.assert_counted()
