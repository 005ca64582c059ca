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

"""One class for each thing that an operator would do differently about.

Anyone outside galera/ may import it. Messages name what failed, which member,
and what to do next; none carries a secret.
"""

from trove.common import exception


class GaleraError(exception.TroveError):
    """Base of all errors of this package.

    Trove formats its messages with ``%``; ours are finished texts that may
    quote a server's log, so a per cent sign in them stands for itself.
    """

    def __init__(self, message: str) -> None:
        super().__init__('%(text)s', text=message)


class DeadlineExceeded(GaleraError):
    """Something did not come about in the time it had."""

    def __init__(self, what: str, seconds: float, last_seen: str) -> None:
        self.what = what
        self.seconds = seconds
        self.last_seen = last_seen
        super().__init__(
            f'timed out after {seconds:g} s waiting for {what} '
            f'(last observed: {last_seen or "nothing"})')


class MemberFailed(GaleraError):
    """One member cannot go on: its server, guest or database failed.

    :param advice: the next action; '' for the operation's own.
    """

    def __init__(self, member: str, instance_id: str, cause: str,
                 advice: str = '') -> None:
        self.member = member
        self.instance_id = instance_id
        self.cause = cause
        self.advice = advice
        super().__init__(f'member {member} ({instance_id}): {cause}')


class ServerGone(MemberFailed):
    """The server of a member was deleted in Nova; it does not come back."""


class BootstrapRefused(GaleraError):
    """A bootstrap that is not proven safe; the text says why."""


class RecoveryRefused(GaleraError):
    """A recovery for which no way is proven safe.

    :param named: ids of the instances that the text names.
    """

    def __init__(self, cause: str, advice: str,
                 named: tuple[str, ...]) -> None:
        self.cause = cause
        self.advice = advice
        self.named = named
        super().__init__(f'{cause}. {advice}'.rstrip())


class ClusterInconsistent(GaleraError):
    """The members do not form one cluster: state, size or data differ."""


class PortGone(ClusterInconsistent):
    """A member serves whose port was deleted in Neutron.

    :param advice: the next action.
    """

    def __init__(self, cause: str, advice: str) -> None:
        self.advice = advice
        super().__init__(cause)


class OperationStopped(GaleraError):
    """An operation that must leave everything as it is: it is not its own."""


class ClusterBeingDeleted(OperationStopped):
    """The cluster of a running operation was deleted meanwhile."""


class LeaseLost(OperationStopped):
    """A cluster's task is another one's now, or nobody's."""


class StepFailed(GaleraError):
    """A step of an operation failed; what the operator reads.

    :param blamed: ids of the instances that are at fault, none if the cause
        lies elsewhere.
    """

    def __init__(self, operation: str, step: str, cause: str,
                 next_action: str, blamed: tuple[str, ...] = ()) -> None:
        self.operation = operation
        self.step = step
        self.cause = cause
        self.next_action = next_action
        self.blamed = blamed
        super().__init__(
            f'{operation}: "{step}" failed: {cause}. Next: {next_action}')

    def with_obstacle(self, obstacle: str) -> 'StepFailed':
        """The same failure of a member that does not serve since then."""
        return StepFailed(
            self.operation, self.step,
            f'{self.cause}; and it could not be put back: {obstacle}',
            'it does not serve: "openstack database cluster recover"',
            self.blamed)


class MemberNotConfigured(GaleraError):
    """A guest was told to start before its settings were pushed to it."""


class ServerStartFailed(GaleraError):
    """The database server of a guest did not start."""


class ServerNotAnswering(GaleraError):
    """The database server of a guest gives no answer to SQL."""


class ImageUnusable(GaleraError):
    """The database image is missing in the guest or does not fit."""


class SingleInstanceRefused(GaleraError):
    """A datastore that exists in clusters alone was asked for singly."""


class RequestRefused(GaleraError):
    """What a user asks for is not possible; another value is needed."""


class UserExists(RequestRefused):
    """There is an account of this name and host already."""


class UserUnknown(RequestRefused):
    """There is no account of this name and host."""


class DatabaseExists(RequestRefused):
    """There is a database of this name already."""


class DatabaseUnknown(RequestRefused):
    """There is no database of this name."""


class ServerUnavailable(GaleraError):
    """The server does not take a user's request now; it may take it later."""
