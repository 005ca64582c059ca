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
"""Which SQL statements a service sends, and how often each.

Imported by the program. MariaDB's general log names each statement with its
connection; equal statements with other values are counted as one.
"""

import collections
from collections.abc import Iterable, Iterator, Mapping
import contextlib
from pathlib import Path
import re

from tests.benchmarks.scaling import counters
from tests.benchmarks.scaling import place

#: "<time or nothing> <connection> <command>\t<argument>"
ENTRY = re.compile(r'(?:\d{6}\s+\d{1,2}:\d\d:\d\d|\s)\s*(\d+) '
                   r'(Connect|Query|Quit|Init DB|Execute|Prepare)(?:\t(.*))?')
STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'")
NUMBER = re.compile(r'\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b')
LIST = re.compile(r'\(\s*\?(?:\s*,\s*\?)+\s*\)')
COLUMNS = re.compile(r'^SELECT (?!COUNT).{40,}? FROM ', re.IGNORECASE)
WIDTH = 200


class Log:
    """The general log of the server, for a part of a run."""

    def __init__(self, home: place.Home) -> None:
        self._home = home
        self._file = home.mariadb / 'general.log'
        self._users: dict[int, str] = {}

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Write the log during the block; this slows the server."""
        database = counters.Database(self._home)
        self._users = {int(row[0]): str(row[1]) for row in database.rows(
            'SELECT id, user FROM information_schema.processlist')}
        database.rows(f"SET GLOBAL general_log_file = '{self._file}'")
        database.rows('SET GLOBAL general_log = 1')
        try:
            yield
        finally:
            database.rows('SET GLOBAL general_log = 0')
            database.close()

    def counts(self) -> dict[str, collections.Counter[str]]:
        """How often each user sent each statement."""
        with Path(self._file).open(errors='replace') as lines:
            return counted(lines, self._users)


def counted(lines: Iterable[str], users: Mapping[int, str]
            ) -> dict[str, collections.Counter[str]]:
    """How often each user sent each statement.

    :param users: of the connections that were open before
    """
    known = dict(users)
    found: dict[str, collections.Counter[str]] = {}
    for connection, command, text in _entries(lines):
        if command == 'Connect':
            known[connection] = text.partition('@')[0]
        elif command in ('Query', 'Execute'):
            user = known.get(connection, 'unknown')
            found.setdefault(user, collections.Counter())[shape(text)] += 1
    return found


def _entries(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Connection, command and argument, which may have several lines."""
    now: tuple[int, str, list[str]] | None = None
    for line in lines:
        match = ENTRY.match(line)
        if match is None:
            if now is not None:
                now[2].append(line)
            continue
        if now is not None:
            yield now[0], now[1], ' '.join(now[2])
        now = int(match[1]), match[2], [match[3] or '']
    if now is not None:
        yield now[0], now[1], ' '.join(now[2])


def shape(statement: str) -> str:
    """The statement without values, and without a long list of columns."""
    text = ' '.join(statement.split())
    text = NUMBER.sub('?', STRING.sub('?', text))
    text = LIST.sub('(?, ...)', text)
    return COLUMNS.sub('SELECT ... FROM ', text)[:WIDTH]


def table(counts: Mapping[str, collections.Counter[str]], most: int,
          creates: int = 1) -> str:
    """The most frequent statements of each user, for each create."""
    lines = []
    for user in sorted(set(counts) - {'root', 'world'}):
        total = sum(counts[user].values())
        lines.append(f'{user}: {total / creates:.1f} for each create, '
                     f'with COMMIT and ROLLBACK')
        lines += [f'  {count / creates:9.1f}  {text}' for text, count in
                  counts[user].most_common(most)]
    return '\n'.join(lines)
