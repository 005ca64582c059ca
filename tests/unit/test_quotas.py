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

"""Each change of a count keeps the limit, and is made once."""

import datetime
from typing import Any
import uuid

import mock
from oslo_db import exception as db_exceptions
import testtools
from trove.common import exception
from trove.common import timeutils
from trove.quota import models
from trove.quota import quota

from tests.unit import tables
from trove_pxc import quotas

PROJECT = tables.PROJECT
CLUSTER = 'c0000000-0000-4000-8000-000000000000'
MEMBER = {'instances': 1, 'ram': 512, 'volumes': 2}


class QuotasTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        for name, limit in (('instances', 4), ('ram', 4096), ('volumes', -1)):
            models.Quota.create(
                tenant_id=PROJECT, resource=name, hard_limit=limit)
        self.driver = quotas.Driver(quota.QUOTAS._resources)
        engine = mock.patch.object(quota.QUOTAS, '_driver', self.driver)
        engine.start()
        self.addCleanup(engine.stop)

    def reserve(self, **deltas: int) -> list[str]:
        reserved: list[str] = quota.QUOTAS.reserve(PROJECT, **deltas)
        return reserved

    def count(self, resource: str = 'instances') -> tuple[int, int]:
        row = models.QuotaUsage.find_by(
            tenant_id=PROJECT, resource=resource)
        return row.in_use, row.reserved

    def statuses(self) -> list[str]:
        return sorted(row.status for row in models.Reservation.find_all())

    def exceeded(self, *resources: str, **deltas: int) -> None:
        error = self.assertRaises(
            exception.QuotaExceeded, self.reserve, **deltas)
        self.assertIn(str(list(resources)), str(error))


class DriverTest(QuotasTestCase):

    def test_a_reservation_that_is_committed(self) -> None:
        reserved = self.reserve(instances=2, ram=1024)
        self.assertEqual((0, 2), self.count())
        for _ in range(2):
            quota.QUOTAS.commit(reserved)
            self.assertEqual((2, 0), self.count())
        quota.QUOTAS.rollback(reserved)
        self.assertEqual((2, 0), self.count())
        self.assertEqual((1024, 0), self.count('ram'))
        self.assertEqual([quotas.COMMITTED] * 2, self.statuses())

    def test_a_reservation_that_is_rolled_back(self) -> None:
        reserved = self.reserve(instances=2)
        for _ in range(2):
            quota.QUOTAS.rollback(reserved)
            self.assertEqual((0, 0), self.count())
        self.assertEqual([quotas.ROLLED_BACK], self.statuses())

    def test_up_to_the_limit(self) -> None:
        quota.QUOTAS.commit(self.reserve(instances=2))
        self.reserve(instances=2)
        self.exceeded('instances', instances=1)
        self.assertEqual((2, 2), self.count())

    def test_all_or_nothing(self) -> None:
        self.exceeded('instances', 'ram', instances=5, ram=5000, volumes=7)
        for name in ('instances', 'ram', 'volumes'):
            self.assertEqual((0, 0), self.count(name))
        self.assertEqual([], self.statuses())

    def test_no_limit(self) -> None:
        self.reserve(volumes=10 ** 6)
        self.assertEqual((0, 10 ** 6), self.count('volumes'))

    def test_what_is_given_back_makes_room_when_that_is_certain(
            self) -> None:
        quota.QUOTAS.commit(self.reserve(instances=4))
        reserved = self.reserve(instances=-3)
        self.assertEqual((4, 0), self.count())
        self.exceeded('instances', instances=1)
        quota.QUOTAS.commit(reserved)
        self.assertEqual((1, 0), self.count())

    def test_what_is_in_use_is_never_negative(self) -> None:
        quota.QUOTAS.commit(self.reserve(instances=-3))
        self.assertEqual((0, 0), self.count())

    def test_a_resource_that_there_is_not(self) -> None:
        self.assertRaises(exception.QuotaResourceUnknown, self.reserve,
                          floors=1)

    def test_backups_and_their_default_limit(self) -> None:
        quota.QUOTAS.commit(self.reserve(backups=1))
        self.assertEqual((1, 0), self.count('backups'))

    def test_a_count_that_another_request_makes_first(self) -> None:
        for error in (exception.DBConstraintError(model_name='x', error='x'),
                      db_exceptions.DBDuplicateEntry()):
            def another(driver: Any, tenant: str, resource: str,
                        error: Exception = error) -> None:
                if not models.QuotaUsage.find_all(
                        tenant_id=tenant, resource=resource).all():
                    models.QuotaUsage.create(
                        tenant_id=tenant, in_use=1, reserved=0,
                        resource=resource)
                raise error
            with mock.patch.object(
                    quota.DbQuotaDriver, 'get_quota_usage_by_tenant',
                    another):
                self.assertEqual(1, self.driver.get_quota_usage_by_tenant(
                    PROJECT, 'ram').in_use)

    def test_a_deadlock_is_tried_again(self) -> None:
        self.reserve(instances=1)
        changed = quotas._settle
        deadlocks = [db_exceptions.DBDeadlock()] * 2

        def settle(*args: Any) -> None:
            changed(*args)
            if deadlocks:
                raise deadlocks.pop()
        (row,) = models.Reservation.find_all().all()
        with (mock.patch.object(quotas, '_settle', settle),
              mock.patch('time.sleep')):
            quotas.settle([row.id], quotas.COMMITTED)
        self.assertEqual((1, 0), self.count())


class InstallTest(QuotasTestCase):

    def test_for_troves_own_driver(self) -> None:
        troves = quota.DbQuotaDriver(quota.QUOTAS._resources)
        with mock.patch.object(quota.QUOTAS, '_driver', troves):
            quotas.install()
            self.assertIsInstance(quota.QUOTAS._driver, quotas.Driver)
            self.assertIs(troves.resources, quota.QUOTAS._driver.resources)

    def test_not_for_another(self) -> None:
        another = object()
        with mock.patch.object(quota.QUOTAS, '_driver', another):
            quotas.install()
            self.assertIs(another, quota.QUOTAS._driver)


class MembersTest(QuotasTestCase):

    def reserve_members(self, *numbers: int) -> None:
        quotas.reserve_members(
            PROJECT, CLUSTER, dict.fromkeys(numbers, MEMBER))

    def make(self, number: int, **deltas: int) -> None:
        """Create an instance like Trove."""
        with quotas.handed_out(PROJECT, CLUSTER, number, MEMBER):
            quota.run_with_quotas(PROJECT, {**MEMBER, **deltas}, dict)

    def test_all_or_nothing(self) -> None:
        self.assertRaises(exception.QuotaExceeded, self.reserve_members,
                          1, 2, 3, 4, 5)
        self.assertEqual((0, 0), self.count())
        self.reserve_members(1, 2, 3)
        self.assertEqual((0, 3), self.count())
        self.assertEqual((0, 6), self.count('volumes'))

    def test_each_takes_its_own_share(self) -> None:
        self.reserve_members(1, 2, 3, 4)
        for number in (1, 2):
            self.make(number)
            self.assertEqual((number, 4 - number), self.count())
            self.assertTrue(quotas.counts_member(CLUSTER, number))
        self.exceeded('instances', instances=1)
        quotas.settle_members(CLUSTER, (1, 2, 3, 4), quotas.ROLLED_BACK)
        self.assertEqual((2, 0), self.count())
        self.assertEqual((1024, 0), self.count('ram'))
        self.assertFalse(quotas.counts_member(CLUSTER, 3))

    def test_one_that_cannot_be_made(self) -> None:
        self.reserve_members(1)
        with quotas.handed_out(PROJECT, CLUSTER, 1, MEMBER):
            self.assertRaises(KeyError, quota.run_with_quotas, PROJECT,
                              MEMBER, {}.__getitem__, 1)
        self.assertEqual((0, 0), self.count())
        self.assertFalse(quotas.counts_member(CLUSTER, 1))

    def test_another_amount_than_was_reserved(self) -> None:
        self.reserve_members(1)
        self.make(1, ram=1024)
        self.assertEqual((1, 0), self.count())
        self.assertEqual((1024, 0), self.count('ram'))

    def test_what_else_the_thread_asks_for(self) -> None:
        self.reserve_members(1)
        with quotas.handed_out(PROJECT, CLUSTER, 1, MEMBER):
            for project in ('another', PROJECT, PROJECT):
                quota.run_with_quotas(project, MEMBER, dict)
        self.assertEqual((2, 0), self.count())

    def test_a_number_that_is_given_out_again(self) -> None:
        for _ in range(2):
            self.reserve_members(1)
            self.assertEqual((0, 1), self.count())
        quotas.settle_members(CLUSTER, [1], quotas.COMMITTED)
        self.assertEqual((1, 0), self.count())

    def test_one_of_an_earlier_version(self) -> None:
        self.assertTrue(quotas.counts_member(CLUSTER, 1))

    def test_ids(self) -> None:
        found = {one for cluster in (CLUSTER, str(uuid.uuid4()))
                 for number in (1, 2, 11)
                 for one in quotas.ids_of_member(cluster, number).values()}
        self.assertEqual(18, len(found))
        self.assertEqual({36}, {len(one) for one in found})
        self.assertEqual(quotas.ids_of_member(CLUSTER, 1),
                         quotas.ids_of_member(CLUSTER, 1))


class UseTest(QuotasTestCase):

    def use(self, limits: Any = None, **amounts: int) -> None:
        with quotas.transaction() as session:
            quotas.use(session, PROJECT, amounts, limits)

    def test_within_the_limits(self) -> None:
        limits = quotas.usable(PROJECT, ['ram', 'volumes'])
        self.assertEqual({'ram': 4096, 'volumes': -1}, limits)
        self.use(limits, ram=4096, volumes=3)
        error = self.assertRaises(
            exception.QuotaExceeded, self.use, limits, ram=1, volumes=1)
        self.assertIn("['ram']", str(error))
        self.assertEqual((3, 0), self.count('volumes'))
        self.use(limits, ram=-1)
        self.assertEqual((4095, 0), self.count('ram'))

    def test_whatever_they_are(self) -> None:
        quotas.usable(PROJECT, ['ram'])
        self.use(ram=5000)
        self.use(ram=-6000)
        self.assertEqual((0, 0), self.count('ram'))


class RepairTest(QuotasTestCase):

    def after(self, seconds: int) -> None:
        later = timeutils.utcnow() + datetime.timedelta(seconds=seconds)
        with mock.patch.object(timeutils, 'utcnow', return_value=later):
            quotas.repair()

    def test_only_what_has_expired(self) -> None:
        self.reserve(instances=2)
        self.after(quotas.EXPIRES - 5)
        self.assertEqual((0, 2), self.count())
        self.after(quotas.EXPIRES + 5)
        self.assertEqual((0, 0), self.count())
        self.assertEqual([quotas.ROLLED_BACK], self.statuses())

    def test_one_that_is_committed_after_all(self) -> None:
        reserved = self.reserve(instances=2)
        self.after(quotas.EXPIRES + 5)
        quota.QUOTAS.commit(reserved)
        self.assertEqual((2, 0), self.count())

    def test_what_no_reservation_accounts_for(self) -> None:
        quota.QUOTAS.commit(self.reserve(instances=1))
        self.reserve(instances=1)
        for reserved in (-7, 9):
            row = models.QuotaUsage.find_by(
                tenant_id=PROJECT, resource='instances')
            row.reserved = reserved
            row.save()
            quotas.repair()
            self.assertEqual((1, 1), self.count())
