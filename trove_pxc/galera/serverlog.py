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

"""Parses lines of a database server's log.

Pure: the caller reads the log. Every module of trove_pxc may import it. No
other module searches a server's log for texts. The start program, which is a
shell script, gets the texts from here (program.py).

Sources: "The Error Log: Output Format" in the MySQL 5.7, 8.0 and 8.4
manuals (8.x writes "TIME THREAD [LEVEL] [MY-NUMBER] [SUBSYSTEM] text");
"Error Log: Format" in the MariaDB documentation; the function that handles
a signal of the server, which writes past the log ("got signal"); wsrep_log in
wsrep_sst_common for the lines of SST scripts. tests/unit/galera/logs.py has
lines of each version and says where they come from.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import enum
import re
from typing import NamedTuple


class Level(enum.StrEnum):
    """The level of a line as the server writes it; OTHER for none."""

    ERROR = 'ERROR'
    WARNING = 'Warning'
    NOTE = 'Note'
    SYSTEM = 'System'
    OTHER = ''


class Event(enum.StrEnum):
    """The events that the start program watches for."""

    VOTED_OUT = 'voted-out'
    LEFT = 'left'
    COMPONENT = 'component'
    SILENT = 'silent'
    SHUT_DOWN = 'shut-down'
    NONE = ''


class Line(NamedTuple):
    """One line of the log.

    :ivar subsystem: 'WSREP', 'Galera', 'InnoDB', 'Server' and so on as the
        server writes it, 'WSREP_SST' for an SST script, 'galera-start' for
        the start program; '' for none.
    :ivar code: for example 'MY-010119'; only in the format of 8.x.
    :ivar text: the rest of the line.
    :ivar crashed: whether the line reports that a signal ended the server.
    """

    level: Level
    subsystem: str
    code: str
    text: str
    crashed: bool = False


_ISO = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)'
_SPACED = r'\d{4}-\d\d-\d\d +\d{1,2}:\d\d:\d\d'
_SHORT = r'\d{6} +\d{1,2}:\d\d:\d\d'
_LEVEL = r'\[(?P<level>ERROR|Warning|Note|System|INFO|WARNING)\]'
_TEXT = r'(?P<text>.*)'

#: MySQL and PXC 8.x.
_FORMAT_8 = re.compile(
    rf'{_ISO} +\d+ +{_LEVEL} \[(?P<code>MY-\d+)\] '
    rf'\[(?P<subsystem>[\w-]+)\] {_TEXT}')
#: PXC 5.7, PXC 5.6, MariaDB, and programs before they open a log.
_FORMAT_OLD = re.compile(
    rf'(?:(?:{_ISO}|{_SPACED}|{_SHORT})(?: +[0-9a-f]+)? +|'
    r'[\w./-]+: )?'
    rf'{_LEVEL} (?:(?P<subsystem>WSREP|InnoDB): )?{_TEXT}')
_SST_SCRIPT = re.compile(
    rf'(?P<subsystem>WSREP_SST): {_LEVEL} {_TEXT}')
_START_PROGRAM = re.compile(
    rf'(?P<subsystem>galera-start): (?:{_LEVEL} )?{_TEXT}')
_SIGNAL = re.compile(
    rf'(?:(?:{_ISO}|\d\d:\d\d:\d\d) UTC - |{_SHORT} \[ERROR\] )?'
    r'(?P<text>\S*(?:mysqld|mariadbd) got signal \d+ ?;.*)')
# The order matters: the old format also matches the lines of the scripts.
_FORMATS = (_FORMAT_8, _SST_SCRIPT, _START_PROGRAM, _FORMAT_OLD)
_LEVELS = {'INFO': Level.NOTE, 'WARNING': Level.WARNING, None: Level.OTHER}

#: Lines of a server that ends because of an error in an earlier line.
_ENDS = re.compile(
    r'Aborting$|sst_received failed|'
    r'Application (?:received wrong state|state transfer failed)')
#: The same for the start program.
_OUR_ENDS = re.compile(
    r'the position could not be recovered|could not be initialised|'
    r'did not end though it has shut down')
_LONGEST_CHAIN = 6

#: The text of a line of Galera after its level, in each format. Texts of
#: clients that a server quotes have another subsystem.
OF_GALERA = ('WSREP: ', '[MY-000000] [Galera] ', '[MY-000000] [WSREP] ')
#: Texts of Galera's lines, in the order of the comparison.
EVENTS: tuple[tuple[Event, tuple[str, ...]], ...] = (
    (Event.VOTED_OUT, ('Inconsistency detected: ',
                       ' is inconsistent with group. ')),
    (Event.LEFT, ('view((empty))',)),
    (Event.COMPONENT, ('New COMPONENT: ',)),
    (Event.SILENT, ('Temporary failure in sending state UUID',)),
)
WARNING = '[Warning]'
#: The last line of a server that has closed its data: its begin after the
#: level in 8.x, and its end in other versions (ER_STDERR_SHUTDOWN;
#: ER_SERVER_SHUTDOWN_COMPLETE). InnoDB's "Shutdown completed" is not the last.
SHUT_DOWN_BEGINS = '[MY-010910] [Server] '
SHUT_DOWN_ENDS = ('mysqld: Shutdown complete', 'mariadbd: Shutdown complete')
#: A regular expression for grep: an error in any format.
ERROR = r'\[ERROR\]'

#: A regular expression for both Python and sed: the text before the position
#: in the log of --wsrep-recover. MariaDB and PXC 5.x write a colon.
POSITION = '[Rr]ecovered position:* *'
_POSITION = re.compile(
    POSITION + r'([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'
    r':(-?\d+)')

#: Follows the number of prepared transactions that a server does not resolve
#: by itself (sql/handler.cc, ha_recover, of MySQL 5.6 and 5.7 and of
#: MariaDB; ER_XA_RECOVER_EXPLANATION, sql/xa.cc, of 8.x).
PREPARED = ' prepared transactions! It means that '

#: Precedes each start of the server in the log, which all starts share.
STARTS = 'galera-start: starting '

# Galera registers a joiner again that was disconnected during its transfer,
# and rejects its JOIN message (galera/gcs/src/gcs_group.cpp).
_REJECTED = re.compile(
    r'Rejecting JOIN message from .*: new State Transfer required')
_GAVE_UP = re.compile(r'.*node restart required')
_OF_GALERA = ('WSREP', 'Galera')


def parse(line: str) -> Line:
    """Parse one line of any server; it never fails."""
    plain = line.strip()
    signal = _SIGNAL.fullmatch(plain)
    if signal is not None:
        return Line(Level.ERROR, '', '', signal['text'], crashed=True)
    for known in _FORMATS:
        found = known.fullmatch(plain)
        if found is not None:
            parts = found.groupdict()
            level = parts['level']
            return Line(_LEVELS[level] if level in _LEVELS else Level(level),
                        parts['subsystem'] or '', parts.get('code') or '',
                        parts['text'])
    return Line(Level.OTHER, '', '', plain)


def telling_line(text: str) -> str:
    """The most relevant line about the last error in a server's log, or ''.

    If the error ended the server, it is the first line of the chain of
    errors before the end: each error causes more, and "Aborting" is the last
    line. Otherwise it is the last error.
    """
    telling = [(line.strip(), parsed) for line, parsed in _parsed(text)
               if parsed.level is Level.ERROR]
    chain: list[str] = []
    ended = False
    for line, parsed in telling:
        if _is_end(parsed):
            ended = True
            continue
        if ended:
            chain, ended = [], False
        chain.append(line)
    if not chain:
        return telling[-1][0] if telling else ''
    return chain[-_LONGEST_CHAIN:][0] if ended else chain[-1]


def _is_end(line: Line) -> bool:
    if line.subsystem == 'galera-start':
        return _OUR_ENDS.search(line.text) is not None
    return line.crashed or _ENDS.match(line.text) is not None


def event(line: str) -> Event:
    """The event in the line about the server and its component.

    The start program uses the same rules and texts.
    """
    rest = line.partition('] ')[2]
    if (rest.startswith(SHUT_DOWN_BEGINS) or rest.endswith(SHUT_DOWN_ENDS)):
        return Event.SHUT_DOWN
    if WARNING in line or not rest.startswith(OF_GALERA):
        return Event.NONE
    for kind, texts in EVENTS:
        if any(text in rest for text in texts):
            return kind
    return Event.NONE


def recovered_position(text: str) -> tuple[str, int] | None:
    """The last position in the log of --wsrep-recover, unchanged."""
    found = _POSITION.findall(text)
    return (found[-1][0], int(found[-1][1])) if found else None


def says_join_rejected(lines: Iterable[str]) -> bool:
    """Whether a JOIN message was rejected since the last start.

    Galera registers a joiner again that was disconnected during its
    transfer, rejects its JOIN message, and does not make it request another
    transfer. All members log this, so the line may be about another joiner.
    """
    return any(line.level is Level.WARNING and _is_of_galera(line)
               and _REJECTED.match(line.text)
               for line in _since_start(lines))


def says_restart_required(lines: Iterable[str]) -> bool:
    """Whether the server requires a restart since the last start.

    It did not get all write sets that it missed, and left the cluster.
    """
    return any(line.level is Level.ERROR and _is_of_galera(line)
               and _GAVE_UP.match(line.text)
               for line in _since_start(lines))


def _is_of_galera(line: Line) -> bool:
    return line.subsystem in _OF_GALERA


def _since_start(lines: Iterable[str]) -> Iterator[Line]:
    log = '\n'.join(lines).rpartition(STARTS)[2]
    return (parsed for _, parsed in _parsed(log))


def _parsed(text: str) -> Iterator[tuple[str, Line]]:
    return ((line, parse(line)) for line in text.splitlines())
