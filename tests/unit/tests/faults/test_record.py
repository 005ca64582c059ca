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

import mock
import testtools

from tests.faults import record as records

ACKNOWLEDGED = records.Outcome.ACKNOWLEDGED


class RecordTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = mock.patch.object(records.time, 'monotonic').start()
        self.addCleanup(mock.patch.stopall)
        self.clock.return_value = 0.0
        self.record = records.Record()

    def acknowledge(self, moment: float, member: str = 'one') -> None:
        self.clock.return_value = moment
        self.record.settle(self.record.begin(member), ACKNOWLEDGED)

    def test_no_number_is_used_twice(self) -> None:
        numbers = {records.Record().begin('one').number for _ in range(9)}
        self.assertEqual(9, len(numbers))

    def test_a_write_is_unknown_until_it_is_settled(self) -> None:
        self.record.begin('one')
        self.assertEqual(1, self.record.count(records.Outcome.UNKNOWN))
        self.assertEqual(0, self.record.acknowledged())

    def test_the_longest_stall_is_between_writes_of_any_member(self) -> None:
        for moment, member in ((1, 'one'), (2, 'two'), (7, 'one'), (8, 'two')):
            self.acknowledge(moment, member)
        self.assertEqual(5, self.record.longest_stall())

    def test_a_member_may_stall_while_others_do_not(self) -> None:
        for moment, member in ((1, 'one'), (2, 'two'), (7, 'one'), (8, 'two')):
            self.acknowledge(moment, member)
        self.assertEqual(6, self.record.longest_stall(member='one'))
        self.assertEqual(3, self.record.longest_stall(since=4, member='one'))
        self.assertEqual(8, self.record.longest_stall(member='three'))

    def test_a_stall_that_has_not_ended_counts(self) -> None:
        self.acknowledge(1)
        self.clock.return_value = 31.0
        self.assertEqual(30, self.record.longest_stall())

    def test_a_stall_before_the_first_write_counts(self) -> None:
        self.acknowledge(12)
        self.assertEqual(12, self.record.longest_stall())

    def test_writes_are_counted_by_member_and_time(self) -> None:
        for moment, member in ((1, 'one'), (2, 'two'), (3, 'one')):
            self.acknowledge(moment, member)
        self.assertEqual(3, self.record.acknowledged())
        self.assertEqual(2, self.record.acknowledged('one'))
        self.assertEqual(1, self.record.acknowledged('one', since=2))
        self.assertEqual(1, self.record.acknowledged(until=1.5))

    def test_the_first_write_after_a_moment(self) -> None:
        self.acknowledge(4)
        self.assertEqual(1.5, self.record.first_after(2.5))
        self.assertIsNone(self.record.first_after(4))
