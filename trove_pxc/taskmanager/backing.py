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

"""Makes and deletes backups of members.

Imported by manager and watchers/unfinished. The guest does the work, and
continues without a taskmanager. One taskmanager follows it, and has the right
to write the row; see trove_pxc/backups. No task of the cluster is set: a
backup and an operation of the cluster run at the same time, and an operation
that stops the server of the member ends the backup.
"""

from collections.abc import Callable
from collections.abc import Mapping
import datetime

from oslo_log import log as logging
from trove.backup.state import BackupState
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.common import notification
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from trove_pxc import backups as rows
from trove_pxc import exceptions
from trove_pxc.galera import backup_text
from trove_pxc.galera import backups
from trove_pxc.galera import errors
from trove_pxc.galera import secret
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.taskmanager.cloud.guest import Guest
from trove_pxc.taskmanager import tasks
from trove_pxc import transient
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_SIGNS = 6              # renewals in the seconds of a lease
_END_SECONDS = 60       # a cancelled backup deletes what it has stored
_GIB = 1 << 30
_SILENT = (exception.GuestTimeout, exception.GuestError)
_NOT_WRITTEN: tuple[type[Exception], ...] = (
    exceptions.LeaseLost, *transient.DATABASE)
_AGAIN = 'Make the backup again'
_HEALTH = ('Check the member with "openstack database cluster health show", '
           'then make the backup again')
_NO_TOKEN = (
    'the object store refuses the token of the request, which has expired, '
    'and trove-taskmanager has no other one',
    'Have an operator set remote_swift_client to a client of Trove\'s own '
    f'account. {_AGAIN}')


def create(context: Context, backup_id: str,
           seen: datetime.datetime | None = None) -> None:
    """Make a backup, or go on with that of a taskmanager that has died.

    Nothing is done if another taskmanager makes it, or it has ended.

    :param seen: as for trove_pxc.backups.Held.take().
    :raises StepFailed: it failed; the reason is in its row.
    """
    with notification.EndNotification(context, backup_id=backup_id):
        held = rows.Held.take(backup_id, seen)
        if held is None:
            LOG.info('The backup %s was started before, or has ended',
                     backup_id)
            tasks.tell_nothing(context)
            return
        making = _Making(context, rows.get(backup_id), held)
        with waiting.Regularly(making.options.operation_lease / _SIGNS,
                               making.renew):
            making.run()


def delete(context: Context, backup_id: str) -> None:
    """Delete the objects of a backup whose row is deleted.

    If the object store does not answer, the watcher repeats it.
    """
    with notification.EndNotification(context, backup_id=backup_id):
        clean(context, rows.any_row(backup_id))


def clean(context: Context, row: rows.Row) -> None:
    """End a backup that failed or was deleted, and delete its objects.

    :raises BackupStoreFailed: some may be left.
    """
    if row.location is None:
        return
    member = instance_models.DBInstance.get_by(
        id=row.instance_id, deleted=False)
    if member is not None and not rows.was_complete(row):
        end_on_guest(_guest(context, member), row.id)
    rows.remove_objects(context, row)
    rows.forget(row)


def end_on_guest(guest: Guest, backup_id: str) -> None:
    """Cancel a backup, and wait until it has deleted what it stored.

    A guest that does not answer, or does not end it, is not waited for.
    """
    def probe() -> None:
        if not guest.backup_progress(backup_id).ended:
            raise waiting.NotYet('it runs')
    try:
        guest.cancel_backup(backup_id)
        waiting.until(f'the end of the backup {backup_id}', probe,
                      _END_SECONDS, 1)
    except (*_SILENT, exceptions.DeadlineExceeded) as failure:
        LOG.warning('The backup %s could not be ended on its member: %s',
                    backup_id, failure)


class _Making:
    """One backup, as long as this taskmanager has the right to make it."""

    def __init__(self, context: Context, row: rows.Row,
                 held: rows.Held) -> None:
        self._context = context
        self._row = row
        self._held = held
        self._member: InstanceRow = instance_models.DBInstance.find_by(
            id=row.instance_id)
        manager = row.datastore_version.manager
        self.options = CONF.get(manager)
        self._guest: Guest = _guest(context, self._member)
        self._token: secret.Secret | None = None
        self._silent = waiting.Stopwatch()
        self._text = row.description

    def run(self) -> None:
        """Make it to its end."""
        try:
            result = self._made()
            self._complete(result)
        except exceptions.LeaseLost as lost:
            LOG.info('%s', lost)
            tasks.tell_nothing(self._context)
            self._abandon()
        except exceptions.StepFailed as failure:
            self._fail(failure)
            raise

    def renew(self) -> None:
        """Renew the right; the next write finds out that it is lost."""
        try:
            self._held.write()
        except _NOT_WRITTEN as failure:
            LOG.info('%s', failure)

    def _made(self) -> backups.Result:
        seen = self._ask()
        if seen is not None and seen.state is backups.State.UNKNOWN:
            self._start()
        while True:
            waiting.pause(self.options.backup_poll_interval)
            try:
                self._stop_if_gone()
                seen = self._ask()
                if seen is not None and seen.state is backups.State.COMPLETE:
                    assert seen.result is not None
                    return seen.result
                if seen is not None:
                    self._consider(seen)
            except transient.DATABASE as failure:
                LOG.warning('The backup %s: %s; going on', self._row.id,
                            failure)

    def _consider(self, seen: backups.Progress) -> None:
        """Record the progress.

        :raises StepFailed: it has failed.
        """
        if seen.state is backups.State.UNKNOWN:
            raise self._failed(
                backups.Step.COPY.value,
                f'the guest agent of {self._member.name} was restarted',
                _AGAIN)
        if seen.state is backups.State.FAILED:
            raise self._failed(seen.step.value, seen.failed_because,
                               seen.next_action or _AGAIN)
        if seen.token_refused:
            self._renew_token()
        text = backup_text.progress(self._row.description, seen)
        if text != self._text:
            self._held.write(description=text)
            self._text = text

    def _start(self) -> None:
        """Order it from the guest; what an earlier try stored is deleted."""
        step = backups.Step.CHECK.value
        try:
            store = rows.store_of(self._context, self._row)
            rows.remove_objects(self._context, self._row)
            parent = self._parent()
        except exceptions.BackupStoreFailed as failure:
            raise self._failed(
                backups.Step.STORE.value, str(failure),
                f'Check the object store. {_AGAIN}') from failure
        self._token = store.token
        order = backups.Order(
            self._row.id, store, parent, self.options.backup_rate_mb or None,
            self.options.backup_encryption, self._metadata())
        try:
            self._guest.start_backup(order)
        except exception.GuestTimeout as silence:
            LOG.info('The backup %s: %s', self._row.id, silence)
        except exception.GuestError as refusal:
            raise self._failed(step, str(refusal), _HEALTH) from refusal
        LOG.info('The backup %s runs on %s', self._row.id, self._member.name)

    def _parent(self) -> backups.Parent | None:
        if self._row.parent_id is None:
            return None
        try:
            parent = rows.get(self._row.parent_id)
            rows.chain(parent)
            result, _ = rows.stored(self._context, parent)
        except (exceptions.BackupUnusable, errors.Unusable) as broken:
            raise self._failed(
                backups.Step.CHECK.value, 'it cannot build on its parent '
                f'{self._row.parent_id}: {broken}',
                'Make a full backup') from broken
        return result.as_parent()

    def _metadata(self) -> Mapping[str, str]:
        cluster = cluster_models.DBCluster.find_by(id=self._member.cluster_id)
        members = instance_models.DBInstance.find_all(
            cluster_id=cluster.id, deleted=False).count()
        return {'name': self._row.name, 'cluster': cluster.name,
                'cluster-id': cluster.id, 'member': self._member.name,
                'member-id': self._member.id, 'members': str(members)}

    def _ask(self) -> backups.Progress | None:
        """The progress; None if the guest does not answer."""
        try:
            seen = self._guest.backup_progress(self._row.id)
        except _SILENT as failure:
            seconds = self.options.guest_silence_timeout
            if self._silent.elapsed < seconds:
                return None
            raise self._failed(
                'follow the backup',
                f'the guest of {self._member.name} has not answered for '
                f'{seconds:g} s: {failure}', _HEALTH) from failure
        self._silent = waiting.Stopwatch()
        return seen

    def _stop_if_gone(self) -> None:
        """:raises StepFailed: the member or its cluster is being removed."""
        row = instance_models.DBInstance.find_by(id=self._member.id)
        cluster = cluster_models.DBCluster.get_by(
            id=row.cluster_id, deleted=False)
        if cluster is None or cluster.task_status == ClusterTasks.DELETING:
            raise self._failed(
                'continue', 'its cluster is being deleted',
                'Nothing is to be done')
        if row.deleted or row.task_status == InstanceTasks.DELETING:
            raise self._failed(
                'continue', f'{row.name} is being removed from its cluster',
                'Make a backup of another member')

    def _renew_token(self) -> None:
        """Send another token, because the store refuses that of the guest."""
        try:
            token = rows.store_of(self._context, self._row).token
        except exceptions.BackupStoreFailed as failure:
            LOG.warning('The backup %s needs a token: %s', self._row.id,
                        failure)
            return      # the guest waits for it, but not for ever
        if token == self._token:
            raise self._failed(backups.Step.STORE.value, *_NO_TOKEN)
        try:
            self._guest.renew_backup_token(self._row.id, token)
        except _SILENT as failure:
            LOG.info('The backup %s: %s', self._row.id, failure)
        else:
            self._token = token

    def _complete(self, result: backups.Result) -> None:
        etag = ''
        try:
            _, etag = rows.stored(self._context, self._row)
        except errors.Unusable as lost:
            raise self._failed(backups.Step.STORE.value, str(lost),
                               f'Check the object store. {_AGAIN}') from lost
        except exceptions.BackupStoreFailed as failure:
            LOG.warning('The backup %s has no checksum: %s', self._row.id,
                        failure)
        cluster = cluster_models.DBCluster.find_by(id=self._member.cluster_id)
        self._held.write(
            state=BackupState.COMPLETED, location=result.location,
            size=max(round(result.data_bytes / _GIB, 2), 0.01),
            checksum=etag or None, description=backup_text.complete(
                self._row.description, cluster.name, self._member.name,
                result))
        LOG.info('The backup %s of %s is complete', self._row.id,
                 self._member.name)

    def _fail(self, failure: exceptions.StepFailed) -> None:
        """Leave nothing behind, then record the failure."""
        end_on_guest(self._guest, self._row.id)
        location: str | None = self._row.location
        try:
            rows.remove_objects(self._context, self._row)
            location = None
        except exceptions.BackupStoreFailed as left:
            LOG.warning('Objects of the backup %s may be left: %s. They are '
                        'deleted later', self._row.id, left)
        try:
            self._held.write(
                state=BackupState.FAILED, location=location,
                description=backup_text.failed(
                    self._row.description,
                    f'cannot {failure.step}: {failure.cause}. Next: '
                    f'{failure.next_action}'))
        except exceptions.LeaseLost as lost:
            LOG.info('%s', lost)

    def _abandon(self) -> None:
        """End it, unless another taskmanager makes it."""
        row = rows.any_row(self._row.id)
        if row.deleted or not row.is_running:
            try:
                clean(self._context, row)
            except exceptions.BackupStoreFailed as left:
                LOG.warning('Objects of the backup %s may be left: %s. They '
                            'are deleted later', self._row.id, left)

    def _failed(self, step: str, cause: str,
                advice: str) -> exceptions.StepFailed:
        return exceptions.StepFailed(
            f'backup {self._row.name} ({self._row.id})', step, cause, advice)


def _guest(context: Context, member: InstanceRow) -> Guest:
    version = datastore_models.DBDatastoreVersion.find_by(
        id=member.datastore_version_id)
    client: Guest = clients.create_guest_client(
        context, member.id, version.manager)
    return client


#: the casts that Trove's manager has no method for
ACTIONS: Mapping[str, Callable[..., None]] = {
    'create_cluster_backup': create, 'delete_cluster_backup': delete}
