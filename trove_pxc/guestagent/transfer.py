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

"""The start program's marks of the last state transfer.

The service uses it.
"""

from collections.abc import Collection

from trove_pxc.galera import position as positions
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths

_DATABASE = ('mysql', 'ibdata1')


class Transfers:
    """State transfers into this guest's data directory."""

    def __init__(self, host_files: files.HostFiles,
                 where: paths.Paths) -> None:
        self._files = host_files
        self._where = where
        self._unsynced = True

    def last_was_interrupted(self, sst_folders: Collection[str],
                             at_work: bool) -> bool:
        """Whether it was interrupted before all data was on the disk.

        The data directory then holds incomplete data. transfer.sh of the
        start program decides in the same way.

        :param sst_folders: Dialect.sst_folders.
        :param at_work: whether a server runs; a transfer may be in progress.
        """
        where = self._where
        folders = {f'{where.data_dir}/{name}' for name in sst_folders}
        database = {f'{where.data_dir}/{name}' for name in _DATABASE}
        present = self._files.present(
            where.arriving_file, where.unsynced_file,
            where.unsynced_since_boot_file, *sorted(database | folders))
        if (where.unsynced_file in present
                and where.unsynced_since_boot_file not in present):
            return True
        if where.arriving_file not in present:
            return False
        return (at_work or not folders
                or not positions.transfer_changed_nothing(
                    self._files.read(where.grastate_file),
                    database <= present, bool(folders & present)))

    def one_is_needed(self) -> bool:
        """Whether the member was evicted, and got no full copy since.

        It may have committed writes that no other member has.
        """
        return bool(self._files.present(self._where.evicted_file))

    def last_is_unsynced(self, same_server: bool = False) -> bool:
        """Whether a loss of power may still destroy data of the transfer.

        :param same_server: whether the server has not been started since the
            last call. Only a start can make it true, so it is not looked for
            again then: an agent that is not root needs a process to look.
        """
        if self._unsynced or not same_server:
            self._unsynced = bool(self._files.present(
                self._where.unsynced_since_boot_file))
        return self._unsynced
