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

"""Users and databases: requested for one member, checked on all servers."""

from collections.abc import Callable
import contextlib
import secrets

import pymysql

from lab import waiting
from tests.conformance import subject as subjects

DATABASE, USER = 'shop', 'joe'
#: A guest may carry out a request after its answer.
SECONDS = 30
REFUSED = (pymysql.err.OperationalError, pymysql.err.ProgrammingError,
           pymysql.err.InternalError)


def databases(subject: subjects.Subject) -> str:
    """Create, list, use and delete a database, on every server."""
    subject.ask('POST', 'databases', {'databases': [
        {'name': DATABASE, 'character_set': 'utf8mb4'}]}, member=1)
    _until(subject, 'the database to be there', lambda: all(
        DATABASE in _databases(subject, number)
        for number in range(subjects.SIZE)))
    _expect({DATABASE} <= set(_listed(subject, 'databases', 2)),
            'the list of databases lacks it')
    subject.members[0].ask(f'CREATE TABLE {DATABASE}.goods (id INT PRIMARY '
                           f'KEY) ENGINE=InnoDB')
    subject.ask('DELETE', f'databases/{DATABASE}', member=2)
    _until(subject, 'the database to be gone', lambda: not any(
        DATABASE in _databases(subject, number)
        for number in range(subjects.SIZE)))
    subject.verify()
    return ''


def users(subject: subjects.Subject) -> str:
    """Create, show, list, grant, log in, change the password, delete."""
    first, second = (secrets.token_urlsafe(16) + "a'\"1" for _ in range(2))
    subject.ask('POST', 'databases', {'databases': [{'name': DATABASE}]})
    subject.ask('POST', 'users', {'users': [
        {'name': USER, 'password': first}]}, member=1)
    _until(subject, f'{USER} to be there', lambda: USER in _listed(
        subject, 'users', 2))
    shown = subject.ask('GET', f'users/{USER}')['user']
    _expect((shown['name'], shown['databases']) == (USER, []),
            f'it is shown as {shown}')
    _expect_login(subject, first, reaches=False)
    subject.ask('PUT', f'users/{USER}/databases',
                {'databases': [{'name': DATABASE}]}, member=2)
    _until(subject, f'{USER} to reach {DATABASE}', lambda: all(
        _reaches(subject, number, first) for number in range(subjects.SIZE)))
    granted = subject.ask('GET', f'users/{USER}/databases')['databases']
    _expect(granted == [{'name': DATABASE}], f'it is granted {granted}')
    subject.ask('PUT', f'users/{USER}', {'user': {'password': second}})
    _expect_login(subject, second, reaches=True)
    _expect(not any(_logs_in(subject, number, first)
                    for number in range(subjects.SIZE)),
            'the old password is still accepted')
    subject.ask('DELETE', f'users/{USER}', member=1)
    _until(subject, f'{USER} to be gone', lambda: not any(
        _logs_in(subject, number, second)
        for number in range(subjects.SIZE)))
    subject.ask('DELETE', f'databases/{DATABASE}')
    subject.verify()
    return ''


def _expect_login(subject: subjects.Subject, password: str,
                  reaches: bool) -> None:
    """On every server, with the granted rights only."""
    _until(subject, f'{USER} to log in everywhere', lambda: all(
        _logs_in(subject, number, password)
        for number in range(subjects.SIZE)))
    for number in range(subjects.SIZE):
        _expect(_reaches(subject, number, password) == reaches,
                f'{USER} reaches {DATABASE} on member {number + 1}: '
                f'{not reaches}')


def _logs_in(subject: subjects.Subject, number: int, password: str) -> bool:
    try:
        subject.log_in(subject.members[number], USER, password).close()
    except REFUSED:
        return False
    return True


def _reaches(subject: subjects.Subject, number: int, password: str) -> bool:
    connection = subject.log_in(subject.members[number], USER, password)
    with contextlib.closing(connection), connection.cursor() as cursor:
        try:
            cursor.execute(f'USE {DATABASE}')
        except REFUSED:
            return False
    return True


def _databases(subject: subjects.Subject, number: int) -> set[str]:
    return {str(name) for (name,) in subject.members[number].ask(
        'SHOW DATABASES')}


def _listed(subject: subjects.Subject, kind: str, number: int) -> list[str]:
    return [one['name'] for one in
            subject.ask('GET', kind, member=number)[kind]]


def _until(subject: subjects.Subject, what: str,
           holds: Callable[[], bool]) -> None:
    waiting.until(what, holds, SECONDS, 0.3)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
