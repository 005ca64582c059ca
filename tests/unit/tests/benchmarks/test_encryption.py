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

"""The figures of all rounds, and their median."""

import testtools

from tests.unit.tests.benchmarks import loading

encryption = loading.program('encryption')
NAMES = encryption.figures([1, 8])


class SummaryTest(testtools.TestCase):

    def rounds(self, *pairs: tuple[float, float]) -> list[dict[str, object]]:
        return [{'encrypted': dict.fromkeys(NAMES, encrypted),
                 'clear': dict.fromkeys(NAMES, clear)}
                for encrypted, clear in pairs]

    def test_names_of_the_figures(self) -> None:
        self.assertEqual(
            ['state transfer, MiB/s', 'commits/s of 1 at once',
             'commits/s of 8 at once'], NAMES)

    def test_median_of_figures_and_of_ratios(self) -> None:
        """A ratio is that of one round, in which the machine was the same."""
        rows = encryption.summary(
            NAMES, self.rounds((90.0, 100.0), (10.0, 20.0), (99.0, 100.0)))
        self.assertEqual(NAMES, [row['figure'] for row in rows])
        self.assertEqual((90.0, 100.0, 0.9), (
            rows[0]['encrypted'], rows[0]['clear'], rows[0]['ratio']))

    def test_table(self) -> None:
        rows = encryption.summary(NAMES, self.rounds((90.0, 100.0)))
        lines = encryption.table('round 1', rows).splitlines()
        self.assertEqual(['round', '1', 'encrypted', 'clear', 'ratio'],
                         lines[0].split())
        self.assertEqual(['90.0', '100.0', '0.90'], lines[1].split()[-3:])
        self.assertEqual(1 + len(NAMES), len(lines))
