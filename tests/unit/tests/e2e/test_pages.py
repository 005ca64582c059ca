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

"""The blocks of a page are recognized, and ambiguous ones are refused."""

import pathlib

import fixtures
import testtools

from tests.e2e import laboratory
from tests.e2e import pages

GUIDE = laboratory.TOP / 'doc' / 'source' / 'user' / 'index.rst'
LAB = laboratory.TOP / 'doc' / 'source' / 'lab' / 'index.rst'
INSTALL = laboratory.TOP / 'doc' / 'source' / 'install' / 'index.rst'

PAGE = """\
=====
Title
=====

Read :doc:`this`::

  $ openstack server \\
      list
  +----+------+
  | ID | Name |
  +----+------+
  | 1  | a    |
  +----+------+
  $ false
  It went wrong. (HTTP 400)
  $ echo $?
  1

In a guest
==========

::

  root@a-1:~# curl there

.. code-block:: ini

  # /etc/a.conf
  [b]
  c = d

.. not in the lab: there is none

.. code-block:: bash

  reboot

.. code-block:: bash

  one
  two \\
     three

.. code-block:: text

  a = b
"""


class ReadTest(testtools.TestCase):

    def read(self, text: str) -> list[pages.Shown]:
        folder = self.useFixture(fixtures.TempDir()).path
        page = pathlib.Path(folder, 'page.rst')
        page.write_text(text)
        return pages.read(page)

    def test_commands_and_files_are_read(self) -> None:
        table, false, echo, curl, file, one, two = self.read(PAGE)
        self.assertEqual(('openstack server \\\n    list', 'Title', 0),
                         (table.text, table.section, table.code))
        self.assertEqual(5, len(table.output.splitlines()))
        self.assertEqual(('false', 1), (false.text, false.code))
        self.assertEqual(('echo $?', 0), (echo.text, echo.code))
        self.assertEqual(('a-1', 'curl there', 'In a guest'),
                         (curl.host, curl.text, curl.section))
        self.assertEqual('/etc/a.conf', file.name)
        self.assertEqual(['one', 'two \\\n   three'],
                         [one.text, two.text])

    def test_ambiguous_blocks_are_refused(self) -> None:
        for block in ('::\n\n  ls\n', '.. code-block:: text\n\n  $ ls\n',
                      '.. code-block:: ini\n\n  [a]\n'):
            self.assertRaises(pages.PageError, self.read, block)

    def test_pages_of_the_end_to_end_tests_can_be_read(self) -> None:
        """A page that cannot be followed is found without a lab."""
        guide = [shown for page in pages.pages(GUIDE)
                 for shown in pages.read(page)]
        self.assertLess(30, len(guide))
        self.assertNotEqual([], pages.read(LAB))
        self.assertLess(8, len(pages.read(INSTALL)))


class MissingTest(testtools.TestCase):

    def test_missing_column_of_a_list_is_found(self) -> None:
        shown = '| ID | Name |\n| 1  | a    |\n'
        self.assertEqual([], pages.missing(shown, '| ID | Name |\n| 2 | b |'))
        self.assertEqual(['Name'], pages.missing(shown, '| ID |\n| 1 |'))

    def test_missing_field_is_found(self) -> None:
        shown = '| Field | Value |\n| state | DOWN |\n|   | |\n| to_do | x |\n'
        self.assertEqual(['DOWN', 'to_do'], pages.missing(
            shown, '| Field | Value |\n| state | NEW |'))

    def test_missing_keys_and_columns_are_found(self) -> None:
        self.assertEqual(['next_action', 'state'], pages.missing(
            'state: HEALTHY\nnext_action: ""\n', 'HEALTHY'))
        self.assertEqual(['Role'], pages.missing('{\n  "Role": 1\n}', '{}'))
        self.assertEqual(['"Name","State"'], pages.missing(
            '"Name","State"\n"a","Synced"', '"Name"\n"a"'))

    def test_missing_progress_is_found(self) -> None:
        shown = '[ 1.0s] a-1: BUILD\n[ 2.0s] a-1: ACTIVE, flavor 2\n'
        self.assertEqual([], pages.missing(
            shown, '[ 9.9s] b: BUILD\n[11.1s] b: ACTIVE'))
        self.assertEqual(['ACTIVE'], pages.missing(shown, 'b: BUILD'))
