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

"""Makes one backup: from the server's tool to the manifest in the store.

The member's backups create it. Nothing is written to the volume.
"""

from collections.abc import Callable
import contextlib
import datetime
from typing import Protocol

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import backup_stream
from trove_pxc.galera import backup_tool
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import desync as desyncs
from trove_pxc.guestagent.backup import job
from trove_pxc.guestagent.backup import programs
from trove_pxc.guestagent.backup import stream
from trove_pxc.guestagent.backup import tool as tools
from trove_pxc.guestagent.backup import upload as uploads
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

_RESYNC_SECONDS = 60
_RESYNC_INTERVAL = 1.0
# Seconds without progress while the tool locks the server. Its clients wait
# for so long, and writes of the others collect on its volume.
_LOCKED_SECONDS = 60.0


class Source(Protocol):
    """What a backup needs to know of its member."""

    @property
    def user(self) -> str:
        """The account that makes the backup."""

    @property
    def password(self) -> secret.Secret:
        """The password of this account."""

    def server_version(self) -> str:
        """The version, as the server reports it."""

    def data_bytes(self) -> int:
        """The size of the files that a full backup copies."""

    def lineage(self) -> str:
        """What identifies the data directory."""

    def mask(self, text: str) -> str:
        """The text without the passwords of the member."""


class BackupJob(job.Job):
    """One backup of the member.

    :param key: to encrypt it; None: it is not encrypted.
    :param when: returns the time, in UTC.
    """

    def __init__(self, order: backups.Order, source: Source,
                 tool: tools.BackupTool, desync: desyncs.Desync,
                 key: secret.Secret | None,
                 when: Callable[[], datetime.datetime],
                 segment_bytes: int = layout.SEGMENT_BYTES) -> None:
        super().__init__('backup', order.id, order.store)
        self._order = order
        self._source = source
        self._tool = tool
        self._desync = desync
        self._key = key
        self._when = when
        self._upload = uploads.Upload(self.store, order.id, segment_bytes)
        self._running: programs.Running | None = None

    @property
    def stored_bytes(self) -> int:
        return self._upload.stored_bytes

    def _mask(self, text: str) -> str:
        return self._source.mask(text)

    def _interrupt(self) -> None:
        self._tool.end()

    def _most_silence(self, stall_seconds: float) -> float:
        running = self._running
        if running is not None and running.locked:
            return min(stall_seconds, _LOCKED_SECONDS)
        return stall_seconds

    def _work(self) -> backups.Result:
        started = self._when()
        version = self._source.server_version()
        lineage = self._source.lineage()
        if self._order.parent is None:
            self.total_bytes = self._source.data_bytes()
        with contextlib.ExitStack() as undo:
            undo.callback(self._discard)
            undo.enter_context(self._upload)
            # After a failure, nothing repeats a request to the store.
            undo.callback(self._over.set)
            self.store.ensure_container()
            files = self._copy()
            self._at(backups.Step.STORE)
            self._upload.finish()
            result = self._described(files, started, version, lineage)
            self._upload.write_manifest(layout.metadata(
                result, self._order.metadata, stream.COMPRESSION))
            undo.pop_all()
        self._upload.close()
        return result

    def _copy(self) -> dict[str, str]:
        """Copy the data to the store; returns the tool's files by kind."""
        self._at(backups.Step.DESYNC)
        try:
            self._desync.begin()
            self._at(backups.Step.COPY)
            parent = self._order.parent
            with self._tool.backup(
                    self._source.user, self._source.password,
                    0 if parent is None else parent.to_lsn) as running:
                self._running = running
                return self._stream(running)
        finally:
            self._running = None
            self._resync()

    def _stream(self, running: programs.Running) -> dict[str, str]:
        reader = backup_stream.Reader(backup_tool.INFO)
        packer = stream.Packer(self._key)
        limit = stream.Limit(self._order.rate_mb)
        for data in running.output():
            self._stop_if_over()
            reader.feed(data)
            self._upload.write(packer.feed(data))
            self.data_bytes += len(data)
            if not running.locked:
                limit.passed(len(data), self._over)
        self._stop_if_over()
        running.check()
        if not reader.whole or not reader.complete:
            raise exceptions.BackupToolFailed(
                'the stream of the backup tool ended in the middle of a file')
        self._upload.write(packer.finish())
        return {backup_tool.kind(name): text
                for name, text in reader.files.items()}

    def _described(self, files: dict[str, str], started: datetime.datetime,
                   version: str, lineage: str) -> backups.Result:
        found = backup_tool.position(files)
        name, told = backup_tool.description(files)
        parent = self._order.parent
        place = self._order.store
        return backups.Result(
            id=self.id, location=layout.location(
                place.url, place.container, layout.manifest_name(self.id)),
            stored_bytes=self.stored_bytes, data_bytes=self.data_bytes,
            checksum=self._upload.checksum, encrypted=self._key is not None,
            tool=name, server_version=told or version,
            cluster_uuid=found.cluster_uuid, seqno=found.seqno,
            gtid=found.gtid, binlog=found.binlog, from_lsn=found.from_lsn,
            to_lsn=found.to_lsn, lineage=lineage,
            parent='' if parent is None else parent.location,
            started=_text(started), ended=_text(self._when()))

    def _resync(self) -> None:
        """Resync the server; the agent goes on trying if this fails."""
        def probe() -> None:
            if not self._desync.end():
                raise waiting.NotYet('wsrep_desync is ON')
        try:
            waiting.until('the server to be resynced', probe,
                          _RESYNC_SECONDS, _RESYNC_INTERVAL)
        except exceptions.DeadlineExceeded as failure:
            LOG.error('%s', failure)

    def _discard(self) -> None:
        """Delete what is stored; the taskmanager does it if this fails."""
        try:
            uploads.discard(self._last_store(), self.id)
        except exceptions.GaleraError as failure:
            LOG.error('Cannot delete what was stored of the backup %s: %s',
                      self.id, failure)


def _text(when: datetime.datetime) -> str:
    return when.isoformat(timespec='seconds')
