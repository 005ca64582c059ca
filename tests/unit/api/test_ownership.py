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

"""Which instances and clusters belong to this package."""

from typing import Any

import mock
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import ownership

OF_ANOTHER_PACKAGE = ('trove.common.strategies.cluster.experimental.'
                      'galera_common.api.GaleraCommonAPIStrategy')


class OwnershipTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.member = self.members(self.row)[0]
        self.request = base.request()

    def be_of_another_package(self) -> None:
        self.override('api_strategy', OF_ANOTHER_PACKAGE, 'mariadb')


class DatastoreTest(OwnershipTestCase):

    def test_by_the_strategy_of_the_manager(self) -> None:
        asked = {'type': 'mariadb', 'version': '10.11'}
        self.assertTrue(ownership.is_manager('mariadb'))
        self.assertTrue(ownership.is_datastore(base.request(), asked))
        self.be_of_another_package()
        self.assertFalse(ownership.is_manager('mariadb'))
        self.assertFalse(ownership.is_datastore(base.request(), asked))

    def test_ids_instead_of_names(self) -> None:
        version = datastore_models.DatastoreVersion.load_by_uuid(
            self.row.datastore_version_id)
        ids = {'type': version.datastore_id, 'version': version.id}
        for asked in ({'type': 'mariadb', 'version': '10.11'}, ids,
                      {**ids, 'type': 'mariadb'}, {**ids, 'version': '10.11'}):
            self.assertEqual(ids, ownership.by_id(base.request(), asked))
            self.assertTrue(ownership.is_datastore(base.request(), asked))

    def test_what_trove_has_to_resolve_is_unchanged(self) -> None:
        tables.add_version(name='10.11', number='10.11.7')
        for asked in ({}, {'type': 'mariadb'},
                      {'type': 'mariadb', 'version': ''},
                      {'type': 'mariadb', 'version': 'none'},
                      {'type': 'mariadb', 'version': '10.11',
                       'version_number': '10.11'},
                      {'type': 'mariadb', 'version': '10.11'}):
            self.assertIs(asked, ownership.by_id(base.request(), asked))

    def test_managers_without_clusters(self) -> None:
        for manager in ('mysql', 'postgresql', 'none'):
            self.assertFalse(ownership.is_manager(manager))

    def test_a_datastore_that_there_is_not(self) -> None:
        self.assertFalse(ownership.is_datastore(
            base.request(), {'type': 'x', 'version': 'y'}))


class MemberTest(OwnershipTestCase):

    def find(self, instance_id: str) -> Any:
        return ownership.member(base.request(), instance_id)

    def test_a_member_of_ours_alone(self) -> None:
        self.assertEqual(self.member.id, self.find(self.member.id).id)
        shard = tables.add_member(self.row, 's', type='shard')
        alone = tables.add_instance(self.version, 'alone')
        self.member.update(deleted=True)
        for instance_id in (shard.id, alone.id, self.member.id, 'none'):
            self.assertIsNone(self.find(instance_id))

    def test_a_member_of_another_package(self) -> None:
        self.be_of_another_package()
        self.assertIsNone(self.find(self.member.id))

    def test_once_in_a_request(self) -> None:
        with mock.patch.object(
                instance_models.DBInstance, 'get_by', autospec=True,
                return_value=None) as look:
            for _ in range(2):
                ownership.member(self.request, 'a')
                ownership.visible(self.request, 'b')
        self.assertEqual(2, look.call_count)

    def test_who_may_see_it(self) -> None:
        for who, seen in (({}, True), ({'role': 'admin'}, True),
                          ({'role': 'admin', 'project': 'other'}, True),
                          ({'project': 'other'}, False)):
            row = ownership.visible(base.request(**who), self.member.id)
            self.assertEqual(seen, row is not None)


class ClusterTest(OwnershipTestCase):

    def test_discovery(self) -> None:
        self.assertEqual(self.row.id, ownership.cluster(
            self.request, self.row.id).id)
        self.assertFalse(ownership.is_foreign(self.request, self.row.id))

    def test_of_another_package(self) -> None:
        self.be_of_another_package()
        self.assertIsNone(ownership.cluster(self.request, self.row.id))
        self.assertTrue(ownership.is_foreign(self.request, self.row.id))

    def test_none(self) -> None:
        self.row.update(deleted=True)
        for cluster_id in ('none', self.row.id):
            self.assertIsNone(ownership.cluster(self.request, cluster_id))
            self.assertFalse(ownership.is_foreign(self.request, cluster_id))
