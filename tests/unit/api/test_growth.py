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

"""Bodies of grow and shrink, and how an instance is understood."""

from typing import Any

import testtools
from trove.common import exception

from tests.unit.api import test_actions
from trove_pxc.api import growth

ID = test_actions.ID


def perform(action: str, body: Any) -> bool:
    return growth.perform(test_actions.NoCluster(), None, action, body)


class BodyTest(testtools.TestCase):

    def refused(self, words: str, action: str, body: Any) -> None:
        error = self.assertRaises(
            exception.BadRequest, perform, action, body)
        self.assertIn(words, str(error))

    def test_good_ones(self) -> None:
        for action, body in (
                ('grow', [{'flavorRef': '2'}]),
                ('grow', [{'flavorRef': 2, 'volume': {'size': '3'},
                           'name': 'a', 'type': 'member',
                           'region': 'RegionOne'}]),
                ('shrink', [{'id': ID}]), ('shrink', [{'id': ID}] * 2)):
            self.assertRaises(AssertionError, perform, action, body)

    def test_the_place_of_a_mistake_is_named(self) -> None:
        self.refused("grow[1]['volume']['size']", 'grow', [
            {'flavorRef': '1'}, {'flavorRef': '1', 'volume': {'size': 0}}])
        self.refused("shrink[0]['id']", 'shrink', [{'id': 'products-1'}])
        self.refused("'related_to' was unexpected", 'grow', [
            {'flavorRef': '1', 'related_to': 'x'}])

    def test_nothing_is_no_request(self) -> None:
        for action in ('grow', 'shrink'):
            for body in ([], {}, None, 5):
                self.refused(f'Validation error: {action}', action, body)

    def test_what_is_none_of_both(self) -> None:
        for action in ('restart', 'resize', 'upgrade', 'reset-status'):
            self.assertFalse(perform(action, {}))


class InstanceTest(testtools.TestCase):

    def test_as_trove_understands_an_instance(self) -> None:
        self.assertEqual(
            {'name': 'a', 'flavor_id': '2', 'volume_size': 3,
             'volume_type': 'fast', 'nics': None, 'modules': None,
             'availability_zone': 'here', 'region_name': 'r'},
            growth._instance({
                'name': 'a', 'flavorRef': 'http://a.cloud/flavors/2',
                'volume': {'size': '3', 'type': 'fast'},
                'availability_zone': 'here', 'region': 'r'}))

    def test_what_is_absent(self) -> None:
        found = growth._instance({'flavorRef': 2})
        self.assertEqual('2', found.pop('flavor_id'))
        self.assertEqual({None}, set(found.values()))
