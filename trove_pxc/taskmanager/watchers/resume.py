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

"""Resumes the operations of taskmanagers that have died.

Imported by manager. Trove's rows have all that an operation needs: its task
is in the row of the cluster, and the pending operations are in the rows of
the members. An operation whose lease has expired runs again, and skips the
steps that are done. An operation that waits in a taskmanager is started here
if that taskmanager has died. One that no taskmanager has recorded may still be
in the message broker, so it is started only after a much longer time.
"""

from collections.abc import Callable
from collections.abc import Mapping
import datetime
import functools
from typing import Any
from typing import NamedTuple

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import exception
from trove.common import notification
from trove.instance import models as instance_models
from trove.taskmanager import models as task_models

from trove_pxc import exceptions
from trove_pxc import notifications
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import Notify
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager import tasks
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

Tasks = tasks.GaleraClusterTasks
Run = Callable[[Tasks, Context], None]


class Continuation(NamedTuple):
    """How an operation is resumed.

    :ivar told_as: the notification of its end or error, by the action of the
        pending operation; '' if there is none.
    :ivar run: called with the tasks object of the cluster and a context.
    :ivar lane: the queue that it waits in.
    """

    told_as: Mapping[str, Notify]
    run: Run
    lane: str = admission.LONG


def _create(cluster_tasks: Tasks, context: Context) -> None:
    cluster_tasks.create_cluster(context, cluster_tasks.id)


def _delete(cluster_tasks: Tasks, context: Context) -> None:
    cluster_tasks.delete_cluster(context, cluster_tasks.id)


def _ordered(cluster_tasks: Tasks, context: Context) -> None:
    cluster_tasks.carry_out_pending(context)


#: by the code of the cluster's task
CONTINUATIONS: Mapping[int, Continuation] = {
    ClusterTasks.BUILDING_INITIAL.code: Continuation(
        {'': notification.DBaaSClusterCreate}, _create),
    ClusterTasks.DELETING.code: Continuation(
        {'': notification.DBaaSClusterDelete}, _delete, admission.DELETIONS),
    ClusterTasks.RESTARTING_CLUSTER.code: Continuation(
        {'': notification.DBaaSClusterRestart,
         pending.RECOVER: notifications.ClusterRecover,
         pending.FORCE: notifications.ClusterRecover}, _ordered,
        admission.SHORT),
    ClusterTasks.UPDATING_CLUSTER.code: Continuation(
        {'': notifications.ClusterResizeFlavor,
         pending.VOLUME: notifications.ClusterResizeVolume,
         pending.CERTIFICATES: notifications.ClusterRotateCertificates},
        _ordered),
    ClusterTasks.GROWING_CLUSTER.code: Continuation(
        {'': notification.DBaaSClusterGrow}, _ordered),
    ClusterTasks.SHRINKING_CLUSTER.code: Continuation(
        {'': notification.DBaaSClusterShrink}, _ordered),
}


class Sight(NamedTuple):
    """The observed state of one operation, and how long it is unchanged.

    :ivar start: None if trove-api and the taskmanager that runs it have an
        older version.
    """

    task_id: int
    value: datetime.datetime
    start: starts.Start | None
    since: waiting.Stopwatch

    @property
    def waits(self) -> bool:
        """Whether the operation is known not to have started."""
        return self.start is not None and not self.start.number

    @property
    def process(self) -> str:
        """The taskmanager's process in which it waits; '' if unknown."""
        place = self.start and self.start.place
        return place.process if place else ''

    def due(self, options: Any, watched: queued.Watched) -> bool:
        """Whether it is resumed, or started, by its datastore's options."""
        if self.process:
            return watched.is_silent(self.process, options.operation_lease)
        seconds = (options.operation_start_timeout if self.waits
                   else options.operation_lease)
        return bool(self.since.elapsed >= seconds)


class Resumption:
    """Checks all operations each time that look() is called.

    :param queues: those in which operations wait when they are resumed.
    """

    def __init__(self, queues: admission.Admission | None = None) -> None:
        self._queues = queues or admission.Admission()
        self._seen: dict[str, Sight] = {}
        self._watched = queued.Watched()
        self._running: dict[str, admission.Request] = {}

    def look(self) -> None:
        """Check all operations; resume those whose lease has expired."""
        found = discovery.clusters(CONTINUATIONS)
        begun = starts.of({cluster_id: row.task_id
                           for cluster_id, (row, _) in found.items()})
        self._seen = {
            cluster_id: self._sight(cluster_id, row, begun.get(cluster_id))
            for cluster_id, (row, _) in found.items()}
        self._watched.look({sight.process for sight in self._seen.values()
                            if sight.process})
        self._running = {
            cluster_id: request
            for cluster_id, request in self._running.items()
            if request.is_alive()}
        for cluster_id, sight in self._seen.items():
            if cluster_id not in self._running and sight.due(
                    found[cluster_id].options, self._watched):
                self._running[cluster_id] = self._queues.resume(
                    CONTINUATIONS[sight.task_id].lane, cluster_id,
                    functools.partial(_resume, *found[cluster_id],
                                      sight.start))

    def _sight(self, cluster_id: str, row: ClusterRow,
               start: starts.Start | None) -> Sight:
        before = self._seen.get(cluster_id)
        now = row.task_id, row.updated, start
        if before is not None and before[:3] == now:
            return before
        return Sight(*now, waiting.Stopwatch())


def _resume(row: ClusterRow, manager: str,
            start: starts.Start | None) -> None:
    """Run the operation of a cluster to its end; log an error."""
    context = discovery.context(row)
    how = CONTINUATIONS[row.task_id]
    context.notification = _told_as(row, how)(
        context, request_id=context.request_id, server_type='taskmanager',
        tenant_id=row.tenant_id, client_ip=CONF.host, server_ip=CONF.host)
    LOG.warning('Operation %s of cluster %s: %s on this host',
                row.task_status.name, row.id,
                _reason(CONF.get(manager), start))
    try:
        with notification.EndNotification(context, cluster_id=row.id):
            cluster_tasks = task_models.load_cluster_tasks(context, row.id)
            cluster_tasks.lost = row.updated
            how.run(cluster_tasks, context)
    except exceptions.OperationStopped as stopped:
        LOG.info('%s', stopped)
    except exception.TroveError as error:
        LOG.error('The operation %s of cluster %s, which was resumed on this '
                  'host, failed: %s', row.task_status.name, row.id, error)


def _reason(options: Any, start: starts.Start | None) -> str:
    if start is None:
        return (f'its lease of {options.operation_lease:g} s expired; '
                'resuming the operation')
    if start.place is not None:
        return (f'the taskmanager on {start.host}, in which it waited, '
                f'showed no life for {options.operation_lease:g} s; starting '
                'the operation')
    if not start.number:
        return ('no taskmanager started it within '
                f'{options.operation_start_timeout:g} s; starting it')
    return (f'its lease of {options.operation_lease:g} s, held on '
            f'{start.host}, expired; resuming the operation')


def _told_as(row: ClusterRow, how: Continuation) -> Notify:
    order, _ = pending.waiting(instance_models.DBInstance.find_all(
        cluster_id=row.id, deleted=False).all())
    action = order.action if order else ''
    return how.told_as.get(action, how.told_as[''])
