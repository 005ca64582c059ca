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

"""A table of more than a gigabyte, and how much of it has arrived.

For the tests of this folder that need a slow state transfer.
"""

import contextlib
import os
from pathlib import Path

from tests.faults import member as members

TABLE = 'filling.blocks'
BLOCK = 4 << 20
#: Characters of a row of a burst: below the size of InnoDB's large objects.
ROW = 3000
#: Galera marks a data directory so while a transfer into it runs.
SPOILED = 'sst_in_progress'


def fill(member: members.Member, least: int) -> None:
    """Create a table of at least so many bytes, through the cluster."""
    database = TABLE.partition('.')[0]
    with contextlib.closing(member.connect(60)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE IF NOT EXISTS {database}')
            cursor.execute(
                f'CREATE TABLE IF NOT EXISTS {TABLE} (id INT PRIMARY KEY '
                f'AUTO_INCREMENT, block LONGBLOB NOT NULL) ENGINE=InnoDB')
            while bytes_of(member) < least:
                cursor.execute(
                    f'INSERT INTO {TABLE} (block) VALUES (%s)',
                    (os.urandom(BLOCK),))
                connection.commit()


def forget_bursts(member: members.Member) -> None:
    """Create or empty their table, to make room."""
    database = TABLE.partition('.')[0]
    member.ask(f'CREATE DATABASE IF NOT EXISTS {database}')
    member.ask(f'CREATE TABLE IF NOT EXISTS {database}.burst (id INT PRIMARY '
               f'KEY AUTO_INCREMENT, text VARCHAR({ROW}) NOT NULL) '
               f'ENGINE=InnoDB')
    member.ask(f'TRUNCATE TABLE {database}.burst')


def burst(member: members.Member) -> None:
    """Write a block of rows, through the cluster.

    A server whose volume is full reports that it cannot apply them; with a
    large object it crashes.
    """
    rows = BLOCK // ROW
    member.ask(f'INSERT INTO {TABLE.partition(".")[0]}.burst (text) VALUES '
               + ','.join(['(%s)'] * rows), *['x' * ROW] * rows)


def bytes_of(member: members.Member) -> int:
    """The size of the table's file in the data directory; 0 without one."""
    try:
        return _table_file(member).stat().st_blocks * 512
    except OSError:
        return 0


def spoil(member: members.Member) -> None:
    """Leave its data as after a transfer that ended before the table.

    The mark is the server's own: the script of the transfer writes it. The
    next start requests a full transfer. It deletes the old data only when
    the donor has answered, so an old table would look like a new one.
    """
    mark, owner = member.data / SPOILED, member.data.stat()
    mark.touch()
    os.chown(mark, owner.st_uid, owner.st_gid)
    _table_file(member).unlink()


def arrived(member: members.Member) -> int:
    """The size of the table's file that a transfer has brought so far.

    mariabackup writes into a separate folder and moves the files at the end.
    """
    name = _table_file(member).name
    sizes = [0]
    for folder, _, files in os.walk(member.data):
        if name in files:
            with contextlib.suppress(OSError):
                sizes.append(os.stat(f'{folder}/{name}').st_blocks * 512)
    return max(sizes)


def _table_file(member: members.Member) -> Path:
    database, _, table = TABLE.partition('.')
    return member.data / database / f'{table}.ibd'
