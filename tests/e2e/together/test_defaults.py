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

"""The defaults of a new cluster, the same on every member."""

import json

from lab import api
from tests.e2e import laboratory
from tests.e2e.together import cluster

MEMBERS = cluster.MEMBERS
REFUSED = 'Galera replication not supported'


class TestDefaults(cluster.TestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ids = [member['id'] for member in laboratory.wait_ready(
            cls.cluster_id)['instances']]

    def everywhere(self, statement):
        """The answer of every member's server, which is the same."""
        laboratory.wait_agreement(MEMBERS)
        first, *others = [laboratory.sql(name, statement)
                          for name in MEMBERS]
        for other in others:
            self.assertEqual(first, other)
        return first

    def test_time_zones_have_names(self):
        self.assertEqual(
            [['2026-07-01 14:00:00', '2026-01-01 08:00:00']],
            self.everywhere(
                "SELECT CONVERT_TZ('2026-07-01 12:00', 'UTC', "
                "'Europe/Berlin'), CONVERT_TZ('2026-01-01 13:00', 'UTC', "
                "'America/New_York')"))

    def test_texts_of_all_languages_are_stored(self):
        self.assertEqual(
            [['utf8mb4', 'utf8mb4_general_ci']], self.everywhere(
                'SELECT @@character_set_server, @@collation_server'))
        self.addCleanup(laboratory.sql, MEMBERS[0],
                        'DROP DATABASE IF EXISTS texts')
        laboratory.sql(
            MEMBERS[0], 'CREATE DATABASE texts; CREATE TABLE texts.t '
            "(word VARCHAR(64) PRIMARY KEY); INSERT INTO texts.t VALUES "
            "('b\u00fcser'), ('\U0001f418')")
        self.assertEqual(
            [['b\u00fcser'], ['\U0001f418']], sorted(self.everywhere(
                'SELECT word FROM texts.t')))

    def test_tables_that_are_not_replicated_are_refused(self):
        self.addCleanup(laboratory.sql, MEMBERS[0],
                        'DROP DATABASE IF EXISTS engines')
        laboratory.sql(MEMBERS[0], 'CREATE DATABASE engines; CREATE TABLE '
                       'engines.kept (a INT PRIMARY KEY) ENGINE=InnoDB')
        for engine in ('MyISAM', 'Aria', 'MEMORY', 'CSV'):
            refused = self.assertRaises(
                laboratory.Refused, laboratory.sql, MEMBERS[1],
                f'CREATE TABLE engines.lost (a INT NOT NULL) ENGINE={engine}')
            self.assertIn(REFUSED, str(refused))
        refused = self.assertRaises(
            laboratory.Refused, laboratory.sql, MEMBERS[2],
            'ALTER TABLE engines.kept ENGINE=MyISAM')
        self.assertIn(REFUSED, str(refused))
        for number, name in enumerate(MEMBERS):
            laboratory.sql(name, f'INSERT INTO engines.kept VALUES ({number});'
                           'CREATE TEMPORARY TABLE engines.own (a INT) '
                           'ENGINE=MEMORY; INSERT INTO engines.own VALUES (1)')
        self.assertEqual([['kept']], self.everywhere(
            "SELECT table_name FROM information_schema.tables WHERE "
            "table_schema = 'engines'"))
        self.assertEqual([['0'], ['1'], ['2']], self.everywhere(
            'SELECT a FROM engines.kept ORDER BY a'))

    def test_configuration_of_a_member_shows_its_variables(self):
        for name, instance_id in zip(MEMBERS, self.ids, strict=True):
            shown = api.get(
                self.home, f'/instances/{instance_id}/configuration'
            )['instance']['configuration']
            known = dict((*row, '')[:2] for row in laboratory.sql(
                name, 'SHOW GLOBAL VARIABLES'))
            self.assertEqual({one: known[one] for one in shown}, shown)
            self.assertEqual((name, '1', 'utf8mb4'), tuple(
                shown[one] for one in (
                    'wsrep_node_name', 'innodb_flush_log_at_trx_commit',
                    'character_set_server')))
            self.assertNotIn('wsrep_sst_auth', shown)

    def test_configuration_group_for_one_member_is_refused(self):
        group = laboratory.openstack_json(
            'database', 'configuration', 'create', 'one',
            json.dumps({'sort_buffer_size': 1048576}),
            '--datastore', 'mariadb', '--datastore-version', '10.11')['id']
        self.addCleanup(laboratory.openstack, 'database', 'configuration',
                        'delete', group)
        for words in (('attach', self.ids[0], group),
                      ('detach', self.ids[0])):
            refused = self.assertRaises(
                laboratory.Refused, laboratory.openstack, 'database',
                'configuration', *words)
            self.assertIn('attached to a whole cluster', str(refused))
        shown = api.instance(self.home, self.ids[0])
        self.assertEqual(('ACTIVE', 'HEALTHY'), (
            shown['status'], shown['operating_status']))
