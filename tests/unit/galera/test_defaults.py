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

"""The defaults that all members of a new cluster share."""

import testtools

from trove_pxc.galera import catalogue
from trove_pxc.galera import defaults
from trove_pxc.galera import dialect

MARIADB = dialect.for_version('mariadb', '10.11')
STRICT = ('STRICT_REPLICATION', 'DISALLOW_LOCAL_GTID')


class ChooseTest(testtools.TestCase):

    def chosen(self, **said: object) -> dict[str, str]:
        return dict(defaults.choose(MARIADB, **{  # type: ignore[arg-type]
            'collation': None, **said}))

    def test_each_series_has_its_own_collation_of_utf8mb4(self) -> None:
        for known in catalogue.DIALECTS:
            found = dict(defaults.choose(known, collation=None, mode=STRICT))
            self.assertEqual('utf8mb4', found['character_set_server'])
            self.assertEqual(known.collation, found['collation_server'])
            self.assertEqual(known.is_mariadb, 'wsrep_mode' in found)

    def test_collations(self) -> None:
        self.assertEqual({
            ('mariadb', (10, 6)): 'utf8mb4_general_ci',
            ('mariadb', (10, 11)): 'utf8mb4_general_ci',
            ('mariadb', (11, 4)): 'utf8mb4_general_ci',
            ('mariadb', (11, 8)): 'utf8mb4_uca1400_ai_ci',
            ('pxc', (5, 6)): 'utf8mb4_general_ci',
            ('pxc', (5, 7)): 'utf8mb4_general_ci',
            ('pxc', (8, 0)): 'utf8mb4_0900_ai_ci',
            ('pxc', (8, 4)): 'utf8mb4_0900_ai_ci',
        }, {(known.manager, known.version): known.collation
            for known in catalogue.DIALECTS})

    def test_what_the_operator_wants(self) -> None:
        self.assertEqual(
            {'character_set_server': 'latin1',
             'collation_server': 'latin1_swedish_ci'},
            self.chosen(collation='latin1_swedish_ci'))
        self.assertEqual(
            {'character_set_server': 'binary', 'collation_server': 'binary'},
            self.chosen(collation='binary'))

    def test_what_is_left_to_the_server(self) -> None:
        self.assertEqual({}, self.chosen(collation=''))

    def test_the_group_comes_first(self) -> None:
        """The default collation must match the group's character set."""
        for name in ('character_set_server', 'Character-Set-Server'):
            self.assertEqual({}, self.chosen(group={name: 'latin1'}))
        self.assertEqual({}, self.chosen(group={
            'character_set_server': 'utf8mb4',
            'collation_server': 'utf8mb4_bin'}))

    def test_a_collation_of_the_group_brings_its_character_set(self) -> None:
        for collation in (None, '', 'utf8mb4_bin'):
            self.assertEqual(
                {'character_set_server': 'latin1'},
                self.chosen(collation=collation,
                            group={'collation_server': 'latin1_bin'}))

    def test_a_collation_that_names_no_character_set(self) -> None:
        self.assertEqual({'character_set_server': 'utf8mb4'}, self.chosen(
            group={'collation_server': 'uca1400_ai_ci'}))

    def test_another_group_changes_nothing(self) -> None:
        self.assertEqual(self.chosen(),
                         self.chosen(group={'max_connections': 100}))

    def test_the_mode(self) -> None:
        self.assertEqual('STRICT_REPLICATION,DISALLOW_LOCAL_GTID',
                         self.chosen(mode=STRICT)['wsrep_mode'])
        self.assertNotIn('wsrep_mode', self.chosen(mode=()))
