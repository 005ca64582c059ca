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

"""The backups of the member: start, progress, cancellation, restore.

Trove's app class creates it. Like service, it makes no decisions about other
members, and knows no RPC.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import datetime
import sys
import uuid

from oslo_log import log as logging

from trove.common import cfg

from trove_pxc import exceptions
from trove_pxc.galera import backup_chain
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.galera import series
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.guestagent.backup import desync as desyncs
from trove_pxc.guestagent.backup import job as jobs
from trove_pxc.guestagent.backup import making
from trove_pxc.guestagent.backup import processes
from trove_pxc.guestagent.backup import programs
from trove_pxc.guestagent.backup import restoring
from trove_pxc.guestagent.backup import tool as tools
from trove_pxc.guestagent import container
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program
from trove_pxc.guestagent import record as records
from trove_pxc.guestagent import restart_policy
from trove_pxc.guestagent import service

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

BACKUP = 'backup'
RESTORE = 'restore'

_READABLE = 0o644
_CANCEL_SECONDS = 30
#: of free space, below which a backup ends
_LEAST_FREE = 256 << 20
# Files of the data directory that the tool does not copy, and those that it
# copies in part.
_NOT_COPIED = ('galera.cache', 'gcache.page.*', 'ib_logfile*', '#ib_redo*',
               'ibtmp*', 'undo_trunc.log', 'tc.log', '*.err')


class BackupMember(restart_policy.MemberService):
    """A member that can be backed up, and made of a backup."""

    def __init__(self, manager: str, client: container.Client,
                 trove_side: service.TroveSide,
                 where: paths.Paths | None = None,
                 host_files: files.HostFiles | None = None) -> None:
        super().__init__(manager, client, trove_side, where, host_files)
        self._programs = programs.Programs(client)
        self._desync = desyncs.Desync(self._files, self._where, self._admin)
        self._job: processes.Process | None = None
        self._started_at = ''
        self._free = 0

    @property
    def _running(self) -> processes.Process | None:
        job = self._job
        return job if job is not None and job.running else None

    def start_backup(self, order: backups.Order) -> None:
        """Start a backup, unless it was already started.

        :raises trove_pxc.exceptions.BackupRefused: if another one runs, or
            the member is not in a state to make it.
        :raises trove_pxc.exceptions.ServerNotAnswering: if the server does
            not run.
        """
        with self._lock:
            if self._is_known(order.id):
                return
            record, membership = self._configured()
            if order.encrypt and self._key() is None:
                raise exceptions.BackupRefused(
                    'the guest has no key to encrypt the backup: set '
                    'backup_encryption_key in the file that guest_config '
                    'names')
            seen = self._admin().view()
            self._refuse_unsynced(membership.facts.member_name, seen)
            if order.parent is not None:
                refusal = backup_chain.refusal_to_extend(
                    order.parent, self._source(record).lineage(),
                    seen.cluster_uuid or '')
                if refusal:
                    raise exceptions.BackupRefused(refusal)
            self._started_at = self._container.look().started_at
            self._free = files.free_bytes(self._where.mount_point)
            self._begin(BACKUP, order)

    def start_restore(self, order: backups.Restoring) -> None:
        """Start to restore a backup, unless that was already started.

        :raises trove_pxc.exceptions.BackupRefused: if the data directory
            may hold data of users, or something else runs.
        """
        with self._lock:
            if self._is_known(order.id):
                return
            record, membership = self._configured()
            if self._container.look().at_work:
                raise exceptions.BackupRefused(
                    f'the server of {membership.facts.member_name} runs; a '
                    'backup is restored only into a member that was never '
                    'started')
            self._make_folders()
            where = self._where
            if record.started or (
                    not self._files.present(where.restoring_data_file,
                                            where.restored_data_file)
                    and self._files.tree_bytes(where.data_dir)):
                raise exceptions.BackupRefused(
                    f'the data directory of {membership.facts.member_name} '
                    'is not empty. A backup is restored into a new cluster; '
                    'delete and create this one again')
            self._files.remove(where.restored_data_file)
            self._begin(RESTORE, order)

    def backup_progress(self, backup_id: str) -> backups.Progress:
        """The progress of a backup or a restore."""
        job = self._job
        if job is None or job.id != backup_id:
            return backups.unknown(backup_id)
        return job.progress()

    def renew_backup_token(self, backup_id: str,
                           token: secret.Secret) -> None:
        """Use this token for the object store from now on."""
        job = self._job
        if job is not None and job.id == backup_id:
            job.renew(token)

    def cancel_backup(self, backup_id: str) -> None:
        """End a backup or a restore; what it stored is deleted."""
        job = self._running
        if job is not None and job.id == backup_id:
            job.cancel()

    def bootstrap_restored(self) -> None:
        """Start a new cluster of one with the restored data.

        The accounts of this package get the passwords of this cluster.

        :raises trove_pxc.exceptions.BootstrapRefused: if the data directory
            does not hold a complete backup that was never started.
        """
        with self._lock:
            record, membership = self._configured()
            if self._was_ordered(program.RESTORED):
                LOG.info('The bootstrap is already in progress')
                return
            if (self._container.look().at_work
                    or not self._files.present(
                        self._where.restored_data_file)):
                raise exceptions.BootstrapRefused(
                    f'the data directory of {membership.facts.member_name} '
                    'does not hold a complete backup that was never started. '
                    'Delete this cluster, and restore the backup again.')
            self._make_folders()
            self._credentials.restore_at_start(
                self._dialect(record), membership)
            self._start(record, program.RESTORED)

    def report(self) -> view.MemberReport:
        report = super().report()
        job = self._running
        if job is None or job.kind != BACKUP:
            return report
        return report.of_backup(job.id)

    def stop(self) -> None:
        """Stop the server; a backup of it is cancelled first."""
        job = self._running
        if job is not None:
            LOG.warning('The server is stopped: cancelling %s', job.id)
            job.cancel('the server of the member was stopped')
            job.wait(_CANCEL_SECONDS)
        super().stop()

    def look_after_backups(self) -> None:
        """End a backup that makes no progress; end what an agent left."""
        job = self._running
        if job is not None:
            job.look_after()
            if job.kind == BACKUP and not job.cancelled:
                self._end_if_it_must(job)
        elif self._desync.active and self._desync.end():
            LOG.info('The server is synced again after a backup')

    def end_left_backup(self) -> None:
        """End the backup of an agent that was stopped while it ran."""
        self._programs.end()
        self._files.clear(self._where.backup_dir)

    def _end_if_it_must(self, job: processes.Process) -> None:
        """End the backup that runs if its server ended or needs the space.

        A server that the tool locks stores what the others write in files of
        Galera's cache ("gcache.page_size" in Galera's manual).
        """
        seen = self._container.look()
        if not seen.running or seen.started_at != self._started_at:
            job.cancel('the database server of the member ended or was '
                       'restarted meanwhile')
            return
        free = files.free_bytes(self._where.mount_point)
        if free < min(_LEAST_FREE, self._free // 2):
            job.cancel(f'the volume of the member has only {free >> 20} MiB '
                       'of free space. The server stores there what it '
                       'cannot apply during the backup. Use a larger volume')

    def _is_known(self, backup_id: str) -> bool:
        """Whether this one was started; raise if another one runs."""
        if self._job is not None and self._job.id == backup_id:
            return True
        job = self._running
        if job is not None and job.cancelled:
            job.wait(_CANCEL_SECONDS)
            job = self._running
        if job is not None:
            raise exceptions.BackupRefused(
                f'another backup or restore runs on this member: {job.id}')
        return False

    def new_job(self, order: backups.Order | backups.Restoring) -> jobs.Job:
        """The backup or restore itself, for the process that runs it."""
        record = self._record()
        if isinstance(order, backups.Restoring):
            return restoring.RestoreJob(
                order, _Target(record, self._owner,
                               self._dialect(record).version),
                self._tool(record), self._files, self._where, self._key())
        return making.BackupJob(
            order, self._source(record), self._tool(record), self._desync,
            self._key() if order.encrypt else None, _now)

    def _begin(self, kind: str,
               order: backups.Order | backups.Restoring) -> None:
        self._job = processes.Process(kind, order.id, {
            'kind': kind, 'order': order.to_dict(),
            'manager': self._manager,
            'where': dataclasses.asdict(self._where),
            'files': dataclasses.asdict(self._files)}, sys.argv[1:])
        self._job.start()

    def _source(self, record: records.MemberRecord) -> '_Source':
        assert record.membership is not None
        return _Source(record, record.membership.secrets.admin_password,
                       self._admin, self._files, self._where)

    def _refuse_unsynced(self, name: str, seen: view.NodeView) -> None:
        if not seen.in_primary or not seen.is_synced or seen.altered:
            raise exceptions.BackupRefused(
                f'{name} is not Synced in the primary component'
                f'{_because(seen)}; use another member')

    def _key(self) -> secret.Secret | None:
        text = CONF[self._manager].backup_encryption_key
        return secret.Secret(text) if text else None

    def _tool(self, record: records.MemberRecord) -> tools.BackupTool:
        return tools.BackupTool(
            self._programs, self._specification(record),
            self._dialect(record), self._files, self._where, self._owner)


class NoTrove:
    """Trove's side of a process that configures nothing."""

    def write_server_config(self, text: str) -> None:
        """Do nothing."""

    def write_user_overrides(self, overrides: Mapping[str, object]) -> None:
        """Do nothing."""

    def use_passwords(self, secrets: settings.ClusterSecrets) -> None:
        """Do nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Target:
    """The member, as a restore needs it."""

    record: records.MemberRecord
    owner: str
    version: tuple[int, int]

    @property
    def volume_gb(self) -> int:
        assert self.record.membership is not None
        return self.record.membership.facts.volume_gb

    def server_version(self) -> str:
        return series.dotted(self.version)

    def mask(self, text: str) -> str:
        return self.record.mask(text)


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """The member, as a backup needs it."""

    record: records.MemberRecord
    password: secret.Secret
    admin: Callable[[], database.Database]
    files: files.HostFiles
    where: paths.Paths
    user: str = settings.ADMIN_USER

    def server_version(self) -> str:
        return self.admin().version()

    def data_bytes(self) -> int:
        return self.files.tree_bytes(self.where.data_dir, *_NOT_COPIED)

    def lineage(self) -> str:
        path = self.where.lineage_file
        known = (self.files.read(path) or '').strip()
        if not known:
            known = str(uuid.uuid4())
            self.files.write(path, f'{known}\n', _READABLE)
        return known

    def mask(self, text: str) -> str:
        return self.record.mask(text)


def _because(seen: view.NodeView) -> str:
    if seen.altered:
        return f': {", ".join(seen.altered)} has another value'
    return f': it is {seen.local_state.value}, {seen.cluster_status.value}'


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
