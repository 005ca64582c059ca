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

"""The state of the member's server, from Docker and from the server itself.

The service uses it.
"""

from collections.abc import Callable
import datetime
import re
from typing import NamedTuple

from trove_pxc import exceptions
from trove_pxc.galera import serverlog
from trove_pxc.galera import view
from trove_pxc.guestagent import container
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc import waiting

_LOG_LINES = 200
_LOOP_RESTARTS = 2
_LOOP_SECONDS = 30
_SILENCES = 3  # in a row, each some seconds long
_STILL_RUNS_SECONDS = 10  # after the last answer in a session that is open

# All members log that Galera rejected a joiner, so the line may be about
# another joiner. A joiner that sees it and takes long is restarted once more.
_JOIN_LINES = 5000
_JOINS_SECONDS = 30

# The server starts "wsrep_sst_rsync --role 'joiner' --address ...".
_RECEIVES = re.compile(r"wsrep_sst_\S+ .*--role\s+'?joiner\b")
_GIVES = re.compile(r"wsrep_sst_\S+ .*--role\s+'?donor\b")


class Observation(NamedTuple):
    """One observation of the server.

    :ivar node_view: None if the server did not answer.
    :ivar error: the error message of the server or of Docker, or ''.
    :ivar exit_code: of a server that ended.
    :ivar receiving: whether it is starting and receives a full copy of the
        data (SST).
    :ivar giving: whether it sends a full copy of its data to a joiner; None
        if that is not known.
    :ivar denied: whether it refuses the agent's login.
    :ivar restarts: restarts by Docker since the agent started the server.
    :ivar same_server: whether it is certainly the same process as in the
        observation before.
    """

    state: view.ServerState
    node_view: view.NodeView | None = None
    error: str = ''
    exit_code: int | None = None
    receiving: bool = False
    restarts: int = 0
    giving: bool | None = None
    denied: bool = False
    same_server: bool = False


class _Attached(NamedTuple):
    """A session that stays open, and the start of the server that it is of."""

    session: database.Session
    seen: container.Seen
    answered: waiting.Stopwatch


class Observer:
    """Finds out whether the server is starting, hangs, crashed or stopped.

    It remembers for which start the server has answered at least once.
    """

    def __init__(self, the_container: container.DatabaseContainer) -> None:
        self._container = the_container
        self._answered_start = ''
        self._answered_restarts = 0
        self._silences = 0
        self._evicted_start = ''
        self._joins: waiting.Stopwatch | None = None
        self._attached: _Attached | None = None
        self._logs_in_again = False

    def evicted(self, mount_point: str) -> bool:
        """Whether the running server needs a restart to rejoin its cluster.

        It was evicted, or waits for a state transfer that it did not request.

        :param mount_point: of its volume. While the volume has no room, a
            restart cannot succeed, and the result is False.
        """
        if not self._evicted_start:
            return False
        seen = self._container.look()
        return (seen.running and seen.started_at == self._evicted_start
                and files.free_bytes(mount_point) >= paths.ROOM_BYTES)

    def observe(self, admin: database.Database | None) -> Observation:
        """Observe the server once; it takes some seconds at most.

        :param admin: None while the server's passwords are not known.
        """
        return self._observe(self._container.look(),
                             None if admin is None else admin.view)

    def glance(self, admin: database.Database | None) -> Observation:
        """Observe the server as observe() does, at a small part of the cost.

        A session with the server stays open. While the server answers in it,
        it is the same process, and Docker has nothing to add. Only one
        thread may call glance and wait.
        """
        attached = self._attached
        if attached is None or admin is None or self._logs_in_again:
            return self._attach(admin)
        try:
            node_view = attached.session.view()
        except database.NoAnswerInTime as silence:
            self._detach()
            seen = self._container.look()
            return (self._silent(seen, silence) if seen.running
                    else self._stopped(seen))
        except exceptions.ServerNotAnswering:
            return self._attach(admin)
        self._attached = attached._replace(answered=waiting.Stopwatch())
        return self._answered(attached.seen, node_view)._replace(
            same_server=True)

    def wait(self, seconds: float) -> None:
        """Wait this long, or until the server ends."""
        if self._attached is None:
            waiting.pause(seconds)
        else:
            self._attached.session.wait(seconds)

    def container_state(self) -> container.Seen:
        """What Docker reports for the container of the server.

        Docker is not asked if the server has just answered a glance.
        """
        attached = self._attached
        if (attached is not None
                and attached.answered.elapsed < _STILL_RUNS_SECONDS):
            return attached.seen
        return self._container.look()

    def log_in_again(self) -> None:
        """Let the next glance open a new session: logins may be refused."""
        self._logs_in_again = True

    def _attach(self, admin: database.Database | None) -> Observation:
        """Observe the server, and keep the session if it answers."""
        self._logs_in_again = False
        self._detach()
        seen = self._container.look()
        if admin is None:
            return self._observe(seen, None)
        sessions: list[database.Session] = []

        def ask() -> view.NodeView:
            sessions.append(admin.session())
            return sessions[0].view()
        observation = self._observe(seen, ask)
        for session in sessions:
            # It may have been restarted before the session was opened.
            if observation.node_view and self._container.look() == seen:
                self._attached = _Attached(session, seen, waiting.Stopwatch())
            else:
                session.close()
        return observation

    def _detach(self) -> None:
        attached, self._attached = self._attached, None
        if attached is not None:
            attached.session.close()

    def _observe(self, seen: container.Seen,
                 ask: Callable[[], view.NodeView] | None) -> Observation:
        if not seen.running:
            return self._stopped(seen)
        if ask is None:
            return Observation(view.ServerState.STARTING,
                               restarts=seen.restarts)
        try:
            node_view = ask()
        except database.NoAnswerInTime as silence:
            return self._silent(seen, silence)
        except database.Refused as refusal:
            self._silences = 0
            return Observation(
                view.ServerState.RUNNING, error=str(refusal),
                denied=refusal.denied, restarts=seen.restarts)
        except exceptions.ServerNotAnswering:
            self._silences = 0
            return self._not_listening(seen)
        return self._answered(seen, node_view)

    def _answered(self, seen: container.Seen,
                  node_view: view.NodeView) -> Observation:
        self._silences = 0
        self._answered_start = seen.started_at
        self._answered_restarts = seen.restarts
        self._evicted_start = seen.started_at if (
            node_view.was_evicted
            or self._joins_in_vain(node_view, seen)) else ''
        return Observation(
            view.ServerState.RUNNING, node_view, restarts=seen.restarts,
            giving=self._runs(_GIVES)
            if node_view.local_state is view.LocalState.DONOR else False)

    def _silent(self, seen: container.Seen,
                silence: Exception) -> Observation:
        self._silences += 1
        return Observation(self._state_of_silent(seen), error=str(silence),
                           restarts=seen.restarts)

    def _joins_in_vain(self, node_view: view.NodeView,
                       seen: container.Seen) -> bool:
        """Whether it joins for long, and its log says that it never will."""
        if node_view.local_state is not view.LocalState.JOINING:
            self._joins = None
            return False
        if self._evicted_start == seen.started_at:
            return True
        self._joins = self._joins or waiting.Stopwatch()
        if self._joins.elapsed < _JOINS_SECONDS:
            return False
        self._joins = None
        log = self._container.last_lines(_JOIN_LINES)
        return (serverlog.says_join_rejected(log) if node_view.in_primary
                else serverlog.says_restart_required(log))

    def _stopped(self, seen: container.Seen) -> Observation:
        state = _state_of_stopped(seen)
        error = seen.error
        if state is view.ServerState.CRASHED and not error:
            error = self._telling_line()
        return Observation(state, error=error, exit_code=seen.exit_code,
                           restarts=seen.restarts)

    def _not_listening(self, seen: container.Seen) -> Observation:
        # Docker restarts a server that fails repeatedly, so most observations
        # find it running. A start by the agent resets the count.
        now = datetime.datetime.now(datetime.timezone.utc)
        if seen.restarts < self._answered_restarts:
            self._answered_restarts = 0
        failures = seen.restarts - self._answered_restarts
        receives = self._runs(_RECEIVES)
        fails = failures >= _LOOP_RESTARTS
        loops = (fails and not receives
                 and seen.seconds_up(now) <= _LOOP_SECONDS)
        return Observation(
            view.ServerState.CRASHED if loops else view.ServerState.STARTING,
            error=self._telling_line() if failures > 0 else '',
            receiving=receives, restarts=seen.restarts)

    def _state_of_silent(self, seen: container.Seen) -> view.ServerState:
        if (self._answered_start == seen.started_at
                or self._silences >= _SILENCES):
            return view.ServerState.UNRESPONSIVE
        return view.ServerState.STARTING

    def _runs(self, program: re.Pattern[str]) -> bool:
        """Whether such a program runs in the server's container."""
        return any(program.search(line)
                   for line in self._container.programs())

    def _telling_line(self) -> str:
        return serverlog.telling_line(
            '\n'.join(self._container.last_lines(_LOG_LINES)))


def _state_of_stopped(seen: container.Seen) -> view.ServerState:
    if seen.status == 'paused':
        return view.ServerState.UNRESPONSIVE
    if seen.in_restart_loop or seen.exit_code or seen.error:
        return view.ServerState.CRASHED
    if seen.status in ('absent', 'created'):
        return view.ServerState.ABSENT
    return view.ServerState.STOPPED
