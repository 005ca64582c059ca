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

"""One backup or restore that runs in a thread of the agent.

The member's backups create it. It records the progress, which RPC calls read
while it runs.
"""

import abc
import threading

from docker import errors as docker_errors
from oslo_concurrency import processutils
from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import store as stores
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

_LAST_PATIENCE = 120
_EXPECTED = (exceptions.GaleraError, docker_errors.DockerException,
             processutils.ProcessExecutionError, OSError, ValueError)
_ADVICE = {
    exceptions.BackupRefused: '',
    exceptions.BackupCancelled: '',
    exceptions.BackupStoreFailed:
        'Check the object store, its quotas and the user\'s role; then '
        '{again}.',
    exceptions.BackupUnusable: 'Use another backup.',
    exceptions.ServerNotAnswering:
        'Check the member with "openstack database cluster health show", '
        'then {again}.',
}
_OTHER_ADVICE = 'Look at the log of the guest agent, then {again}.'


class Job(abc.ABC):
    """A backup or a restore.

    :param what: for logs: 'backup', 'restore'.
    :cvar again: how to repeat it, for the advice after a failure.
    """

    again = 'make the backup again, on another member if it fails here'

    def __init__(self, what: str, backup_id: str,
                 place: backups.Store) -> None:
        self.id = backup_id
        self._what = what
        self._place = place
        self._token = stores.Token(place.token)
        self._over = threading.Event()
        self._cancelled = ''
        self.store = stores.Store(place, self._token, self._over)
        self._watch = waiting.Stopwatch()
        self._state = backups.State.RUNNING
        self._step = backups.Step.CHECK
        self._seconds = 0.0
        self._reason = ''
        self._advice = ''
        self._result: backups.Result | None = None
        self.data_bytes = 0
        self.total_bytes = 0
        self._moved: tuple[object, ...] = ()
        self._since_moved = waiting.Stopwatch()
        self._thread = threading.Thread(
            target=self._run, name=f'{what}-{backup_id}', daemon=True)

    @property
    def running(self) -> bool:
        return self._state is backups.State.RUNNING

    @property
    def stored_bytes(self) -> int:
        """Bytes that the store has sent or received."""
        return 0

    def start(self) -> None:
        """Begin; returns at once."""
        LOG.info('Starting the %s %s', self._what, self.id)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until its thread has ended."""
        self._thread.join(seconds)

    def cancel(self, reason: str = '') -> None:
        """Let it end soon, as failed; what it has stored is deleted.

        :param reason: of the failure; '' if it was requested.
        """
        if self._over.is_set():
            return
        self._cancelled = reason or f'the {self._what} was cancelled'
        self._over.set()
        self._interrupt()

    def look_after(self, stall_seconds: float) -> None:
        """End it if it makes no progress; called at intervals."""
        moved = (self._step, self.data_bytes, self.stored_bytes)
        if moved != self._moved:
            self._moved = moved
            self._since_moved = waiting.Stopwatch()
            return
        most = self._most_silence(stall_seconds)
        if self.running and self._since_moved.elapsed > most:
            store = self.store.trouble or 'The object store did not fail'
            self.cancel(
                f'the {self._what} made no progress for {most:g} s, at '
                f'{self.data_bytes} bytes of data. {store}')

    def renew(self, token: secret.Secret) -> None:
        """Use this token for the store from now on."""
        self._token.renew(token)

    def progress(self) -> backups.Progress:
        """Its progress now."""
        running = self.running
        return backups.Progress(
            self.id, self._state, self._step, self.data_bytes,
            self.stored_bytes, self.total_bytes,
            self._watch.elapsed if running else self._seconds,
            token_refused=running and self._token.refused,
            waits_for=self.store.trouble if running else '',
            failed_because=self._reason, next_action=self._advice,
            result=self._result)

    @abc.abstractmethod
    def _work(self) -> backups.Result:
        """Do it."""

    def _most_silence(self, stall_seconds: float) -> float:
        """Seconds without progress after which it is ended now."""
        return stall_seconds

    def _last_store(self) -> stores.Store:
        """The store for what is to be done also after a cancellation."""
        return stores.Store(self._place, self._token, threading.Event(),
                            _LAST_PATIENCE)

    def _interrupt(self) -> None:
        """End what does not look at the event."""

    def _mask(self, text: str) -> str:
        """The text without passwords."""
        return text

    def _at(self, step: backups.Step) -> None:
        self._stop_if_over()
        self._step = step

    def _stop_if_over(self) -> None:
        if self._over.is_set():
            raise exceptions.BackupCancelled(self._cancelled)

    def _run(self) -> None:
        try:
            self._result = self._work()
            self._step = backups.Step.DONE
            self._end(backups.State.COMPLETE)
            LOG.info('The %s %s is complete: %d bytes of data, %d bytes in '
                     'the store, %d s', self._what, self.id, self.data_bytes,
                     self.stored_bytes, self._seconds)
        except _EXPECTED as failure:
            self._fail(failure)
        finally:
            # Python reports an unexpected error of a thread in the log.
            if self.running:
                self._reason = 'of an unexpected error of the guest agent'
                self._advice = _OTHER_ADVICE.format(again=self.again)
                self._end(backups.State.FAILED)

    def _fail(self, failure: BaseException) -> None:
        if self._cancelled:
            failure = exceptions.BackupCancelled(self._cancelled)
        reason = (failure.stderr or str(failure) if isinstance(
            failure, processutils.ProcessExecutionError) else str(failure))
        self._reason = self._mask(reason)
        self._advice = next(
            (advice for kind, advice in _ADVICE.items()
             if isinstance(failure, kind)), _OTHER_ADVICE).format(
                 again=self.again)
        LOG.error('The %s %s failed, it cannot %s: %s', self._what, self.id,
                  self._step.value, self._reason)
        self._end(backups.State.FAILED)

    def _end(self, state: backups.State) -> None:
        self._seconds = self._watch.elapsed
        self._state = state
