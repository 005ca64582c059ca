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

"""Stops and starts members one after another, while all others serve.

Imported by the operations that stop members for a while. Before a member is
stopped, all others must be Synced in one primary component. The next member
follows when it has joined again.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
from typing import Any

from oslo_log import log as logging
from trove.common import exception
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc import pending
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import ClusterTask
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceTask
from trove_pxc import retries
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import runner
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import missing
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member
Supervised = supervision.Supervised
Each = workflow.Each


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of members that are stopped for it.

    :ivar name: of the operation: "restart".
    :ivar order: the pending operation in the rows of the targets until they
        are changed.
    :ivar busy: the task of a member in Trove while it is changed.
    :ivar way_back: the steps that undo the change after a failure; if empty,
        the member is only started.
    """

    name: str
    order: pending.Order
    busy: InstanceTask
    way_back: tuple[workflow.Step[Any], ...] = ()


class Rolling(Supervised):
    """The state of one run over some or all members of a cluster.

    :ivar change: the change of each member.
    :ivar targets: the members that may have the pending operation;
        ``found.passing`` has those that are not changed yet.
    """

    remedy = ('check the health of the cluster; when all members serve, '
              'repeat the operation')

    def __init__(self, context: Context, cluster: Cluster, change: Change,
                 instance_ids: Sequence[str] | None = None) -> None:
        """:param instance_ids: None: all members."""
        super().__init__(change.name, context, cluster)
        self.change = change
        self.targets = (self.all_members if instance_ids is None
                        else self._unless_done(instance_ids))
        self.found = dataclasses.replace(self.found, passing=self.targets)

    def begin(self) -> None:
        """Raise if the server of a member is gone; nothing is changed then."""
        self.check_wanted()
        missing.refuse(self)

    def _unless_done(self, instance_ids: Sequence[str]) -> tuple[Member, ...]:
        """The members with the pending operation; all, if none has it.

        None has it if trove-api has an old version that does not write it.
        """
        named = tuple(member for member in self.all_members
                      if member.id in instance_ids)
        left = tuple(member for member in named
                     if pending.of(member.row()) == self.change.order)
        return left or named

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.members if other is not member]


def put_back(operation: Rolling) -> None:
    """After a failure, make the member serve as before."""
    subject, change = operation.subject, operation.change
    if subject is not None and subject.row().task_status == change.busy:
        LOG.warning('%s of cluster %s: undoing the change of %s',
                    operation.name, operation.cluster_id, subject.name)
        workflow.set_found(operation, dataclasses.replace(
            operation.found, keeps_flavor=True))
        workflow.run(operation, [
            Each(lambda _: [subject], change.way_back or (RETURN,))])


def as_operation(task: ClusterTask, state: Callable[..., Rolling],
                 run: Callable[[Rolling], None]
                 ) -> runner.Operation[Rolling]:
    """Define an operation that changes members one after another."""
    return runner.Operation(
        task, state, run, record, put_back=put_back, free=free,
        deleted=return_quota)


def return_quota(operation: Rolling) -> None:
    """Release the quota reserved for members that were not changed.

    The amount depends on flavors, so calls to Nova are retried.
    """
    unfinished = operation.found.passing
    seconds = max((float(member.options.verify_timeout)
                   for member in unfinished), default=0.0)
    with retries.repeated(seconds):
        pending.give_back(operation.context, [
            row for member in unfinished
            if (row := instance_models.DBInstance.get_by(
                id=member.id, deleted=False)) is not None])


def free(operation: Rolling) -> None:
    """Remove the task and the pending operation of all members.

    The quota that a pending operation reserved and did not use is released.
    """
    change = operation.change
    for member in operation.targets:
        row = instance_models.DBInstance.get_by(id=member.id, deleted=False)
        if row is not None and (row.task_status == change.busy
                                or pending.of(row) == change.order):
            pending.give_back(operation.context, [row])
            row.update(task_status=InstanceTasks.NONE)


def record(operation: Rolling, failure: exceptions.StepFailed) -> None:
    """Save the fault for the member at fault."""
    concerned = failure.blamed or tuple(
        member.id for member in operation.found.passing[:1])
    for instance_id in concerned:
        failures.save_fault(instance_id, failure)


def _be_whole(operation: Rolling, member: Member) -> Found:
    """Find the history of the cluster; all but this member must serve."""
    def probe() -> str:
        history = ''
        for other in operation.others(member):
            report = other.report()
            # One that is backed up serves, and is desynced on purpose.
            if (report.view is None or not report.view.serves or not (
                    report.view.is_synced or report.backup)):
                raise waiting.NotYet(f'{other.name}: {members.seen(report)}')
            uuid = report.view.cluster_uuid or ''
            if history not in ('', uuid):
                raise exceptions.ClusterInconsistent(
                    f'{other.name} is in another cluster than the rest: '
                    f'{uuid}, not {history}')
            history = uuid
        return history
    try:
        history = operation.wait(probe, what='all other members to serve')
    except exceptions.DeadlineExceeded as late:
        raise exceptions.ClusterInconsistent(
            f'{member.name} was not changed, because another member does '
            f'not serve: {late.last_seen}') from late
    return dataclasses.replace(operation.found, history=history)


def _taken_out(operation: Rolling, member: Member) -> bool:
    return bool(member.row().task_status == operation.change.busy
                and operation.ask(member).server in view.DOWN)


def _take_out(operation: Rolling, member: Member) -> None:
    """Stop its server cleanly, and wait until the others serve without it."""
    row = member.row()
    order = pending.of(row) or operation.change.order   # with its quota
    row.update(task_status=operation.change.busy,
               task_description=order.text)
    stop(operation, member)
    for other in operation.others(member):
        verify.wait_serving(operation, other, len(operation.members) - 1)


def stop(operation: Supervised, member: Member) -> None:
    """Stop its server cleanly, and wait until it has stopped."""
    persist(operation, member, member.guest.stop_member)

    def probe() -> None:
        report = member.report()
        if report.server not in view.NOT_RUNNING:
            raise waiting.NotYet(members.seen(report))
    operation.wait(probe)


def persist(operation: Supervised, member: Member,
            order: Callable[[], object]) -> None:
    """Repeat a call to its guest until it succeeds.

    For calls that are safe to repeat, and may fail temporarily because a
    folder is busy or a device is not there yet.
    """
    def probe() -> None:
        try:
            order()
        except (exception.GuestTimeout, exception.GuestError) as failure:
            raise waiting.NotYet(str(failure)) from failure
    operation.wait(probe, what=f'a call to the guest of {member.name}')


def _returned(operation: Rolling, member: Member) -> bool:
    return operation.found.joined(operation.ask(member),
                                  len(operation.members))


def _return(operation: Rolling, member: Member) -> None:
    """Start its server if it is stopped; wait until it is Synced."""
    size = len(operation.members)

    def order() -> None:
        if member.report().server in view.NOT_RUNNING:
            member.guest.start_member()
    operation.tell(member, order)
    watch = supervision.CrashWatch(member)

    def probe() -> None:
        report = watch.report()
        if not operation.found.joined(report, size):
            raise waiting.NotYet(members.seen(report))
    operation.wait(probe, progress=watch.progress)
    for other in operation.others(member):
        verify.wait_serving(operation, other, size)


def _bring_in(operation: Rolling, member: Member) -> Found:
    """Remove the task and the pending operation of a changed member."""
    member.row().update(task_status=InstanceTasks.NONE)
    return operation.found.had_its_turn(member)


def _keep_order(operation: Rolling, member: Member) -> Found:
    """Remove its task; keep the pending operation until the last round."""
    member.row().update(task_status=InstanceTasks.NONE,
                        task_description=operation.change.order.text)
    return operation.found.had_its_turn(member)


BE_WHOLE = workflow.Step(
    'check the others', 'to be the only member that does not serve',
    'verify_timeout', workflow.never, _be_whole)
TAKE_OUT = workflow.Step(
    'stop', 'to have stopped its server', 'member_stop_timeout',
    _taken_out, _take_out)
RETURN = workflow.Step(
    'return', 'to be Synced in its cluster again', 'join_stall_timeout',
    _returned, _return)
BRING_IN = workflow.Step(
    'finish', 'to have no task', 'verify_timeout', workflow.never, _bring_in)
KEEP_ORDER = workflow.Step(
    'finish', 'to have no task', 'verify_timeout', workflow.never,
    _keep_order)
