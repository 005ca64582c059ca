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

"""Bodies that are understood, and those that are refused before anything."""

import types
from typing import Any

import testtools
from trove.common import exception

from trove_pxc.api import actions

ID = '0b7a5d2e-3c40-4a4e-9f10-6f7a8b9c0d1e'


class NoCluster:
    """A cluster whose every attribute would be too much."""

    def validate_cluster_available(self) -> None:
        raise AssertionError('the body was taken for good')


def perform(action: str, body: Any) -> bool:
    return actions.perform(NoCluster(), None, action, body)


class BodyTest(testtools.TestCase):

    def refused(self, words: str, action: str, body: Any) -> None:
        error = self.assertRaises(
            exception.BadRequest, perform, action, body)
        self.assertIn(words, str(error))

    def test_good_ones(self) -> None:
        for action, body in (
                ('restart', {}), ('restart', None),
                ('restart', {'instance': ID}),
                ('resize', {'flavorRef': '2'}), ('resize', {'flavorRef': 2}),
                ('resize', {'volume': {'size': 2}, 'instance': ID}),
                ('resize', {'volume': {'size': '2'}})):
            self.assertRaises(AssertionError, perform, action, body)

    def test_the_place_of_a_mistake_is_named(self) -> None:
        self.refused("resize['volume']['size']", 'resize',
                     {'volume': {'size': 0}})
        self.refused("restart['instance']", 'restart', {'instance': '50%'})
        self.refused("'delay' was unexpected", 'restart', {'delay': 1})

    def test_what_is_not_offered_names_another_way(self) -> None:
        for action in ('upgrade', 'configuration_attach',
                       'configuration_detach'):
            self.refused('', action, {})

    def test_what_is_troves_is_left_to_trove(self) -> None:
        for action in ('reset-status', 'add_shard', 'anything', 'grow',
                       'shrink'):
            self.assertFalse(perform(action, {}))


class TextTest(testtools.TestCase):

    def test_one_and_many(self) -> None:
        one = [types.SimpleNamespace(name='c-1')]
        two = [*one, types.SimpleNamespace(name='c-2')]
        self.assertEqual(('c-1', 'has'),
                         (actions._names(one), actions._have(one)))
        self.assertEqual(('c-1, c-2', 'have'),
                         (actions._names(two), actions._have(two)))
