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

"""The table of checks is consistent."""

import pathlib
import re

import testtools

from trove_pxc.checks import table
from trove_pxc.cmd import status

PAGE = (pathlib.Path(__file__).resolve().parents[3]
        / 'doc' / 'source' / 'cli' / 'index.rst')


class TableTest(testtools.TestCase):

    def test_each_name_stands_once(self) -> None:
        names = [check.name for check in table.CHECKS]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_what_a_check_needs_stands_before_it(self) -> None:
        before: set[str] = set()
        for check in table.CHECKS:
            self.assertEqual(set(), set(check.needs) - before, check.name)
            before.add(check.name)

    def test_the_documentation_has_each(self) -> None:
        rows = re.findall(r'^   \* - (.+)$', PAGE.read_text(), re.MULTILINE)
        documented = [name for row in rows[1:] for name in row.split(', ')]
        self.assertEqual(
            sorted([status.SUMMARY, *(check.name for check in table.CHECKS)]),
            sorted(documented))

    def test_each_check_says_what_is_right(self) -> None:
        for check in table.CHECKS:
            self.assertTrue(check.right.endswith('.'), check.name)
            self.assertTrue(check.look.__doc__, check.name)
