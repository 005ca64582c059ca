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

"""The medians of all rounds, and their ratio to the first candidate."""

import json
import math

import testtools

from tests.benchmarks import comparison

NAMES = ('threads=2', 'threads=8')


def samples(*pairs: tuple[float, float],
            load: str = 'inserts') -> list[comparison.Sample]:
    """One round for each pair: the figures of both candidates."""
    return [comparison.Sample(number, load, name, {'commits/s': value})
            for number, pair in enumerate(pairs, 1)
            for name, value in zip(NAMES, pair, strict=True)]


class FiguresTest(testtools.TestCase):

    def test_percentile_is_one_of_the_values(self) -> None:
        values = [float(value) for value in range(100, 0, -1)]
        self.assertEqual(95, comparison.percentile(values))
        self.assertEqual(100, comparison.percentile(values, 100))
        self.assertEqual(7, comparison.percentile([7.0]))

    def test_without_commits_there_is_none(self) -> None:
        self.assertEqual(math.inf, comparison.percentile([]))

    def test_longest_gap(self) -> None:
        for times, gap in (([11, 12, 16, 17], 4), ([16], 6), ([], 10),
                           ([1, 15, 19, 30], 5)):
            self.assertEqual(gap, comparison.longest_gap(times, 10, 20))


class RowsTest(testtools.TestCase):

    def test_median_of_figures_and_of_ratios(self) -> None:
        """A ratio is that of one round, in which the machine was the same."""
        first, second = comparison.rows(
            samples((100, 200), (10, 11), (110, 210)), NAMES)
        self.assertEqual((100, 1), (first.figures['commits/s'],
                                    first.ratios['commits/s']))
        self.assertEqual(200, second.figures['commits/s'])
        self.assertEqual(210 / 110, second.ratios['commits/s'])

    def test_each_load_has_its_rows(self) -> None:
        found = comparison.rows(
            samples((1, 2)) + samples((3, 4), load='hot'), NAMES)
        self.assertEqual(
            [('inserts', NAMES[0]), ('inserts', NAMES[1]),
             ('hot', NAMES[0]), ('hot', NAMES[1])],
            [(row.load, row.candidate) for row in found])

    def test_round_that_ended_early(self) -> None:
        (row,) = comparison.rows(samples((1, 2))[:1], NAMES)
        self.assertEqual(NAMES[0], row.candidate)

    def test_what_was_not_reached(self) -> None:
        """A member that was not Synced has no time; JSON has no infinity."""
        found = samples((math.inf, 13.0))
        first, second = comparison.rows(found, NAMES)
        self.assertEqual([None, None], [*first.record()['figures'].values(),
                                        *first.record()['ratios'].values()])
        self.assertEqual({'commits/s': None}, second.record()['ratios'])
        for each in (*found, first, second):
            json.dumps(each.record(), allow_nan=False)

    def test_table(self) -> None:
        found = comparison.rows(
            samples((100, 150)) + samples((math.inf, 13), load='hot'), NAMES)
        self.assertEqual([
            ['round', '1'],
            ['inserts', 'commits/s', 'ratio'],
            ['threads=2', '100.0', '1.00'],
            ['threads=8', '150.0', '1.50'],
            ['hot', 'commits/s', 'ratio'],
            ['threads=2', '-', '-'],
            ['threads=8', '13.0', '-']],
            [line.split() for line in comparison.table(
                'round 1', found).splitlines()])

    def test_columns_below_a_long_name(self) -> None:
        name = 'evs.send_window=512,evs.user_send_window=256'
        (row,) = comparison.rows(
            [comparison.Sample(1, 'inserts', name, {'commits/s': 1.0})],
            [name])
        title, head, own_line, figures = comparison.table(
            'median', [row]).splitlines()
        self.assertEqual(f'  {name}', own_line)
        self.assertEqual(len(head), len(figures))
