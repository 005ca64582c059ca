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

"""Recovery that nobody asked for: of clusters of which no member serves.

Imported by the manager, which has it look now and then. What Trove's tables
say is where it begins; whether anything may be done the members themselves
must say. It never forces: what it may not do is an operator's to decide.
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

_TASKS = (ClusterTasks.NONE.code, ClusterTasks.RESTARTING_CLUSTER.code)
_AT_ONCE = 8                # the others have their turn with a later look
_LONGEST_PATIENCE = 3600
_PART_OF_PATIENCE = 1 / 3   # for a survivor: whoever stops all is done by then


class Case:
    """A cluster of which no member serves, since when, and what was tried."""

    def __init__(self) -> None:
        self._since = waiting.Stopwatch()
        self._tries = 0

    def due(self, patience: float) -> bool:
        """Whether it is time for a try; each waits twice as long."""
        waits = min(patience * 2.0 ** self._tries,
                    max(patience, _LONGEST_PATIENCE))
        return bool(self._since.elapsed >= waits)

    def tried(self) -> None:
        self._tries += 1
        self._since = waiting.Stopwatch()


class Watch:
    """Remembers what it saw; to be asked to look every few seconds."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._running: dict[str, threading.Thread] = {}

    def look(self) -> None:
        """Look at all clusters; have those recovered that need it."""
        found = discovery.clusters(
            _TASKS, lambda manager: CONF.get(manager).automatic_recovery)
        needy = nobody_serves(found)
        self._cases = {
            cluster_id: self._cases.get(cluster_id) or Case()
            for cluster_id, (row, _) in found.items()
            if row.task_status != ClusterTasks.NONE
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
    """Have a cluster recovered sooner that nothing else can bring back.

    Patience is for members that may find each other. It gets a part of it
    all the same: an operator may be stopping all members, this one last.

    :returns: whether the recovery was begun.
    """
    try:
        operation = _recovery(row)
        found = operation.look(operation.found)
        survey = operation.read(found, found.survey.reports).survey
        survivor = plan.survivor(list(survey.all_members), survey.answers)
    except exception.TroveError as error:
        LOG.info('Cluster %s cannot be asked: %s', row.id, error)
        return False
    if survivor is None:
        return False
    LOG.info('Cluster %s: only a recovery can bring it back, from %s',
             row.id, survivor)
    case.tried()
    return attend(row)


def attend(row: ClusterRow) -> bool:
    """Ask the members of a cluster; have it recovered if there is a way.

    :returns: whether the recovery was begun.
    """
    try:
        reason = obstacle(_recovery(row))
        if reason:
            LOG.warning('No member of cluster %s serves, and it is not '
                        'recovered by itself: %s', row.id, reason)
            return False
        return _begin(discovery.context(row), row)
    except exception.TroveError as error:
        LOG.error('Cluster %s could not be recovered by itself: %s', row.id,
                  error)
        return False


def _recovery(row: ClusterRow) -> recovery.Recovery:
    context = discovery.context(row)
    return recovery.Recovery(
        context, task_models.load_cluster_tasks(context, row.id))


def obstacle(operation: recovery.Recovery) -> str:
    """Why a recovery would not bring the cluster back; '' if it may.

    It only asks. Of a server that looks for the others, or gives up and is
    started again and again, it cannot know where it stands; the recovery
    stops it, and decides then.
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
    """Without a lease: no operation runs, and nothing is changed."""
    waiting.until(what, probe, seconds, interval)


def _loops(survey: Survey) -> bool:
    """Whether a server that fails at each start hides where it stands."""
    return any(
        answer.report.server is view.ServerState.CRASHED
        and answer.position is not None and answer.position.seqno < 0
        for answer in survey.answers.values())


def _begin(context: Context, row: ClusterRow) -> bool:
    """Take the cluster's task, if it has none, and cast."""
    rows: list[InstanceRow] = instance_models.DBInstance.find_all(
        cluster_id=row.id, deleted=False).all()
    if not pending.claim(row.id, ClusterTasks.RESTARTING_CLUSTER,
                         [member.id for member in rows],
                         pending.recovery(None)):
        LOG.info('Cluster %s has a task now; it is left alone', row.id)
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
    """The complete clusters of which by Trove's tables no member serves.

    Who did not come in, or was to go, is not counted. It costs two
    statements, however many clusters there are.

    :returns: whether one member alone runs outside a primary component,
        and all others have told of themselves of late.
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
    """Whether this member was complete, is not busy, and does not serve.

    A guest that has said nothing for long does not say that it serves.
    """
    if (row.task_status != InstanceTasks.NONE or status is None
            or status.status in guest_statuses.INCOMPLETE):
        return False
    return status.status != Statuses.HEALTHY or not status.is_uptodate()
