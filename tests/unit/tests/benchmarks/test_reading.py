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

"""The report and the option file of sysbench."""

import testtools

from tests.benchmarks import program
from tests.benchmarks import reading

REPORT = """\
SQL statistics:
    transactions:                        4321   (430.97 per sec.)
    queries:                             73457  (7326.52 per sec.)

Latency (ms):
         min:                                    5.12
         95th percentile:                       44.98
"""


class ReadingTest(testtools.TestCase):

    def test_report(self) -> None:
        self.assertEqual({'commits/s': 430.97, 'p95, ms': 44.98},
                         reading.figures(REPORT))

    def test_report_of_an_error(self) -> None:
        error = self.assertRaises(
            AssertionError, reading.figures, 'FATAL: no connection')
        self.assertIn('FATAL: no connection', str(error))

    def test_options(self) -> None:
        self.assertEqual(
            'mysql_socket=/a,/b\nmysql_user=os_admin\n'
            'mysql_password="s, #"\nmysql_db=sbtest\n',
            reading.options_text(['/a', '/b'], 'os_admin', 's, #'))

    def test_password_that_cannot_be_quoted(self) -> None:
        for password in ('se"cret', 'se\ncret'):
            error = self.assertRaises(
                program.Refused, reading.options_text, ['/a'], 'u', password)
            self.assertNotIn(password, str(error))
