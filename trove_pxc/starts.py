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

"""The request and the holder of the operation of a cluster.

Imported by api/, taskmanager/ and pending. trove-api writes the id of the
request when it sets the task of a cluster. The taskmanager that starts the
operation adds itself, as the holder. So an operation that waits in the queue
is told apart from one whose taskmanager has died, and a cast of another
request is refused. A taskmanager that keeps a request until it has room for it
writes its place in the queue; see queued.

The record is a row of Trove's table ``agent_heartbeats``, with the id of the
cluster as ``instance_id``. Trove has the table, but no code that writes it.
A release before this one ignores the record and does not write it. A record
of another task than that of the cluster is therefore from an earlier
operation, and counts as no record.
"""

from collections.abc import Mapping
import datetime
import re
from typing import NamedTuple
from typing import Self
import uuid

from sqlalchemy import orm
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.common import timeutils
from trove.guestagent import models as agent_models

from trove_pxc import exceptions
from trove_pxc.protocols import ClusterTask
from trove_pxc import quotas
from trove_pxc import restores

CONF = cfg.CONF

#: begins the text of a request that waits in a taskmanager
WAITS = 'pxc1-waits:'

_FORM = re.compile(r'pxc1:(?P<task>\d+):(?P<request>[^:]*):(?P<number>\d+):'
                   r'(?P<host>.*)', re.DOTALL)
_FORM_WAITING = re.compile(
    WAITS + r'(?P<process>\w+):(?P<lane>\w+):(?P<place>\d+):'
    r'(?P<task>\d+):(?P<request>[^:]*):(?P<host>.*)', re.DOTALL)
_REQUEST_LENGTH = 64
_HOST_LENGTH = 128              # the column of Trove's table has 255


class Place(NamedTuple):
    """The place of a request in the queue of a taskmanager.

    :ivar process: the id of the process of the taskmanager.
    :ivar lane: the queue in it; see taskmanager/admission.
    :ivar number: requests with lower numbers in the same queue are before it.
    """

    process: str
    lane: str
    number: int


class Start(NamedTuple):
    """A requested operation, and who has started it.

    :ivar task_id: the code of the cluster's task; 0 for the creation of an
        instance.
    :ivar request: the id of the request to trove-api; '' if unknown.
    :ivar number: how many times it was started or resumed. 0: not yet.
    :ivar host: where it was started or resumed the last time, or waits.
    :ivar place: where it waits. None: it was started, or no taskmanager has
        recorded that it waits.
    """

    task_id: int
    request: str
    number: int = 0
    host: str = ''
    place: Place | None = None

    @property
    def text(self) -> str:
        """The text in the row: "pxc1:TASK:REQUEST:NUMBER:HOST".

        For a request that waits in a taskmanager:
        "pxc1-waits:PROCESS:LANE:PLACE:TASK:REQUEST:HOST".
        """
        if self.place is not None:
            return (f'{WAITS}{self.place.process}:{self.place.lane}:'
                    f'{self.place.number}:{self.task_id}:'
                    f'{plain(self.request)}:{self.host[:_HOST_LENGTH]}')
        return (f'pxc1:{self.task_id}:{plain(self.request)}:{self.number}:'
                f'{self.host[:_HOST_LENGTH]}')

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Parse the text of a row; None if it is another text."""
        found = _FORM_WAITING.fullmatch(text or '')
        if found is not None:
            return cls(
                int(found['task']), found['request'], host=found['host'],
                place=Place(found['process'], found['lane'],
                            int(found['place'])))
        found = _FORM.fullmatch(text or '')
        if found is None:
            return None
        return cls(int(found['task']), found['request'],
                   int(found['number']), found['host'])

    def check(self, request: str) -> None:
        """Raise unless a cast of this request may start the operation.

        :param request: the id of the request; '' for an operation without
            parameters, which any request starts.
        :raises LeaseLost: it was started, or is that of another request.
        """
        if self.number:
            raise exceptions.LeaseLost(
                f'it was started before, by the taskmanager on {self.host}')
        if request and self.request and plain(request) != self.request:
            raise exceptions.LeaseLost(
                f'the request {request} is over; the operation is that of '
                f'the request {self.request}')


def plain(request: str) -> str:
    """The id of a request, as it is written and compared."""
    return request.replace(':', '-')[:_REQUEST_LENGTH]


def request(session: orm.Session, cluster_id: str, task: ClusterTask,
            request_id: str) -> None:
    """Record that an operation is requested and not started.

    Called in the transaction that sets the task of the cluster, after it.
    """
    _write(session, cluster_id, Start(task.code, request_id))


def forget(session: orm.Session, cluster_id: str) -> None:
    """Delete the records of a cluster, whose operation has ended.

    One of them is that of a restore; see restores.
    """
    table = agent_models.AgentHeartBeat
    for row in session.query(table).filter(table.instance_id.in_(
            [cluster_id, restores.row_id(cluster_id)])).all():
        session.query(table).filter_by(id=row.id).delete(
            synchronize_session=False)


def of(task_ids: Mapping[str, int]) -> dict[str, Start]:
    """The records of clusters, by their ids; one statement for all.

    :param task_ids: the codes of the tasks of the clusters, by their ids.
    """
    if not task_ids:
        return {}
    table = agent_models.AgentHeartBeat
    found = {}
    for row in table.find_by_filter(
            filters=[table.instance_id.in_(list(task_ids))]).all():
        start = Start.parse(row.guest_agent_version)
        if start is not None and start.task_id == task_ids[row.instance_id]:
            found[str(row.instance_id)] = start
    return found


@quotas.retried
def begin(cluster_id: str, task: ClusterTask, seen: datetime.datetime,
          value: datetime.datetime, wanted: str | None) -> bool:
    """Write the holder and the first value of its lease.

    The compare-and-set of the lease locks the row of the cluster, so the
    record cannot change before the end of the transaction.

    :param seen: the value of the lease that must be in the row.
    :param value: the new value.
    :param wanted: the id of the request of a cast; see Start.check(). None:
        also take it from a holder, whose lease has expired.
    :returns: False if the row has another value or another task.
    :raises LeaseLost: see Start.check(). Then nothing was written.
    """
    with quotas.transaction() as session:
        if not session.query(cluster_models.DBCluster).filter_by(
                id=cluster_id, deleted=False, updated=seen,
                task_id=task.code).update({'updated': value}):
            return False
        row = _row(session, cluster_id)
        before = None if row is None else Start.parse(row.guest_agent_version)
        if before is None or before.task_id != task.code:
            before = Start(task.code, wanted or '')
        elif wanted is not None:
            before.check(wanted)
        _write(session, cluster_id, before._replace(
            number=before.number + 1, host=str(CONF.host), place=None))
    return True


def _row(session: orm.Session,
         cluster_id: str) -> agent_models.AgentHeartBeat | None:
    return session.query(agent_models.AgentHeartBeat).filter_by(
        instance_id=cluster_id).first()


def _write(session: orm.Session, cluster_id: str, start: Start) -> None:
    """Insert or update the record.

    A SELECT decides. An UPDATE without a row would lock a gap of the index in
    InnoDB, and parallel requests for other clusters would deadlock.
    """
    values = {'guest_agent_version': start.text,
              'updated_at': timeutils.utcnow()}
    row = _row(session, cluster_id)
    if row is None:
        session.add(agent_models.AgentHeartBeat(
            id=str(uuid.uuid4()), instance_id=cluster_id, deleted=False,
            **values))
    else:
        session.query(agent_models.AgentHeartBeat).filter_by(
            id=row.id).update(values, synchronize_session=False)
