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

"""A check that fails does not end a run, and is reported."""

import io

import testtools

from lab import errors
from lab import report
from tests.conformance import check


class RunTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.said = io.StringIO()
        self.prepared = 0
        self.failed: list[str] = []

    def run_checks(self, *checks: check.Check) -> list[check.Result]:
        return check.run(checks, self.prepare,
                         lambda one: self.failed.append(one.name),
                         report.Report(self.said))

    def prepare(self) -> None:
        self.prepared += 1

    def fail(self) -> str:
        raise AssertionError('it is\n  not so')

    def lack(self) -> str:
        raise check.NotInImage('the image lacks rsync')

    def test_all_checks_are_run(self) -> None:
        results = self.run_checks(
            check.Check('one', self.fail, own=True),
            check.Check('two', self.lack),
            check.Check('three', lambda: 'well'))
        self.assertEqual(
            [('one', check.Outcome.FAILED, 'it is not so'),
             ('two', check.Outcome.NOT_IN_IMAGE, 'the image lacks rsync'),
             ('three', check.Outcome.PASSED, 'well')],
            [(one.name, one.outcome, one.remark) for one in results])
        self.assertEqual([False, True, True],
                         [one.outcome.good for one in results])
        self.assertEqual(2, self.prepared)
        self.assertEqual(['one'], self.failed)
        self.assertIn('3 of 3: three: passed', self.said.getvalue())

    def test_without_a_cluster_no_check_is_run(self) -> None:
        def stop() -> None:
            raise check.Stopped('no cluster could be made')

        def late() -> None:
            raise errors.LabError('gave up waiting')

        for self.prepare in (stop, late):  # type: ignore[method-assign]
            [result] = self.run_checks(check.Check('one', self.fail))
            self.assertIs(check.Outcome.NOT_RUN, result.outcome)
            self.assertFalse(result.outcome.good)

    def test_bug_of_the_kit_is_not_hidden(self) -> None:
        self.assertRaises(ZeroDivisionError, self.run_checks,
                          check.Check('one', lambda: str(1 / 0)))
