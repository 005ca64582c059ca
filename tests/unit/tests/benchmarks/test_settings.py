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

"""A run of the program: the order of the candidates, and its file."""

import json
import pathlib
from typing import Any

import fixtures
import mock
import testtools

from lab import report as lab_report
from tests.benchmarks import candidates
from tests.benchmarks import tuning
from tests.unit.tests.benchmarks import loading

settings = loading.program('settings')
FIGURES = {'commits/s': 100.0, 'p95, ms': 20.0}


class RunTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.MonkeyPatch(
            'tests.benchmarks.tuning.outage', self.outage))
        self.useFixture(fixtures.MonkeyPatch(
            'tests.benchmarks.tuning.transfer', self.transfer))
        self.tuned = mock.create_autospec(tuning.Tuned, instance=True)

    def outage(self, cluster: Any, seconds: float,
               limit: float) -> tuple[dict[str, float], str]:
        return {tuning.SYNCED: seconds}, 'came back by IST'

    def transfer(self, cluster: Any,
                 limit: float) -> tuple[dict[str, float], str]:
        return {tuning.SYNCED: limit}, 'came back by SST'

    def run_of(self, *words: str) -> Any:
        options = settings.parser().parse_args([
            'hash-index', '--output', str(self.folder / 'x.jsonl'), *words])
        return settings.Run(options, candidates.of_words(options.candidates),
                            lab_report.Report(quiet=True))

    def lines(self) -> list[dict[str, Any]]:
        text = (self.folder / 'x.jsonl').read_text()
        return [json.loads(line) for line in text.splitlines()]

    def rounds(self, *words: str) -> Any:
        run = self.run_of('--rounds', '2', *words)
        self.useFixture(fixtures.MonkeyPatch(
            'tests.benchmarks.loads.measured',
            lambda load, through, seconds: (dict(FIGURES), '')))
        cluster = mock.Mock(members=['one', 'two', 'three'])
        for number in (1, 2):
            run.round(number, cluster, self.tuned)
        return run

    def test_candidates_in_turns(self) -> None:
        self.rounds()
        first, second = candidates.of_words(['hash-index'])
        self.assertEqual(
            [mock.call.apply(each) for each in (first, second, second, first)],
            self.tuned.mock_calls)

    def test_every_measurement_is_a_line(self) -> None:
        run = self.rounds('--loads', 'inserts', 'hot', '--sst', '1024')
        one_candidate = ['inserts', 'hot', 'outage of 20 s',
                         'SST of 1024 MiB']
        self.assertEqual(one_candidate * 4,
                         [line['load'] for line in self.lines()])
        self.assertEqual('came back by IST', self.lines()[2]['notes'])
        run.keep(flavor='db.medium')
        kinds = [line['kind'] for line in self.lines()]
        self.assertEqual((16, 8, 1), tuple(
            kinds.count(kind) for kind in ('sample', 'median', 'run')))

    def test_without_an_outage(self) -> None:
        self.rounds('--outage', '0')
        self.assertEqual(['inserts'] * 4,
                         [line['load'] for line in self.lines()])

    def test_table_of_one_round(self) -> None:
        run = self.rounds('--outage', '0')
        self.assertEqual(
            ['round 2', 'inserts', 'innodb_adaptive_hash_index=OFF',
             'innodb_adaptive_hash_index=ON'],
            [line.strip().partition('  ')[0]
             for line in run.table('round 2', 2).splitlines()])
