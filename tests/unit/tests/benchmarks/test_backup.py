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

"""The figures of a round, and the median of all rounds."""

import testtools

from tests.unit.tests.benchmarks import loading

backup = loading.program('backup')
RATE = 'rate against tool | zstd, MiB/s'


class FiguresTest(testtools.TestCase):

    def rounds(self, *pairs: tuple[float, float]) -> object:
        return [backup.ratios({RATE: pair}) for pair in pairs]

    def test_the_median_of_ratios_is_of_ratios(self) -> None:
        """A ratio is that of one round, in which the machine was the same."""
        found = backup.middle(self.rounds((90, 100), (10, 20), (99, 100)))
        self.assertEqual({'with': 90, 'against': 100, 'ratio': 0.9},
                         found[RATE])

    def test_table(self) -> None:
        lines = backup.table('round 1', backup.ratios({RATE: (90, 100)}))
        self.assertEqual(['90.0', '100.0', '0.90'],
                         lines.splitlines()[1].split()[-3:])
