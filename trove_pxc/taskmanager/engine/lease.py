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

"""One at a time: who runs an operation holds the lease of its cluster.

Imported by tasks, supervision and takeup. The lease is in the row that Trove
has for the cluster: its task says that there is an operation, and whoever
runs it moves ``updated`` forward every few seconds. A value that stays where
it is has lost its holder. Every change is a compare-and-set on task and
value, and no value is ever written twice, so that of several who want the
lease one gets it, and a holder that was away finds it gone.

``updated`` is compared for being equal alone: how long it has not moved is
measured by who looks, so that the clocks of the hosts need not agree.
"""

import datetime
import threading
from typing import Self

from oslo_db import exception as db_exceptions
from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import timeutils

from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import ClusterTask
from trove_pxc import transient
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

_SIGNS = 6      # of life, in the seconds of a lease
_PAUSE = 0.5    # seconds between two tries to read the row
_TICK = datetime.timedelta(seconds=1)   # what Trove's column can tell apart


class Lease:
    """The right to run the operation that a cluster's task names.

    Held from ``with`` until the end of the block, unless it is lost.

    :param seconds: without a sign of life, until someone else may take it.
    :param seen: take it only if its value is still this one; None: whatever
        it is, for a new order from trove-api.
    """

    def __init__(self, cluster_id: str, task: ClusterTask, seconds: float,
                 seen: datetime.datetime | None = None) -> None:
        self._cluster_id = cluster_id
        self._task = task
        self._seconds = seconds
        self._value = seen
        self._lost = ''
        self._renewed = waiting.Stopwatch()
        self._lock = threading.Lock()
        self._signs = waiting.Regularly(seconds / _SIGNS, self._sign)

    def __enter__(self) -> Self:
        row = self._row()
        if self._value is None:
            self._value = row.updated
        if not self._move():
            raise exceptions.LeaseLost(
                f'another taskmanager has taken the operation '
                f'{self._task.name} of cluster {self._cluster_id}')
        self._signs.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._signs.__exit__(*error)

    def check(self) -> None:
        """Raise unless the lease is held, by what the table says now.

        A database that does not answer is asked again while the lease lasts.

        :raises ClusterBeingDeleted: if that is why.
        :raises LeaseLost: if another has it, the task was reset, or no sign
            of life could be given for so long that another may have it.
        """
        with self._lock:
            if not self._lost and self._is_anothers():
                self._lost = 'another taskmanager has taken it up'
            if not self._lost and self._renewed.elapsed >= self._seconds:
                self._lost = (f'it could not be renewed for '
                              f'{self._seconds:g} s')
        if self._lost:
            raise exceptions.LeaseLost(
                f'the operation {self._task.name} of cluster '
                f'{self._cluster_id} was stopped here: {self._lost}')

    def held(self) -> bool:
        """Whether check() would raise nothing."""
        try:
            self.check()
        except exceptions.OperationStopped as stopped:
            LOG.info('%s', stopped)
            return False
        return True

    def end(self) -> None:
        """The operation is over, and nobody has to go on with it.

        The task becomes NONE and all orders go, if the lease is held.
        """
        with self._lock:
            if pending.end(self._cluster_id, self._task, updated=self._value):
                self._lost = 'it is over'
            else:
                LOG.info('The task of cluster %s is not %s of here any more; '
                         'it is left alone', self._cluster_id,
                         self._task.name)

    def _is_anothers(self) -> bool:
        what = f'the lease of cluster {self._cluster_id}'
        try:
            row = waiting.until(
                what, transient.awaited(what, self._row),
                max(0.0, self._seconds - self._renewed.elapsed), _PAUSE)
        except exceptions.DeadlineExceeded as late:
            LOG.error('%s', late)
            return False    # and it is too old now, whoever has it
        return bool(row.updated != self._value)

    def _sign(self) -> None:
        try:
            with self._lock:
                if not self._lost:
                    self._move()
        except db_exceptions.DBError as error:
            LOG.warning('No sign of life could be given of the operation %s '
                        'of cluster %s: %s', self._task.name,
                        self._cluster_id, error)

    def _move(self) -> bool:
        """Write the next value; whether the one before was still there."""
        asked = waiting.Stopwatch()
        assert self._value is not None
        value = max(timeutils.utcnow().replace(microsecond=0),
                    self._value.replace(microsecond=0) + _TICK)
        with cluster_models.DBCluster.query() as query:
            moved = bool(query.filter_by(
                id=self._cluster_id, deleted=False, updated=self._value,
                task_id=self._task.code).update({'updated': value}))
        if not moved:
            return False
        self._value, self._renewed = value, asked
        return True

    def _row(self) -> ClusterRow:
        """The cluster's row, if its task is this one."""
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
