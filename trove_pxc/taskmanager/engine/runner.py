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

"""Runs an operation to its end, and records a failure.

Imported by the operations, which are defined as an Operation, and by tasks.
An error of an operation is recorded here, the task of the cluster is
removed, and the error is raised as StepFailed.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
import math
from typing import Generic
from typing import Protocol
from typing import TypeVar

from oslo_concurrency import lockutils
from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.protocols import ClusterTask
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

_PAUSE = 0.5    # seconds between two tries to get the lock


class State(workflow.Operation, Protocol):
    """One run of an operation.

    :ivar held: the lease of the cluster.
    """

    held: lease.Lease | None

    def check_wanted(self) -> None:
        """Raise OperationStopped if nothing may be changed any more."""


Run = TypeVar('Run', bound=State)


@dataclasses.dataclass(frozen=True)
class Operation(Generic[Run]):
    """The definition of an operation on a cluster.

    :ivar task: the task of the cluster while the operation runs.
    :ivar state: makes the state of one run; called with a context, the
        cluster, and the parameters of the operation.
    :ivar run: runs its phases; may be called again after it was interrupted
        at any point.
    :ivar record: saves the faults of a failure.
    :ivar put_back: after a failure, makes members serve as before; its own
        error is added to the failure.
    :ivar complete: called if nothing has failed.
    :ivar free: removes the task of the members; always called, even if a
        failure cannot be recorded, unless the lease is lost.
    :ivar deleted: called if the cluster was deleted during the operation.
    :ivar ends_task: whether the task ends with the operation; a deletion
        deletes the whole row.
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
          lost: datetime.datetime | None,
          request: str = '') -> Iterator[lease.Lease]:
    """Hold the lease of a cluster's task, once at a time in this process.

    A run that lost its lease may still wait for an answer in this process;
    the next one waits until it has ended. A cast that may not start the
    operation, or not any more, does not wait. The parameters are those of a
    Lease.
    """
    wanted = lease.Lease(cluster_id, task, seconds, lost, request)
    name = f'trove-pxc-{task.name}-{cluster_id}'
    with contextlib.ExitStack() as until_done:
        def lock() -> None:
            wanted.check_free()
            try:
                until_done.enter_context(
                    lockutils.lock(name, blocking=False))
            except lockutils.AcquireLockFailedException as taken:
                raise waiting.NotYet(str(taken)) from taken
        waiting.until(name, lock, math.inf, _PAUSE)
        yield until_done.enter_context(wanted)


def run(operation: Operation[Run], state: Run, held: lease.Lease) -> None:
    """Run an operation to its end.

    :raises StepFailed: it failed; the faults are saved, and the cluster has
        no task.
    :raises OperationStopped: the cluster is being deleted, or another
        taskmanager has the lease; nothing was recorded.
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
    """Call a function with the state of the run.

    :returns: its error, if any.
    :raises OperationStopped: the operation must not change anything more.
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
    """Record a failure, and make members serve again if possible.

    :returns: the failure to raise.
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
    LOG.error('Cluster %s: a member could not be made to serve again',
              state.cluster_id, exc_info=obstacle)
    failure = failure.with_obstacle(str(obstacle))
    failure.__cause__ = error
    operation.record(state, failure)
    return failure
