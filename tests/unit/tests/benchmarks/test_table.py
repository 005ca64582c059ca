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

"""The report of a create."""

import testtools

from tests.benchmarks import table

RUN = {
    'members': 3, 'round': 2, 'ratio': 1.44,
    'trove': {
        'seconds': 18.0, 'phases': [{'name': 'guest boot', 'seconds': 1.5},
                                    {'name': 'join of a-2', 'seconds': 16.5}],
        'starts': [{'member': 'join of a-2', 'ordering': 0.5, 'server': 3.0,
                    'noticing': 0.25}]},
    'hand': {'seconds': 12.5,
             'phases': [{'name': 'guest boot', 'seconds': 12.5}]}}


class TableTest(testtools.TestCase):

    def columns(self, text: str) -> list[list[str]]:
        return [line.split() for line in text.splitlines()]

    def test_both_ways_phase_by_phase(self) -> None:
        self.assertEqual([
            ['3', 'members,', 'round', '2'],
            ['through', 'Trove', '18.0', 's'],
            ['guest', 'boot', '1.5', 's'],
            ['join', 'of', 'a-2', '16.5', 's'],
            ['by', 'hand', '12.5', 's'],
            ['guest', 'boot', '12.5', 's'],
            ['ratio', '1.44']], self.columns(table.of_run(RUN))[:7])

    def test_parts_of_a_start(self) -> None:
        *_, start, all_in_all = self.columns(table.of_run(RUN))
        self.assertEqual(
            ['join', 'of', 'a-2', '0.5', 's', '3.0', 's', '0.2', 's'], start)
        self.assertEqual(['0.8', 's'], all_in_all[-2:])

    def test_summary(self) -> None:
        self.assertEqual(
            ['3', '2', '18.0', 's', '12.5', 's', '1.44'],
            self.columns(table.summary([RUN]))[1])

    def test_medians_of_several_rounds(self) -> None:
        runs = [{**RUN, 'round': number, 'ratio': ratio,
                 'trove': {'seconds': 10.0 + number}}
                for number, ratio in ((1, 1.4), (2, 1.0), (3, 1.1))]
        five = {**RUN, 'members': 5}
        self.assertEqual(
            [['5', '2', '18.0', 's', '12.5', 's', '1.44'],
             ['3', 'median', '12.0', 's', '12.5', 's', '1.10']],
            self.columns(table.summary([*runs, five]))[-2:])
