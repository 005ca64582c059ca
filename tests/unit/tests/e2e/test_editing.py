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

"""A part of a file is added where a reader would put it."""

import testtools

from tests.e2e import editing

FILE = """\
[DEFAULT]
# a = 0
a = 1

b = 2

[pipeline:x]
pipeline = one two three app
"""


class WrittenTest(testtools.TestCase):

    def test_existing_value_is_replaced(self) -> None:
        self.assertEqual(FILE.replace('b = 2', 'b = 3'), editing.written(
            FILE, '# file\n[DEFAULT]\nb = 3\n'))

    def test_new_option_is_added_to_its_section(self) -> None:
        self.assertEqual(FILE.replace('b = 2\n', 'b = 2\nc = 3\n'),
                         editing.written(FILE, '[DEFAULT]\nc = 3\n'))

    def test_new_section_is_added(self) -> None:
        self.assertEqual(f'{FILE}\n[mariadb]\na = b\nc = d\n',
                         editing.written(FILE, '[mariadb]\na = b\nc = d\n'))

    def test_dots_keep_the_old_value(self) -> None:
        self.assertEqual(
            FILE.replace('two three', 'two new three'), editing.written(
                FILE, '[pipeline:x]\npipeline = ... two new three app\n'))
