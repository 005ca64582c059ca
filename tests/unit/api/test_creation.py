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

"""Values in a create that Trove's controller does not read."""

import copy
from typing import Any

from trove.common import exception

from tests.unit.api import base
from tests.unit.api import test_ownership
from trove_pxc.api import creation

GOOD: dict[str, Any] = {'cluster': {
    'name': 'c', 'datastore': {'type': 'mariadb', 'version': '10.11'},
    'locality': 'affinity', 'configuration': None,
    'extended_properties': {'instance_names': ['a']},
    'instances': [{
        'name': 'a', 'flavorRef': '1', 'volume': {'size': 1, 'type': None},
        'nics': [{'network_id': 'n'}], 'availability_zone': 'z',
        'modules': [{'id': 'm'}], 'region_name': 'r', 'type': 'member'}]}}


class ConcernsTest(base.ApiTestCase):

    def concerns(self, datastore: Any) -> bool:
        return creation.concerns(base.request(), {
            'cluster': {'datastore': datastore}})

    def test_discovery(self) -> None:
        self.assertTrue(self.concerns(
            {'type': 'mariadb', 'version': '10.11'}))

    def test_of_another_package(self) -> None:
        self.override('api_strategy', test_ownership.OF_ANOTHER_PACKAGE,
                      'mariadb')
        self.assertFalse(self.concerns(
            {'type': 'mariadb', 'version': '10.11'}))
        self.assertFalse(self.concerns({'type': 'x', 'version': 'y'}))

    def test_what_cannot_be_read(self) -> None:
        """Trove would answer with 500."""
        for datastore in (None, 5, [], {'x': 'y'}, {'type': 5}):
            self.assertTrue(self.concerns(datastore))
        for body in (None, [], {}, {'cluster': 5}, {'cluster': {}}):
            self.assertTrue(creation.concerns(base.request(), body))


class CheckTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.body = copy.deepcopy(GOOD)
        self.wanted = self.body['cluster']

    def refused(self, words: str) -> None:
        error = self.assertRaises(
            exception.BadRequest, creation.check, self.body)
        self.assertIn(words, str(error))

    def test_all_that_there_is(self) -> None:
        creation.check(self.body)
        self.assertEqual(GOOD, self.body)

    def test_what_is_so_anyway(self) -> None:
        for access in (None, {}, {'is_public': False},
                       {'is_public': False, 'allowed_cidrs': []}):
            self.wanted['access'] = access
            self.wanted['instances'][0]['access'] = access
            creation.check(self.body)
        self.wanted['users'] = self.wanted['databases'] = []
        creation.check(self.body)

    def test_access(self) -> None:
        for access in ({'is_public': True}, {'allowed_cidrs': ['::/0']},
                       {'is_public': False, 'x': 1}, 'all', []):
            self.wanted['instances'][0]['access'] = access
            self.refused('instances[0].access: access to the members')

    def test_accounts(self) -> None:
        for what in ('users', 'databases'):
            self.body = copy.deepcopy(GOOD)
            self.body['cluster'][what] = [{'name': 's3cret'}]
            self.refused(f'cluster.{what}: a cluster is created without')

    def test_what_is_unknown(self) -> None:
        instance = self.wanted['instances'][0]
        for holder, place in (
                (self.body, "'colour'"), (self.wanted, "'cluster.colour'"),
                (self.wanted['extended_properties'],
                 "'extended_properties.colour'"),
                (instance, "'instances[0].colour'"),
                (instance['volume'], "'instances[0].volume.colour'"),
                (instance['modules'][0], "'instances[0].modules.colour'")):
            holder['colour'] = 'red'
            self.refused(f'{place} is not a key of a request for a cluster')
            del holder['colour']

    def test_the_region_as_troves_client_writes_it(self) -> None:
        instance = self.wanted['instances'][0]
        instance['region'] = 'other'
        creation.check(self.body)
        self.assertEqual('r', instance['region_name'])
        del instance['region_name']
        creation.check(self.body)
        self.assertEqual('other', instance['region_name'])

    def test_types_of_instances(self) -> None:
        self.wanted['instances'][0]['type'] = 'shard'
        self.refused("The instance type 'shard' is not available")
