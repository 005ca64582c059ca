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

from typing import Any

from trove.instance import models as instance_models

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import listing


class ListingTest(base.ApiTestCase):

    def load(self, limit: str | None = None, marker: str | None = None,
             role: str = 'member', with_faults: bool = False) -> Any:
        return listing.load(tables.context(role, limit=limit, marker=marker),
                            with_faults)

    def names(self, **page: Any) -> list[str]:
        found, _ = self.load(**page)
        return sorted(str(one.name) for one in found)

    def test_nothing_of_ours(self) -> None:
        self.assertIsNone(self.load())
        tables.add_instance(self.version, 'alone')
        self.assertIsNone(self.load())
        self.override('api_strategy', (
            'trove.common.strategies.cluster.experimental.galera_common.api.'
            'GaleraCommonAPIStrategy'), 'mariadb')
        self.add_cluster()
        self.assertIsNone(self.load())
        self.create_nova.assert_not_called()

    def test_a_limit_that_trove_answers(self) -> None:
        self.add_cluster()
        for limit in ('x', '-1', '1.5', '0x1', '\u00b2'):
            self.assertIsNone(self.load(limit=limit))

    def test_members_of_the_project(self) -> None:
        self.add_cluster('a')
        self.add_cluster('b', 1)
        self.members(self.add_cluster('c', 1))[0].update(deleted=True)
        self.assertEqual(['a-1', 'a-2', 'a-3', 'b-1'], self.names())

    def test_page_by_page(self) -> None:
        self.add_cluster('a')
        self.add_cluster('b')
        found, marker = self.load(limit='4')
        self.assertEqual(4, len(found))
        rest, end = self.load(limit='4', marker=marker)
        self.assertIsNone(end)
        self.assertEqual(6, len({one.id for one in (*found, *rest)}))

    def test_no_more_than_trove_gives(self) -> None:
        most = instance_models.Instances.DEFAULT_LIMIT
        self.add_cluster('a', most + 1)
        self.assertEqual(most, len(self.load(limit='1000')[0]))
        self.assertEqual(most, len(self.load()[0]))

    def test_faults_are_read_together(self) -> None:
        failed, whole, _ = self.members(self.add_cluster())
        instance_models.DBInstanceFault.create(
            instance_id=failed.id, message='no disk', details='a trace',
            deleted=False)
        for role, details in (('member', None), ('admin', 'a trace')):
            found, _ = self.load(role=role, with_faults=True)
            faults = {one.id: one.fault for one in found}
            self.assertEqual('no disk', faults[failed.id].message)
            self.assertEqual(details, faults[failed.id].details)
            self.assertIsNone(faults[whole.id])

    def test_members_have_no_replicas(self) -> None:
        self.add_cluster()
        self.assertEqual([[]] * 3, [one.slaves for one in self.load()[0]])
