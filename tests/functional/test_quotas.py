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

"""Quotas hold under parallel requests; every failure returns its share."""

from collections.abc import Callable
import datetime
import threading
from typing import Any

import mock
from trove.cluster import models as cluster_models
from trove.common import timeutils
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.quota import models as quota_models
from trove.quota import quota
from trove.taskmanager import models as task_models

from tests.functional import base
from tests.functional import cloud as clouds
from trove_pxc import quotas
from trove_pxc import waiting


class Died(BaseException):
    """trove-api is killed here: none of its code runs any more."""


class QuotaTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        # Other threads run at each call to the cloud, as in a service.
        call = self.cloud.call

        def in_turns(name: str) -> None:
            waiting.pause(0)
            call(name)
        self.cloud.call = in_turns  # type: ignore[method-assign]

    def at_the_same_time(self, number: int,
                         ask: Callable[[int], Any]) -> list[Any]:
        """Return the answers of this number of simultaneous requests."""
        answers: list[Any] = [None] * number

        def one(index: int) -> None:
            answers[index] = ask(index)
        threads = [threading.Thread(target=one, args=(index,))
                   for index in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def counts(self) -> dict[str, tuple[int, int]]:
        """The usage and the reservations, of each resource."""
        return {row.resource: (row.in_use, row.reserved) for row in
                quota_models.QuotaUsage.find_all(
                    tenant_id=base.PROJECT).all()}

    def assert_counted(self) -> None:
        """Nothing is reserved, and usage is what the rows add up to."""
        rows = instance_models.DBInstance.find_all(
            tenant_id=base.PROJECT, deleted=False).all()
        ram = {'1': 512, '2': 1024}
        expected = {
            'instances': (len(rows), 0),
            'ram': (sum(ram[row.flavor_id] for row in rows), 0),
            'volumes': (sum(row.volume_size for row in rows), 0)}
        found = self.counts()
        self.assertEqual(expected, {name: found.get(name, (0, 0))
                                    for name in expected})


class ParallelTest(QuotaTest):

    def test_parallel_creates_stay_within_the_quota(self) -> None:
        self.override('max_instances_per_tenant', 30)
        self.override('max_ram_per_tenant', -1)
        self.override('max_volumes_per_tenant', -1)
        answers = self.at_the_same_time(
            14, lambda index: self.create(f'c{index}'))
        codes = sorted(answer.status_int for answer in answers)
        self.assertEqual([200] * 10 + [413] * 4, codes)
        self.assertEqual((30, 0), self.counts()['instances'])
        self.assert_counted()
        self.assertEqual(10, len(cluster_models.DBCluster.find_all(
            deleted=False).all()))

    def test_creates_and_single_instances_stay_within_the_quota(self) -> None:
        """Trove's own code in this process uses this plugin's driver, too."""
        self.override('max_instances_per_tenant', 10)
        self.override('max_ram_per_tenant', -1)
        self.override('max_volumes_per_tenant', -1)
        free = [0]

        def make() -> None:
            waiting.pause(0)
            free[0] += 1

        def ask(index: int) -> Any:
            if index % 2:
                return self.create(f'c{index}')
            waiting.pause(0)
            try:
                quota.run_with_quotas(
                    base.PROJECT, {'instances': 1}, make)
            except quota.exception.QuotaExceeded:
                return None
            return None
        self.at_the_same_time(14, ask)
        rows = instance_models.DBInstance.find_all(deleted=False).all()
        in_use, reserved = self.counts()['instances']
        self.assertEqual((len(rows) + free[0], 0), (in_use, reserved))
        self.assertLessEqual(in_use, 10)

    def test_parallel_grows_stay_within_the_quota(self) -> None:
        ids = [self.create(f'c{index}').json['cluster']['id']
               for index in range(3)]
        for cluster_id in ids:
            self.cluster_row(cluster_id).update(
                task_status=cluster_models.ClusterTasks.NONE)
        for told in instance_models.InstanceServiceStatus.find_all().all():
            told.set_status(service_status.ServiceStatuses.HEALTHY)
            told.save()
        node = {'flavorRef': '1', 'volume': {'size': 1},
                'nics': [{'network_id': clouds.NETWORK}]}
        answers = self.at_the_same_time(3, lambda index: self.request(
            'POST', f'/clusters/{ids[index]}', {'grow': [node]}))
        self.assertEqual([202, 413, 413], sorted(
            answer.status_int for answer in answers))
        self.assert_counted()

    def test_first_requests_of_a_project_create_the_rows_once(self) -> None:
        """The first request creates the rows of the counts."""
        answers = self.at_the_same_time(
            3, lambda index: self.create(f'c{index}'))
        self.assertEqual([200] * 3, [
            answer.status_int for answer in answers])
        self.assert_counted()


class ApiDiedTest(QuotaTest):
    """trove-api ends in the middle of a request."""

    def die_in(self, target: Any, name: str, after: int = 0) -> None:
        """Kill trove-api at a call, before it or after it."""
        real = getattr(target, name)
        calls = [0]

        def call(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] > after:
                raise Died
            return real(*args, **kwargs)
        with mock.patch.object(target, name, call), \
                mock.patch('contextlib.ExitStack.__exit__',
                           lambda stack, *error: False):
            self.assertRaises(Died, self.create)

    def expire(self) -> None:
        for row in quota_models.Reservation.find_all().all():
            row.created -= datetime.timedelta(seconds=quotas.EXPIRES + 1)
            row.save()
        quotas.repair()

    def test_death_before_the_rows_returns_the_quota(self) -> None:
        self.die_in(cluster_models.DBCluster, 'create')
        self.assertEqual((0, 3), self.counts()['instances'])
        quotas.repair()
        self.assertEqual((0, 3), self.counts()['instances'])
        self.expire()
        self.assertEqual((0, 0), self.counts()['instances'])
        self.assert_counted()

    def test_death_between_a_row_and_its_count_keeps_counts_right(
            self) -> None:
        """The taskmanager counts the row, or never subtracts it."""
        for expire in (False, True):
            self.die_in(quotas.Driver, 'commit', 1)
            (cluster,) = cluster_models.DBCluster.find_all(
                deleted=False).all()
            self.assertEqual((1, 2), self.counts()['instances'])
            self.assertEqual(2, len(self.instance_rows(cluster.id)))
            if expire:
                self.expire()
                self.assertEqual((1, 0), self.counts()['instances'])
            self.start_taskmanager()
            self.request('DELETE', f'/clusters/{cluster.id}')
            self.wait_deleted(cluster.id)
            self.stop_taskmanager()
            self.expire()
            self.assert_nothing_left()
            self.assert_counted()

    def test_death_after_the_last_row_is_resumed(self) -> None:
        """A taskmanager resumes the create, and all members are counted."""
        self.die_in(quotas.Driver, 'commit', 2)
        self.assertEqual((2, 1), self.counts()['instances'])
        (cluster,) = cluster_models.DBCluster.find_all(deleted=False).all()
        self.start_taskmanager()
        context = self.context()
        task_models.load_cluster_tasks(context, cluster.id).create_cluster(
            context, cluster.id)
        self.assert_counted()
        self.assertEqual((3, 0), self.counts()['instances'])
        self.request('DELETE', f'/clusters/{cluster.id}')
        self.wait_deleted(cluster.id)
        self.assert_nothing_left()


class RepairTest(QuotaTest):
    """Wrong counts that Trove's own driver leaves in parallel requests."""

    def test_reservations_without_a_request_are_removed(self) -> None:
        self.create()
        for reserved in (-7, 5):
            (row,) = quota_models.QuotaUsage.find_all(
                tenant_id=base.PROJECT, resource='instances').all()
            row.reserved = reserved
            row.save()
            quotas.repair()
            self.assertEqual((3, 0), self.counts()['instances'])

    def test_negative_reservations_do_not_extend_the_quota(self) -> None:
        self.create()
        (row,) = quota_models.QuotaUsage.find_all(
            tenant_id=base.PROJECT, resource='instances').all()
        row.reserved = -7
        row.save()
        self.assertRaises(
            quota.exception.QuotaExceeded, quota.run_with_quotas,
            base.PROJECT, {'instances': 8}, dict)

    def test_reservations_of_running_requests_are_kept(self) -> None:
        def run() -> None:
            quotas.repair()
            self.assertEqual((0, 2), self.counts()['instances'])
        quota.run_with_quotas(base.PROJECT, {'instances': 2}, run)
        self.assertEqual((2, 0), self.counts()['instances'])

    def test_request_that_ends_after_its_expiry_is_counted_right(self) -> None:
        def run() -> None:
            later = timeutils.utcnow() + datetime.timedelta(
                seconds=quotas.EXPIRES + 1)
            with mock.patch.object(timeutils, 'utcnow', return_value=later):
                quotas.repair()
            self.assertEqual((0, 0), self.counts()['instances'])
        quota.run_with_quotas(base.PROJECT, {'instances': 2}, run)
        self.assertEqual((2, 0), self.counts()['instances'])
