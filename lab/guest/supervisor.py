# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Starts, restarts and stops the services of a guest in their order.

For ``lab.guest.init``, which is process 1 and so must reap all orphans.
Standard library only. It waits for signals with a time-out and never sleeps.
"""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
import os
import signal
import subprocess
import time

TICK = 0.02
RESTART_AFTER = 1.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
WATCHED = {signal.SIGCHLD, *STOP_SIGNALS}


@dataclasses.dataclass
class Service:
    """A program that must run all the time."""

    name: str
    argv: Sequence[str]
    log: int
    env: Mapping[str, str]
    # The condition for its start, like After= of systemd.
    ready: Callable[[], bool]
    stop_timeout: float
    pid: int | None = None
    not_before: float = 0.0


class Supervisor:
    """Runs services until SIGTERM."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._stopping = False
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)

    def run(self) -> None:
        """Keep the services running; return when all have stopped."""
        while not self._stopping:
            self._start_what_is_due()
            self._wait(TICK if self._someone_waits() else None)
        for service in reversed(self._services):
            self._stop(service)

    def _someone_waits(self) -> bool:
        return any(service.pid is None for service in self._services)

    def _start_what_is_due(self) -> None:
        for service in self._services:
            due = (service.pid is None and service.ready()
                   and time.monotonic() >= service.not_before)
            if due:
                self._start(service)

    def _start(self, service: Service) -> None:
        say(f'starting {service.name}')
        child = subprocess.Popen(
            service.argv, stdin=subprocess.DEVNULL, stdout=service.log,
            stderr=service.log, env=dict(service.env), cwd='/',
            start_new_session=True, preexec_fn=_unblock)
        service.pid = child.pid
        # This process reaps its children itself; Popen must not.
        child.returncode = 0

    def _stop(self, service: Service) -> None:
        if service.pid is None:
            return
        say(f'stopping {service.name}')
        os.kill(service.pid, signal.SIGTERM)
        deadline = time.monotonic() + service.stop_timeout
        while service.pid is not None and time.monotonic() < deadline:
            self._wait(deadline - time.monotonic())
        if service.pid is not None:
            say(f'{service.name} did not stop in time and is killed')
            os.kill(service.pid, signal.SIGKILL)

    def _wait(self, timeout: float | None) -> None:
        if timeout is None:
            number = signal.sigwaitinfo(WATCHED).si_signo
        else:
            info = signal.sigtimedwait(WATCHED, max(timeout, 0.0))
            number = info.si_signo if info else 0
        if number in STOP_SIGNALS:
            self._stopping = True
        self._reap()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        for service in self._services:
            if service.pid == pid:
                say(f'{service.name} ended with {code}')
                service.pid = None
                service.not_before = time.monotonic() + RESTART_AFTER


def say(text: str) -> None:
    print(f'{time.strftime("%H:%M:%S")} init: {text}', flush=True)


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
