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

"""The table of actions, and the order of the steps of an action."""

from typing import Any

import mock
from trove.common import exception

from tests.unit.api import base
from trove_pxc.api import actions
from trove_pxc.api import known
from trove_pxc.api import policies

ID = '0b7a5d2e-3c40-4a4e-9f10-6f7a8b9c0d1e'
BODIES: dict[str, Any] = {
    'grow': [{'flavorRef': '2'}], 'shrink': [{'id': ID}], 'restart': None,
    'recover': {}, 'rotate_certificates': {}, 'resize': {'flavorRef': '2'}}


class ActionsTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.load(self.add_cluster())
        self.steps: list[Any] = []
        self.authorize = self.step(policies, 'authorize')
        self.step(known, 'check_complete')
        self.cluster.validate_cluster_available = lambda: (
            self.steps.append('validate_cluster_available'))

    def step(self, where: Any, name: str) -> Any:
        """Return a function that records its call and does nothing else."""
        made = self.patch(where, name, None)
        made.side_effect = lambda *args: self.steps.append(name)
        return made

    def perform(self, name: str, body: Any) -> bool:
        """Perform an action whose functions record their calls."""
        def check(cluster: Any, body: Any) -> Any:
            self.steps.append('check')
            return 'what is to be done'

        def cast(cluster: Any, request: Any, wanted: Any) -> None:
            self.steps.append(f'cast {wanted}')
        with mock.patch.dict(actions.ACTIONS, {
                one: action._replace(check=check, cast=cast)
                for one, action in actions.ACTIONS.items()}):
            return actions.perform(self.cluster, 'a request', name, body)

    def test_step_by_step(self) -> None:
        for name, body in BODIES.items():
            self.steps.clear()
            self.assertTrue(self.perform(name, body))
            complete = [] if name == 'shrink' else ['check_complete']
            self.assertEqual(
                ['authorize', 'validate_cluster_available', *complete,
                 'check', 'cast what is to be done'], self.steps)
            self.authorize.assert_called_with(
                self.cluster.context, name, base.PROJECT)

    def test_each_action_has_its_rule(self) -> None:
        self.assertEqual(BODIES.keys(), actions.ACTIONS.keys())
        self.assertEqual({action.rule for action in
                          actions.ACTIONS.values()}, set(policies.ACTIONS))

    def test_a_body_that_is_none(self) -> None:
        for name in BODIES:
            self.steps.clear()
            error = self.assertRaises(
                exception.BadRequest, self.perform, name, 5)
            self.assertIn(f'Validation error: {name}', str(error))
            self.assertEqual(['authorize'], self.steps)

    def test_the_place_of_a_mistake_is_named(self) -> None:
        for words, name, body in (
                ("resize['volume']['size']", 'resize',
                 {'volume': {'size': 0}}),
                ("restart['instance']", 'restart', {'instance': '50%'}),
                ("'delay' was unexpected", 'restart', {'delay': 1}),
                ("grow[1]['volume']['size']", 'grow',
                 [{'flavorRef': '1'},
                  {'flavorRef': '1', 'volume': {'size': 0}}]),
                ("shrink[0]['id']", 'shrink', [{'id': 'products-1'}])):
            error = self.assertRaises(
                exception.BadRequest, self.perform, name, body)
            self.assertIn(words, str(error))

    def test_what_is_not_offered_names_another_way(self) -> None:
        for name, words in (
                ('upgrade', 'a cluster of the other datastore version'),
                ('configuration_attach', 'Name it when you create a'),
                ('configuration_detach', 'Create a cluster without it')):
            error = self.assertRaises(
                exception.BadRequest, self.perform, name, {})
            self.assertIn(words, str(error))

    def test_what_is_troves_is_left_to_trove(self) -> None:
        for name in ('reset-status', 'add_shard', 'anything'):
            self.steps.clear()
            self.assertFalse(self.perform(name, {}))
            self.assertEqual(['authorize'], self.steps)
            self.authorize.assert_called_with(
                self.cluster.context, 'action', base.PROJECT)

    def test_what_the_rule_forbids(self) -> None:
        self.authorize.side_effect = exception.PolicyNotAuthorized()
        for name in (*BODIES, 'upgrade', 'reset-status'):
            self.assertRaises(exception.PolicyNotAuthorized,
                              self.perform, name, BODIES.get(name))
        self.assertEqual([], self.steps)
