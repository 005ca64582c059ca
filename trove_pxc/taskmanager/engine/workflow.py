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

"""Steps in order: each looks first whether it is done, then does its part.

Imported by the operations (create, delete, ...) and by tasks. What an
operation does is in its own file; here is only how steps are run, so that
an operation may be run again after it was cut short anywhere. What a step
has found out is put in its place here, and nowhere else.
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
    """What the run of an operation needs to know of it.

    :ivar remedy: what to do about a cluster for which it has failed.
    """

    name: str
    remedy: str
    cluster_id: str
    at: 'Step[Any] | None'
    subject: members.Member | None

    def check(self) -> None:
        """Raise if there is no point in going on."""

    @property
    def members(self) -> Sequence[members.Member]:
        """Whom it is about, in member order."""


class Stepwise(Operation, Protocol):
    """One that goes through steps.

    :ivar found: what it knows of its cluster; replaced here alone.
    """

    found: Found

    def begin(self) -> Found | None:
        """Look more closely before the first step.

        :returns: what was found out; None: nothing new.
        """


Op = TypeVar('Op', contravariant=True)  # what steps need of an operation
Run = TypeVar('Run', bound=Stepwise)


@dataclasses.dataclass(frozen=True)
class Step(Generic[Op]):
    """One step of an operation, for one member.

    :ivar name: what it does, as it stands in logs and errors: "join".
    :ivar waits_for: what has come about when it is over, to follow the
        member's name: "to be Synced".
    :ivar timeout: the option with the seconds that it may take: of the
        member's datastore, or else of Trove.
    :ivar done: whether nothing is left to do; it changes nothing.
    :ivar do: does it and waits; may be called again if it was cut short. It
        returns what the operation knows then, or None if that is nothing
        new.
    """

    name: str
    waits_for: str
    timeout: str
    done: Callable[[Op, members.Member], bool]
    do: Callable[[Op, members.Member], Found | None]


@dataclasses.dataclass(frozen=True)
class Each(Generic[Op]):
    """Steps that each of some members goes through, one after another."""

    of: Callable[[Op], Sequence[members.Member]]
    steps: tuple[Step[Op], ...]


def never(operation: Any, member: members.Member) -> bool:
    """The "done" of a step that is taken anew in each run."""
    return False


def set_found(operation: Stepwise, found: Found | None) -> None:
    """Replace what an operation knows of its cluster.

    Called with what a step returns; by an operation itself, with what it
    finds out or decides between two phases.

    :param found: None: nothing new was found out.
    """
    if found is not None:
        operation.found = found


def run(operation: Run, phases: Iterable[Each[Run]]) -> None:
    """Go through all phases; raise what a step raises.

    ``operation.at`` and ``operation.subject`` tell afterwards where it
    stood.
    """
    for phase in phases:
        for member in phase.of(operation):
            for step in phase.steps:
                _take(operation, step, member)


def _take(operation: Run, step: Step[Run],
          member: members.Member) -> None:
    """Take one step, again while a service that it needs does not answer.

    An error of the cloud or of Trove's database that may pass comes from a
    direct call: "done" is asked again then, and says what is left to do.
    """
    def attempt() -> None:
        operation.at = step
        operation.subject = member
        operation.check()
        if step.done(operation, member):
            LOG.info('%s of cluster %s: %s of %s is done already',
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
    """Look whether to begin at all; again while a service does not answer.

    :raises DeadlineExceeded: it did not for verify_timeout seconds.
    """
    def attempt() -> None:
        set_found(operation, operation.begin())
        operation.check()
    if not operation.members:
        attempt()
        return
    first = operation.members[0]
    _patiently('a look at the cluster before it is changed',
               attempt, first, float(first.options.verify_timeout))


def _patiently(what: str, attempt: Callable[[], None],
               member: members.Member, seconds: float) -> None:
    """An attempt that waits has deadlines of its own."""
    transient.outlasted(what, attempt, seconds,
                        float(member.options.cloud_poll_interval))


def _seconds(step: Step[Any], member: members.Member) -> float:
    options = member.options
    return float(options[step.timeout] if step.timeout in options
                 else CONF[step.timeout])


def failure(operation: Operation,
            error: Exception) -> exceptions.StepFailed:
    """What to tell of an operation that ended with this error."""
    if isinstance(error, exceptions.RecoveryRefused):
        return exceptions.StepFailed(
            operation.name, 'choose who is continued', error.cause,
            error.advice.rstrip('.') or operation.remedy, error.named)
    step, subject = operation.at, operation.subject
    blamed: tuple[str, ...] = ()
    if isinstance(error, exceptions.MemberFailed):
        blamed = (error.instance_id,)
    elif (subject is not None and not transient.unavailable(error)
          and not isinstance(error, (exceptions.BootstrapRefused,
                                     exceptions.ClusterInconsistent))):
        blamed = (subject.id,)
    name = 'build of the members' if step is None else step.name
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
        return ('have an operator look at the data of the members that are '
                'named before you delete the cluster')
    advice = getattr(error, 'advice', '')
    if advice:
        return str(advice).rstrip('.')
    if transient.unavailable(error):
        return f'when the service that is named answers again: {remedy}'
    if isinstance(error, exceptions.DeadlineExceeded) and step is not None:
        return f'{remedy}; raise {step.timeout} if it was only slow'
    return f'{remedy}; see the guest agent and server logs'
