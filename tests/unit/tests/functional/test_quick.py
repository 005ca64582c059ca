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

"""The list of the tests that "tox -e quick" runs."""

import ast
import pathlib

import testtools

TOP = pathlib.Path(__file__).parents[4]
QUICK = TOP / 'tests' / 'functional' / 'quick.txt'


def exists(name: str) -> bool:
    """Whether there is a test with this dotted name."""
    *folders, module, suite, test = name.split('.')
    tree = ast.parse(TOP.joinpath(*folders, f'{module}.py').read_text())
    return any(isinstance(method, ast.FunctionDef) and method.name == test
               for node in tree.body
               if isinstance(node, ast.ClassDef) and node.name == suite
               for method in node.body)


class QuickTest(testtools.TestCase):

    def test_each_line_names_a_test(self) -> None:
        lines = [line for line in QUICK.read_text().splitlines()
                 if not line.startswith('#')]
        self.assertGreater(len(lines), 5)
        self.assertEqual([], [
            line for line in lines
            if not exists(line.removesuffix('$').replace('\\.', '.'))])
