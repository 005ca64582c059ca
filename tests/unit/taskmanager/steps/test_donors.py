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

"""Accounts are restored before a donor needs them."""

from trove.common import exception

from tests.unit.taskmanager.operations import test_grow_steps


class AccountsTest(test_grow_steps.GrowTestCase):

    def test_one_that_serves_sees_to_the_accounts_first(self) -> None:
        self.grow()
        self.assertEqual(['c-1 restore_accounts'], [
            asked for asked in self.galera.asked
            if asked.endswith('restore_accounts')])
        self.galera.asked.clear()
        self.new_one(5)
        self.guests[1].always('restore_accounts', exception.GuestError(
            original_message='no such method'))
        self.grow(5)
        self.assertIn('c-2 restore_accounts', self.galera.asked)
