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
"""The options of the program."""

import testtools

from tests.benchmarks import program
from tests.unit.tests.benchmarks import loading

scale = loading.program('scale')


class OptionsTest(testtools.TestCase):

    def test_burst_is_of_a_hundred(self) -> None:
        options = scale.parser().parse_args(['burst'])
        self.assertEqual((100, 1, None), (
            options.number, options.taskmanagers, options.kill))

    def test_examples_of_the_help_are_accepted(self) -> None:
        examples = [line.partition('benchmarks/scale ')[2] for line in
                    scale.EPILOG.splitlines() if line.startswith('  ')
                    and 'benchmarks/scale ' in line]
        self.assertGreater(len(examples), 5)
        for example in examples:
            scale.parser().parse_args(example.split())

    def test_options_of_trove_become_sections(self) -> None:
        self.assertEqual(
            '[mariadb]\noperation_lease = 60\nmember_poll_interval = 1\n'
            '[DEFAULT]\ndebug = True\n',
            scale.more_options(['mariadb.operation_lease=60',
                                'DEFAULT.debug=True',
                                'mariadb.member_poll_interval=1']))

    def test_option_without_a_group_is_refused(self) -> None:
        for word in ('debug=True', 'mariadb.debug', '.x=1'):
            self.assertRaises(program.Refused, scale.more_options, [word])
