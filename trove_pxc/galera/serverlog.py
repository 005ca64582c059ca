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

"""What a line of a database server's log says.

Pure: whoever can reach the log brings its text. Every module of trove_pxc
may import it. No other module looks for words in a server's log; the start
program, which is a shell script, gets the words from here (program.py).

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
    """How a server rates a line, in its own words; OTHER if it does not."""

    ERROR = 'ERROR'
    WARNING = 'Warning'
    NOTE = 'Note'
    SYSTEM = 'System'
    OTHER = ''


class Event(enum.StrEnum):
    """What the start program watches for while the server runs."""

    VOTED_OUT = 'voted-out'
    LEFT = 'left'
    COMPONENT = 'component'
    SILENT = 'silent'
    SHUT_DOWN = 'shut-down'
    NONE = ''


class Line(NamedTuple):
    """One line of the log.

    :ivar subsystem: 'WSREP', 'Galera', 'InnoDB', 'Server' and so on as the
        server names it, 'WSREP_SST' of an SST script, 'galera-start' of our
        start program; '' if it names none.
    :ivar code: 'MY-010119', in the format of 8.x alone.
    :ivar text: the rest.
    :ivar crashed: whether it says that a signal ended the server.
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
#: PXC 5.7, PXC 5.6, MariaDB, and what a program writes before it has a log.
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
# The order counts: the old format would take the lines of the scripts.
_FORMATS = (_FORMAT_8, _SST_SCRIPT, _START_PROGRAM, _FORMAT_OLD)
_LEVELS = {'INFO': Level.NOTE, 'WARNING': Level.WARNING, None: Level.OTHER}

#: What a server writes when it ends for an error that it told before.
_ENDS = re.compile(
    r'Aborting$|sst_received failed|'
    r'Application (?:received wrong state|state transfer failed)')
#: The same of our start program.
_OUR_ENDS = re.compile(
    r'the position could not be recovered|could not be initialised|'
    r'did not end though it has shut down')
_LONGEST_CHAIN = 6

#: What a line of Galera has after its level, in each format. What a client
#: sent and a server quotes stands behind another subsystem.
OF_GALERA = ('WSREP: ', '[MY-000000] [Galera] ', '[MY-000000] [WSREP] ')
#: Texts of Galera's lines, in the order in which a line is compared with them.
EVENTS: tuple[tuple[Event, tuple[str, ...]], ...] = (
    (Event.VOTED_OUT, ('Inconsistency detected: ',
                       ' is inconsistent with group. ')),
    (Event.LEFT, ('view((empty))',)),
    (Event.COMPONENT, ('New COMPONENT: ',)),
    (Event.SILENT, ('Temporary failure in sending state UUID',)),
)
WARNING = '[Warning]'
#: The last line of a server that has closed its data: what it begins with in
#: 8.x after the level, and what it ends with elsewhere (ER_STDERR_SHUTDOWN;
#: ER_SERVER_SHUTDOWN_COMPLETE). InnoDB's "Shutdown completed" is not the last.
SHUT_DOWN_BEGINS = '[MY-010910] [Server] '
SHUT_DOWN_ENDS = ('mysqld: Shutdown complete', 'mariadbd: Shutdown complete')
#: A regular expression for grep: a line that is an error in some format.
ERROR = r'\[ERROR\]'

#: A regular expression for Python and for sed alike: what stands before the
#: position in the log of --wsrep-recover. MariaDB and PXC 5.x write a colon.
POSITION = '[Rr]ecovered position:* *'
_POSITION = re.compile(
    POSITION + r'([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'
    r':(-?\d+)')

#: Follows the number of transactions that a server found prepared and does
#: not decide on (sql/handler.cc, ha_recover, of MySQL 5.6 and 5.7 and of
#: MariaDB; ER_XA_RECOVER_EXPLANATION, sql/xa.cc, of 8.x).
PREPARED = ' prepared transactions! It means that '

#: Before each start of the server, in the log that all its starts share.
STARTS = 'galera-start: starting '

# A joiner that was away while its transfer ran is counted anew, and its
# message that it has joined is not taken (galera/gcs/src/gcs_group.cpp).
_REJECTED = re.compile(
    r'Rejecting JOIN message from .*: new State Transfer required')
_GAVE_UP = re.compile(r'.*node restart required')
_OF_GALERA = ('WSREP', 'Galera')


def parse(line: str) -> Line:
    """One line, whichever server wrote it; it never fails."""
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
    """The line of a server's log that tells best of its last error, or ''.

    Of a server that went down for it, the first of the errors that made it:
    each brings others in its train, and "Aborting" is the last of them. Else
    the last one.
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
    """What the line says of the server's place in its component.

    The start program decides in the same way, with the same texts.
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
    """The last position in the log of --wsrep-recover, as it stands there."""
    found = _POSITION.findall(text)
    return (found[-1][0], int(found[-1][1])) if found else None


def says_join_rejected(lines: Iterable[str]) -> bool:
    """Whether the last start's joining is told to be of no use any more.

    Galera counts a joiner anew that was away while its transfer ran, takes
    no word of it that it has joined, and does not have it ask again. All
    members log it: who joins beside such a one may be meant or not.
    """
    return any(line.level is Level.WARNING and _is_of_galera(line)
               and _REJECTED.match(line.text)
               for line in _since_start(lines))


def says_restart_required(lines: Iterable[str]) -> bool:
    """Whether the last start gave up, and asks to be started anew.

    It did not get all write sets that it missed, and left the others.
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
