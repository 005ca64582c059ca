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

"""Makes a member leave: marked, stopped, then removed from the cloud.

Imported by shrink. A member that is down is not stopped. A member that does
not answer or does not stop is removed as it is, if the others keep their
quorum.
"""

from oslo_log import log as logging
from trove.common import cfg
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.galera import component as components
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import cleanup
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import online
from trove_pxc.taskmanager.steps import rolling
from trove_pxc.taskmanager.steps import verify
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

Member = members.Member
Supervised = supervision.Supervised


def _marked(operation: Supervised, member: Member) -> bool:
    row = member.find_row()
    return row is None or row.task_status in (
        InstanceTasks.DELETING, InstanceTasks.BUILDING)


def _mark(operation: Supervised, member: Member) -> None:
    """Record that the member is to leave, for a run that resumes the shrink.

    An instance that Trove is still building keeps its task; its cleanup
    waits until Trove creates no more resources of it.
    """
    member.row().update(task_status=InstanceTasks.DELETING)


def _taken_out(operation: Supervised, member: Member) -> bool:
    """Whether its server is down, was never started, or is removed."""
    if member.find_row() is None or not member.prepared():
        return True
    report = online.glimpse(member)
    return report is not None and report.server in view.DOWN


def _take_out(operation: Supervised, member: Member) -> None:
    """Stop its server cleanly, and wait until the others serve without it."""
    try:
        component = _answers(operation, member)
        if component is None:
            LOG.info('%s is down, and is not in the component of the others',
                     member.name)
            return
        rolling.stop(operation, member)
    except exceptions.DeadlineExceeded as late:
        _do_without(operation, member, late)
        return
    size = component.size - (member.id in component.inside)
    for other in operation.members:
        verify.wait_serving(operation, other, size, or_smaller=True)


def _answers(operation: Supervised,
             member: Member) -> components.Component | None:
    """Ask its guest until it answers, or its server is known to be down.

    :returns: the last observed component; None: its server is down.
    """
    last = operation.found.component

    def probe() -> components.Component | None:
        nonlocal last
        if online.glimpse(member) is not None:
            return last
        last = online.look(operation).component
        if last.obstacle or last.hidden:
            raise waiting.NotYet(last.obstacle or (
                f'its guest does not answer, and the component has '
                f'{last.size} members'))
        return None
    return operation.wait(
        probe, what=f'an answer of {member.name}, or the end of its server',
        seconds=member.options.guest_silence_timeout)


def _do_without(operation: Supervised, member: Member,
                late: exceptions.DeadlineExceeded) -> None:
    """Go on, if the others keep their quorum when its server is deleted.

    :raises ClusterInconsistent: they could lose it.
    """
    found = online.look(operation).component
    if found.obstacle or not found.survives_without(
            [one.id for one in operation.found.passing]):
        raise exceptions.ClusterInconsistent(
            f'{member.name} could not be stopped ({late.last_seen}), and '
            f'the others could lose their quorum without it: '
            f'{found.obstacle or f"the component has {found.size} members"}'
        ) from late
    LOG.warning('Cluster %s: %s was not stopped cleanly (%s); it is removed '
                'as it is, because the others keep their quorum',
                operation.cluster_id, member.name, late)


def _removed(operation: Supervised, member: Member) -> bool:
    return member.find_row() is None


def _remove(operation: Supervised, member: Member) -> None:
    leftovers = cleanup.Leftovers(member)

    def probe() -> None:
        left = leftovers.clean_up()
        if left:
            raise waiting.NotYet('; '.join(left))
    operation.wait(probe, seconds=float(CONF.cluster_delete_time_out),
                   interval=member.options.cloud_poll_interval)
    cleanup.delete_rows(operation.context, member, cluster_goes_on=True)


MARK = workflow.Step(
    'mark', 'to be shown as leaving', 'verify_timeout', _marked, _mark)
TAKE_OUT = workflow.Step(
    'stop', 'to have stopped its server', 'member_stop_timeout',
    _taken_out, _take_out)
REMOVE = workflow.Step(
    'remove', 'to be gone from the cloud', 'cluster_delete_time_out',
    _removed, _remove)
