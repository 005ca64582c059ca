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

"""Goes on with the backups of taskmanagers that have died.

Imported by manager. The guest has gone on meanwhile. A backup that no
taskmanager has started may still be in the message broker or in a queue, so it
is started only after a much longer time. What failed or deleted backups have
left in the object store, because it did not answer, is deleted later.
"""

import datetime
import functools
from typing import NamedTuple

from oslo_log import log as logging
from trove.backup.state import BackupState
from trove.common import cfg
from trove.common import context as trove_context
from trove.common import notification

from trove_pxc import backups as rows
from trove_pxc import exceptions
from trove_pxc.protocols import Context
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager import backing
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class Sight(NamedTuple):
    """What was seen of a backup, and since when it is unchanged."""

    state: str
    updated: datetime.datetime
    since: waiting.Stopwatch


class Unfinished:
    """Checks all backups each time that look() is called.

    :param queues: those in which backups wait.
    """

    def __init__(self, queues: admission.Admission) -> None:
        self._queues = queues
        self._seen: dict[str, Sight] = {}
        self._running: dict[str, admission.Request] = {}

    def look(self) -> None:
        """Go on with those whose row has not changed for too long."""
        found = {row.id: row for row in rows.unfinished()
                 if row.is_running and not row.deleted}
        self._seen = {one: self._sight(row) for one, row in found.items()}
        self._running = {one: request for one, request
                         in self._running.items() if request.is_alive()}
        for one, sight in self._seen.items():
            if one not in self._running and _due(found[one], sight):
                LOG.warning('The backup %s: no taskmanager has changed its '
                            'row for %g s; going on with it on this host',
                            one, sight.since.elapsed)
                self._running[one] = self._queues.admit_backup(
                    admission.BACKUPS, one, functools.partial(
                        backing.create, _context(found[one]), one,
                        sight.updated))

    def clean(self) -> None:
        """Delete the objects of backups that failed or were deleted."""
        for row in rows.unfinished():
            if row.deleted or row.state == BackupState.FAILED:
                try:
                    backing.clean(_context(row), row)
                except exceptions.BackupStoreFailed as failure:
                    LOG.warning('Objects of the backup %s are left: %s',
                                row.id, failure)

    def _sight(self, row: rows.Row) -> Sight:
        before = self._seen.get(row.id)
        now = row.state, row.updated
        if before is not None and before[:2] == now:
            return before
        return Sight(*now, waiting.Stopwatch())


def _due(row: rows.Row, sight: Sight) -> bool:
    options = CONF.get(row.datastore_version.manager)
    return bool(sight.since.elapsed >= (
        options.operation_start_timeout if sight.state == BackupState.NEW
        else options.operation_lease))


def _context(row: rows.Row) -> Context:
    """A context of Trove's service account for the project of a backup."""
    made: Context = trove_context.TroveContext(
        user_id=CONF.service_credentials.username, project_id=row.tenant_id,
        user_domain_name=CONF.service_credentials.user_domain_name,
        is_admin=True, overwrite=False)
    made.notification = notification.DBaaSBackupCreate(
        made, request_id=made.request_id, server_type='taskmanager',
        tenant_id=row.tenant_id, client_ip=CONF.host, server_ip=CONF.host)
    return made
