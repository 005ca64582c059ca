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

"""The lease of a cluster: only its holder runs the operation.

Imported by tasks, delete, runner and supervision. The lease is in Trove's row
of the cluster: the task says that there is an operation, and the taskmanager
that runs it writes a new ``updated`` every few seconds. If the value does
not change any more, the holder has died. Each write is a compare-and-set on
task and value, and no value is written twice. So only one of several
taskmanagers gets the lease, and a former holder notices that it lost it. The
first write also records the holder; see starts.

Values of ``updated`` are only compared for equality. Each taskmanager
measures with its own clock how long the value did not change, so the clocks
of the hosts may differ.
"""

from collections.abc import Iterator
import contextlib
import datetime
import threading
from typing import Self

from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import timeutils

from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import ClusterTask
from trove_pxc import starts
from trove_pxc import transient
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

_SIGNS = 6      # renewals in the seconds of a lease
_PAUSE = 0.5    # seconds between two tries to read the row
_TICK = datetime.timedelta(seconds=1)   # the resolution of Trove's column


class Lease:
    """The right to run the operation of a cluster's task.

    It is held in the ``with`` block, unless it is lost.

    :param seconds: after which it expires if it is not renewed.
    :param seen: take it only if it still has this value, from a holder whose
        lease has expired. None: take it for a cast, if no taskmanager has
        started the operation.
    :param request: the id of the request of a cast, which must be that of
        the operation; '' for an operation without parameters.
    """

    def __init__(self, cluster_id: str, task: ClusterTask, seconds: float,
                 seen: datetime.datetime | None = None,
                 request: str = '') -> None:
        self._cluster_id = cluster_id
        self._task = task
        self._seconds = seconds
        self._value = seen
        self._request = request if seen is None else None
        self._lost = ''
        self._renewed = waiting.Stopwatch()
        self._lock = threading.Lock()
        self._signs = waiting.Regularly(seconds / _SIGNS, self._sign)

    def __enter__(self) -> Self:
        asked, row = waiting.Stopwatch(), self._row()
        seen = row.updated if self._value is None else self._value
        value = _after(seen)
        with self._told():
            begun = starts.begin(self._cluster_id, self._task, seen, value,
                                 self._request)
        if not begun:
            self._row()     # its task may have changed since
            with self._told():
                raise exceptions.LeaseLost('another taskmanager runs it')
        self._value, self._renewed = value, asked
        self._signs.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._signs.__exit__(*error)

    def check_free(self) -> None:
        """Raise unless a cast may take the lease, before it is taken.

        :raises OperationStopped: the operation has ended, was started before,
            or is that of another request.
        """
        if self._request is None:
            return
        start = starts.of({
            self._cluster_id: self._row().task_id}).get(self._cluster_id)
        if start is not None:
            with self._told():
                start.check(self._request)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Add the operation and the cluster to the reason of a refusal."""
        try:
            yield
        except exceptions.LeaseLost as refused:
            raise exceptions.LeaseLost(
                f'the operation {self._task.name} of cluster '
                f'{self._cluster_id} does not begin on this host: '
                f'{refused}') from refused

    def check(self) -> None:
        """Raise unless the lease is held, according to the table now.

        If the database does not answer, the read is retried until the lease
        expires.

        :raises ClusterBeingDeleted: if the cluster is being deleted.
        :raises LeaseLost: if another taskmanager has the lease, the task was
            reset, or the lease expired because it could not be renewed.
        """
        with self._lock:
            if not self._lost and self._is_anothers():
                self._lost = 'another taskmanager has resumed it'
            if not self._lost and self._renewed.elapsed >= self._seconds:
                self._lost = (f'its lease could not be renewed for '
                              f'{self._seconds:g} s')
        if self._lost:
            raise exceptions.LeaseLost(
                f'the operation {self._task.name} of cluster '
                f'{self._cluster_id} was stopped on this host: {self._lost}')

    def shown_by(self, task_id: int, updated: datetime.datetime) -> bool:
        """Whether these values, which were just read, show that it is held.

        If not, it may have been renewed after they were read: see check().
        """
        return bool(not self._lost and self._renewed.elapsed < self._seconds
                    and (task_id, updated) == (self._task.code, self._value))

    def held(self) -> bool:
        """Whether the lease is held; see check()."""
        try:
            self.check()
        except exceptions.OperationStopped as stopped:
            LOG.info('%s', stopped)
            return False
        return True

    def end(self) -> None:
        """End the operation, so that no taskmanager resumes it.

        If the lease is held, the task becomes NONE and the pending
        operations of the members are removed.
        """
        with self._lock:
            if pending.end(self._cluster_id, self._task, updated=self._value):
                self._lost = 'it has ended'
            else:
                LOG.info('Cluster %s: the lease of the task %s is lost; the '
                         'task is not changed', self._cluster_id,
                         self._task.name)

    def _is_anothers(self) -> bool:
        what = f'the lease of cluster {self._cluster_id}'
        try:
            row = waiting.until(
                what, transient.awaited(what, self._row),
                max(0.0, self._seconds - self._renewed.elapsed), _PAUSE)
        except exceptions.DeadlineExceeded as late:
            LOG.error('%s', late)
            return False    # it has expired now, whoever holds it
        return bool(row.updated != self._value)

    def _sign(self) -> None:
        try:
            with self._lock:
                if not self._lost:
                    self._move()
        except transient.DATABASE as error:
            LOG.warning('The lease of the operation %s of cluster %s could '
                        'not be renewed: %s', self._task.name,
                        self._cluster_id, error)

    def _move(self) -> bool:
        """Write the next value.

        :returns: whether the last value was still in the row.
        """
        asked = waiting.Stopwatch()
        assert self._value is not None
        value = _after(self._value)
        with cluster_models.DBCluster.query() as query:
            moved = bool(query.filter_by(
                id=self._cluster_id, deleted=False, updated=self._value,
                task_id=self._task.code).update({'updated': value}))
        if not moved:
            return False
        self._value, self._renewed = value, asked
        return True

    def _row(self) -> ClusterRow:
        """The row of the cluster, if it has the task of this lease."""
        row = cluster_models.DBCluster.get_by(id=self._cluster_id)
        if (row is None or row.deleted
                or row.task_status == ClusterTasks.DELETING != self._task):
            raise exceptions.ClusterBeingDeleted(
                f'cluster {self._cluster_id} is being deleted; its '
                f'operation {self._task.name} was stopped')
        if row.task_status != self._task:
            raise exceptions.LeaseLost(
                f'the task of cluster {self._cluster_id} is '
                f'{row.task_status.name}; its operation {self._task.name} '
                'was stopped')
        held: ClusterRow = row
        return held


def _after(value: datetime.datetime) -> datetime.datetime:
    """The next value of a lease, which was never written before."""
    now: datetime.datetime = timeutils.utcnow()
    return max(now.replace(microsecond=0),
               value.replace(microsecond=0) + _TICK)
