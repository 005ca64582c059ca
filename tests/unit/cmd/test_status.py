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

"""Outcomes with oslo's codes."""

from oslo_upgradecheck import upgradecheck
import testtools

from trove_pxc.checks import check
from trove_pxc.cmd import status

CHECK = check.Check('a', lambda place: (), 'A is right.')
WARNING = check.Fault('It could be better.', fatal=False)
FAILURE = check.Fault('It is wrong.')


class ResultTest(testtools.TestCase):

    def code(self, *faults: check.Fault) -> upgradecheck.Code:
        return status.result(check.Outcome(CHECK, faults)).code

    def test_codes(self) -> None:
        self.assertEqual(upgradecheck.Code.SUCCESS, self.code())
        self.assertEqual(upgradecheck.Code.WARNING, self.code(WARNING))
        self.assertEqual(upgradecheck.Code.FAILURE,
                         self.code(WARNING, FAILURE))

    def test_what_is_right_is_told(self) -> None:
        self.assertEqual('A is right.',
                         status.result(check.Outcome(CHECK)).details)
