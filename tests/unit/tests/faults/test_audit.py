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
from tests.faults import record as records

NAMES = ('one', 'two', 'three')


class AuditTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.record = records.Record()
        self.opening = audit.Opening(
            {0: 100, 1: 100},
            {'transfers': audit.Closed(3, 33), 'entries': audit.Closed()})
        self.transfer = self.written(0, 1, 5)
        self.entry = self.written()
        self.pages = {name: self.page() for name in NAMES}

    def written(self, source: int | None = None, target: int | None = None,
                amount: int = 0,
                outcome: records.Outcome = records.Outcome.ACKNOWLEDGED,
                ) -> int:
        write = self.record.begin('one', source, target, amount)
        self.record.settle(write, outcome)
        return write.number

    def page(self) -> audit.Page:
        return audit.Page(
            transfers={self.transfer: (0, 1, 5)}, entries={self.entry},
            balances={0: 95, 1: 105}, checksums=(1, 2, 3),
            closed=dict(self.opening.closed),
            all_rounds={'transfers': audit.Closed(4, 44),
                        'entries': audit.Closed(1, 11)})

    def judge(self) -> audit.Audit:
        return audit.audit(self.record, self.opening, self.pages, 1.0)

    def check(self, *words: str) -> audit.Audit:
        judged = self.judge()
        self.assertEqual(len(words), len(judged.findings), judged.findings)
        for word, finding in zip(words, judged.findings, strict=True):
            self.assertIn(word, finding)
        return judged

    def test_correct_rows_have_no_findings(self) -> None:
        judged = self.check()
        self.assertEqual((2, 0, 0), (
            judged.acknowledged, judged.lost, judged.unknown))

    def test_entry_that_one_member_lost_is_found(self) -> None:
        self.pages['two'].entries.clear()
        judged = self.check('two: 1 acknowledged writes are lost')
        self.assertEqual(1, judged.lost)

    def test_transfer_that_all_members_lost_is_found(self) -> None:
        for page in self.pages.values():
            page.transfers.clear()
            page.balances = {0: 100, 1: 100}
        judged = self.check(*(['acknowledged writes are lost'] * 3))
        self.assertEqual(1, judged.lost)

    def test_row_that_no_client_wrote_is_found(self) -> None:
        self.pages['three'].entries.add(12345678)
        self.check('three: 1 rows that no client wrote: [12345678]')

    def test_row_whose_write_was_refused_is_found(self) -> None:
        number = self.written(outcome=records.Outcome.REFUSED)
        for page in self.pages.values():
            page.entries.add(number)
        self.check(*(['that no client wrote'] * 3))

    def test_row_that_differs_from_its_write_is_found(self) -> None:
        self.pages['one'].transfers[self.transfer] = (0, 1, 6)
        self.pages['one'].balances = {0: 94, 1: 106}
        self.check('one: 1 rows that no client wrote')

    def test_unknown_write_may_be_there_or_not(self) -> None:
        kept = self.written(outcome=records.Outcome.UNKNOWN)
        self.written(outcome=records.Outcome.UNKNOWN)
        for page in self.pages.values():
            page.entries.add(kept)
        judged = self.check()
        self.assertEqual((2, 1), (judged.unknown, judged.unknown_kept))

    def test_errors_of_unknown_writes_that_are_there_are_counted(self) -> None:
        number = self.written(outcome=records.Outcome.UNKNOWN)
        self.record.writes[number].error = 1180
        for page in self.pages.values():
            page.entries.add(number)
        judged = self.check()
        self.assertEqual({1180: 1}, judged.kept_after)
        self.assertIn('(1 of them kept, 1 after error 1180)', str(judged))

    def test_unknown_write_on_one_member_only_is_found(self) -> None:
        number = self.written(outcome=records.Outcome.UNKNOWN)
        self.pages['one'].entries.add(number)
        self.pages['one'].checksums = (1, 2, 4)
        self.check('checksums differ: one (1, 2, 4), two (1, 2, 3)')

    def test_half_a_transfer_is_found(self) -> None:
        self.pages['one'].balances[1] = 100
        self.check('one: the total is 195, not 200',
                   'one: the transfers do not explain the balances of [1]')

    def test_wrong_balances_with_the_right_total_are_found(self) -> None:
        self.pages['one'].balances = {0: 90, 1: 110}
        self.check('the transfers do not explain the balances of [0, 1]')

    def test_lost_row_of_an_older_round_is_found(self) -> None:
        self.pages['two'].closed['transfers'] = audit.Closed(2, 22)
        judged = self.check('two: transfers of older rounds')
        self.assertEqual(1, judged.lost)
