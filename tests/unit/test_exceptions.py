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

"""The messages of the exceptions."""

import testtools

from trove_pxc import exceptions


class ExceptionsTest(testtools.TestCase):

    def test_a_per_cent_sign_stands_for_itself(self) -> None:
        self.assertEqual(
            'disk 100% full, %(name)s %s %1',
            str(exceptions.GaleraError('disk 100% full, %(name)s %s %1')))

    def test_a_member_is_named_with_its_instance(self) -> None:
        error = exceptions.MemberFailed('c-2', 'some-id', 'no disk')
        self.assertEqual('member c-2 (some-id): no disk', str(error))

    def test_a_step_says_what_failed_and_what_is_next(self) -> None:
        error = exceptions.StepFailed(
            'create', 'join of c-2', 'no disk', 'delete it', ('some-id',))
        self.assertEqual('create: "join of c-2" failed: no disk. '
                         'Next: delete it', str(error))
        self.assertEqual(('some-id',), error.blamed)
