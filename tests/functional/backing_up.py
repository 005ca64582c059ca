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

"""The backups of a guest in memory; tests.functional.galera has the guest."""

import dataclasses
from typing import Any

import oslo_messaging as messaging

from tests.functional import restoring
from tests.functional import swift
from trove_pxc.galera import backup_layout
from trove_pxc.galera import backups

TOTAL = 1 << 30
_POLLS = 2


class BackingUp(restoring.Restoring):
    """The RPC methods of a guest for a backup.

    Habits of a guest: 'backup_fails' (in this step, with this reason and
    advice), 'backup_waits' (it makes no progress), 'refuses_backup' (with
    this reason), 'forgets_backup' (its agent was restarted), 'refused_tokens',
    'loses_manifest' (it is not in the store at the end).

    :ivar making: the order; None: there was none.
    """

    making: backups.Order | None = None
    made: backups.Progress | None = None
    made_token = ''

    def start_backup(self, context: Any, order: Any) -> None:
        wanted = backups.Order.from_dict(order)
        if self.making is not None and self.making.id == wanted.id:
            return
        if self.habit('refuses_backup'):
            raise messaging.RemoteError(
                'BackupRefused', self.habit('refuses_backup'))
        self.galera.tell(f'backup {self.name}')
        self.making = wanted
        self.made_token = wanted.store.token.reveal()
        self.made = backups.Progress(
            wanted.id, backups.State.RUNNING, backups.Step.COPY, 0, 0, TOTAL)
        swift.current().put(self._location(
            f'{backup_layout.segment_prefix(wanted.id)}00000000'), {})

    def backup_progress(self, context: Any, backup_id: str) -> Any:
        if self.making is None or self.making.id != backup_id:
            return super().backup_progress(context, backup_id)
        if self.habit('forgets_backup'):
            self.making = None
            return backups.unknown(backup_id).to_dict()
        seen = self.made
        assert seen is not None
        if not seen.ended:
            self.made = seen = self._advanced(seen)
        return seen.to_dict()

    def renew_backup_token(self, context: Any, backup_id: str,
                           token: str) -> None:
        super().renew_backup_token(context, backup_id, token)
        self.made_token = token

    def cancel_backup(self, context: Any, backup_id: str) -> None:
        super().cancel_backup(context, backup_id)
        if self.making is not None and self.making.id == backup_id:
            self.end_backup()

    def backed_up(self) -> str:
        """The id of the backup that runs, for the report."""
        runs = self.making is not None and self.made is not None and (
            not self.made.ended)
        return self.making.id if runs and self.making is not None else ''

    def end_backup(self) -> None:
        """Cancel it, and delete what it has stored."""
        if (self.making is None or self.made is None or self.made.ended):
            return
        self.made = backups.with_failure(
            self.made, 'the backup was cancelled', '')
        for key in list(swift.current().objects):
            if key[1].startswith(f'{self.making.id}.'):
                del swift.current().objects[key]

    def _advanced(self, seen: backups.Progress) -> backups.Progress:
        refused = self.made_token in (self.habit('refused_tokens') or ())
        seen = dataclasses.replace(
            seen, token_refused=refused, seconds=seen.seconds + 2.0,
            stored_bytes=seen.stored_bytes + 100)
        failure = self.habit('backup_fails')
        if failure:
            step, *reason = failure
            return backups.with_failure(
                dataclasses.replace(seen, step=step), *reason)
        if refused or self.habit('backup_waits'):
            return dataclasses.replace(seen, data_bytes=TOTAL // 2)
        seen = dataclasses.replace(
            seen, data_bytes=seen.data_bytes + TOTAL // _POLLS)
        return self._complete(seen) if seen.data_bytes >= TOTAL else seen

    def _complete(self, seen: backups.Progress) -> backups.Progress:
        assert self.making is not None
        order = self.making
        result = backups.Result(
            id=order.id,
            location=self._location(backup_layout.manifest_name(order.id)),
            stored_bytes=TOTAL // 4, data_bytes=TOTAL, checksum='c' * 64,
            encrypted=order.encrypt, tool='mariadb-backup 10.11',
            server_version='10.11.9-MariaDB', cluster_uuid='u-1', seqno=7,
            gtid='0-1-7', binlog='',
            from_lsn=order.parent.to_lsn if order.parent else 0,
            to_lsn=order.parent.to_lsn + 100 if order.parent else 100,
            lineage=f'lineage-{self.name}',
            parent=order.parent.location if order.parent else '',
            started='2026-12-01T10:00:00+00:00',
            ended='2026-12-01T10:01:00+00:00')
        if not self.habit('loses_manifest'):
            swift.current().put(result.location, {
                'etag': '"0123456789abcdef"', **backup_layout.metadata(
                    result, order.metadata, 'zstd')})
        return dataclasses.replace(
            seen, state=backups.State.COMPLETE, step=backups.Step.DONE,
            result=result)

    def _location(self, name: str) -> str:
        assert self.making is not None
        return backup_layout.location(
            self.making.store.url, self.making.store.container, name)
