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

"""Records the failure of an operation in Trove's rows.

Imported by the operations and steps.
"""

from collections.abc import Sequence
import traceback

from oslo_log import log as logging
from trove.common import cfg
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.protocols import InstanceTask
from trove_pxc.taskmanager.cloud import members
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_READY = (service_status.ServiceStatuses.INSTANCE_READY,
          service_status.ServiceStatuses.HEALTHY)


def record_failure(failure: exceptions.StepFailed,
                   concerned: Sequence[members.Member]) -> None:
    """Put the members at fault into ERROR, and save a fault for each member.

    If the failure names no member, all are at fault. The other members keep
    their status, and get a fault that refers to the members at fault.
    """
    blamed = at_fault(failure, concerned)
    names = ', '.join(member.name for member in blamed)
    for member in concerned:
        if member in blamed:
            set_error(member)
            save_fault(member.id, failure)
        else:
            save_fault(member.id, failure, (
                f'{member.name} is not at fault, but its cluster is '
                f'not usable: {failure.operation} failed at {names}; '
                'see its fault'))


def at_fault(failure: exceptions.StepFailed,
             concerned: Sequence[members.Member]) -> list[members.Member]:
    """The members that a failure names; all, if it names none."""
    return [member for member in concerned
            if not failure.blamed or member.id in failure.blamed]


def save_fault(instance_id: str, failure: exceptions.StepFailed,
               instead: str = '') -> None:
    """Save a failure as the fault of an instance.

    Administrators also see the traceback.

    :param instead: the cause for an instance that has not failed itself, a
        sentence without its full stop.
    """
    fault = fault_of(failure)
    if instead:
        fault = faults.Fault(instead, failure.next_action)
    faults.save_fault(
        instance_id, fault.short,
        ''.join(traceback.format_exception(failure.__cause__ or failure)),
        fault.whole)


def fault_of(failure: exceptions.StepFailed) -> faults.Fault:
    """The fault of the instance on which a step failed."""
    return faults.Fault(failure.cause, failure.next_action,
                        f'{failure.operation}: "{failure.step}" failed')


def set_error(
        member: members.Member,
        task: InstanceTask = InstanceTasks.BUILDING_ERROR_SERVER) -> None:
    """Give an instance an error task, unless it has one."""
    row = instance_models.DBInstance.get_by(id=member.id, deleted=False)
    if row is None:
        LOG.info('Instance %s was deleted; its status is not changed',
                 member.id)
    elif not row.task_status.is_error:
        row.update(task_status=task)


def let_trove_finish(concerned: Sequence[members.Member]) -> None:
    """Wait until Trove's own creation of ready instances has ended.

    Trove checks an instance every usage_sleep_time seconds. When the
    instance is ready, Trove removes its task, even an error. If the
    taskmanager of the creation has died, Trove never does this.
    """
    ready = [member for member in concerned if member.status() in _READY]
    if not ready:
        return

    def probe() -> None:
        building = [member.name for member in ready if _is_building(member)]
        if building:
            raise waiting.NotYet(f'still building: {", ".join(building)}')
    try:
        waiting.until('Trove to have created the instances', probe,
                      3.0 * CONF.usage_sleep_time,
                      ready[0].options.database_poll_interval)
    except exceptions.DeadlineExceeded as late:
        LOG.info('Going on without the end of the creation: %s', late)


def _is_building(member: members.Member) -> bool:
    row = instance_models.DBInstance.get_by(id=member.id, deleted=False)
    return row is not None and row.task_status == InstanceTasks.BUILDING


def release(concerned: Sequence[members.Member]) -> None:
    """Remove the task BUILDING of instances.

    Trove removes it when a guest is ready, unless the taskmanager that
    created the instance has died.
    """
    for member in concerned:
        row = member.row()
        if row.task_status == InstanceTasks.BUILDING:
            row.update(task_status=InstanceTasks.NONE)
