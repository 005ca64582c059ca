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
"""lab sql: SQL on the server of a member.

Imported by ``lab.cli.main``.
"""

import argparse

from lab.cli import command
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import sql

SQL = """\
Runs SQL on a member's server, with the account of Trove's guest agent, and
prints the rows with tabs between the columns. NULL is printed as NULL, a tab
or line break in a value as \\t or \\n. For example:

  lab sql products-1 "SHOW STATUS LIKE 'wsrep_cluster%'"
"""


def register(commands: command.Commands) -> None:
    parser = command.add(
        commands, 'sql', "SQL on a member's server", SQL, _sql)
    command.add_member(parser)
    parser.add_argument('sql', metavar='SQL', help='one or more statements')
    parser.add_argument('--timeout', type=float, default=60,
                        help='seconds (default: %(default)s)')


def _sql(home: lab_home.Home, options: argparse.Namespace) -> int:
    guest = control.find(home, options.member)
    try:
        rows = sql.text(home, guest.instance_id, options.sql,
                        options.timeout)
    except sql.SqlError as error:
        raise errors.LabError(f'{guest.name}: {error}') from error
    print(rows, end='')
    return 0
