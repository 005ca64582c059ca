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
"""Asking the database server of a guest.

Imported by the command line, ``lab.status`` and ``lab.demo``.
"""

import json
import subprocess

from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import venv

Row = list[str | None]
WSREP = {
    'wsrep_cluster_size': 'cluster_size',
    'wsrep_cluster_status': 'cluster_status',
    'wsrep_local_state_comment': 'local_state_comment',
    'wsrep_cluster_state_uuid': 'cluster_state_uuid',
    'wsrep_last_committed': 'last_committed',
}
NUMBERS = ('cluster_size', 'last_committed')
WSREP_SQL = ('SHOW GLOBAL STATUS WHERE Variable_name IN ('
             + ', '.join(f"'{name}'" for name in WSREP) + ')')
Wsrep = dict[str, str | int | None]
STARTING = 5


class SqlError(errors.LabError):
    """The server refused, or there is none that answers."""


def run(home: lab_home.Home, instance_id: str, sql: str, *values: str,
        timeout: float = 60) -> list[Row]:
    """Run one statement as the administrator and return its rows.

    :param values: for each ``%s`` of the statement
    :param timeout: seconds for the server's answer
    :raises SqlError: with the server's words
    """
    try:
        done = control.run(
            home, instance_id,
            ['env', f'PYTHONPATH={home.checkout}', str(venv.python(home)),
             '-P', '-m', 'lab.in_guest_sql'],
            input=json.dumps({'sql': sql, 'values': values,
                              'timeout': timeout}),
            timeout=timeout + STARTING)
    except subprocess.TimeoutExpired as late:
        raise SqlError(f'no answer within {timeout:g} s') from late
    if done.returncode:
        raise SqlError(done.stderr.strip().splitlines()[-1]
                       if done.stderr.strip() else 'the guest does not run')
    answer = json.loads(done.stdout)
    if 'error' in answer:
        raise SqlError(answer['error'])
    return list(answer['rows'])


def wsrep(home: lab_home.Home, instance_id: str,
          timeout: float = 5) -> Wsrep | None:
    """What the server says about its place in the cluster.

    None if it does not answer, or answers without being a Galera node.
    """
    try:
        rows = run(home, instance_id, WSREP_SQL, timeout=timeout)
    except errors.LabError:
        return None
    told: Wsrep = {
        WSREP[str(name).lower()]: value for name, value in rows
        if str(name).lower() in WSREP}
    for name in NUMBERS:
        if told.get(name) is not None:
            told[name] = int(str(told[name]))
    if not told.get('cluster_status'):
        return None
    return {name: told.get(name) for name in WSREP.values()}
