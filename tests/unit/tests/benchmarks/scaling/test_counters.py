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
"""Costs are differences of counts."""

import os

import mock
import testtools

from lab.services import base
from tests.benchmarks.scaling import counters


class SqlTest(testtools.TestCase):

    def test_difference_is_for_each_count(self) -> None:
        self.assertEqual(
            counters.Sql(1, 20, 3, 4, 50),
            counters.Sql(2, 30, 4, 5, 60) - counters.Sql(1, 10, 1, 1, 10))

    def test_commit_is_no_statement(self) -> None:
        self.assertEqual(
            23, counters.Sql(selects=20, changes=3, others=100).statements)

    def test_new_user_has_used_nothing_before(self) -> None:
        self.assertEqual(
            {'api': counters.Sql(1)},
            counters.difference({}, {'api': counters.Sql(1)}))


class UsedTest(testtools.TestCase):

    def test_session_of_this_process_uses_time_and_memory(self) -> None:
        me = mock.create_autospec(base.Service, instance=True,
                                  pid=os.getsid(0))
        me.name = 'tests'
        used = counters.used([me])['tests']
        self.assertGreater(used.memory, counters.MIB)
        self.assertGreater(used.cpu, 0)

    def test_service_that_does_not_run_uses_nothing(self) -> None:
        gone = mock.create_autospec(base.Service, instance=True, pid=None)
        gone.name = 'gone'
        self.assertEqual({'gone': counters.Used()}, counters.used([gone]))
