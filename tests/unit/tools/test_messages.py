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

"""All messages have entries in the documentation, and vice versa."""

import pathlib
import textwrap

import fixtures
import testtools

from tests.unit.tools import loading

TOP = loading.TOP
ENTRY = '''\
::

   ... is in
     another cluster.

It means something.
'''

messages = loading.tool('messages')


class MessagesTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, path, text):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def code(self, text, path='trove_pxc/api/growth.py'):
        self.write(path, text)
        return sorted(messages.of_code(self.top))

    def test_each_message_of_this_tree_has_its_entry(self):
        self.assertEqual([], list(messages.findings(TOP)))

    def test_this_tree_has_many(self):
        """Otherwise the test above could pass without any message."""
        self.assertGreater(len(messages.of_code(TOP)), 250)

    def test_what_has_no_entry_and_what_says_nothing(self):
        self.write('trove_pxc/api/growth.py', '''
            def check(name):
                raise validation.refused(f'{name} is in another cluster.')
            ''')
        self.assertEqual(
            ['trove_pxc/api/growth.py: no entry in '
             'doc/source/troubleshooting for: ... is in another cluster.'],
            list(messages.findings(self.top)))
        self.write('doc/source/troubleshooting/requests.rst', ENTRY)
        self.assertEqual([], list(messages.findings(self.top)))
        (self.top / 'trove_pxc/api/growth.py').write_text('')
        self.assertEqual(
            ['doc/source/troubleshooting/requests.rst: the code does not '
             'contain the message: ... is in another cluster.'],
            list(messages.findings(self.top)))

    def test_a_literal_block_after_words_is_no_entry(self):
        self.write('doc/source/troubleshooting/requests.rst',
                   'For example::\n\n   $ openstack database list\n')
        self.assertEqual({}, messages.of_documentation(self.top))

    def test_a_text_is_followed_through_names_and_branches(self):
        self.assertEqual(
            ['A ... of both kinds.', 'Done, said ... at last.',
             'The first way.', 'The second way.'],
            self.code('''
                HOW = 'of both kinds.'

                def check(name, first):
                    reason = f'Done, said {name} at last.'
                    if first:
                        raise exceptions.ClusterInconsistent(reason)
                    raise self.failed('The first way.' if name else
                                      'The second way.')

                def other(name):
                    raise refused(f'A {name} ' + HOW)
                '''))

    def test_what_functions_return_counts_in_some_modules(self):
        text = '''
            def decide(name) -> str | None:
                """A docstring that is no message."""
                return f'{name} holds no data.'
            '''
        self.assertEqual([], self.code(text))
        self.assertEqual(['... holds no data.'],
                         self.code(text, 'trove_pxc/galera/plan.py'))

    def test_a_cause_and_its_advice_are_one_message(self):
        self.assertEqual(
            ['... is ahead. ...', '... is ahead. Wait, and look again.',
             '... is primary.'],
            self.code('''
                LOOK = 'and look again'

                def decide(name):
                    yield Reason(f'{name} is ahead', f'Wait, {LOOK}.', (name,))
                    yield Reason(f'{name} is ahead', advice(name))
                    return Choice(1, Reason(f'{name} is primary',
                                            named=(name,)), name)
                '''))

    def test_what_is_no_call_of_ours_is_left_alone(self):
        self.assertEqual([], self.code('''
            def act(name):
                LOG.info('This is logged of %s.', name)
                raise waiting.NotYet('it is building still')
            '''))

    def test_commands_and_single_words_have_no_entry(self):
        self.assertEqual([], self.code('''
            def recover(name):
                raise refused(f'"openstack database cluster recover {name}"')

            def other(name):
                raise self.failed(f'{name}: {name}')
            '''))

    def test_what_a_shell_program_dies_with(self):
        self.assertEqual(
            ['bootstrap refused: ... holds ... but no database',
             'unknown word ...'],
            sorted(map(messages.plain, messages.of_shell(
                'if true; then\n'
                '    die "bootstrap refused: $DATA_DIR holds $(ls) but" \\\n'
                '        "no database"\n'
                'fi\n'
                "*) die \"unknown word '$1'\" ;;\n"))))
