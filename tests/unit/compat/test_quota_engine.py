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

"""Contract: the attribute with the quota driver of Trove's engine."""

from typing import Any

import fixtures
import testtools
from trove.quota import quota

from trove_pxc.compat import quota_engine


class Other(quota.DbQuotaDriver):  # type: ignore[misc]
    """A driver that an operator may have configured."""


class DriverTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.engine = quota.QuotaEngine(quota.DbQuotaDriver(
            {'instances': 'a resource'}))
        self.useFixture(fixtures.MonkeyPatch(
            'trove.quota.quota.QUOTAS', self.engine))

    def replace(self, made: list[Any]) -> bool:
        def make(resources: Any) -> Any:
            made.append(resources)
            return Other(resources)
        return quota_engine.replace_driver(quota.DbQuotaDriver, make)

    def test_the_engine_asks_the_new_one(self) -> None:
        self.engine.register_resource(quota.Resource('instances', 'x'))
        made: list[Any] = []
        self.assertTrue(self.replace(made))
        self.assertEqual(['instances'], list(made[0]))
        asked = self.useFixture(fixtures.MockPatchObject(
            Other, 'get_all_quotas_by_tenant', autospec=True)).mock
        self.engine.get_all_quotas_by_tenant('a project')
        asked.assert_called_once()

    def test_another_one_stays(self) -> None:
        self.assertTrue(self.replace([]))
        made: list[Any] = []
        self.assertFalse(self.replace(made))
        self.assertEqual([], made)

    def test_the_process_s_own_engine_has_one(self) -> None:
        self.assertIsInstance(
            quota.QuotaEngine()._driver, quota.DbQuotaDriver)

    def test_missing(self) -> None:
        del self.engine._driver
        self.assertFalse(self.replace([]))
        self.assertIn("Trove's own driver is used", self.log.output)
