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

"""The backup tool of a server: its arguments, and the files that it writes.

Pure. The guest uses it. The tool is in the image of the database: mariadb-
backup of MariaDB, xtrabackup of Percona XtraDB Cluster.

Sources: "mariadb-backup options" and "Files created by mariadb-backup"
(mariadb.com/docs), "The xtrabackup option reference" (docs.percona.com).
"""

from collections.abc import Mapping
import dataclasses
import re
from typing import NamedTuple

from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera import errors
from trove_pxc.galera import series

# The names of the files differ by server and version. MariaDB names them
# mariadb_backup_* since 11.1 (MDEV-31505).
_PREFIX = '(?:xtrabackup|mariadb_backup)_'
#: the files of the tool whose text is kept
INFO = re.compile(f'{_PREFIX}(?P<kind>galera_info|binlog_info|checkpoints|'
                  'info)')
#: the tool's files in the data directory that a server does not need
LEFTOVERS = ('xtrabackup_*', 'mariadb_backup_*', 'backup-my.cnf',
             'donor_galera_info')
# While it holds these locks, the server applies no writes: Galera pauses it.
# Source: the logs of mariadb-backup 10.11 and of xtrabackup 8.0.
_LOCKS = re.compile('BACKUP STAGE BLOCK_(?:DDL|COMMIT)|Acquiring BACKUP LOCKS|'
                    'LOCK TABLES FOR BACKUP|FLUSH TABLES WITH READ LOCK')
_UNLOCKS = re.compile('BACKUP STAGE END|UNLOCK TABLES|tables unlocked', re.I)
_GALERA = re.compile(
    r'(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'
    r'[:\s]+(?P<seqno>-?\d+)')


@dataclasses.dataclass(frozen=True, slots=True)
class Tool:
    """The programs of one server.

    :ivar backup: names of the backup tool, best first.
    :ivar extract: names of the program that unpacks its stream.
    """

    backup: tuple[str, ...]
    extract: tuple[str, ...]


MARIADB = Tool(('mariadb-backup', 'mariabackup'), ('mbstream',))
# The packages of the server have these programs in a folder of their own
# (XTRABACKUP_80_PATH in wsrep_sst_xtrabackup-v2); 5.7 needs those of the PATH.
_PXC_FOLDER = '/usr/bin/pxc_extra/pxb-{}/bin'


class Position(NamedTuple):
    """The position of a backup, from the files of the tool.

    :ivar cluster_uuid: '' if the tool did not report it.
    :ivar seqno: -1 if the tool did not report it.
    :ivar gtid: '' if the server has no binary log.
    :ivar binlog: 'FILE:POSITION', or ''.
    """

    cluster_uuid: str
    seqno: int
    gtid: str
    binlog: str
    from_lsn: int
    to_lsn: int


def of(dialect: Dialect) -> Tool:
    """The tool of a server."""
    if dialect.is_mariadb:
        return MARIADB
    folder = _PXC_FOLDER.format(series.dotted(dialect.version))
    return Tool(*((f'{folder}/{name}', name)
                  for name in ('xtrabackup', 'xbstream')))


def backup_arguments(defaults_file: str, lsn_dir: str, temporary_dir: str,
                     from_lsn: int = 0) -> list[str]:
    """The arguments to write a backup as a stream; they hold no secret.

    :param defaults_file: with the login, and the server's configuration.
    :param lsn_dir: gets a copy of the file with the LSNs.
    :param from_lsn: of an incremental backup; 0 for a full one.
    """
    arguments = [
        f'--defaults-file={defaults_file}', '--backup', '--stream=xbstream',
        '--galera-info', f'--extra-lsndir={lsn_dir}',
        f'--target-dir={temporary_dir}']
    if from_lsn:
        arguments.append(f'--incremental-lsn={from_lsn}')
    return arguments


def extract_arguments(folder: str) -> list[str]:
    """The arguments to unpack a stream from the standard input."""
    return ['-x', '-C', folder]


def prepare_arguments(dialect: Dialect, folder: str, increment: str = '',
                      last: bool = True) -> list[str]:
    """The arguments to make the files of a backup consistent.

    :param folder: with the full backup.
    :param increment: the folder of an incremental one to apply to it.
    :param last: whether no other incremental backup is applied afterwards.
        xtrabackup must not roll back transactions before; mariadb-backup
        does so only when the server starts.
    """
    arguments = ['--prepare', f'--target-dir={folder}']
    if increment:
        arguments.append(f'--incremental-dir={increment}')
    if not last and not dialect.is_mariadb:
        arguments.append('--apply-log-only')
    return arguments


def option_file(user: str, password: str, socket: str,
                server_file: str) -> str:
    """The text of the private option file of the tool.

    :raises ValueError: if a value cannot be written; without the value.
    """
    for value in (user, password, socket):
        if not value.isprintable() or '"' in value:
            raise ValueError('a value with control characters or double '
                             'quotes cannot be written to an option file')
    quoted = [value.replace('\\', '\\\\')
              for value in (user, password, socket)]
    return (f'!include {server_file}\n'
            '[xtrabackup]\n'
            f'user="{quoted[0]}"\npassword="{quoted[1]}"\n'
            f'socket="{quoted[2]}"\n')


def locks(line: str, before: bool) -> bool:
    """Whether the server is locked after this line of the tool's log."""
    if _UNLOCKS.search(line):
        return False
    return before or bool(_LOCKS.search(line))


def kind(name: str) -> str:
    """The kind of a file whose whole name INFO matches."""
    found = INFO.fullmatch(name)
    assert found is not None
    return found['kind']


def position(files: Mapping[str, str]) -> Position:
    """The position, from the texts of the tool's files.

    :param files: by kind, as named in INFO.
    :raises trove_pxc.galera.errors.UnreadablePosition: without LSNs, which
        every complete backup has.
    """
    lsns = _values(files.get('checkpoints', ''))
    try:
        from_lsn, to_lsn = int(lsns['from_lsn']), int(lsns['to_lsn'])
    except (KeyError, ValueError) as missing:
        raise errors.UnreadablePosition(
            'the backup tool wrote no LSNs, so the backup is not '
            f'complete: {missing}') from missing
    galera = _GALERA.search(files.get('galera_info', ''))
    log, at, gtid = _binlog(files.get('binlog_info', ''))
    return Position(
        galera['uuid'].lower() if galera else '',
        int(galera['seqno']) if galera else -1,
        gtid, f'{log}:{at}' if log else '', from_lsn, to_lsn)


def description(files: Mapping[str, str]) -> tuple[str, str]:
    """Name and version of the tool, and the version of the server."""
    known = _values(files.get('info', ''))
    tool = ' '.join(known.get(name, '') for name in (
        'tool_name', 'tool_version')).strip()
    return tool, known.get('server_version', '')


def _values(text: str) -> dict[str, str]:
    """The values of lines 'name = value'."""
    pairs = (line.partition('=') for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _binlog(text: str) -> tuple[str, str, str]:
    """File, position and GTID: words with tabs between them."""
    words = [*text.strip().split('\t'), '', '', '']
    return words[0], words[1], ''.join(words[2].split())
