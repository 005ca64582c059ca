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
"""A program that runs SQL on a guest's own database server.

Run inside a guest by ``lab.sql`` alone. It reads one JSON object with
``sql``, its ``values`` and a ``timeout`` from its standard input, takes the
administrator's password from the guest's own file, and writes one JSON
object: ``rows`` or ``error``. So no password leaves the guest or stands on
a command line.
"""

import configparser
import json
from pathlib import Path
import sys
from typing import Any

import pymysql

PASSWORD_FILES = (Path('/var/lib/mysql/conf.d/os_admin.cnf'),)
SOCKET = '/var/lib/mysqld/mysqld.sock'
CONNECT_TIMEOUT = 5


def main() -> None:
    order = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = {
            'rows': _run(order['sql'], order['values'], order['timeout'])}
    except (pymysql.MySQLError, OSError, KeyError,
            configparser.Error) as error:
        answer = {'error': _words(error)}
    json.dump(answer, sys.stdout)


def _run(sql: str, values: list[str],
         timeout: float) -> list[list[str | None]]:
    connection = pymysql.connect(
        unix_socket=SOCKET, user='os_admin', password=_password(),
        charset='utf8mb4', autocommit=True, connect_timeout=CONNECT_TIMEOUT,
        read_timeout=timeout, write_timeout=timeout)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return [[_text(value) for value in row]
                for row in cursor.fetchall() or ()]


def _password() -> str:
    for file in PASSWORD_FILES:
        if file.exists():
            parser = configparser.ConfigParser(interpolation=None)
            parser.read(file)
            return parser['client']['password'].strip('"\'')
    raise FileNotFoundError(
        'the guest has no os_admin.cnf yet: its database was not set up')


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode(errors='backslashreplace')
    return str(value)


def _words(error: BaseException) -> str:
    if isinstance(error, pymysql.MySQLError) and len(error.args) > 1:
        return f'{error.args[0]}: {error.args[1]}'
    return str(error)


if __name__ == '__main__':
    main()
