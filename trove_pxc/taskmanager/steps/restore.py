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

"""Restores a backup into the member that bootstraps a new cluster.

Imported by create. The guest does the work, and continues without a
taskmanager. This step starts it, follows its progress, and sends a new token
of the object store when the guest needs one.
"""

from collections.abc import Hashable
import functools

from oslo_log import log as logging
from trove.extensions.common import models as root_models

from trove_pxc import backups as rows_of_backups
from trove_pxc import exceptions
from trove_pxc.galera import backup_progress
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc import restores
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Supervised = supervision.Supervised
Member = members.Member

_POLL_SECONDS = 1.0
#: between two writes of the progress
_SHOW_SECONDS = 5.0
#: how often a guest agent may lose a restore, because it was restarted
_LOSSES_FORGIVEN = 3
_AGAIN = 'Delete this cluster, and restore the backup again'


class _Run:
    """The restore of one member, as the guest reports it.

    :param backup_id: of Trove's row of the backup.
    """

    def __init__(self, operation: Supervised, member: Member,
                 backup_id: str) -> None:
        self._operation = operation
        self._member = member
        self._id = backup_id
        self._seen = backups.unknown(backup_id)
        self._begun = 0
        self._token: secret.Secret | None = None
        self._shown_last = ''
        self._show = supervision.every(_SHOW_SECONDS, self._record)

    def look(self) -> None:
        """The probe of the wait."""
        member = self._member
        self._seen = seen = _seen(self._operation, member, self._id)
        if seen.state is backups.State.UNKNOWN:
            self._begin()
            raise waiting.NotYet('it has not begun')
        if seen.state is backups.State.FAILED:
            raise member.failed(
                f'it cannot {seen.step.value}: {seen.failed_because}',
                seen.next_action or _AGAIN)
        if seen.token_refused:
            self._renew()
        self._show()
        if seen.state is not backups.State.COMPLETE:
            raise waiting.NotYet(backup_progress.describe(seen))

    def progress(self) -> Hashable:
        """A value that changes with each progress."""
        seen = self._seen
        return self._begun, seen.step, seen.data_bytes, seen.stored_bytes

    def _begin(self) -> None:
        """Start it, again if the guest agent was restarted meanwhile."""
        member = self._member
        if self._begun > _LOSSES_FORGIVEN:
            raise member.failed(
                f'its guest agent ended {self._begun} times while it restored '
                'the backup', f'Look at the log of the guest agent. {_AGAIN}')
        self._begun += 1
        row = rows_of_backups.get(self._id)
        chain = rows_of_backups.chain(row)
        store = self._store()
        LOG.info('Cluster %s: restoring the backup %s, of a chain of %d, on '
                 '%s', self._operation.cluster_id, self._id, len(chain),
                 member.name)
        self._operation.tell(member, functools.partial(
            member.guest.start_restore, backups.Restoring(
                self._id, store, tuple(one.location for one in chain))))
        self._token = store.token

    def _renew(self) -> None:
        """Send another token, because the store refuses that of the guest.

        :raises MemberFailed: there is no other one.
        """
        token, member = self._store().token, self._member
        if token == self._token:
            member.guest.cancel_backup(self._id)
            raise member.failed(
                'the object store refuses the token of the request, which '
                'has expired, and trove-taskmanager has no other one',
                'Have an operator set remote_swift_client to a client of '
                f"Trove's own account. {_AGAIN}")
        self._operation.tell(member, functools.partial(
            member.guest.renew_backup_token, self._id, token))
        self._token = token

    def _store(self) -> backups.Store:
        """The object store with a valid token; waits until it answers."""
        def probe() -> backups.Store:
            try:
                return rows_of_backups.store_of(
                    self._operation.context, rows_of_backups.get(self._id))
            except exceptions.BackupStoreFailed as failure:
                raise waiting.NotYet(str(failure)) from failure
        return self._operation.wait(
            probe, what='a token of the object store',
            seconds=self._member.options.verify_timeout,
            interval=_POLL_SECONDS)

    def _record(self) -> None:
        text = backup_progress.describe(self._seen)
        if text != self._shown_last:
            self._shown_last = text
            restores.show(self._operation.cluster_id,
                          restores.Restore(self._id, text))


def _restored(operation: Supervised, member: Member) -> bool:
    """Whether the member has the data of the backup."""
    return (operation.ask(member).started
            or _seen(operation, member, operation.found.backup_id).state
            is backups.State.COMPLETE)


def _seen(operation: Supervised, member: Member,
          backup_id: str) -> backups.Progress:
    return operation.tell(member, functools.partial(
        member.guest.backup_progress, backup_id))


def _restore(operation: Supervised, member: Member) -> None:
    run, options = _Run(operation, member,
                        operation.found.backup_id), member.options
    # The guest ends a restore without progress itself, with a reason.
    operation.wait(
        run.look, interval=_POLL_SECONDS, progress=run.progress,
        seconds=(options.backup_stall_timeout
                 + options.guest_silence_timeout))


def _record_root(operation: Supervised, member: Member) -> None:
    """Record that root is enabled, if the data of the backup has it."""
    if operation.tell(member, member.guest.is_root_enabled):
        for one in operation.members:
            root_models.RootHistory.create(operation.context, one.id)


RESTORE = workflow.Step(
    'restore', 'to have the data of the backup', 'backup_stall_timeout',
    _restored, _restore)
RECORD_ROOT = workflow.Step(
    'record root', 'to report whether root is enabled', 'verify_timeout',
    workflow.never, _record_root)
