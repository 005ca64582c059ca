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

"""Writes a part of a file as a reader of the documentation does.

For the tests that follow the documentation. A part is added to its section,
which may exist; an option in it replaces the value in the file. A value that
begins with "..." keeps the old value up to its own first word.
"""

from collections.abc import Iterator
import re

SECTION = re.compile(r'\[(?P<name>[^\]]+)\]\s*$')
OPTION = re.compile(r'(?P<name>[^#=\s][^=]*?)\s*=\s*(?P<value>.*)$')
KEPT = '... '


def written(text: str, piece: str) -> str:
    """The text of a file with the part in it."""
    lines = text.splitlines()
    for section, name, value in _options(piece):
        _set(lines, section, name, value)
    return '\n'.join(lines) + '\n'


def _options(piece: str) -> Iterator[tuple[str, str, str]]:
    section = ''
    for line in piece.splitlines():
        heading, option = SECTION.match(line), OPTION.match(line)
        if heading:
            section = heading['name']
        elif option:
            yield section, option['name'], option['value']


def _set(lines: list[str], section: str, name: str, value: str) -> None:
    here = ''
    end = None
    for number, line in enumerate(lines):
        heading, option = SECTION.match(line), OPTION.match(line)
        if heading:
            here = heading['name']
        if here == section:
            end = number + 1 if line.strip() else end
            if option and option['name'] == name:
                lines[number] = f'{name} = {_joined(option["value"], value)}'
                return
    if end is None:
        lines += ['', f'[{section}]']
        end = len(lines)
    lines.insert(end, f'{name} = {value}')


def _joined(old: str, new: str) -> str:
    if not new.startswith(KEPT):
        return new
    words = new.removeprefix(KEPT).split()
    before = old.split()
    return ' '.join([*before[:before.index(words[0])], *words])
