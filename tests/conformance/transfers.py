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

"""How a member gets missing data: a full copy (SST), or writes (IST).

The traffic between members is recorded meanwhile.
"""

from collections.abc import Iterator
import contextlib
from pathlib import Path
import tempfile
import uuid

from lab import waiting
from tests.conformance import check
from tests.conformance import subject as subjects
from tests.e2e import ears
from tests.e2e import laboratory
from tests.faults import catalogue
from trove_pxc.galera import series

PORTS = (4444, 4567, 4568)
ROWS = 200
#: Bytes of rows and their overhead.
LEAST = ROWS * 32
OPTIONS = 'conformance'


def encryption(subject: subjects.Subject) -> str:
    """Committed rows are not readable on the members' network."""
    secret = uuid.uuid4().hex
    with _listening(subject, secret) as ear:
        _write(subject, secret)
        said, found = _heard(ear, LEAST)
    subject.verify()
    if found:
        raise AssertionError(f'{found} rows were readable in {said} bytes')
    return f'{said} bytes, none of them a row in clear text'


def sst(subject: subjects.Subject, method: str) -> str:
    """A new member gets a full copy, by this method only."""
    lacks = subject.in_image()
    if lacks.get(method):
        raise check.NotInImage(f'the image lacks {lacks[method]}')
    secret = uuid.uuid4().hex
    _write(subject, secret)
    subject.note()
    since = subject.there.mark()
    with (laboratory.own_options(OPTIONS, _option(subject, method)),
          _listening(subject, secret) as ear):
        subject.grow()
        _, found = _heard(ear, 1)
    subject.verify(subjects.SIZE + 1)
    remark = _by_method(subject, method, since)
    subject.shrink()
    subject.verify()
    return remark + _clear(method, found, lacks)


def ist(subject: subjects.Subject) -> str:
    """A member that was stopped gets the missing writes only."""
    victim = subject.members[-1]
    since = subject.there.mark()
    with subject.under_writes() as told:
        _strike(subject, catalogue.STOP, [victim])
        catalogue.STOP.end(subject.there, [victim])
        subject.there.wait_recovered(subject.patience)
    subject.note()
    subject.verify()
    given = subject.donated(since)
    whole = [method for method, all_data in given if all_data]
    received = any(subjects.RECEIVED in line
                   for line in victim.server_log(since))
    if whole or not (received or given):
        raise AssertionError(
            f'state transfers of all data: {whole or "none"}; '
            f'"{subjects.RECEIVED.strip()}" in the log of {victim.name}: '
            f'{received}')
    return subjects.figures(told[0])


def _strike(subject: subjects.Subject, fault: catalogue.Fault,
            victims: list[catalogue.members.Member]) -> None:
    before = [catalogue.Before.of(member) for member in victims]
    fault.strike(subject.there, victims)
    fault.wait_seen(subject.there, victims, before, subject.patience)


def _option(subject: subjects.Subject, method: str) -> str:
    return f'[{subject.dialect.manager}]\nsst_method = {method}\n'


def _write(subject: subjects.Subject, secret: str) -> None:
    """Commit rows that contain the secret, one by one."""
    first = subject.members[0]
    first.ask(f'CREATE TABLE IF NOT EXISTS {subjects.NAME}.said (id INT '
              f'PRIMARY KEY AUTO_INCREMENT, text VARCHAR(64)) ENGINE=InnoDB')
    with contextlib.closing(first.connect(autocommit=True)) as connection:
        with connection.cursor() as cursor:
            for _ in range(ROWS):
                cursor.execute(f'INSERT INTO {subjects.NAME}.said (text) '
                               f'VALUES (%s)', (secret,))


def _by_method(subject: subjects.Subject, method: str, since: object) -> str:
    """Check the method of the full copy in the log of the donor."""
    joiner = subject.members[-1]
    [(chosen,)] = joiner.ask('SELECT @@wsrep_sst_method')
    whole = [name for name, all_data in subject.donated(since) if all_data]
    if chosen != method or (whole and method not in whole):
        raise AssertionError(
            f'{joiner.name} has wsrep_sst_method {chosen}, and donors gave '
            f'all data by {whole or "no method that they name"}; expected '
            f'{method}')
    return '' if whole else 'the log of no donor names the method; '


def _clear(method: str, found: int, lacks: dict[str, str]) -> str:
    """Whether the data was readable, and whether that is expected."""
    encrypted = method + series.TLS
    can = lacks.get(encrypted) == ''
    if can and found:
        raise AssertionError(
            f'{found} rows were readable in the transfer, which has to be '
            f'encrypted')
    return 'encrypted' if can else 'in clear text: ' + (
        f'the image lacks {lacks[encrypted]}' if encrypted in lacks
        else 'this version cannot encrypt it')


@contextlib.contextmanager
def _listening(subject: subjects.Subject,
               secret: str) -> Iterator[ears.Ear]:
    with tempfile.TemporaryDirectory() as folder:
        ear = ears.Ear(subject.home, secret, PORTS, Path(folder, 'heard'))
        with contextlib.closing(ear):
            waiting.until('the listener to start', lambda: ear.listening, 30)
            yield ear


def _heard(ear: ears.Ear, least: int) -> tuple[int, int]:
    """Bytes and rows, when enough traffic passed and rows are constant."""
    before = -1

    def said() -> tuple[int, int]:
        nonlocal before
        size, found = ear.heard()
        if size < least or found != before:
            before = found
            raise waiting.NotYet(f'{size} bytes, {found} rows')
        return size, found

    return waiting.until('traffic between members', said, 60, 1)
