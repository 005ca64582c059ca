# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""No class of the package uses a private name of a base of another package.

tools/house reads only this package, so it does not find a name that both have.
This test inspects the bases: their classes, and the attributes that their
methods set.
"""

import ast
from collections.abc import Iterator
import importlib
import inspect
import sys
import textwrap
from types import ModuleType

import testtools

from tests.unit.tools.loading import seams
from tests.unit.tools.loading import sources
from tests.unit.tools.loading import TOP


def private_names_of(kind: type) -> dict[str, str]:
    """Private names of bases of other packages, each with its base."""
    found: dict[str, str] = {}
    for base in kind.__mro__:
        root = base.__module__.partition('.')[0]
        if root == sources.PACKAGE or root in sys.stdlib_module_names:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        for name in (*vars(base), *(
                node.attr for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and ast.unparse(node.value) in ('self', 'cls'))):
            if seams.PRIVATE.fullmatch(name):
                found.setdefault(name, f'{base.__module__}.{base.__name__}')
    return found


def used_in(kind: ast.ClassDef) -> Iterator[tuple[str, int]]:
    """The names that a class defines or uses in its objects, with lines."""
    for node in ast.walk(kind):
        if isinstance(node, sources.Function):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and ast.unparse(
                node.value) in ('self', 'cls', 'super()'):
            yield node.attr, node.lineno


def found_in(module: ModuleType, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        kind = getattr(module, node.name, None)
        if isinstance(kind, type):
            foreign = private_names_of(kind)
            for name, line in used_in(node):
                if name in foreign and name not in seams.DOCUMENTED:
                    yield f'{module.__name__}:{line} {foreign[name]}.{name}'


class BasesTest(testtools.TestCase):

    def test_private_names_of_bases(self) -> None:
        found = []
        for source in sources.modules_of(TOP, sources.PACKAGE):
            if not source.path.startswith(seams.SEAMS):
                found += found_in(importlib.import_module(source.name),
                                  source.tree)
        self.assertEqual([], found)

    def test_one_is_found(self) -> None:
        """The rule finds it in compat, where it is allowed."""
        name = 'trove_pxc.compat.guest_client'
        source, = (one for one in sources.modules_of(TOP, sources.PACKAGE)
                   if one.name == name)
        found, = found_in(importlib.import_module(name), source.tree)
        self.assertIn('trove.guestagent.api.API._call', found)
