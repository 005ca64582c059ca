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

"""The report that is pasted into a bug report."""

import testtools

from tests.conformance import check
from tests.conformance import table

PASSED = check.Result('create of three', check.Outcome.PASSED, 18.04, '')
LACKS = check.Result('SST by rsync', check.Outcome.NOT_IN_IMAGE, 0.2,
                     'the image lacks rsync')
FAILED = check.Result('power loss of all', check.Outcome.FAILED, 181.0,
                      'timed out after 180 s waiting for conformance to be '
                      'healthy (last observed: conformance-1: no answer)')


class TableTest(testtools.TestCase):

    def test_report_of_a_run_that_passed(self) -> None:
        self.assertEqual(
            'trove-pxc conformance: passed, 2 checks\n'
            '\n'
            'server  8.4.5-5.1\n'
            'kernel  Linux 6.1.0\n'
            '\n'
            'check            result            seconds  remark\n'
            '---------------  ----------------  -------  '
            '---------------------\n'
            'create of three  passed               18.0\n'
            'SST by rsync     not in the image      0.2  '
            'the image lacks rsync\n',
            table.report({'server': '8.4.5-5.1', 'kernel': 'Linux 6.1.0'},
                         [PASSED, LACKS]))

    def test_long_remark_follows_the_table(self) -> None:
        report = table.report({}, [PASSED, FAILED])
        self.assertIn('FAILED, 1 of 2 checks', report)
        self.assertIn('  timed out after 180 s waiting for conformance to be '
                      'healthy ... (below)\n', report)
        self.assertTrue(report.endswith(
            f'\n\npower loss of all: {FAILED.remark}\n'))

    def test_run_without_checks_has_not_passed(self) -> None:
        self.assertIn('FAILED', table.title([]))
