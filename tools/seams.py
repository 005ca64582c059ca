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

"""Finds uses of internals of other packages outside of compat.

tools/house refuses them and tools/measure counts them. It needs only Python:
it treats a private name that the package does not define as one of another
package. tests/unit/tools/test_seams_bases.py checks the classes of the other
packages.
"""

import ast
from collections.abc import Iterable
from collections.abc import Iterator
import re

from sources import Classes
from sources import Finding
from sources import Function
from sources import Module
from sources import PACKAGE
from sources import ROOTS

SEAMS = 'trove_pxc/compat/'
# What named tuples begin with "_" is public.
PRIVATE = re.compile(r'_(?!(?:asdict|fields|make|replace)$)[A-Za-z]\w*')
#: documented by oslo.upgradecheck: a subclass sets it
DOCUMENTED = ('_upgrade_checks',)
#: documented by Python: a program sets it
HOOKS = ('threading.excepthook',)
#: a module may call it when it is imported
REGISTERED = f'{PACKAGE}.conf.register'


def findings(modules: list[Module]) -> Iterator[Finding]:
    """All uses of internals of other packages outside of compat."""
    for found, rule in (
            (private_names(modules), 'a private name of another package; '
             f'only {SEAMS} may use it'),
            (patches(modules), 'a change of another package; '
             f'only {SEAMS} may change it'),
            (calls_at_import(modules), 'is called when the module is '
             'imported; call it in the extension or in the managers')):
        for finding in found:
            yield finding._replace(what=f'{finding.what}: {rule}')


def private_names(modules: list[Module]) -> Iterator[Finding]:
    """Private names of other packages, outside of SEAMS.

    They are imported, read by name or with getattr, or are methods that a
    base of another package calls. A private name begins with "_".
    """
    classes = Classes(modules)
    own = {name for module in modules for name in _given(module.nodes)}
    of_classes = {f'{module.name}.{kind.name}': set(_given(ast.walk(kind)))
                  for module in modules for kind in module.classes()}
    read = {node.attr for module in modules for node in module.nodes
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and not ast.unparse(node).startswith('super().')}
    for module in _outside(modules):
        found = [use for node in module.nodes
                 for use in _uses(module, node, own)]
        for kind in module.classes():
            name = f'{module.name}.{kind.name}'
            if classes.has_foreign_base(name):
                found += _inherited(module, kind, {
                    given for one in classes.family(name)
                    for given in of_classes[one]})
                found += _overridden(module, kind, read)
        yield from dict.fromkeys(found)


def _outside(modules: Iterable[Module]) -> Iterator[Module]:
    return (module for module in modules
            if not module.path.startswith(SEAMS))


def _inherited(module: Module, kind: ast.ClassDef,
               given: set[str]) -> Iterator[Finding]:
    """Private names of an object that no class of the package defines."""
    for node in ast.walk(kind):
        if (isinstance(node, ast.Attribute) and _is_private(node.attr)
                and ast.unparse(node.value) in ('self', 'cls')
                and node.attr not in given):
            yield module.at(node, ast.unparse(node))


def _overridden(module: Module, kind: ast.ClassDef,
                read: set[str]) -> Iterator[Finding]:
    """Private names that only a base of another package reads."""
    for step in kind.body:
        for name in _defined(step):
            if _is_private(name) and name not in read:
                yield module.at(step, f'overrides {kind.name}.{name}')


def _defined(step: ast.stmt) -> list[str]:
    if isinstance(step, Function):
        return [step.name]
    if isinstance(step, ast.AnnAssign):
        return [ast.unparse(step.target)]
    if isinstance(step, ast.Assign):
        return [ast.unparse(target) for target in step.targets]
    return []


def _uses(module: Module, node: ast.AST, own: set[str]) -> Iterator[Finding]:
    if isinstance(node, ast.Attribute) and _is_private(node.attr):
        root = ast.unparse(node).partition('.')[0]
        source = module.imported.get(root, f'{PACKAGE}.')
        if (root == 'super()' or node.attr not in own
                or not source.startswith(ROOTS)):
            yield module.at(node, ast.unparse(node))
    elif isinstance(node, ast.ImportFrom | ast.Import):
        origin = getattr(node, 'module', None)
        for alias in node.names:
            name = f'{origin}.{alias.name}' if origin else alias.name
            if not name.startswith(ROOTS) and any(
                    PRIVATE.fullmatch(part) for part in name.split('.')):
                yield module.at(node, f'import {name}')
    elif (isinstance(node, ast.Call) and len(node.args) > 1
            and ast.unparse(node.func) in ('getattr', 'hasattr', 'setattr')
            and isinstance(node.args[1], ast.Constant)
            and _is_private(str(node.args[1].value))
            and node.args[1].value not in own):
        yield module.at(node, ast.unparse(node))


def _is_private(name: str) -> bool:
    return bool(PRIVATE.fullmatch(name)) and name not in DOCUMENTED


def _given(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The private names that these nodes define."""
    for node in nodes:
        if isinstance(node, Function | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Attribute):
            names = [node.attr] if (isinstance(node.ctx, ast.Store)
                                    and ast.unparse(node.value) == 'self'
                                    ) else []
        elif isinstance(node, ast.Name):
            names = [node.id] if isinstance(node.ctx, ast.Store) else []
        else:
            continue
        yield from filter(PRIVATE.fullmatch, names)


def patches(modules: Iterable[Module]) -> Iterator[Finding]:
    """Assignments to objects of other packages.

    For example "module.NAME = 1", "setattr(module, ...)", and the same for
    objects from a module: "for option in module.OPTIONS: option.x = 1".
    Results of calls belong to the caller and may be changed.
    """
    for module in _outside(modules):
        foreign = {name for name, source in module.imported.items()
                   if not source.startswith(ROOTS)}
        top = foreign | _aliases(_own_steps(module.tree), foreign)
        for scope in (module.tree, *module.functions()):
            steps = list(_own_steps(scope))
            names = top | _aliases(steps, top)
            for node in steps:
                yield from _changes(module, node, names)


def _own_steps(scope: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a scope, without those of its functions."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, Function):
            yield node
            yield from _own_steps(node)


def _aliases(nodes: Iterable[ast.AST], foreign: set[str]) -> set[str]:
    """Names of objects that were read from a foreign name."""
    found = set()
    for node in nodes:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
            value = node.value
        elif isinstance(node, ast.For | ast.comprehension):
            targets, value = [node.target], node.iter
        if targets and _root(value) in foreign:
            found |= {target.id for target in targets
                      if isinstance(target, ast.Name)}
    return found


def _root(expression: ast.expr) -> str:
    """The first name of an expression like "a.b[c].d"; '' if it has none."""
    while isinstance(expression, ast.Attribute | ast.Subscript):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else ''


def _changes(module: Module, node: ast.AST,
             foreign: set[str]) -> Iterator[Finding]:
    if isinstance(node, ast.Attribute | ast.Subscript):
        if (not isinstance(node.ctx, ast.Load) and _root(node) in foreign
                and ast.unparse(node) not in HOOKS):
            yield module.at(node, f'{ast.unparse(node)} is set')
    elif (isinstance(node, ast.Call) and node.args
            and ast.unparse(node.func) in ('setattr', 'delattr')
            and _root(node.args[0]) in foreign):
        yield module.at(node, ast.unparse(node))


def calls_at_import(modules: Iterable[Module]) -> Iterator[Finding]:
    """Calls when a module is imported, except to register options.

    The order of imports is not defined. Trove creates the extension and the
    managers at defined times, and they make these calls.
    """
    for module in modules:
        for step in module.tree.body:
            if isinstance(step, ast.Expr) and isinstance(
                    step.value, ast.Call) and module.full_name(
                        step.value.func) != REGISTERED:
                yield module.at(step, ast.unparse(step))
