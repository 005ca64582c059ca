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

"""Automatic recovery of clusters of which no member serves.

Imported by manager, which calls it periodically. It selects clusters from
Trove's tables; whether a recovery is possible depends on the answers of the
members. It never forces a member; that is the decision of an operator.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import functools
import threading

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import exception
from trove.common import notification
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import api as task_api
from trove.taskmanager import models as task_models

from trove_pxc import faults
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc import guest_statuses
from trove_pxc import notifications
from trove_pxc import pending
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import StatusRow
from trove_pxc.taskmanager.engine.found import Survey
from trove_pxc.taskmanager.steps import recovery
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)
Statuses = service_status.ServiceStatuses

_AT_ONCE = 8                # a later check starts the others
_LONGEST_PATIENCE = 3600
_PART_OF_PATIENCE = 1 / 3   # for a survivor; enough time to stop all members


class Case:
    """A cluster of which no member serves: since when, and how many tries."""

    def __init__(self) -> None:
        self._since = waiting.Stopwatch()
        self._tries = 0

    def due(self, patience: float) -> bool:
        """Whether it is time for a try; the interval doubles each time."""
        waits = min(patience * 2.0 ** self._tries,
                    max(patience, _LONGEST_PATIENCE))
        return bool(self._since.elapsed >= waits)

    def tried(self) -> None:
        self._tries += 1
        self._since = waiting.Stopwatch()


class Watch:
    """Checks all clusters each time that look() is called."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._running: dict[str, threading.Thread] = {}

    def look(self) -> None:
        """Check all clusters; start a recovery of those that need it."""
        found = discovery.unserved(
            lambda manager: CONF.get(manager).automatic_recovery,
            self._cases)
        needy = nobody_serves(found) if found else {}
        self._cases = {
            cluster_id: self._cases.get(cluster_id) or Case()
            for cluster_id, (row, _) in found.items()
            if row.task_status == ClusterTasks.RESTARTING_CLUSTER
            and cluster_id in self._cases
            or row.task_status == ClusterTasks.NONE
            and cluster_id in needy}
        self._running = {
            cluster_id: thread
            for cluster_id, thread in self._running.items()
            if thread.is_alive()}
        for cluster_id, case in self._cases.items():
            row, options = found[cluster_id].row, found[cluster_id].options
            if (row.task_status != ClusterTasks.NONE
                    or cluster_id in self._running
                    or len(self._running) >= _AT_ONCE):
                continue
            patience = options.automatic_recovery_patience
            if case.due(patience):
                case.tried()
                self._run(attend, row)
            elif needy[cluster_id] and case.due(
                    patience * _PART_OF_PATIENCE):
                self._run(attend_survivor, row, case)

    def _run(self, target: Callable[..., object], row: ClusterRow,
             *more: object) -> None:
        thread = threading.Thread(
            target=target, args=(row, *more), daemon=True)
        self._running[str(row.id)] = thread
        thread.start()


def attend_survivor(row: ClusterRow, case: Case) -> bool:
    """Recover a cluster early if it cannot recover by itself.

    The full wait is for members that may find each other. A survivor only
    waits for a part of it, in case an operator is stopping all members and
    this one is the last.

    :returns: whether the recovery was started.
    """
    try:
        operation = _recovery(row)
        found = operation.look(operation.found)
        survey = operation.read(found, found.survey.reports).survey
        survivor = plan.survivor(list(survey.all_members), survey.answers)
    except exception.TroveError as error:
        LOG.info('The members of cluster %s could not be asked: %s', row.id,
                 error)
        return False
    if survivor is None:
        return False
    LOG.info('Cluster %s cannot recover by itself; recovering it from %s',
             row.id, survivor)
    case.tried()
    return attend(row)


def attend(row: ClusterRow) -> bool:
    """Ask the members of a cluster; recover it if that is possible.

    :returns: whether the recovery was started.
    """
    try:
        reason = obstacle(_recovery(row))
        if reason:
            LOG.warning('No member of cluster %s serves, and it cannot be '
                        'recovered automatically: %s', row.id, reason)
            return False
        return _begin(discovery.context(row), row)
    except exception.TroveError as error:
        LOG.error('The automatic recovery of cluster %s failed: %s', row.id,
                  error)
        return False


def _recovery(row: ClusterRow) -> recovery.Recovery:
    context = discovery.context(row)
    return recovery.Recovery(
        context, task_models.load_cluster_tasks(context, row.id))


def obstacle(operation: recovery.Recovery) -> str:
    """The reason why a recovery would not succeed; '' if it may succeed.

    It changes nothing. The position of a server that searches for the other
    members, or ends and starts again repeatedly, cannot be read; the
    recovery stops such a server before it decides.
    """
    found = operation.look_closely(operation.found, functools.partial(
        _wait, operation.members[0].options.member_poll_interval))
    survey = operation.read(found, found.survey.reports).survey
    choice = operation.choose(survey)
    if choice.step is plan.Step.WAIT or (
            choice.step is plan.Step.REFUSE and _loops(survey)):
        decision = plan.may_stop_for_recovery(
            list(survey.all_members), survey.answers)
        return '' if decision.allowed else str(decision.reason)
    if choice.step in (plan.Step.REFUSE, plan.Step.REJOIN):
        return str(choice.reason)
    return ''


def _wait(interval: float, probe: Callable[[], None], what: str,
          seconds: float) -> None:
    """Wait without a lease, because no operation runs and nothing changes."""
    waiting.until(what, probe, seconds, interval)


def _loops(survey: Survey) -> bool:
    """Whether a server fails at each start and its position is unknown."""
    return any(
        answer.report.server is view.ServerState.CRASHED
        and answer.position is not None and answer.position.seqno < 0
        for answer in survey.answers.values())


def _begin(context: Context, row: ClusterRow) -> bool:
    """Set the task of the cluster, if it has none, and cast the recovery."""
    rows: list[InstanceRow] = instance_models.DBInstance.find_all(
        cluster_id=row.id, deleted=False).all()
    if not pending.claim(row.id, ClusterTasks.RESTARTING_CLUSTER,
                         [member.id for member in rows],
                         pending.recovery(None),
                         request_id=context.request_id):
        LOG.info('Cluster %s has a task now; it is not recovered', row.id)
        return False
    faults.forget_of(rows)
    LOG.warning('No member of cluster %s serves: recovering it', row.id)
    context.notification = notifications.ClusterRecover(
        context, request_id=context.request_id, server_type='taskmanager',
        tenant_id=row.tenant_id, client_ip=CONF.host, server_ip=CONF.host)
    manager = discovery.manager(row)
    with notification.StartNotification(context, cluster_id=row.id):
        task_api.load(context, manager).recover_cluster(manager, row.id)
    return True


def nobody_serves(cluster_ids: Iterable[str]) -> dict[str, bool]:
    """The complete clusters of which no member serves, per Trove's tables.

    Members that failed to join or to leave are ignored. It takes two
    statements for any number of clusters.

    :returns: for each, whether exactly one member runs outside a primary
        component and all members have reported recently.
    """
    table, told = (instance_models.DBInstance,
                   instance_models.InstanceServiceStatus)
    rows: list[InstanceRow] = [row for row in table.find_by_filter(
        filters=[table.cluster_id.in_(list(cluster_ids))],
        deleted=False).all() if not row.task_status.is_error]
    found: list[StatusRow] = told.find_by_filter(
        filters=[told.instance_id.in_([row.id for row in rows])]).all()
    statuses = {status.instance_id: status for status in found}
    rows_of: dict[str, list[InstanceRow]] = {}
    for row in rows:
        rows_of.setdefault(str(row.cluster_id), []).append(row)
    return {
        cluster_id: _one_survives([statuses[row.id] for row in its_rows])
        for cluster_id, its_rows in rows_of.items()
        if all(_may_be_revived(row, statuses.get(row.id))
               for row in its_rows)}


def _one_survives(statuses: Sequence[StatusRow]) -> bool:
    blocked = [one for one in statuses if one.status == Statuses.BLOCKED]
    return len(blocked) == 1 and all(one.is_uptodate() for one in statuses)


def _may_be_revived(row: InstanceRow, status: StatusRow | None) -> bool:
    """Whether a member is complete, has no task, and does not serve.

    The status HEALTHY does not count if it was not updated for long.
    """
    if (row.task_status != InstanceTasks.NONE or status is None
            or status.status in guest_statuses.INCOMPLETE):
        return False
    return status.status != Statuses.HEALTHY or not status.is_uptodate()
