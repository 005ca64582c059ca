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

from trove_pxc.galera.reason import Reason


class ReasonTest(testtools.TestCase):

    def test_the_text_is_the_cause_and_the_advice(self):
        self.assertEqual('a-1 is silent. Wait.', str(
            Reason('a-1 is silent', 'Wait.', ('a-1',))))

    def test_a_cause_alone_is_a_sentence(self):
        self.assertEqual('All have stopped.', str(Reason('All have stopped')))

    def test_nobody_is_named_and_nothing_forced_unless_it_is_said(self):
        reason = Reason('All have stopped')
        self.assertEqual(('', (), False),
                         (reason.advice, reason.named, reason.force))
