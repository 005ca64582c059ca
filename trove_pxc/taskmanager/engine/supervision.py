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

"""The base of operations, which checks while it waits whether to go on.

Imported by the steps and the operations. It waits with the module waiting.
"""

from collections.abc import Callable
from collections.abc import Hashable
import functools
from typing import Any
from typing import TypeVar

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc import handles
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import transient
from trove_pxc import waiting

Member = members.Member
Answer = TypeVar('Answer')

_CRASHES_FORGIVEN = 3
# The cause of a first crash may be temporary: a port that the last server
# still uses, or a busy folder.
_LOOP_SECONDS = 10
# Seconds that a guest may wait for its server before it reports. Meanwhile an
# operation cannot check whether to go on.
_PATIENCE = 1.0
# The longest pause between two checks, in seconds. An operation stops about a
# second after its cluster is deleted or its lease is lost.
_LONGEST_PAUSE = 0.75
# The pauses of a wait grow up to this part of it.
_PART = 1 / 20


class Supervised:
    """An operation that stops when its cluster or a member is lost.

    :ivar name: of the operation: "create".
    :ivar remedy: the next action after a failure of the operation.
    :ivar all_members: all members of the cluster, in member order.
    :ivar found: the knowledge about the cluster; engine/workflow replaces it.
    :ivar held: the lease; the operation stops when it is lost.
    """

    remedy: str
    held: lease.Lease | None = None

    def __init__(self, name: str, context: Context,
                 cluster: cluster_models.Cluster) -> None:
        self.name = name
        self.context = context
        self.cluster_id = str(cluster.id)
        self._cluster = cluster
        self.all_members = tuple(members.load(context, cluster))
        self.found = Found(self.all_members, self.all_members)
        self.at: workflow.Step[Any] | None = None
        self.subject: Member | None = None
        self._rows = rows.Watch(self.cluster_id)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members that the steps work on, in member order."""
        return self.found.members

    @property
    def handle(self) -> str:
        """The name or id of the cluster for commands."""
        return handles.of_cluster(self._cluster)

    def begin(self) -> Found | None:
        """Check the cluster before the first step; check() follows.

        :returns: the new knowledge about the cluster; None: nothing new.
        """
        return None

    def check(self) -> None:
        """Raise if the cluster is being deleted or a member has failed.

        The tables are read now.

        :raises OperationStopped: checked first, because members vanish and
            fail when their cluster is deleted.
        :raises MemberFailed: if the rows of a member show a failure.
        """
        self._check(0.0)

    def _check(self, age: float) -> None:
        """:param age: the tables may have been read so many seconds ago."""
        self.examine(self._held(self._rows.read(age)))

    def examine(self, state: rows.State) -> None:
        """Raise if the members do not allow the operation to go on.

        :param state: of the cluster, which is not being deleted.
        """
        if not self.members:
            raise exceptions.ClusterInconsistent(
                f'cluster {self.cluster_id} has no members')
        for member in self.members:
            member.check(state.members.get(member.id))

    def seen(self, member: Member) -> rows.Instance:
        """The state of a member at the last check, for the probe of a wait.

        :raises MemberFailed: if it was deleted.
        """
        found = self._rows.last(member.id)
        if found is None:
            raise member.failed('the instance was deleted')
        return found

    def check_wanted(self) -> None:
        """Raise if the cluster is being deleted, or the lease is lost.

        :raises OperationStopped: nothing may be changed any more.
        """
        if self.held is not None:
            self.held.check()
        else:
            self._held(self._rows.read())

    def _held(self, state: rows.State | None) -> rows.State:
        """The state, unless it shows that nothing may be changed any more.

        The lease may have been renewed after the state was read. If the state
        does not show it, the lease is read again.
        """
        if self.held is not None and (state is None or not self.held.shown_by(
                state.task_id, state.updated)):
            self.held.check()
        if state is None or (self.held is None and state.task_id
                             == ClusterTasks.DELETING.code):
            raise exceptions.ClusterBeingDeleted(
                f'cluster {self.cluster_id} is being deleted; its '
                f'{self.name} was stopped')
        return state

    def ask(self, member: Member) -> view.MemberReport:
        """Get the report of a member; retry until its guest answers."""
        return self.wait(member.report, what=f'a report from {member.name}',
                         by=member)

    def tell(self, member: Member,
             order: Callable[[], Answer]) -> Answer:
        """Call the guest of a member; retry while it does not answer.

        The call must be safe to repeat after its answer was lost.

        :returns: the answer.
        """
        return self.wait(answered(order),
                         what=f'the guest of {member.name} to answer',
                         seconds=member.options.guest_silence_timeout,
                         by=member)

    def wait(self, probe: Callable[[], Answer], what: str = '',
             seconds: float | None = None, interval: float | None = None,
             progress: Callable[[], Hashable] | None = None,
             by: Member | None = None) -> Answer:
        """Wait for a probe; check meanwhile whether to go on.

        Defaults are those of the running step. A temporary error of the
        cloud or of Trove's database counts as NotYet.

        :param by: the member that the wait is for, if it is not the member
            of the step; it is at fault if the wait times out.
        """
        assert self.at is not None and self.subject is not None
        options = self.subject.options
        if seconds is None:
            seconds = options.get(self.at.timeout)
        shortest = options.database_poll_interval
        check_now_and_then = every(
            shortest, functools.partial(self._check, shortest),
            _LONGEST_PAUSE)

        def supervised() -> Answer:
            check_now_and_then()
            return probe()
        what = what or f'{self.subject.name} {self.at.waits_for}'
        try:
            return waiting.until(
                what, transient.awaited(what, supervised),
                waiting.Deadline(seconds, progress),
                options.member_poll_interval if interval is None
                else interval)
        except exceptions.DeadlineExceeded as late:
            if by in (None, self.subject) or transient.unavailable(late):
                raise
            assert by is not None
            raise by.failed(str(late)) from late


def answered(call: Callable[[], Answer]) -> Callable[[], Answer]:
    """Make a probe of a call to a guest; a timeout counts as NotYet."""
    def probe() -> Answer:
        try:
            return call()
        except exception.GuestTimeout as silent:
            raise waiting.NotYet(str(silent)) from silent
    return probe


class CrashWatch:
    """Follows the reports of one member while its server starts.

    The container engine restarts a server that ends. A server that ends
    repeatedly does not come up, even if there is progress in between. A
    server that ends soon after each start is down in every report; then the
    engine's count of restarts is used.

    :param forgiven: how many ends are tolerated.
    """

    def __init__(self, member: Member,
                 forgiven: float = _CRASHES_FORGIVEN) -> None:
        self._member = member
        self._forgiven = forgiven
        self._crashes = 0
        self._down = False
        self._restarts: int | None = None   # before this watch
        self._since = waiting.Stopwatch()   # the first end
        self._progress: Hashable = None

    def report(self) -> view.MemberReport:
        """The next report, without delay when the server is Synced.

        :raises MemberFailed: when the server has ended too often.
        """
        report = self._member.report(_PATIENCE)
        self.look(report)
        return report

    def look(self, report: view.MemberReport) -> None:
        """Evaluate a report.

        :raises MemberFailed: when the server has ended too often.
        """
        down = report.server in view.ENDED
        if down and not self._down:
            self._crashes += 1
        self._down = down
        ended = max(self._crashes, self._ended(report.restarts))
        if self._crashes > self._forgiven or (
                ended > self._forgiven
                and self._since.elapsed >= _LOOP_SECONDS):
            code = '' if report.exit_code is None else (
                f' (exit code {report.exit_code})')
            raise self._member.failed(
                f'its server ended {ended} times{code}: '
                f'{report.error or "its log gives no reason"}')
        self._progress = (
            report.server, report.data_bytes,
            report.view and (report.view.local_state,
                             report.view.cluster_size))

    def _ended(self, restarts: int) -> int:
        """Count the ends by the engine; a manual start resets its count."""
        if self._restarts is None or restarts < self._restarts:
            self._restarts = restarts
        ended = restarts - self._restarts
        if not ended:
            self._since = waiting.Stopwatch()
        return ended

    def progress(self) -> Hashable:
        """A value that changes when data arrives or the state changes."""
        return self._progress


def every(seconds: float, call: Callable[[], None],
          longest: float = 0.0) -> Callable[[], None]:
    """Make a function that calls this one at most once per interval.

    :param longest: up to which the interval grows, with the time since the
        first call.
    """
    first: list[waiting.Stopwatch] = []
    last: list[waiting.Stopwatch] = []

    def now_and_then() -> None:
        if last and last[0].elapsed < max(
                seconds, min(longest, first[0].elapsed * _PART)):
            return
        last[:] = [waiting.Stopwatch()]
        first.extend(last[:not first])
        call()
    return now_and_then
