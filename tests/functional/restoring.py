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

"""The restores of a guest in memory; tests.functional.galera has the guest."""

from typing import Any

import oslo_messaging as messaging

from trove_pxc.galera import backups

TOTAL = 1 << 30
_POLLS = 2


class Restoring:
    """The RPC methods of a guest for a restore.

    Habits of a guest: 'restore_fails' (in this step, with this reason and
    advice), 'restore_waits' (it makes no progress), 'forgets_restore' (so
    many times its agent is restarted), 'refused_tokens' (the object store
    refuses these).

    :ivar restoring: the last order; None: there was none.
    :ivar polls: how often it was asked since.
    """

    galera: Any
    name: str
    settings: Any
    started: bool
    habit: Any
    restoring: backups.Restoring | None = None
    token = ''
    polls = 0

    def start_restore(self, context: Any, order: Any) -> None:
        wanted = backups.Restoring.from_dict(order)
        if self.restoring is not None and self.restoring.id == wanted.id:
            return
        if self.started:
            raise messaging.RemoteError(
                'BackupRefused', f'the server of {self.name} runs')
        assert self.settings
        self.galera.tell(f'restore {self.name}')
        self.restoring, self.polls = wanted, 0
        self.token = wanted.store.token.reveal()

    def backup_progress(self, context: Any, backup_id: str) -> Any:
        if self.restoring is not None and self.habit('forgets_restore'):
            self.galera.habits[self.name]['forgets_restore'] -= 1
            self.restoring = None
        if self.restoring is None or self.restoring.id != backup_id:
            return backups.unknown(backup_id).to_dict()
        refused = self.token in (self.habit('refused_tokens') or ())
        if not refused and not self.habit('restore_waits'):
            self.polls += 1
        over = self.polls >= _POLLS
        seen = backups.Progress(
            backup_id,
            backups.State.COMPLETE if over else backups.State.RUNNING,
            backups.Step.DONE if over else backups.Step.FETCH,
            TOTAL // 2, TOTAL // 4, TOTAL, 10.0, token_refused=refused)
        failure = self.habit('restore_fails')
        if failure and self.polls:
            step, *reason = failure
            seen = backups.with_failure(backups.Progress(
                backup_id, backups.State.RUNNING, step), *reason)
        return seen.to_dict()

    def renew_backup_token(self, context: Any, backup_id: str,
                           token: str) -> None:
        self.galera.tell(f'renew {self.name}')
        self.token = token

    def cancel_backup(self, context: Any, backup_id: str) -> None:
        self.galera.tell(f'cancel {self.name}')

    def bootstrap_restored(self, context: Any) -> None:
        with self.galera.lock:
            if self.started:
                return
            if self.restoring is None or self.polls < _POLLS:
                raise messaging.RemoteError(
                    'BootstrapRefused', f'{self.name} has no complete backup')
            self.galera.tell(f'bootstrap restored {self.name}')
            self.bootstrap(context)

    def bootstrap(self, context: Any) -> None:
        """Start as the first of a new history."""
        raise NotImplementedError
