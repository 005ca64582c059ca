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

"""Outcomes as results of oslo.upgradecheck."""

from oslo_upgradecheck import upgradecheck
import testtools

from trove_pxc.checks import check
from trove_pxc.cmd import status

CHECK = check.Check('a', lambda place: (), 'A is right.')
WARNING = check.Fault('It could be better.', fatal=False)
FAILURE = check.Fault('It is wrong.')
NOT_CHECKED = check.NotChecked('It is elsewhere.')


class ResultTest(testtools.TestCase):

    def code(self, *faults: check.Fault) -> upgradecheck.Code:
        return status.result(check.Outcome(CHECK, faults)).code

    def test_codes(self) -> None:
        self.assertEqual(upgradecheck.Code.SUCCESS, self.code())
        self.assertEqual(upgradecheck.Code.WARNING, self.code(WARNING))
        self.assertEqual(upgradecheck.Code.FAILURE,
                         self.code(WARNING, FAILURE))

    def test_what_was_not_checked_is_no_success(self) -> None:
        for outcome in (
                check.Outcome(CHECK, blocked_by='b'),
                check.Outcome(CHECK, not_checked=(NOT_CHECKED,)),
                check.Outcome(CHECK, (WARNING,), (NOT_CHECKED,))):
            self.assertEqual(upgradecheck.Code.WARNING,
                             status.result(outcome).code)
        self.assertEqual(upgradecheck.Code.FAILURE, status.result(
            check.Outcome(CHECK, (FAILURE,), (NOT_CHECKED,))).code)

    def test_what_is_right_is_told(self) -> None:
        self.assertEqual('A is right.',
                         status.result(check.Outcome(CHECK)).details)


class SummaryTest(testtools.TestCase):

    def test_all(self) -> None:
        found = status.summary(
            [check.Outcome(CHECK), check.Outcome(CHECK, (FAILURE,))],
            ['/etc/trove/trove.conf'])
        self.assertEqual(upgradecheck.Code.SUCCESS, found.code)
        self.assertEqual('All 2 checks were made with /etc/trove/trove.conf '
                         'of this host.', found.details)

    def test_not_all(self) -> None:
        other = check.Check('b', CHECK.look, 'B is right.')
        found = status.summary(
            [check.Outcome(CHECK), check.Outcome(CHECK, blocked_by='x'),
             check.Outcome(other, (WARNING,), (NOT_CHECKED,))], [])
        self.assertEqual(upgradecheck.Code.WARNING, found.code)
        self.assertEqual(
            '1 of 3 checks were made without a configuration file. Not '
            'checked, or only in part: a, b.', found.details)
