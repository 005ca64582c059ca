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

"""The backup tool of the member's server, with its login and its folders.

The running backup and the restore use it. The password is only in a private
file in memory, which is removed when the tool ends.
"""

from collections.abc import Iterator
import contextlib
import dataclasses

from trove_pxc.galera import backup_tool
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import programs
from trove_pxc.guestagent import container
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program

_OWN_FOLDER = 0o700
_PRIVATE = 0o600
_LOGIN = 'login.cnf'
_SOCKET = '/var/run/mysqld/mysqld.sock'
#: in the container of the tool
_INSIDE = f'{program.ORDER_DIR}/backup'
_LSN_DIR = f'{_INSIDE}/lsn'
_TEMPORARY = '/tmp/backup'  # nosec: in the container of the tool


class BackupTool:
    """The tool in the image of this member.

    :param specification: of the container of the server.
    :param owner: 'uid:gid' of the database's user.
    """

    def __init__(self, the_programs: programs.Programs,
                 specification: container.Specification,
                 dialect: dialects.Dialect, host_files: files.HostFiles,
                 where: paths.Paths, owner: str) -> None:
        self._programs = the_programs
        self._specification = specification
        self._dialect = dialect
        self._tool = backup_tool.of(dialect)
        self._files = host_files
        self._where = where
        self._owner = owner

    @contextlib.contextmanager
    def backup(self, user: str, password: secret.Secret,
               from_lsn: int = 0) -> Iterator[programs.Running]:
        """Run the backup; its output is the stream."""
        self._files.ensure_folders(
            files.Folder(self._where.backup_dir, _OWN_FOLDER, self._owner))
        self._files.clear(self._where.backup_dir)
        login = f'{self._where.backup_dir}/{_LOGIN}'
        try:
            self._files.write(login, backup_tool.option_file(
                user, password.reveal(), _SOCKET, program.DEFAULTS_FILE),
                _PRIVATE, self._owner)
            with self._programs.run(
                    self._reading(), programs.Program(
                        self._tool.backup, backup_tool.backup_arguments(
                            f'{_INSIDE}/{_LOGIN}', _LSN_DIR, _TEMPORARY,
                            from_lsn))) as running:
                yield running
        finally:
            self._files.clear(self._where.backup_dir)

    def extract(self, folder: str) -> programs.Running:
        """Start to unpack a stream into a folder; it reads its input."""
        return self._programs.run(
            self._writing(folder), programs.Program(
                self._tool.extract, backup_tool.extract_arguments(folder)),
            takes_input=True)

    def prepare(self, folder: str, increment: str = '',
                last: bool = True) -> None:
        """Make an unpacked backup consistent.

        :param increment: an unpacked incremental backup to apply to it.
            Both must be on the volume: the tool renames files between them,
            which fails between two mounts (errno 18; measured).
        :param last: whether no other one follows.
        :raises trove_pxc.exceptions.BackupToolFailed: if that fails.
        """
        with self._programs.run(
                self._writing(self._where.mount_point), programs.Program(
                    self._tool.backup, backup_tool.prepare_arguments(
                        self._dialect, folder, increment, last))) as running:
            for _ in running.output():
                pass
            running.check()

    def end(self) -> None:
        """Kill the program that runs."""
        self._programs.end()

    def _reading(self) -> container.Specification:
        """The server's folders; its data only for reading."""
        return dataclasses.replace(self._specification, mounts=tuple(
            dataclasses.replace(mount, read_only=(
                mount.read_only or mount.source == self._where.data_dir))
            for mount in self._specification.mounts))

    def _writing(self, folder: str) -> container.Specification:
        """Only this folder."""
        return dataclasses.replace(self._specification, mounts=(
            container.Mount(folder, folder),))
