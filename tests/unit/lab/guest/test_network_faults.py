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

from lab.guest import network_faults


class CutsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cuts = network_faults.Cuts(
            whole={'a', 'gone'}, pairs={('a', 'b'), ('b', 'gone')},
            losses={'a': 10, 'gone': 20}, rates={'b': 256, 'gone': 512})

    def test_guests_that_are_no_more_are_forgotten(self) -> None:
        self.cuts.keep({'a': '', 'b': ''})
        self.assertEqual(
            network_faults.Cuts({'a'}, {('a', 'b')}, {'a': 10}, {'b': 256}),
            self.cuts)

    def test_a_lossy_or_slow_guest_is_not_cut(self) -> None:
        cuts = network_faults.Cuts(losses={'a': 10}, rates={'a': 256})
        self.assertFalse(cuts.concerns('a'))
        self.assertTrue(self.cuts.concerns('b'))
