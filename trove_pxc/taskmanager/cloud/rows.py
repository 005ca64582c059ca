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

"""The rows of running operations, read for all of them in one statement.

Imported by members and the engine. Each operation checks several times a
second whether its cluster is being deleted and whether a member has failed.
The checks of all operations of a taskmanager that are due at the same time
share one statement, so a hundred operations read as often as one.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import datetime
import threading
from typing import NamedTuple

import sqlalchemy
from trove.cluster import models as cluster_models
from trove.db.sqlalchemy import session as db_session
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance import tasks as instance_tasks

from trove_pxc import guest_statuses
from trove_pxc.protocols import InstanceTask
from trove_pxc.protocols import ServiceStatus
from trove_pxc import transient
from trove_pxc import waiting

Statuses = service_status.ServiceStatuses

# Seconds for which a cluster is read together with others that are due. It
# is longer than the pauses between two checks.
_REMEMBERED = 3.0


class Instance(NamedTuple):
    """The state of a member.

    :ivar status: that its guest last reported; None: the row is missing.
    :ivar server_id: None before Trove has created its server.
    :ivar begun: whether Trove has begun to create it.
    """

    task: InstanceTask
    status: ServiceStatus | None
    server_id: str | None
    begun: bool = True

    @property
    def prepared(self) -> bool:
        """Whether its guest was ever ready to be configured."""
        return self.status not in (None, *guest_statuses.UNPREPARED,
                                   *guest_statuses.FAILED)

    @property
    def untouched(self) -> bool:
        """Whether its guest has not begun to prepare."""
        return bool(self.status == Statuses.NEW)

    @property
    def complete(self) -> bool:
        """Whether it was ever a member of a complete cluster."""
        return self.status not in (None, *guest_statuses.INCOMPLETE)

    @property
    def healthy(self) -> bool:
        return bool(self.status == Statuses.HEALTHY)

    @property
    def described(self) -> str:
        """The status in words."""
        return str(getattr(self.status, 'description', 'unknown'))


class State(NamedTuple):
    """The state of a cluster, and of its members by their ids.

    :ivar task_id: the code of its task.
    :ivar updated: the value of its lease.
    :ivar members: those that are not deleted.
    """

    task_id: int
    updated: datetime.datetime
    members: Mapping[str, Instance]


#: by the ids of the clusters that are not deleted
States = Mapping[str, State]


class Reader:
    """Reads the states of clusters for parallel operations.

    :param read: reads the states of the clusters with these ids.
    """

    def __init__(self, read: Callable[[Iterable[str]], States]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._asked: dict[str, waiting.Stopwatch] = {}
        self._began = 0         # reads
        self._since = waiting.Stopwatch()
        self._covered: frozenset[str] = frozenset()
        self._states: States = {}
        self._error: Exception | None = None

    def state(self, cluster_id: str, age: float = 0.0) -> State | None:
        """Return the state of a cluster; None if it is deleted.

        :param age: the state may have been read so many seconds ago. 0: it is
            read after this call began.
        :raises trove_pxc.transient.KINDS: the database does not answer; also
            for the others that the same statement was for.
        """
        before = self._began
        with self._lock:
            self._asked[cluster_id] = waiting.Stopwatch()
            if cluster_id not in self._covered or not (
                    self._began > before or self._since.elapsed < age):
                self._read_all()
            if self._error is not None:
                raise self._error
            return self._states.get(cluster_id)

    def _read_all(self) -> None:
        """Read all clusters that were asked for lately."""
        self._covered = frozenset()
        self._asked = {
            cluster_id: asked for cluster_id, asked in self._asked.items()
            if asked.elapsed < _REMEMBERED}
        wanted = frozenset(self._asked)
        self._began += 1
        self._since = waiting.Stopwatch()
        self._error = None
        try:
            self._states = self._read(wanted)
        except transient.KINDS as error:
            self._error = error
        self._covered = wanted


def read(cluster_ids: Iterable[str]) -> dict[str, State]:
    """Read the states of clusters in one statement.

    It reaches the rows by the primary key of clusters, and by the indexes of
    the column cluster_id of instances and instance_id of service_statuses.
    """
    clusters = cluster_models.DBCluster
    instances = instance_models.DBInstance
    statuses = instance_models.InstanceServiceStatus
    statement = sqlalchemy.select(
        clusters.id, clusters.task_id, clusters.updated, instances.id,
        instances.task_id, instances.compute_instance_id,
        instances.task_start_time, statuses.status_id,
    ).select_from(clusters).outerjoin(
        instances, (instances.cluster_id == clusters.id)
        & instances.deleted.is_(False),
    ).outerjoin(
        statuses, statuses.instance_id == instances.id,
    ).where(clusters.id.in_(list(cluster_ids)), clusters.deleted.is_(False))
    # A session would send a second ROLLBACK or COMMIT.
    with db_session.get_engine().connect() as connection:
        rows = connection.execute(statement).all()
    found: dict[str, State] = {}
    members: dict[str, dict[str, Instance]] = {}
    for cluster_id, task_id, updated, instance_id, *values in rows:
        of_cluster = members.setdefault(cluster_id, {})
        found.setdefault(cluster_id, State(task_id, updated, of_cluster))
        if instance_id is not None:
            of_cluster[instance_id] = _instance(*values)
    return found


def _instance(task_id: int, server_id: str | None,
              began: datetime.datetime | None,
              status_id: int | None) -> Instance:
    return Instance(
        instance_tasks.InstanceTask.from_code(task_id),
        None if status_id is None
        else service_status.ServiceStatus.from_code(status_id), server_id,
        bool(began or server_id))


#: of this taskmanager
SHARED = Reader(read)


class Watch:
    """The state of one cluster, as its operation read it last."""

    def __init__(self, cluster_id: str) -> None:
        self._cluster_id = cluster_id
        self._last: State | None = None

    def read(self, age: float = 0.0) -> State | None:
        """Read the state; see Reader.state()."""
        self._last = SHARED.state(self._cluster_id, age)
        return self._last

    def last(self, instance_id: str) -> Instance | None:
        """The last state of a member; None if it was deleted."""
        return self._last and self._last.members.get(instance_id)
