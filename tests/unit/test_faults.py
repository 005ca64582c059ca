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

import types

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
        save.assert_called_once_with(
            'an-id', mock.ANY, f'{message.strip()}\n\ndetails')
        return str(utils.format_output(save.call_args.args[1],
                                       truncate_len=faults.LENGTH))

    def test_the_advice_has_its_end(self) -> None:
        self.assertTrue(utils.format_output(
            FAULT, truncate_len=faults.LENGTH).endswith('...'))
        self.assertEqual(FAULT, ' '.join(self.told(FAULT).split()))

    def test_what_is_too_long(self) -> None:
        told = self.told('word: ' * 100)
        self.assertLessEqual(len(told), faults.LENGTH)
        self.assertEqual({'word:', 'word...'}, set(told.split()))
        self.assertGreater(len(told), faults.LENGTH - len('word: ...'))


class ShortenTest(testtools.TestCase):

    CAUSE = ("its server is ERROR: File exists: '/var/lib/trove-pxc-lab/"
             "guests/886cdda1-7172-4815-bc69-2835d217414e/root/tmp'; see it")

    def test_a_path_is_there_or_it_is_not(self) -> None:
        path = self.CAUSE.split()[6]
        for length in range(60, len(self.CAUSE)):
            told = faults.shorten(self.CAUSE, length)
            self.assertLessEqual(len(told), length)
            if '/var' in told:
                self.assertIn(path.rstrip(';'), told)
            self.assertTrue(told.endswith('...'), told)

    def test_what_fits(self) -> None:
        self.assertEqual(self.CAUSE,
                         faults.shorten(self.CAUSE, len(self.CAUSE)))

    def test_a_word_longer_than_the_rest_is_told_in_part(self) -> None:
        self.assertEqual('no ' + 'x' * 14 + '...',
                         faults.shorten('no ' + 'x' * 90, 20))

    def test_it_ends_where_a_word_does(self) -> None:
        self.assertEqual('one two...', faults.shorten('one two three', 10))
        self.assertEqual('one two...', faults.shorten('one two, three', 12))


class WholeTest(testtools.TestCase):

    def whole(self, message: str, details: str | None) -> str:
        row = types.SimpleNamespace(details=details)
        with mock.patch.object(faults.instance_models, 'DBInstanceFault',
                               autospec=True) as table:
            table.get_by.return_value = row
            return faults.whole('an-id', message)

    def test_what_trove_had_no_room_for(self) -> None:
        kept = 'it is\n gone. Next:\n    "grow c --instance x".\n\nTraceback'
        for message in ('it is gone.\nNext: "grow c...', 'it is... Next: x'):
            self.assertEqual('it is gone. Next: "grow c --instance x".',
                             self.whole(message, kept))

    def test_details_of_something_else(self) -> None:
        for details in (None, '', 'Traceback ...', 'Server type: api'):
            self.assertEqual('it is...', self.whole('it is...', details))

    def test_a_message_that_is_whole(self) -> None:
        self.assertEqual('it is', self.whole('it is', 'it is gone'))

    def test_a_fault_that_is_forgotten_meanwhile(self) -> None:
        with mock.patch.object(faults.instance_models, 'DBInstanceFault',
                               autospec=True) as table:
            table.get_by.return_value = None
            self.assertEqual('it...', faults.whole('an-id', 'it...'))
