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

"""Shrink a cluster: members leave it, and all that is theirs goes.

Imported by tasks. Those that stay must all be Synced before any leaves and
after each. A member that leaves is stopped cleanly; one that is down, was
never started, or does not answer while the others can do without it, goes
all the same.
"""

from collections.abc import Sequence
import traceback
from typing import Any

from oslo_log import log as logging
from trove.common import cfg
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import removal
from trove_pxc.taskmanager.engine import outcome
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import admit
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rolling
from trove_pxc.taskmanager.steps import standing
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

Member = members.Member
Each = workflow.Each


class Shrinking(standing.Standing):
    """The state of one run.

    :ivar members: those that stay, in member order.
    :ivar leaving: those that go and are not gone yet.
    """

    remedy = ('look at the health of the cluster; when those that stay all '
              'serve, ask for it again')

    def __init__(self, context: Any, cluster: Any,
                 instance_ids: Sequence[str]) -> None:
        super().__init__('shrink', context, cluster)
        self.leaving = [member for member in self.everyone
                        if member.id in instance_ids]
        self.members = [member for member in self.everyone
                        if member.id not in instance_ids]

    def needed(self) -> Sequence[Member]:
        return self.members

    def passing(self) -> Sequence[Member]:
        return self.leaving

    def check(self) -> None:
        """Whether those that stay serve is looked at by the steps."""
        self.check_wanted()
        if not self.members:
            raise exceptions.ClusterInconsistent(
                f'nobody would stay in cluster {self.cluster_id}')


def leaving(operation: Shrinking) -> Sequence[Member]:
    return operation.leaving


def _row(member: Member) -> Any:
    return instance_models.DBInstance.get_by(id=member.id, deleted=False)


def _marked(operation: Shrinking, member: Member) -> bool:
    row = _row(member)
    return row is None or row.task_status in (
        InstanceTasks.DELETING, InstanceTasks.BUILDING)


def _mark(operation: Shrinking, member: Member) -> None:
    """Keep for whoever takes over that this one is to go.

    What Trove is still building is left at that: its removal waits until
    nothing more of it appears.
    """
    member.row().update(task_status=InstanceTasks.DELETING)


def _taken_out(operation: Shrinking, member: Member) -> bool:
    """Also one that was never ready to be started, or is gone."""
    if _row(member) is None or not member.prepared():
        return True
    report = standing.glimpse(member)
    return report is not None and report.server in view.DOWN


def _take_out(operation: Shrinking, member: Member) -> None:
    """Stop its server cleanly, and see the others go on without it."""
    try:
        if not _answers(operation, member):
            LOG.info('%s is down, and the others do not count it',
                     member.name)
            return
        rolling.persist(operation, member, member.guest.stop_member)
        operation.wait(lambda: _stopped(member))
    except exceptions.DeadlineExceeded as late:
        _do_without(operation, member, late)
        return
    was_inside = member.id in operation.component.inside
    size = operation.component.size - was_inside
    for other in operation.members:
        _wait_smaller(operation, other, size)


def _answers(operation: Shrinking, member: Member) -> bool:
    """Whether its guest does; False once it is sure to be down."""
    def probe() -> bool:
        if standing.glimpse(member) is not None:
            return True
        found = operation.look()
        if found.obstacle or found.hidden:
            raise waiting.NotYet(found.obstacle or (
                f'its guest is silent, and the component counts '
                f'{found.size}'))
        return False
    return operation.wait(
        probe, what=f'an answer of {member.name}, or its end',
        seconds=member.options.guest_silence_timeout)


def _stopped(member: Member) -> None:
    report = member.report()
    if report.server not in view.NOT_RUNNING:
        raise waiting.NotYet(members.seen(report))


def _do_without(operation: Shrinking, member: Member,
                late: exceptions.DeadlineExceeded) -> None:
    """Go on, if the others keep their quorum when it just vanishes.

    :raises ClusterInconsistent: they would not.
    """
    found = operation.look()
    if found.obstacle or not found.survives_without(
            [one.id for one in operation.leaving]):
        raise exceptions.ClusterInconsistent(
            f'{member.name} could not be stopped ({late.last_seen}), and '
            f'the others could lose their quorum without it: '
            f'{found.obstacle or f"the component counts {found.size}"}'
        ) from late
    LOG.warning('Cluster %s: %s was not stopped cleanly (%s); it is removed '
                'as it is, for the others keep their quorum',
                operation.cluster_id, member.name, late)


def _wait_smaller(operation: Shrinking, other: Member, size: int) -> None:
    def probe() -> None:
        report = other.report()
        if (report.view is None or not report.view.serves
                or report.view.cluster_size > size):
            raise waiting.NotYet(members.seen(report))
    operation.wait(
        probe, what=f'{other.name} to serve in a component of {size}',
        seconds=other.options.verify_timeout, by=other)


def _removed(operation: Shrinking, member: Member) -> bool:
    return _row(member) is None


def _remove(operation: Shrinking, member: Member) -> None:
    remains = removal.Remains(member)

    def probe() -> None:
        left = remains.sweep()
        if left:
            raise waiting.NotYet('; '.join(left))
    operation.wait(probe, seconds=float(CONF.cluster_delete_time_out),
                   interval=member.options.cloud_poll_interval)
    removal.delete_rows(operation.context, member, cluster_goes_on=True)


MARK = workflow.Step(
    'mark', 'to be shown as leaving', 'verify_timeout', _marked, _mark)
TAKE_OUT = workflow.Step(
    'stop', 'to have stopped its server', 'member_stop_timeout',
    _taken_out, _take_out)
REMOVE = workflow.Step(
    'remove', 'to be gone from the cloud', 'cluster_delete_time_out',
    _removed, _remove)

STEPS: tuple[Each[Any], ...] = (
    Each(formation.first_member, (
        standing.LOOK,              # those that stay are all Synced
    )),
    Each(leaving, (
        MARK,
    )),
    Each(leaving, (                 # one after another
        standing.LOOK,
        TAKE_OUT,                   # the others see one less, and serve
    )),
    Each(formation.every_member, (
        admit.ADMIT,            # before the addresses are anyone's
        configure.CONFIGURE,        # the next start knows who is left
    )),
    Each(leaving, (
        REMOVE,                     # server, port, volume, group; rows
    )),
    Each(formation.every_member, (
        verify.AGREE,            # one UUID, the new size, Synced
    )),
)


def run(operation: Shrinking) -> None:
    """Take all out, or those of them that are left."""
    workflow.begin(operation)
    workflow.run(operation, STEPS)


def give_up(operation: Shrinking, failure: exceptions.StepFailed) -> None:
    """Tell what happened where users look for it.

    A member that was to go and still serves is a member as before; one
    that does not is in ERROR until it is shrunk away.
    """
    details = ''.join(traceback.format_exception(
        failure.__cause__ or failure))
    left = [member for member in operation.leaving
            if _row(member) is not None]
    for member in left:
        _restore(member)
    told = [*left, *(member for member in operation.members
                     if member.id in failure.blamed)]
    for member in told:
        outcome.save_fault(member.id, failure, details)


def _restore(member: Member) -> None:
    row = _row(member)
    if row is None or row.task_status != InstanceTasks.DELETING:
        return
    report = standing.glimpse(member)
    serves = (report is not None and report.view is not None
              and report.view.serves)
    row.update(task_status=InstanceTasks.NONE if serves
               else InstanceTasks.SHRINKING_ERROR)
