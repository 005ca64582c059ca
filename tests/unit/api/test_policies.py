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
"""The definitions of the policy rules; tests/functional checks them."""

import configparser
import pathlib
import pkgutil

from oslo_policy import policy as oslo_policy
import testtools

from trove_pxc.api import actions
from trove_pxc.api import policies


class PoliciesTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.rules = {rule.name: rule for rule in policies.list_rules()}

    def test_every_action_has_a_rule(self) -> None:
        self.assertEqual({*actions.ACTIONS}, set(policies.ACTIONS))
        for action in policies.ACTIONS:
            self.assertIn(f'galera:{action}', self.rules)

    def test_each_is_documented(self) -> None:
        for name, rule in self.rules.items():
            self.assertTrue(rule.description)
            if ':' in name:
                self.assertIsInstance(
                    rule, oslo_policy.DocumentedRuleDefault)

    def test_only_looking_needs_no_role(self) -> None:
        free = {name for name, rule in self.rules.items()
                if 'galera_changer' not in (name, rule.check_str[5:])}
        self.assertEqual({'galera:members', 'galera:health',
                          'galera:backups'}, free)

    def test_the_generators_of_samples_find_them(self) -> None:
        top = pathlib.Path(__file__).parents[3]
        settings = configparser.ConfigParser()
        settings.read(top / 'setup.cfg')
        name, _, place = settings['entry_points'][
            'oslo.policy.policies'].strip().partition(' = ')
        self.assertEqual('trove_pxc', name)
        self.assertIs(policies.list_rules, pkgutil.resolve_name(place))
