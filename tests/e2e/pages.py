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

"""The commands and files that a page of the documentation shows.

For the tests that follow the documentation. The pages are the only source:
there is no separate list of commands. A page has four kinds of literal
blocks:

* "::" holds commands after a prompt, each with its output. The prompt "$ " is
  that of the machine, "root@NAME:~# " that of a guest. "echo $?" after a
  command shows the exit code of that command.
* "code-block:: bash" holds commands alone, to copy.
* "code-block:: ini" holds a part of a file, which its first line names.
* Any other language is only to be read, and contains no prompt.

A comment ".. not in the lab: WHY" before a block excludes it.
"""

from collections.abc import Iterator
import dataclasses
import pathlib
import re

from docutils import core
from docutils import nodes
from docutils.parsers import rst
from docutils.parsers.rst import directives
from docutils.parsers.rst import roles

PROMPT = re.compile(r'(?:\$|root@(?P<host>[\w-]+):~#) (?P<text>.+)', re.S)
FILE = re.compile(r'# (?P<name>[\w./-]+)$')
LEFT_OUT = re.compile(r'not in the lab: \w')
EXIT_CODE = 'echo $?'
CELL = re.compile(r'\s*\|\s*')
#: Parts of the output that are the same in every run.
STATE = re.compile(r'\b[A-Z][A-Z_]{3,}\b')
NAME = re.compile(r'\b[a-z]+(?:_[a-z]+)+\b')
KEY = re.compile(r'^\s*"?([A-Za-z][A-Za-z_ ]*)"?:(?=\s|$)')


class PageError(Exception):
    """A block of a page is ambiguous; the text says where."""


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of a page.

    :ivar page: its folder and name
    :ivar section: the title of its section
    :ivar host: the guest that it runs in; '' for the machine
    :ivar output: the output that the page shows
    :ivar code: the exit code that the page shows, or 0
    """

    page: str
    section: str
    host: str
    text: str
    output: str = ''
    code: int = 0

    @property
    def place(self) -> str:
        return f'{self.page}, {self.section}: {self.text}'


@dataclasses.dataclass(frozen=True)
class File:
    """A part of a file, which begins with a comment that names the file."""

    page: str
    section: str
    name: str
    text: str

    @property
    def place(self) -> str:
        return f'{self.page}, {self.section}'


Shown = Command | File


class _Nothing(rst.Directive):
    """A directive of Sphinx without commands."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = {'maxdepth': directives.unchanged,
                   'sorted': directives.flag}

    def run(self) -> list[nodes.Node]:
        return []


def pages(index: pathlib.Path) -> list[pathlib.Path]:
    """The page itself and those of its table of contents, in order."""
    lines = index.read_text().splitlines()
    begin = lines.index('.. toctree::')
    names = [line.strip() for line in lines[begin + 1:]
             if line.startswith('   ') and not line.strip().startswith(':')]
    return [index, *(index.parent / f'{name}.rst' for name in names)]


def named(page: pathlib.Path) -> str:
    """Its folder and name, because several folders have an index.rst."""
    return f'{page.parent.name}/{page.name}'


def read(page: pathlib.Path) -> list[Shown]:
    """The commands and files of a page, in order.

    :raises PageError: a block is of no known kind
    """
    return list(_shown(named(page), _document(page.read_text())))


def missing(shown: str, real: str) -> list[str]:
    """The parts of a shown output that are missing in the real one."""
    return sorted(mark for mark in _landmarks(shown) if mark not in real)


def _document(text: str) -> nodes.document:
    for directive in ('toctree', 'glossary'):
        directives.register_directive(directive, _Nothing)
    for role in ('doc', 'ref', 'term'):
        roles.register_generic_role(role, nodes.inline)
    return core.publish_doctree(text, settings_overrides={
        'syntax_highlight': 'none', 'report_level': 3, 'halt_level': 3,
        'file_insertion_enabled': False, 'doctitle_xform': False})


def _shown(page: str, document: nodes.document) -> Iterator[Shown]:
    for block in document.findall(nodes.literal_block):
        place = page, _section(block)
        language = ''.join(name for name in block['classes']
                           if name != 'code')
        if _is_left_out(block):
            continue
        if not language:
            yield from _session(*place, block.astext())
        elif language == 'bash':
            for text in _joined(block.astext().splitlines()):
                yield Command(*place, '', text)
        elif language == 'ini':
            name = FILE.match(_first_line(block))
            if not name:
                raise PageError(f'{", ".join(place)}: its first line names '
                                'no file')
            yield File(*place, name['name'], block.astext())
        elif any(map(PROMPT.match, block.astext().splitlines())):
            raise PageError(f'{", ".join(place)}: commands in a block of '
                            f'{language}')


def _section(block: nodes.literal_block) -> str:
    """The title of the section of the block."""
    node = block.parent
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return '' if node is None else node.children[0].astext()


def _first_line(block: nodes.literal_block) -> str:
    return block.astext().partition('\n')[0]


def _is_left_out(block: nodes.literal_block) -> bool:
    """Whether a comment before it, or before its paragraph, excludes it."""
    siblings = block.parent.children
    before = siblings[:siblings.index(block)][-2:]
    if before and isinstance(before[-1], nodes.literal_block):
        before = []
    return any(isinstance(node, nodes.comment)
               and LEFT_OUT.match(node.astext()) for node in before)


def _session(page: str, section: str, text: str) -> Iterator[Command]:
    """Commands after their prompts, each with its output."""
    commands: list[Command] = []
    for line in _joined(text.splitlines()):
        prompt = PROMPT.match(line)
        if prompt:
            commands.append(Command(page, section, prompt['host'] or '',
                                    prompt['text']))
        elif commands:
            last = commands[-1]
            commands[-1] = dataclasses.replace(
                last, output=f'{last.output}{line}\n')
        else:
            raise PageError(
                f'{page}, {section}: no prompt; give the block a language '
                'if it shows no commands')
    for number, command in enumerate(commands):
        after = commands[number + 1:number + 2]
        if after and after[0].text == EXIT_CODE:
            command = dataclasses.replace(
                command, code=int(after[0].output))
        yield command


def _joined(lines: list[str]) -> Iterator[str]:
    """Join lines that end with a backslash with the next ones."""
    whole: list[str] = []
    for line in lines:
        whole.append(line)
        if not line.endswith('\\'):
            yield '\n'.join(whole)
            whole = []
    yield from whole


def _landmarks(shown: str) -> set[str]:
    """Columns, fields, keys, states and names of an output."""
    found = {*STATE.findall(shown), *NAME.findall(shown)}
    lines = shown.splitlines()
    rows = [CELL.split(line)[1:-1] for line in lines if line.startswith('|')]
    if rows:
        found.update(rows[0])
        if rows[0] == ['Field', 'Value']:
            found.update(row[0] for row in rows)
    elif lines and lines[0].startswith('"'):
        found.add(lines[0])
    else:
        found.update(key[1] for key in map(KEY.match, lines) if key)
    return found - {''}
