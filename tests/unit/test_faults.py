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

"""The message of a fault is not lost when Trove shortens it."""

import types

import mock
import testtools
from trove.common import utils

from trove_pxc import faults

ADVICE = 'force another member (--force MEMBER)'
FAULT = (
    'recover: "choose the member to bootstrap" failed: products-1, '
    'products-42 did not answer, and may run or hold the latest data. '
    'Next: Have an operator start it ("openstack server start"); if it is '
    'lost for good, ' + ADVICE)


class FaultTest(testtools.TestCase):
    """The text of a fault, within the length of Trove's column."""

    def fault(self, cause: str, step: str = 'join of products-2',
              ) -> faults.Fault:
        return faults.Fault(
            cause, 'delete the cluster; see the guest agent and server logs',
            f'create: "{step}" failed')

    def test_all_parts(self) -> None:
        fault = self.fault('no disk')
        self.assertEqual(
            'create: "join of products-2" failed: no disk. Next: delete '
            'the cluster; see the guest agent and server logs', fault.short)
        self.assertEqual(fault.short, fault.whole)

    def test_without_what_has_failed(self) -> None:
        self.assertEqual('c-1 is well. Next: wait',
                         faults.Fault('c-1 is well', 'wait').short)

    def test_a_long_cause_does_not_push_out_what_to_do(self) -> None:
        for cause in ('x' * 1000, 'a word ' * 100):
            text = self.fault(cause).short
            self.assertLessEqual(len(text), faults.LENGTH)
            self.assertTrue(text.endswith('server logs'), text)
            self.assertIn('... Next: delete', text)
            self.assertIn(cause, self.fault(cause).whole)

    def test_a_short_advice_leaves_room_for_a_long_cause(self) -> None:
        fault = faults.Fault('c' * 190, 'delete the cluster',
                             'create: "join" failed')
        self.assertEqual(fault.whole, fault.short)
        rest = faults.Fault('', 'wait', 'create failed').whole
        for more in (0, 1):
            fault = faults.Fault('c' * (faults.LENGTH - len(rest) + more),
                                 'wait', 'create failed')
            self.assertEqual(not more, fault.whole == fault.short, more)

    def test_it_never_is_longer_than_the_column(self) -> None:
        text = self.fault('x' * 1000, step='y' * 300).short
        self.assertEqual(faults.LENGTH, len(text))

    def test_a_word_is_not_cut_where_no_room_is_left(self) -> None:
        text = self.fault('x' * 1000, step='join of a-member ' * 15).short
        self.assertLessEqual(len(text), faults.LENGTH)
        self.assertTrue(text.removesuffix('...').endswith(
            (' join', ' of', ' a-member')), text)


class CauseTest(testtools.TestCase):

    def cause(self, message: str) -> str:
        """Return the cause of a fault, with the line breaks of Trove."""
        text = utils.format_output(message, truncate_len=faults.LENGTH)
        with mock.patch.object(faults.instance_models, 'DBInstanceFault',
                               autospec=True) as table:
            table.get_by.return_value = types.SimpleNamespace(message=text)
            return faults.cause('an-id')

    def test_it_comes_back_without_the_next_action(self) -> None:
        for cause in ('no disk', 'a word ' * 15 + 'more', '"Next: x" is read',
                      'its log says: Next: start'):
            self.assertEqual(
                f'create failed: {cause}', self.cause(
                    faults.Fault(cause, 'wait', 'create failed').short))

    def test_one_that_was_shortened(self) -> None:
        text = faults.Fault('word ' * 100, 'wait').short
        self.assertIn('... Next: wait', text)
        self.assertEqual(text[:text.index('...')], self.cause(text))

    def test_one_of_trove(self) -> None:
        self.assertEqual('No valid host.', self.cause('No valid host.'))

    def test_none(self) -> None:
        with mock.patch.object(faults.instance_models, 'DBInstanceFault',
                               autospec=True) as table:
            table.get_by.return_value = None
            self.assertEqual('', faults.cause('an-id'))


class SaveTest(testtools.TestCase):

    def told(self, message: str) -> str:
        """Return the fault, as Trove stores it."""
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
