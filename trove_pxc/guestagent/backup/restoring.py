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

"""Restores a backup into the empty data directory of a member.

The member's backups create it. The full backup is unpacked into the data
directory itself; incremental ones, one after another, into a folder of the
volume, from which they are applied. Marks on the volume show whether the data
is complete.
"""

from collections.abc import Sequence
import json
import threading
from typing import Protocol

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import backup_chain
from trove_pxc.galera import backup_stream
from trove_pxc.galera import backup_tool
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import download as downloads
from trove_pxc.guestagent.backup import job
from trove_pxc.guestagent.backup import programs
from trove_pxc.guestagent.backup import stream
from trove_pxc.guestagent.backup import tool as tools
from trove_pxc.guestagent.backup import upload as uploads
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths

LOG = logging.getLogger(__name__)

_READABLE = 0o644
_OWN_FOLDER = 0o700


class Target(Protocol):
    """What a restore needs to know of its member."""

    @property
    def owner(self) -> str:
        """'uid:gid' of the database's user."""

    @property
    def volume_gb(self) -> int:
        """The size of its volume."""

    def server_version(self) -> str:
        """The version of the server in the image of the member."""

    def mask(self, text: str) -> str:
        """The text without the passwords of the member."""


class RestoreJob(job.Job):
    """One restore into the member.

    :param key: of encrypted backups; None if there is none.
    """

    again = 'restore the backup again, into another new cluster'

    def __init__(self, order: backups.Restoring, target: Target,
                 tool: tools.BackupTool, host_files: files.HostFiles,
                 where: paths.Paths, key: secret.Secret | None) -> None:
        super().__init__('restore', order.id, order.store)
        self._order = order
        self._target = target
        self._tool = tool
        self._files = host_files
        self._where = where
        self._key = key
        self._before = 0
        self._download: downloads.Download | None = None

    @property
    def stored_bytes(self) -> int:
        now = self._download
        return self._before + (0 if now is None else now.read_bytes)

    def _mask(self, text: str) -> str:
        return self._target.mask(text)

    def _interrupt(self) -> None:
        self._tool.end()

    def _work(self) -> backups.Result:
        links = [uploads.describe(self.store, location)
                 for location in self._order.locations]
        self._check(links)
        self.total_bytes = sum(link.data_bytes for link in links)
        where = self._where
        self._files.write(where.restoring_data_file, f'{self.id}\n',
                          _READABLE)
        self._files.clear(where.data_dir)
        self._fetch(links[0], where.data_dir)
        self._at(backups.Step.PREPARE)
        self._tool.prepare(where.data_dir, last=len(links) == 1)
        for number, link in enumerate(links[1:], start=2):
            self._apply(link, last=number == len(links))
        self._at(backups.Step.INSTALL)
        self._install(links[-1])
        return links[-1]

    def _check(self, links: Sequence[backups.Result]) -> None:
        """:raises trove_pxc.exceptions.BackupRefused: with the reason."""
        refusal = (backup_chain.refusal_to_restore(links)
                   or backup_chain.refusal_of_server(
                       links[-1].server_version,
                       self._target.server_version()))
        if not refusal and self._key is None and any(
                link.encrypted for link in links):
            refusal = ('the backup is encrypted, and the guest has no key: '
                       'set backup_encryption_key in the file that '
                       'guest_config names')
        needed = backup_chain.needed_bytes(links, self._target.volume_gb)
        free = files.free_bytes(self._where.mount_point)
        if not refusal and free < needed:
            refusal = (f'the volume has {free >> 20} MiB of free space, and '
                       f'the restore needs {needed >> 20} MiB. Use a larger '
                       'volume')
        if refusal:
            raise exceptions.BackupRefused(refusal)

    def _fetch(self, link: backups.Result, folder: str) -> None:
        """Unpack one backup into an empty folder."""
        self._at(backups.Step.FETCH)
        self._download = downloads.Download(self.store, link)
        key = self._key if link.encrypted else None
        reader = backup_stream.Reader(backup_tool.INFO)
        limit = stream.Limit(self._order.rate_mb)
        before = self.data_bytes
        with self._tool.extract(folder) as running:
            drain = threading.Thread(target=_drain, args=(running,),
                                     daemon=True)
            drain.start()
            for data in stream.unpack(self._download.pieces(), key):
                self._stop_if_over()
                reader.feed(data)
                self._write(running, data, drain)
                self.data_bytes += len(data)
                limit.passed(len(data), self._over)
            if (self.data_bytes - before != link.data_bytes
                    or not reader.whole):
                raise exceptions.BackupUnusable(
                    f'the backup {link.id} has {self.data_bytes - before} '
                    f'bytes of data in the store, and had {link.data_bytes} '
                    'when it was made')
            running.end_input()
            drain.join()
            self._stop_if_over()
            running.check()
        self._before += self._download.read_bytes
        self._download = None

    def _write(self, running: programs.Running, data: bytes,
               drain: threading.Thread) -> None:
        """Pass data to the program; if it ended, raise with its reason."""
        try:
            running.write(data)
        except exceptions.BackupToolFailed:
            self._stop_if_over()
            drain.join()
            running.check()
            raise

    def _apply(self, link: backups.Result, last: bool) -> None:
        folder = self._where.increment_dir
        self._files.ensure_folders(
            files.Folder(folder, _OWN_FOLDER, self._target.owner))
        self._files.clear(folder)
        self._fetch(link, folder)
        self._at(backups.Step.PREPARE)
        self._tool.prepare(self._where.data_dir, folder, last)
        self._files.clear(folder)

    def _install(self, link: backups.Result) -> None:
        """Mark the data as complete, when it is on the disk."""
        where = self._where
        self._files.remove_matching(where.data_dir, *backup_tool.LEFTOVERS)
        self._files.settle(where.data_dir)
        self._files.write(where.restored_data_file,
                          json.dumps(link.to_dict()), _READABLE)
        self._files.remove(where.restoring_data_file)


def _drain(running: programs.Running) -> None:
    """Read what a program says, so that it can go on."""
    for _ in running.output():
        LOG.debug('The program wrote to its output')
