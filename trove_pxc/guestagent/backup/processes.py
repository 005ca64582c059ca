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

"""Runs a backup or a restore in a process of its own.

The member's backups use it. The agent of Trove runs all its threads as green
threads of one thread: it would not answer calls while it compresses data, and
would compress at half the rate. The process ends with the agent. The order,
with the token, goes through a pipe; the progress comes back through another.
"""

import json
import os
import subprocess  # nosec: a fixed program of this package
import sys
import threading
from typing import Any

from oslo_log import log as logging

from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

WORKER = 'trove_pxc.guestagent.backup.worker'
#: of Trove: do not make the threads of this process green
_ENVIRONMENT = {'NO_EVENTLET_MONKEYPATCH': '1'}
#: seconds after which a cancelled process is killed; it deletes what it stored
_CANCEL_SECONDS = 300


class Process:
    """One backup or restore.

    :param kind: 'backup' or 'restore', for logs.
    :param started: what the process needs; JSON-safe, with secrets.
    :param arguments: with the configuration of the agent.
    """

    def __init__(self, kind: str, backup_id: str, started: dict[str, Any],
                 arguments: list[str]) -> None:
        self.id = backup_id
        self.kind = kind
        self._started = started
        self._arguments = arguments
        self._progress = backups.Progress(
            backup_id, backups.State.RUNNING, backups.Step.CHECK)
        self._process: subprocess.Popen[str] | None = None
        self._cancelled: waiting.Stopwatch | None = None
        self._over = threading.Event()

    @property
    def cancelled(self) -> bool:
        return self._cancelled is not None

    @property
    def running(self) -> bool:
        """Whether the backup runs; its process ends a moment later."""
        return not self._over.is_set() and not self._progress.ended

    def start(self) -> None:
        """Begin; returns at once."""
        LOG.info('Starting the %s %s', self.kind, self.id)
        self._process = subprocess.Popen(  # nosec: no shell
            [sys.executable, '-m', WORKER, *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **_ENVIRONMENT})
        self._tell(self._started)
        threading.Thread(target=self._follow, daemon=True).start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended."""
        self._over.wait(seconds)

    def cancel(self, reason: str = '') -> None:
        """Let it end soon, as failed; what it has stored is deleted."""
        self._cancelled = self._cancelled or waiting.Stopwatch()
        self._tell({'cancel': reason})

    def renew(self, token: secret.Secret) -> None:
        """Use this token for the store from now on."""
        self._tell({'token': token.reveal()})

    def look_after(self) -> None:
        """Kill it if it does not end after it was cancelled."""
        if (self.running and self._process is not None
                and self._cancelled is not None
                and self._cancelled.elapsed > _CANCEL_SECONDS):
            LOG.error('The %s %s does not end: killing its process',
                      self.kind, self.id)
            self._process.kill()

    def progress(self) -> backups.Progress:
        """Its progress, as it reported it last."""
        return self._progress

    def _tell(self, words: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(f'{json.dumps(words)}\n')
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            LOG.info('The process of the %s %s has ended', self.kind,
                     self.id)

    def _follow(self) -> None:
        """Read its progress until it ends."""
        process = self._process
        assert process is not None and process.stdout is not None
        try:
            for line in process.stdout:
                self._progress = backups.Progress.from_dict(json.loads(line))
                if self._progress.ended and process.stdin is not None:
                    process.stdin.close()
        except ValueError as error:
            LOG.error('The output of the process of the %s %s cannot be '
                      'read: %s', self.kind, self.id, error)
            process.kill()
        finally:
            code = process.wait()
            if not self._progress.ended:
                self._progress = backups.with_failure(
                    self._progress, f'the process of the {self.kind} ended '
                    f'with {code}', 'Look at the log of the guest agent.')
            if process.stdin is not None:
                process.stdin.close()
            self._over.set()
