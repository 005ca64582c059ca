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

"""Runs the steps of an operation in order, and skips those that are done.

Imported by the operations, the steps and the engine. Because each step first
checks whether it is done, an operation may run again after it was
interrupted at any point. Only this module replaces ``operation.found``.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
from typing import Any
from typing import Generic
from typing import Protocol
from typing import TypeVar

from oslo_log import log as logging
from trove.common import cfg

from trove_pxc import exceptions
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc import transient
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class Operation(Protocol):
    """The attributes of an operation that its run uses.

    :ivar remedy: the next action after a failure of the operation.
    """

    name: str
    remedy: str
    cluster_id: str
    at: 'Step[Any] | None'
    subject: members.Member | None

    def check(self) -> None:
        """Raise if the operation must not go on."""

    @property
    def members(self) -> Sequence[members.Member]:
        """The members that it works on, in member order."""


class Stepwise(Operation, Protocol):
    """An operation that consists of steps.

    :ivar found: its knowledge about the cluster; only replaced here.
    """

    found: Found

    def begin(self) -> Found | None:
        """Check the cluster before the first step.

        :returns: the new knowledge about the cluster; None: nothing new.
        """


Op = TypeVar('Op', contravariant=True)  # the operation that a step needs
Run = TypeVar('Run', bound=Stepwise)


@dataclasses.dataclass(frozen=True)
class Step(Generic[Op]):
    """One step of an operation, for one member.

    :ivar name: its name in logs and errors: "join".
    :ivar waits_for: the result, as it follows the name of the member in
        messages: "to be Synced".
    :ivar timeout: the option with its timeout in seconds, of the datastore
        of the member or of Trove.
    :ivar done: whether nothing remains to be done; it changes nothing.
    :ivar do: runs the step and waits for its result; may be called again
        after it was interrupted. It returns the new knowledge of the
        operation, or None if there is none.
    """

    name: str
    waits_for: str
    timeout: str
    done: Callable[[Op, members.Member], bool]
    do: Callable[[Op, members.Member], Found | None]


@dataclasses.dataclass(frozen=True)
class Each(Generic[Op]):
    """Steps that run for each of some members, one member after another."""

    of: Callable[[Op], Sequence[members.Member]]
    steps: tuple[Step[Op], ...]


def never(operation: Any, member: members.Member) -> bool:
    """The "done" of a step that runs in each run."""
    return False


def set_found(operation: Stepwise, found: Found | None) -> None:
    """Replace the knowledge of an operation about its cluster.

    Called with the result of a step, and by an operation with its findings
    and decisions between two phases.

    :param found: None: nothing new was found out.
    """
    if found is not None:
        operation.found = found


def run(operation: Run, phases: Iterable[Each[Run]]) -> None:
    """Run all phases; raise the error of a step.

    Afterwards ``operation.at`` is the last step, and ``operation.subject``
    its member.
    """
    for phase in phases:
        for member in phase.of(operation):
            for step in phase.steps:
                _take(operation, step, member)


def _take(operation: Run, step: Step[Run],
          member: members.Member) -> None:
    """Run one step; retry it while a service that it needs does not answer.

    After a temporary error of the cloud or of Trove's database, "done" is
    called again, to find out whether something remains to be done.
    """
    def attempt() -> None:
        operation.at = step
        operation.subject = member
        operation.check()
        if step.done(operation, member):
            LOG.info('%s of cluster %s: %s of %s was done before',
                     operation.name, operation.cluster_id, step.name,
                     member.name)
            return
        watch = waiting.Stopwatch()
        set_found(operation, step.do(operation, member))
        LOG.info('%s of cluster %s: %s of %s took %.1f s', operation.name,
                 operation.cluster_id, step.name, member.name,
                 watch.elapsed)
    _patiently(f'{member.name} {step.waits_for}', attempt, member,
               _seconds(step, member))


def begin(operation: Stepwise) -> None:
    """Check whether to begin; retry while a service does not answer.

    :raises DeadlineExceeded: it did not answer for verify_timeout seconds.
    """
    def attempt() -> None:
        set_found(operation, operation.begin())
        operation.check()
    if not operation.members:
        attempt()
        return
    first = operation.members[0]
    _patiently('the check of the cluster before the operation',
               attempt, first, float(first.options.verify_timeout))


def _patiently(what: str, attempt: Callable[[], None],
               member: members.Member, seconds: float) -> None:
    """Retry an attempt; waits inside it have their own deadlines."""
    transient.outlasted(what, attempt, seconds,
                        float(member.options.cloud_poll_interval))


def _seconds(step: Step[Any], member: members.Member) -> float:
    options = member.options
    return float(options[step.timeout] if step.timeout in options
                 else CONF[step.timeout])


def failure(operation: Operation,
            error: Exception) -> exceptions.StepFailed:
    """The failure of an operation that ended with this error."""
    if isinstance(error, exceptions.RecoveryRefused):
        return exceptions.StepFailed(
            operation.name, 'choose the member to bootstrap', error.cause,
            error.advice.rstrip('.') or operation.remedy, error.named)
    step, subject = operation.at, operation.subject
    blamed: tuple[str, ...] = ()
    if isinstance(error, exceptions.MemberFailed):
        blamed = (error.instance_id,)
    elif (subject is not None and not transient.unavailable(error)
          and not isinstance(error, (exceptions.BootstrapRefused,
                                     exceptions.ClusterInconsistent))):
        blamed = (subject.id,)
    name = 'creation of the members' if step is None else step.name
    if subject is not None:
        name = f'{name} of {subject.name}'
    return exceptions.StepFailed(
        operation.name, name, _cause(error, subject),
        _next_action(operation.remedy, error, step), blamed)


def _cause(error: Exception, subject: members.Member | None) -> str:
    cause = str(error) or type(error).__name__
    if isinstance(error, exceptions.MemberFailed):
        cause = error.cause
        if subject is None or error.instance_id != subject.id:
            cause = f'{error.member}: {cause}'
    return cause.rstrip('. ')


def _next_action(remedy: str, error: Exception,
                 step: Step[Any] | None) -> str:
    if isinstance(error, exceptions.BootstrapRefused):
        return ('have an operator check the data of the named members '
                'before you delete the cluster')
    advice = getattr(error, 'advice', '')
    if advice:
        return str(advice).rstrip('.')
    if transient.unavailable(error):
        return f'when the named service answers again: {remedy}'
    if isinstance(error, exceptions.DeadlineExceeded) and step is not None:
        return f'{remedy}; raise {step.timeout} if there was progress'
    return f'{remedy}; see the guest agent and server logs'
