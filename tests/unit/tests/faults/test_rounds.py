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

import testtools

from tests.faults import audit
from tests.faults import catalogue
from tests.faults import rounds


class DrawTest(testtools.TestCase):

    def test_seed_and_number_decide(self) -> None:
        for number in range(1, 50):
            self.assertEqual(rounds.draw(7, number), rounds.draw(7, number))

    def test_seeds_differ(self) -> None:
        one, other = ([str(rounds.draw(seed, number))
                       for number in range(1, 20)] for seed in (1, 2))
        self.assertNotEqual(one, other)

    def test_every_fault_and_number_of_victims_is_drawn(self) -> None:
        plans = [rounds.draw(1, number) for number in range(1, 2000)]
        alone = {strike.name for plan in plans for strike in plan.strikes}
        for fault in catalogue.ALL:
            for scope, size in rounds.SCOPES.items():
                name = f'{fault.name}-{scope}'
                self.assertEqual(size <= fault.most, name in alone, name)

    def test_a_pair_strikes_two_members(self) -> None:
        pairs = [plan for plan in (rounds.draw(1, number)
                                   for number in range(1, 200))
                 if len(plan.strikes) > 1]
        self.assertTrue(30 < len(pairs) < 110, len(pairs))
        for plan in pairs:
            one, other = plan.strikes
            self.assertEqual(1, len(one.victims))
            self.assertNotEqual(one.victims, other.victims)

    def test_only_the_wanted_faults_are_drawn(self) -> None:
        wanted = [rounds.only('power-off-all')]
        for number in range(1, 30):
            [strike] = rounds.draw(1, number, wanted).strikes
            self.assertEqual('power-off-all', strike.name)


class OnlyTest(testtools.TestCase):

    def test_fault_on_any_number_of_members(self) -> None:
        self.assertEqual((catalogue.AGENT, None), rounds.only('kill-agent'))

    def test_fault_on_a_given_number_of_members(self) -> None:
        self.assertEqual((catalogue.KILL, 2), rounds.only('kill-majority'))

    def test_unknown_fault_is_refused(self) -> None:
        error = self.assertRaises(ValueError, rounds.only, 'flood')
        self.assertIn('there is no fault flood', str(error))


class SummaryTest(testtools.TestCase):

    def verdict(self, failure: str = '', lost: int = 0) -> rounds.Verdict:
        return rounds.Verdict(
            rounds.Plan(1, (rounds.Strike(catalogue.KILL, (0,)),), 0, 0),
            writable=1.0, recovered=9.0, failure=failure,
            audit=audit.Audit(10, 0, 1, 1, lost, 4.5, []))

    def test_summary_adds_up(self) -> None:
        summary = rounds.Summary()
        summary.verdicts += [self.verdict(), self.verdict('x is lost', 2)]
        text = '\n'.join(summary.lines())
        for words in ('2 faults in 2 rounds, 1 of them failed',
                      '20 writes acknowledged, 2 lost, 2 unknown',
                      '0 split histories', 'longest stall of writes 4.5 s',
                      'kill-one, 2 times', 'FAILED: x is lost'):
            self.assertIn(words, text)
        self.assertEqual(1, len(summary.failures))
