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

"""What an instance tells reaches its reader to the end."""

import mock
import testtools
from trove.common import utils

from trove_pxc import faults

ADVICE = 'force the member to continue (--force MEMBER)'
FAULT = (
    'recover: "choose who is continued" failed: products-1, products-4 did '
    'not answer, and may run or hold the latest data. Next: Have an operator '
    'start it ("openstack server start"); if it is lost for good, ' + ADVICE)


class SaveTest(testtools.TestCase):

    def told(self, message: str) -> str:
        """What Trove makes of it for its table."""
        with mock.patch.object(faults.instance_models, 'save_instance_fault',
                               autospec=True) as save:
            faults.save_fault('an-id', message, 'details')
        save.assert_called_once_with('an-id', mock.ANY, 'details')
        return str(utils.format_output(save.call_args.args[1],
                                       truncate_len=faults.LENGTH))

    def test_the_advice_has_its_end(self) -> None:
        self.assertTrue(utils.format_output(
            FAULT, truncate_len=faults.LENGTH).endswith('...'))
        self.assertEqual(FAULT, ' '.join(self.told(FAULT).split()))

    def test_what_is_too_long(self) -> None:
        told = self.told('word: ' * 100)
        self.assertLessEqual(len(told), faults.LENGTH)
        self.assertFalse(told.endswith('...'))
