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

"""The errors differ from each other, and all are ValueErrors."""

import testtools

from trove_pxc.galera import errors


class ErrorsTest(testtools.TestCase):

    def test_each_is_a_value_error_with_the_text_it_was_given(self) -> None:
        for kind in (errors.UnsupportedVersion, errors.UnreadablePosition,
                     errors.Unusable):
            refusal = kind('5 % of it: {seqno}')
            self.assertIsInstance(refusal, ValueError)
            self.assertEqual('5 % of it: {seqno}', str(refusal))

    def test_none_is_caught_as_another(self) -> None:
        self.assertFalse(issubclass(
            errors.UnsupportedVersion, errors.UnreadablePosition))
        self.assertFalse(issubclass(
            errors.UnreadablePosition, errors.UnsupportedVersion))
        self.assertFalse(issubclass(
            errors.Unusable, errors.UnsupportedVersion))
