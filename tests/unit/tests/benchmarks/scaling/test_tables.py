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
"""The report of a run."""

import testtools

from tests.benchmarks.scaling import tables

RUN = {
    'creates': 2, 'members': 3, 'taskmanagers': 1, 'accepted': 2,
    'accepted_seconds': 1.5, 'came_up': 1, 'whole_seconds': 60.0,
    'seconds': {'least': 40.0, 'median': 40.0, 'most': 40.0},
    'failures': {'NAME-1 has no server': 1},
    'others': [{'what': 'delete', 'refusal': '', 'began': 2.0,
                'ended': None}],
    'api_sql': {'api': {'statements': 600, 'others': 20, 'connections': 3}},
    'sql': {'api': {'statements': 900, 'others': 20, 'connections': 3}},
    'cpu': {'api': 4.0, 'rabbitmq': 1.0},
    'memory': {name: {'before': 90.0, 'peak': 100.0, 'per_operation': 5.0}
               for name in ('api', 'rabbitmq')},
    'cloud_calls': 40, 'guest_calls': 80, 'most_working': 2}


class BurstTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.text = tables.of_burst(RUN)

    def test_failures_have_their_reason(self) -> None:
        self.assertIn('1 failed: NAME-1 has no server', self.text)

    def test_api_is_counted_until_all_creates_are_accepted(self) -> None:
        line = next(line for line in self.text.splitlines()
                    if line.split()[0] == 'api')
        self.assertEqual('300.0', line.split()[1])

    def test_operation_that_did_not_end_is_told(self) -> None:
        self.assertIn('2.0 s, not in time', self.text)


class RestTest(testtools.TestCase):

    def test_row_without_calls_has_none(self) -> None:
        text = tables.of_rest({'clusters': 5, 'members': 3, 'rows': [{
            'what': 'recover_clusters', 'ms': 2.0, 'cpu_ms': 1.0,
            'statements': 4, 'rows': 15, 'calls': None}]})
        self.assertEqual(['recover_clusters', '2.0', 'ms', '1.0', '4', '15'],
                         text.splitlines()[-1].split())
