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
"""Runs SQL on the database server of a guest.

Imported by the command line, ``lab.status`` and ``lab.demo``. The client runs
in the guest with the option file of Trove's guest agent, and reads the
statement from its input. So no password and no statement is on a command line.
"""

import re
import subprocess

from lab import errors
from lab.guest import control
from lab import home as lab_home

Row = list[str | None]
Wsrep = dict[str, str | int | None]

OPTION_FILE = '/var/lib/mysql/conf.d/os_admin.cnf'
SOCKET = '/var/lib/mysqld/mysqld.sock'
CONNECT_TIMEOUT = 5
#: seconds for the client to start and end
CLIENT_TIME = 2
CLIENT = ('mariadb', f'--defaults-file={OPTION_FILE}', f'--socket={SOCKET}',
          f'--connect-timeout={CONNECT_TIMEOUT}', '--batch',
          '--skip-column-names', '--default-character-set=utf8mb4')
ESCAPED = {'\\n': '\n', '\\t': '\t', '\\0': '\0', '\\\\': '\\'}
ESCAPE = re.compile(r'\\[nt0\\]')
WSREP = {
    'wsrep_cluster_size': 'cluster_size',
    'wsrep_cluster_status': 'cluster_status',
    'wsrep_local_state_comment': 'local_state_comment',
    'wsrep_cluster_state_uuid': 'cluster_state_uuid',
    'wsrep_last_committed': 'last_committed',
}
NUMBERS = ('cluster_size', 'last_committed')
WSREP_SQL = "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'"


class SqlError(errors.LabError):
    """The server refused, or did not answer."""


def text(home: lab_home.Home, instance_id: str, statement: str,
         timeout: float = 60) -> str:
    """Run SQL as the administrator; return the rows as the client prints them.

    :param timeout: seconds for the server's answer
    :raises SqlError: with the server's message
    """
    try:
        done = control.run(home, instance_id, list(CLIENT), input=statement,
                           timeout=timeout + CLIENT_TIME)
    except subprocess.TimeoutExpired as late:
        raise SqlError(
            f'the server does not answer within {timeout:g} s') from late
    if done.returncode:
        raise SqlError(_reason(done.stderr))
    return str(done.stdout)


def run(home: lab_home.Home, instance_id: str, statement: str, *values: str,
        timeout: float = 60) -> list[Row]:
    """Run SQL as the administrator and return the rows.

    :param values: one for each ``?`` of the statement
    :param timeout: seconds for the server's answer
    :raises SqlError: with the server's message
    """
    answer = text(home, instance_id, _bound(statement, values), timeout)
    return [[_value(field) for field in line.split('\t')]
            for line in answer.splitlines()]


def wsrep(home: lab_home.Home, instance_id: str,
          timeout: float = 5) -> Wsrep | None:
    """The state of the server in its cluster.

    None if it does not answer, or is not a Galera node.
    """
    try:
        status = wsrep_rows(home, instance_id, timeout)
    except errors.LabError:
        return None
    if not status.get('wsrep_cluster_status'):
        return None
    told: Wsrep = {ours: status.get(name) for name, ours in WSREP.items()}
    for name in NUMBERS:
        if told[name] is not None:
            told[name] = int(str(told[name]))
    return told


def wsrep_rows(home: lab_home.Home, instance_id: str,
               timeout: float = 5) -> dict[str, str | None]:
    """All status variables of Galera.

    :raises LabError: the server does not answer; with the reason
    """
    rows = run(home, instance_id, WSREP_SQL, timeout=timeout)
    return {str(row[0]).lower(): row[1] for row in rows}


def _bound(statement: str, values: tuple[str, ...]) -> str:
    if not values:
        return statement
    parts = statement.split('?')
    literals = [f"'{_quoted(value)}'" for value in values]
    return ''.join(part + literal for part, literal in zip(
        parts, [*literals, ''], strict=True))


def _quoted(value: str) -> str:
    return value.replace('\\', '\\\\').replace("'", "''")


def _value(field: str) -> str | None:
    if field == 'NULL':
        return None
    return ESCAPE.sub(lambda found: ESCAPED[found[0]], field)


def _reason(said: str) -> str:
    if OPTION_FILE in said:
        return 'the guest has no database and no administrator yet'
    # Before the reason the client repeats the statement, which may contain a
    # secret.
    reason = said.rpartition('\n--------------\n')[2].strip()
    return reason or 'the client failed without a message'
