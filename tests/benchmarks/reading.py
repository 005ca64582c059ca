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

"""The read-mostly load of the settings program, by Debian's sysbench.

Imported by the settings program, by the lab's Python.

sysbench is a compiled program: the clients of ``tests.benchmarks.loads`` would
use more processor time for so many statements than the servers. Source:
"General command line options" of the documentation of sysbench 1.0, and its
oltp_read_write.lua.
"""

from collections.abc import Iterator, Sequence
import configparser
import contextlib
from pathlib import Path
import re
import shutil
import subprocess
import tempfile

from lab import sql
from tests.benchmarks import loads
from tests.benchmarks import program
from tests.faults import member as members

PROGRAM, TEST = 'sysbench', 'oltp_read_write'
SCHEMA = 'sbtest'
TABLES, ROWS = 4, 10000
#: Of one transaction: 14 selects, and the update of one row.
MIX = ('--index_updates=0', '--non_index_updates=1', '--delete_inserts=0')
#: Seconds to create the tables, and for the end of the clients.
PREPARE_TIMEOUT, END_TIMEOUT = 120, 60
RATE = re.compile(r'transactions:\s+\d+\s+\(([\d.]+) per sec')
PERCENTILE = re.compile(r'95th percentile:\s+([\d.]+)')


def check() -> None:
    """Check that the program is installed.

    :raises Refused: it is not
    """
    if shutil.which(PROGRAM) is None:
        raise program.Refused(
            'the load "reading" needs sysbench; type: apt-get install '
            'sysbench, or choose other --loads')


def measured(through: Sequence[members.Member], seconds: float,
             ) -> tuple[dict[str, float], str]:
    """The figures of the load; its clients use the members in turns."""
    through[0].ask(f'DROP DATABASE IF EXISTS {SCHEMA}')
    through[0].ask(f'CREATE DATABASE {SCHEMA}')
    with _options(through) as path:
        _run(path, 'prepare', 1, PREPARE_TIMEOUT)
        printed = _run(path, 'run', loads.CLIENTS, seconds + END_TIMEOUT,
                       f'--time={round(seconds)}')
    return figures(printed), ''


def figures(printed: str) -> dict[str, float]:
    """Read the report of sysbench.

    :raises AssertionError: it has no rate
    """
    rate, slowest = RATE.search(printed), PERCENTILE.search(printed)
    if rate is None or slowest is None:
        raise AssertionError(f'sysbench reports no rate: {printed[-500:]}')
    return {loads.COMMITS: float(rate[1]), loads.SLOWEST: float(slowest[1])}


def options_text(sockets: Sequence[str], user: str, password: str) -> str:
    """The option file of sysbench.

    :raises Refused: the password cannot be quoted
    """
    if '"' in password or not password.isprintable():
        raise program.Refused('sysbench cannot read the password of this '
                              'cluster; create the cluster again')
    return (f'mysql_socket={",".join(sockets)}\nmysql_user={user}\n'
            f'mysql_password="{password}"\nmysql_db={SCHEMA}\n')


@contextlib.contextmanager
def _options(through: Sequence[members.Member]) -> Iterator[Path]:
    """A file that only its owner can read; a command line is public."""
    own = configparser.ConfigParser(interpolation=None, strict=False,
                                    allow_no_value=True)
    own.read_string(Path(f'{through[0].root}{sql.OPTION_FILE}').read_text())
    client = own['client']
    with tempfile.NamedTemporaryFile('w', prefix='sysbench-') as file:
        file.write(options_text(
            [f'{member.root}{sql.SOCKET}' for member in through],
            client['user'].strip('\'"'), client['password'].strip('\'"')))
        file.flush()
        yield Path(file.name)


def _run(path: Path, command: str, clients: int, timeout: float,
         *more: str) -> str:
    done = subprocess.run(
        [PROGRAM, TEST, f'--config-file={path}', f'--threads={clients}',
         f'--tables={TABLES}', f'--table-size={ROWS}', *MIX, *more, command],
        capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        printed = done.stderr or done.stdout
        raise AssertionError(f'sysbench {command} failed: {printed[-500:]}')
    return done.stdout
