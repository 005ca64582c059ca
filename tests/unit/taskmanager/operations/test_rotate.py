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

"""How a rotation resumes from any state of the members."""

import datetime

import mock
import testtools

from trove_pxc.galera.secret import Secret
from trove_pxc.taskmanager.cloud import certificate_authority
from trove_pxc.taskmanager.operations import rotate

OLD, NEW = Secret('old'), Secret('new')
COURSE = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
FROM = {OLD: datetime.datetime(2026, 1, 1), NEW: datetime.datetime(2026, 9, 1)}


class RoundsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        patch = mock.patch.object(
            certificate_authority, 'valid_from', autospec=True,
            side_effect=FROM.__getitem__)
        patch.start()
        self.addCleanup(patch.stop)

    def rounds(self, *held):
        return rotate.rounds(held, lambda old: NEW)

    def test_all_three_from_the_beginning(self):
        self.assertEqual(COURSE[1:], self.rounds((OLD,), (OLD,), (OLD,)))

    def test_a_run_that_was_cut_short_anywhere_is_gone_on_with(self):
        for reached in range(3):
            for ahead in (1, 2):
                held = [COURSE[reached + 1]] * ahead
                held += [COURSE[reached]] * (3 - ahead)
                self.assertEqual(COURSE[reached + 1:], self.rounds(*held),
                                 (reached, ahead))

    def test_between_two_rounds(self):
        for reached in (1, 2):
            self.assertEqual(COURSE[reached + 1:],
                             self.rounds(*[COURSE[reached]] * 3))

    def test_nothing_is_left_of_a_run_that_had_done_with_some(self):
        self.assertEqual([], rotate.rounds([(NEW,)] * 3, None))
        for reached in range(3):
            self.assertEqual(COURSE[reached + 1:], rotate.rounds(
                [COURSE[reached + 1], COURSE[reached]], None))

    def test_the_new_one_is_told_whom_it_follows(self):
        told = []
        rotate.rounds([(OLD,)], lambda old: told.append(old) or NEW)
        self.assertEqual([OLD], told)

    def test_neighbours_trust_each_other_at_any_time(self):
        for one, other in zip(COURSE, COURSE[1:]):
            self.assertIn(one[0], other)
            self.assertIn(other[0], one)
