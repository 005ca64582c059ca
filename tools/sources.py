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

"""The Python files of the tree, parsed.

tools/house and tools/measure import it. It needs only Python.
"""

import ast
from collections.abc import Iterable
from collections.abc import Iterator
import functools
import pathlib
import sys
from typing import NamedTuple

PACKAGE = 'trove_pxc'
ROOTS = (PACKAGE, 'lab', 'tests', 'tools')
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """A finding and its place."""

    place: str
    what: str


class Module:
    """A Python file of the tree, parsed.

    :ivar path: relative to the top, with slashes.
    :ivar imported: the dotted names of its imported names.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its tree."""
        return list(ast.walk(self.tree))

    @functools.cached_property
    def imported(self) -> dict[str, str]:
        return dict(_imports(self.nodes))

    @property
    def name(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix('.py').removesuffix(
            '/__init__').replace('/', '.')

    @property
    def folder(self) -> str:
        return self.path.rpartition('/')[0]

    @property
    def lines(self) -> int:
        return self.text.count('\n')

    def functions(self) -> Iterator[Function]:
        for node in self.nodes:
            if isinstance(node, Function):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in self.nodes:
            if isinstance(node, ast.ClassDef):
                yield node

    def full_name(self, expression: ast.expr) -> str:
        """The full dotted name of an expression like "a.B"."""
        head, _, rest = ast.unparse(expression).partition('[')[0].partition(
            '.')
        head = self.imported.get(head, f'{self.name}.{head}')
        return f'{head}.{rest}' if rest else head

    def at(self, node: ast.AST, what: str) -> Finding:
        return Finding(f'{self.path}:{getattr(node, "lineno", 1)}', what)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name
                else:
                    head = alias.name.partition('.')[0]
                    yield head, head
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield (alias.asname or alias.name,
                       f'{node.module}.{alias.name}')


class Classes:
    """All classes of some modules, with their bases."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._bases: dict[str, list[str]] = {}
        for module in modules:
            for node in module.classes():
                self._bases[f'{module.name}.{node.name}'] = [
                    module.full_name(_renamed(module, base))
                    for base in node.bases]

    def chain(self, name: str) -> tuple[str, ...]:
        """The longest chain of own classes that ends with this one."""
        if name not in self._bases:
            return ()
        return (*max((self.chain(base) for base in self._bases[name]),
                     key=len, default=()), name)

    def family(self, name: str) -> set[str]:
        """This class and all own classes from which it derives."""
        return {name}.union(*(
            self.family(base) for base in self._bases[name]
            if base in self._bases))

    def longest(self) -> tuple[str, ...]:
        return max((self.chain(name) for name in sorted(self._bases)),
                   key=len, default=())

    def has_foreign_base(self, name: str) -> bool:
        """Whether a class derives from a class of another package."""
        return any(base in self._bases and self.has_foreign_base(base)
                   or base not in self._bases
                   and base.partition('.')[0] not in {
                       *ROOTS, *sys.stdlib_module_names}
                   for base in self._bases[name])


def _renamed(module: Module, base: ast.expr) -> ast.expr:
    """The original of a renamed base, as in "Member = members.Member"."""
    for step in module.tree.body:
        if (isinstance(step, ast.Assign) and isinstance(base, ast.Name)
                and isinstance(step.value, ast.Attribute)
                and ast.unparse(step.targets[0]) == base.id):
            return step.value
    return base


def modules_of(top: pathlib.Path, *roots: str) -> list[Module]:
    files = [file for root in roots
             for file in sorted((top / root).rglob('*'))]
    return [Module(file.relative_to(top).as_posix(), file.read_text())
            for file in files if file.suffix == '.py' or _is_program(file)]


def _is_program(file: pathlib.Path) -> bool:
    if file.suffix or not file.is_file():
        return False
    with file.open('rb') as content:
        first = content.readline()
    return first.startswith(b'#!') and b'python' in first
