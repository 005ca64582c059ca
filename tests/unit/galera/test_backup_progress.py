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

"""The progress of a backup or a restore in words."""

import dataclasses

import testtools

from trove_pxc.galera import backup_progress
from trove_pxc.galera import backups

GIB, MIB = 1 << 30, 1 << 20
FETCH = backups.Progress('b', backups.State.RUNNING, backups.Step.FETCH,
                         data_bytes=GIB, total_bytes=2 * GIB, seconds=32.0)


class DescribeTest(testtools.TestCase):

    def described(self, **changes: object) -> str:
        return backup_progress.describe(
            dataclasses.replace(FETCH, **changes))

    def test_amount_rate_and_estimate(self) -> None:
        self.assertEqual('fetch the backup, 1.0 of 2.0 GiB, 32.0 MiB/s, '
                         'about 32 s left', self.described())

    def test_less_than_a_gibibyte(self) -> None:
        self.assertEqual(
            'fetch the backup, 8.0 of 16.0 MiB, 4.0 MiB/s, about 2 s left',
            self.described(data_bytes=8 * MIB, total_bytes=16 * MIB,
                           seconds=2.0))

    def test_total_is_not_known(self) -> None:
        self.assertEqual('copy the data, 8.0 MiB, 4.0 MiB/s', self.described(
            step=backups.Step.COPY, data_bytes=8 * MIB, total_bytes=0,
            seconds=2.0))

    def test_more_than_was_expected(self) -> None:
        self.assertIn('3.0 of 3.0 GiB', self.described(data_bytes=3 * GIB))

    def test_a_step_without_an_amount(self) -> None:
        self.assertEqual('prepare the data',
                         self.described(step=backups.Step.PREPARE))

    def test_reason_of_a_delay(self) -> None:
        self.assertEqual(
            'fetch the backup, waiting: the store answers 503',
            self.described(data_bytes=0,
                           waits_for='the store answers 503'))

    def test_durations(self) -> None:
        for seconds, text in ((0.4, '0 s'), (59, '59 s'), (60, '1 min'),
                              (3599, '59 min'), (3900, '1 h 5 min')):
            self.assertEqual(text, backup_progress.duration(seconds))
