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

"""The exceptions of this package.

All modules outside galera/ may import it. A message names what failed, the
member, and what to do next. It contains no secret.
"""

from trove.common import exception


class GaleraError(exception.TroveError):
    """Base of all errors of this package.

    Trove formats its messages with ``%``. Messages of this package are
    complete and may quote the log of a server, so per cent signs in them are
    literal.
    """

    def __init__(self, message: str) -> None:
        super().__init__('%(text)s', text=message)


class DeadlineExceeded(GaleraError):
    """A wait timed out."""

    def __init__(self, what: str, seconds: float, last_seen: str) -> None:
        self.what = what
        self.seconds = seconds
        self.last_seen = last_seen
        super().__init__(
            f'timed out after {seconds:g} s waiting for {what} '
            f'(last observed: {last_seen or "nothing"})')


class MemberFailed(GaleraError):
    """A server, guest or database of one member failed.

    :param advice: the next action; '' for that of the operation.
    """

    def __init__(self, member: str, instance_id: str, cause: str,
                 advice: str = '') -> None:
        self.member = member
        self.instance_id = instance_id
        self.cause = cause
        self.advice = advice
        super().__init__(f'member {member} ({instance_id}): {cause}')


class ServerGone(MemberFailed):
    """The server of a member was deleted in Nova and cannot come back."""


class BootstrapRefused(GaleraError):
    """A bootstrap is not proven to be safe; the message has the reason."""


class RecoveryRefused(GaleraError):
    """No way to recover a cluster is proven to be safe.

    :param named: ids of the instances that the message names.
    """

    def __init__(self, cause: str, advice: str,
                 named: tuple[str, ...]) -> None:
        self.cause = cause
        self.advice = advice
        self.named = named
        super().__init__(f'{cause}. {advice}'.rstrip())


class ClusterInconsistent(GaleraError):
    """The members are not one cluster: state, size or data differ."""


class PortGone(ClusterInconsistent):
    """The port of a member that serves was deleted in Neutron.

    :param advice: the next action.
    """

    def __init__(self, cause: str, advice: str) -> None:
        self.advice = advice
        super().__init__(cause)


class OperationStopped(GaleraError):
    """An operation must not change anything any more."""


class ClusterBeingDeleted(OperationStopped):
    """The cluster of a running operation was deleted."""


class LeaseLost(OperationStopped):
    """The task of a cluster belongs to another operation, or was removed."""


class StepFailed(GaleraError):
    """A step of an operation failed; the message is for the operator.

    :param blamed: ids of the instances that failed; empty if the cause is
        elsewhere.
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
        """Return the failure with the reason why the member stays stopped."""
        return StepFailed(
            self.operation, self.step,
            f'{self.cause}; and the member could not be started again: '
            f'{obstacle}',
            'The member does not serve. Run "openstack database cluster '
            'recover"',
            self.blamed)


class MemberNotConfigured(GaleraError):
    """A guest was called to start its server without settings."""


class ServerStartFailed(GaleraError):
    """The database server of a guest did not start."""


class ServerNotAnswering(GaleraError):
    """The database server of a guest does not answer to SQL."""


class ImageUnusable(GaleraError):
    """The database image is missing in the guest or is unusable."""


class SingleInstanceRefused(GaleraError):
    """A datastore that only has clusters has no single instances."""


class RequestRefused(GaleraError):
    """A request of a user is not possible with this value."""


class UserExists(RequestRefused):
    """An account with this name and host exists already."""


class UserUnknown(RequestRefused):
    """No account has this name and host."""


class DatabaseExists(RequestRefused):
    """A database with this name exists already."""


class DatabaseUnknown(RequestRefused):
    """No database has this name."""


class ServerUnavailable(GaleraError):
    """The server cannot handle a request of a user now, but may later."""


class BackupRefused(GaleraError):
    """A member cannot make or restore a backup now; nothing was changed."""


class BackupCancelled(GaleraError):
    """A backup was cancelled."""


class BackupStoreFailed(GaleraError):
    """The store refused a request, or has failed for too long."""


class BackupUnusable(GaleraError):
    """A backup is damaged, incomplete, or encrypted with another key."""


class BackupToolFailed(GaleraError):
    """The backup tool of the server failed; the message quotes its log."""
