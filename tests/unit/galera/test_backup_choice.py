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

"""The choice of the member that makes a backup."""

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import backup_choice
from trove_pxc.galera import errors
from trove_pxc.galera.view import MemberReport

NAMES = {'1': 'c-1', '2': 'c-2', '3': 'c-3'}
SYNCED = samples.primary()
STOPPED = samples.report('stopped')


class ChoiceTest(testtools.TestCase):

    def choose(self, *reports: MemberReport | None, wanted: str | None = None,
               because: str = '') -> str:
        return backup_choice.choose(
            NAMES, dict(zip(NAMES, reports)), wanted, because)

    def refused(self, words: str, *reports: MemberReport | None,
                wanted: str | None = None, because: str = '') -> None:
        error = self.assertRaises(
            errors.Refused, self.choose, *reports, wanted=wanted,
            because=because)
        self.assertIn(words, str(error))

    def test_the_last_that_is_synced(self) -> None:
        self.assertEqual('3', self.choose(SYNCED, SYNCED, SYNCED))
        self.assertEqual('2', self.choose(SYNCED, SYNCED, STOPPED))
        self.assertEqual('3', self.choose(SYNCED, None, SYNCED))

    def test_the_wanted_one(self) -> None:
        self.assertEqual('1', self.choose(SYNCED, SYNCED, SYNCED, wanted='1'))
        self.refused('c-1 cannot be backed up', STOPPED, SYNCED, SYNCED,
                     wanted='1')
        self.refused('c-1 must make this backup, because of its parent',
                     None, SYNCED, SYNCED, wanted='1',
                     because='of its parent')

    def test_never_the_last_one(self) -> None:
        for wanted in (None, '2'):
            self.refused('Only c-2 is Synced', STOPPED, SYNCED, None,
                         wanted=wanted)

    def test_none(self) -> None:
        self.refused('No member of the cluster is Synced', STOPPED, None,
                     samples.report('starting'))
