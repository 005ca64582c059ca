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
"""Statements of MariaDB's general log are counted for each service."""

import testtools

from tests.benchmarks.scaling import statements

LOG = """\
/usr/sbin/mariadbd, Version: 10.11.11-MariaDB. started with:
Tcp port: 0  Unix socket: /var/tmp/mariadb.sock
Time\t\t    Id Command\tArgument
261130 22:01:02\t     7 Connect\tapi@localhost on trove using Socket
\t\t     7 Query\tSELECT quota_usages.id AS a, quota_usages.created AS b, \
quota_usages.tenant_id AS c
FROM quota_usages
WHERE quota_usages.tenant_id = 'demo' AND resource IN ('ram', 'volumes')
\t\t     5 Query\tUPDATE instances SET task_id=17 WHERE id = 'it''s'
261130 22:01:03\t     5 Query\tUPDATE instances SET task_id=4 WHERE id = 'b'
\t\t     7 Query\tCOMMIT
\t\t     7 Quit\t
"""


class CountedTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.counts = statements.counted(
            LOG.splitlines(keepends=True), {5: 'taskmanager-1'})

    def test_equal_statements_with_other_values_are_one(self) -> None:
        self.assertEqual(
            {'UPDATE instances SET task_id=? WHERE id = ?': 2},
            dict(self.counts['taskmanager-1']))

    def test_statement_of_several_lines_is_one(self) -> None:
        self.assertEqual(
            {'SELECT ... FROM quota_usages WHERE quota_usages.tenant_id = ? '
             'AND resource IN (?, ...)': 1, 'COMMIT': 1},
            dict(self.counts['api']))

    def test_table_is_for_each_create(self) -> None:
        lines = statements.table(self.counts, 1, creates=2).splitlines()
        self.assertEqual('taskmanager-1: 1.0 for each create, with COMMIT '
                         'and ROLLBACK', lines[2])
        self.assertIn('      1.0  UPDATE', lines[3])


class ShapeTest(testtools.TestCase):

    def test_values_are_left_out(self) -> None:
        for text, shape in (
                ('SELECT 1', 'SELECT ?'),
                ("DELETE FROM a WHERE b = 'c\\'d' AND e = 4.5",
                 'DELETE FROM a WHERE b = ? AND e = ?'),
                ('SELECT COUNT(*) FROM clusters',
                 'SELECT COUNT(*) FROM clusters')):
            self.assertEqual(shape, statements.shape(text))
