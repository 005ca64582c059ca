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


"""Runs an operation to its end, whatever that is, and tells what came of it.

Imported by the operations, which say here what they are, and by tasks.
Whatever comes out of an operation ends here: it is recorded, the cluster
gets rid of its task, and it is raised again.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
from typing import Generic
from typing import Protocol
from typing import TypeVar

from oslo_concurrency import lockutils
from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.protocols import ClusterTask
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import workflow

LOG = logging.getLogger(__name__)


class State(workflow.Operation, Protocol):
    """One run of an operation.

    :ivar held: what makes it the only one.
    """

    held: lease.Lease | None

    def check_wanted(self) -> None:
        """Raise OperationStopped if nothing may be touched any more."""


Run = TypeVar('Run', bound=State)


@dataclasses.dataclass(frozen=True)
class Operation(Generic[Run]):
    """What can be asked of a cluster.

    :ivar task: the task of the cluster while it runs.
    :ivar state: makes what one run works with: called with a context, the
        cluster, and what was ordered.
    :ivar run: goes through its phases; may be called again when it was cut
        short anywhere.
    :ivar record: tells a failure where users look for it.
    :ivar put_back: has members serve as they did before a failure; an error
        of it is told with the failure.
    :ivar complete: called when nothing has failed.
    :ivar free: shows no member as busy any more; called in any case, even
        if a failure cannot be recorded, unless the lease is lost.
    :ivar deleted: called when the cluster is deleted meanwhile.
    :ivar ends_task: whether the task is over when it is complete; a deletion
        takes the whole row.
    """

    task: ClusterTask
    state: Callable[..., Run]
    run: Callable[[Run], None]
    record: Callable[[Run, exceptions.StepFailed], None]
    put_back: Callable[[Run], None] | None = None
    complete: Callable[[Run], None] | None = None
    free: Callable[[Run], None] | None = None
    deleted: Callable[[Run], None] | None = None
    ends_task: bool = True


@contextlib.contextmanager
def alone(cluster_id: str, task: ClusterTask, seconds: float,
          lost: datetime.datetime | None) -> Iterator[lease.Lease]:
    """Hold the lease of a cluster's task, when it is free in this process.

    A second run waits here until the first is over, and then finds what is
    left to do. The parameters are those of a Lease.
    """
    with (lockutils.lock(f'trove-pxc-{task.name}-{cluster_id}'),
          lease.Lease(cluster_id, task, seconds, lost) as held):
        yield held


def run(operation: Operation[Run], state: Run, held: lease.Lease) -> None:
    """Run it to its end.

    :raises StepFailed: and then its members tell why, and the cluster has
        no task.
    :raises OperationStopped: and then nothing was recorded: the cluster is
        being deleted, or another has the lease.
    """
    state.held = held
    try:
        _run(operation, state, held)
    except exceptions.OperationStopped as stopped:
        LOG.info('%s', stopped)
        if (operation.deleted is not None
                and isinstance(stopped, exceptions.ClusterBeingDeleted)):
            operation.deleted(state)
        raise


def _run(operation: Operation[Run], state: Run, held: lease.Lease) -> None:
    failure = None
    try:
        error = _attempt(operation.run, state)
        if error is not None:
            failure = _failed(operation, state, error)
        elif operation.complete is not None:
            operation.complete(state)
    finally:
        if operation.free is not None and held.held():
            operation.free(state)
            held.end()
    if operation.free is None and (failure or operation.ends_task):
        held.end()
    if failure is not None:
        raise failure from error
    LOG.info('%s of cluster %s is complete', state.name, state.cluster_id)


def _attempt(call: Callable[[Run], None], state: Run) -> Exception | None:
    """Call it.

    :returns: the error that it ended with.
    :raises OperationStopped: it was not its own any more.
    """
    try:
        call(state)
    except Exception as error:
        if isinstance(error, exceptions.OperationStopped):
            raise
        return error
    return None


def _failed(operation: Operation[Run], state: Run,
            error: Exception) -> exceptions.StepFailed:
    """Record a failure, and have members serve again if they can.

    :returns: what there is to tell.
    """
    state.check_wanted()
    failure = workflow.failure(state, error)
    failure.__cause__ = error
    LOG.error('Cluster %s: %s', state.cluster_id, failure, exc_info=error)
    operation.record(state, failure)
    if operation.put_back is None:
        return failure
    obstacle = _attempt(operation.put_back, state)
    if obstacle is None:
        return failure
    LOG.error('Cluster %s: a member could not be put back',
              state.cluster_id, exc_info=obstacle)
    failure = failure.with_obstacle(str(obstacle))
    failure.__cause__ = error
    operation.record(state, failure)
    return failure
