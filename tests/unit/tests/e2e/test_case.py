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

import unittest

import fixtures
import testtools

from tests.e2e import case

HOME = '/somewhere/lab'


def failing():
    """Defined in a function, so that no runner finds it."""
    class Failing(case.TestCase):

        def test_that_fails(self):
            self.fail('so it is')

    return Failing


def unprepared():
    class Unprepared(case.TestCase):

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            raise AssertionError('not ready')

        def test_that_is_not_reached(self):
            """It would pass."""

    return Unprepared


class CaseTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.EnvironmentVariable('LAB_HOME', HOME))

    def told(self, tests):
        """The text of the one error or failure of a class."""
        result = unittest.TestResult()
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(tests)
        unittest.TestSuite([suite]).run(result)
        [(_, told)] = result.failures + result.errors
        return told

    def test_failure_names_the_lab_and_its_logs(self):
        told = self.told(failing())
        self.assertIn('so it is', told)
        self.assertIn(f'the lab in {HOME};', told)
        self.assertIn(f'{HOME}/logs', told)

    def test_failure_in_setupclass_names_them_too(self):
        told = self.told(unprepared())
        self.assertIn('not ready', told)
        self.assertIn(f'the lab in {HOME};', told)
