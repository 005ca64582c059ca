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

"""Detects that the creation of an instance was interrupted.

Imported by formation and manager. A taskmanager creates each instance of a
cluster, with parameters that are only in an RPC message and in its memory. If
it dies, the instance stays BUILDING and cannot be completed. Unlike a slow
creation, an interrupted one makes no progress. A creation whose message waits
in the queue makes no progress either, so the taskmanager that begins it writes
the time into the row of the instance. Trove has the column, but no code that
uses it.
"""

import datetime
from typing import NamedTuple

from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.common import timeutils
from trove.instance import models as instance_models

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.protocols import InstanceRow
from trove_pxc import queued
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc import transient
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

# Leases without a sign of life, after which the creations that wait in a
# taskmanager are lost, and the looks at it in this time.
_LOST = 3
_LOOKS = 9
_CUT_SHORT = ('the taskmanager died while it created the instance, and its '
              'parameters are lost')


class Signs(NamedTuple):
    """What shows the progress of a creation."""

    updated: datetime.datetime | None
    ports: frozenset[str]
    volumes: frozenset[tuple[str, str]]


def begin(instance_id: str) -> None:
    """Record that this taskmanager begins to create an instance.

    :raises ClusterBeingDeleted: then the instance must not be created,
        because nothing would delete its resources.
    :raises LeaseLost: another taskmanager has begun to create it.
    """
    table = instance_models.DBInstance
    try:
        row = table.get_by(id=instance_id)
        if row is None or row.deleted or _is_being_deleted(row.cluster_id):
            raise exceptions.ClusterBeingDeleted(
                f'instance {instance_id} is not created, because its cluster '
                'is being deleted')
        with table.query() as query:
            begun = query.filter_by(
                id=instance_id, task_start_time=None).update(
                    {'task_start_time': timeutils.utcnow()})
    except transient.DATABASE as error:
        LOG.warning('The beginning of the creation of instance %s could not '
                    'be recorded: %s', instance_id, error)
        return
    if not begun:
        raise exceptions.LeaseLost(
            f'instance {instance_id} is not created on this host: another '
            'taskmanager has begun to create it')


def _is_being_deleted(cluster_id: str | None) -> bool:
    row = cluster_models.DBCluster.get_by(id=cluster_id)
    return row is None or row.deleted or (
        row.task_status == ClusterTasks.DELETING)


class Creation:
    """Follows the creation of one instance, which may be interrupted."""

    def __init__(self, member: members.Member) -> None:
        self._member = member
        self._signs: Signs | None = None
        self._quiet = waiting.Stopwatch()
        self._unprepared: waiting.Stopwatch | None = None
        self._queued = waiting.Stopwatch()
        self._watched = queued.Watched()
        self._looked: waiting.Stopwatch | None = None
        self._checks = 0
        self._begun = False

    def queued(self, seen: rows.Instance) -> int:
        """Return a number that changes until the creation has begun.

        :param seen: the state of the member in Trove's tables.
        :raises MemberFailed: if the taskmanager in which it waited has died,
            or if it has not begun for creation_start_timeout seconds.
        """
        if not self._begun:
            self._checks += 1
            self._begun = seen.begun
            limit = self._member.options.creation_start_timeout
            if not self._begun and self._queued.elapsed >= limit:
                raise self._member.failed(
                    f'Trove did not begin to create it within {limit} s: its '
                    'request was lost, or it still waits in a taskmanager')
            if not self._begun:
                self._check_not_lost()
        return self._checks

    def _check_not_lost(self) -> None:
        """Check the taskmanager in which the creation waits, if it is known.

        :raises MemberFailed: it has died.
        """
        limit = _LOST * float(self._member.options.operation_lease)
        if (self._looked is not None
                and self._looked.elapsed < limit / _LOOKS):
            return
        self._looked = waiting.Stopwatch()
        start = queued.place_of(self._member.id)
        if start is None or start.place is None or start.request != '0':
            return      # another taskmanager takes it, if it is stored
        self._watched.look([start.place.process])
        if self._watched.is_silent(start.place.process, limit, _LOOKS):
            raise self._member.failed(
                f'its request was lost: the taskmanager on {start.host}, in '
                f'which it waited, showed no life for {limit:g} s')

    def look(self) -> None:
        """Check for progress in the cloud.

        :raises MemberFailed: if it has no server, was begun, and there was no
            progress for creation_stall_timeout seconds.
        """
        member = self._member
        row = member.row()
        if row.compute_instance_id:
            return
        signs = self._seen_in_cloud(row)
        if signs != self._signs or not (
                row.task_start_time or signs.ports or signs.volumes):
            self._signs, self._quiet = signs, waiting.Stopwatch()
        elif self._quiet.elapsed >= member.options.creation_stall_timeout:
            raise member.failed(
                f'it has no server: {_CUT_SHORT}')

    def ask(self) -> None:
        """Check whether a guest that runs was called to prepare.

        :raises MemberFailed: if it runs and has not begun to prepare for
            creation_stall_timeout seconds.
        """
        if not self._member.untouched():
            self._unprepared = None
            return
        if self._unprepared is None:
            if self._answers():
                self._unprepared = waiting.Stopwatch()
        elif (self._unprepared.elapsed
              >= self._member.options.creation_stall_timeout):
            raise self._member.failed(
                f'its guest runs but was never called to prepare: '
                f'{_CUT_SHORT}')

    def _answers(self) -> bool:
        try:
            report = self._member.guest.member_report()
        except (exception.GuestTimeout, exception.GuestError):
            return False
        return isinstance(report, view.MemberReport)

    def _seen_in_cloud(self, row: InstanceRow) -> Signs:
        member = self._member
        name = f'trove-{member.id}'
        ports = member.neutron.list_ports(name=name)['ports']
        volumes = member.cinder.volumes.list(search_opts={'name': name})
        return Signs(
            row.updated, frozenset(port['id'] for port in ports),
            frozenset((volume.id, volume.status) for volume in volumes))
