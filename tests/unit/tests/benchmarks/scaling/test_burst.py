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
"""The results of a burst are computed from what was seen."""

import uuid

import testtools

from tests.benchmarks.scaling import burst
from tests.benchmarks.scaling import counters


class FailuresTest(testtools.TestCase):

    def test_creates_with_the_same_reason_are_counted(self) -> None:
        self.assertEqual(
            {'NAME-N has no server': 2, 'refused with 413: quota': 1},
            burst.failures([
                burst.Create('burst-1', 0.0, 1.0, 'a', 2.0,
                             'burst-1-1 has no server'),
                burst.Create('burst-2', 0.0, 1.0, 'b', 2.0,
                             'burst-2-3 has no server'),
                burst.Create('burst-3', 0.0, 1.0, 'c', 9.0),
                burst.Create('burst-4', 0.0, 1.0, failure='refused with '
                             '413: quota')]))

    def test_id_of_the_cluster_does_not_separate_reasons(self) -> None:
        self.assertEqual({'cluster ID is gone': 2}, burst.failures([
            burst.Create('x', 0.0, 1.0, 'c', 2.0,
                         f'cluster {uuid.uuid4()} is gone')
            for _ in range(2)]))


class ReasonsTest(testtools.TestCase):

    def test_reason_is_that_of_the_member_that_failed(self) -> None:
        others = ('a', 'c-1 is not at fault, but its cluster is unusable')
        for faults in ([others, ('a', 'c-2 has\n  no server')],
                       [('a', 'c-2 has no server'), others]):
            self.assertEqual({'a': 'c-2 has no server'},
                             burst.reasons(faults))

    def test_cluster_without_a_culprit_has_a_reason(self) -> None:
        self.assertEqual({'a': 'c-1 is not at fault'},
                         burst.reasons([('a', 'c-1 is not at fault')]))


class SummaryTest(testtools.TestCase):

    def test_least_median_and_most(self) -> None:
        self.assertEqual({'least': 1.0, 'median': 2.0, 'most': 9.0},
                         burst.summary([9.0, 1.0, 2.0]))
        self.assertIsNone(burst.summary([]))


class GrowthTest(testtools.TestCase):

    def test_memory_is_divided_by_the_most_operations(self) -> None:
        mib = counters.MIB
        samples = [burst.Sample(1.0, working, {}, {'api': memory * mib})
                   for working, memory in ((2, 150), (50, 200), (10, 180))]
        self.assertEqual(
            {'api': {'before': 100.0, 'peak': 200.0, 'per_operation': 2.0}},
            burst.growth(samples, {'api': 100 * mib}))

    def test_no_samples_mean_no_growth(self) -> None:
        self.assertEqual(
            0.0, burst.growth([], {'api': 5})['api']['per_operation'])


class SpentTest(testtools.TestCase):

    def test_service_that_was_started_again_has_both_times(self) -> None:
        self.assertEqual({'api': 3.0, 'taskmanager-1': 7.5}, burst.spent([
            {'api': 10.0, 'taskmanager-1': 20.0},
            {'api': 11.0, 'taskmanager-1': 25.0},
            {'api': 12.0, 'taskmanager-1': 0.0},
            {'api': 13.0, 'taskmanager-1': 2.5}]))


class CreateTest(testtools.TestCase):

    def test_time_is_from_the_answer_to_the_end(self) -> None:
        self.assertEqual(30.0, burst.Create(
            'x', asked=1.0, accepted=10.0, ended=40.0).seconds)
        self.assertIsNone(burst.Create('x', asked=1.0).seconds)
