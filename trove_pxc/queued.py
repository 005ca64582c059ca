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

"""The records of requests that wait in a taskmanager.

Imported by api/ and taskmanager/. A taskmanager accepts each request at once,
and keeps those in memory that it has no room for. It records the place of each
in the table of starts: that of an operation in the row of its cluster, and
that of the creation of an instance in a row of its own. While at least one
request waits, the taskmanager also updates one row that shows that its
process lives. If that row does not change any more, the process has died, and
other taskmanagers take what waited in it.

All that an operation needs is in Trove's tables. The parameters of a creation
are only in its message, so its text is stored too, in as many rows as it
needs.
"""

import bisect
from collections.abc import Collection
import datetime
from typing import NamedTuple
import uuid

from sqlalchemy import orm
from trove.common import cfg
from trove.common import timeutils
from trove.guestagent import models as agent_models

from trove_pxc import quotas
from trove_pxc import starts
from trove_pxc import waiting

CONF = cfg.CONF

#: begins all texts of this module
_OURS = 'pxc1-'
_LIVES = 'pxc1-lives:'
_IS_PART = 'pxc1-part:'
_PART = 240             # characters; the column of Trove's table has 255
_MOST_PARTS = 400       # nearly 100 KB
_NAMESPACE = uuid.UUID('6f1d0b52-4f0e-4b0e-9d0e-0d6a1f3c8f54')
#: after which the records of a process that ended are deleted
_OLD = datetime.timedelta(days=1)


@quotas.retried
def enter_operation(cluster_id: str, request_id: str,
                    place: starts.Place) -> None:
    """Record that an operation waits.

    Nothing is recorded if it was started meanwhile, or if the operation of the
    cluster is that of another request.
    """
    table = agent_models.AgentHeartBeat
    with quotas.transaction() as session:
        row = session.query(table).filter_by(instance_id=cluster_id).first()
        start = row and starts.Start.parse(row.guest_agent_version)
        if (not start or start.number
                or start.request != starts.plain(request_id)):
            return
        session.query(table).filter_by(
            id=row.id, guest_agent_version=row.guest_agent_version).update(
                {'guest_agent_version': start._replace(
                    host=str(CONF.host), place=place).text,
                 'updated_at': timeutils.utcnow()},
                synchronize_session=False)


@quotas.retried
def enter_creation(instance_id: str, place: starts.Place,
                   message: str) -> starts.Start:
    """Record that the creation of an instance waits.

    :param message: with which another taskmanager can create it, encrypted.
        '': it cannot.
    :returns: the record. Its request is the number of the message's parts;
        '0' if the message is too long to be stored.
    """
    table, now = agent_models.AgentHeartBeat, timeutils.utcnow()
    parts = [message[start:start + _PART]
             for start in range(0, len(message), _PART)]
    if len(parts) > _MOST_PARTS:
        parts = []
    start = starts.Start(0, str(len(parts)), host=str(CONF.host),
                         place=place)
    texts = {instance_id: start.text}
    texts.update(zip(_part_ids(instance_id, len(parts)),
                     (f'{_IS_PART}{part}' for part in parts)))
    with quotas.transaction() as session:
        session.add_all([
            table(id=row_id, instance_id=row_id, deleted=False,
                  guest_agent_version=text, updated_at=now)
            for row_id, text in texts.items()])
    return start


@quotas.retried
def leave(instance_id: str, start: starts.Start) -> str | None:
    """Delete the record of the creation of an instance.

    :param start: the record that must be there.
    :returns: the message; None if another taskmanager has the creation.
    """
    table = agent_models.AgentHeartBeat
    ids = _part_ids(instance_id, int(start.request))
    with quotas.transaction() as session:
        if not session.query(table).filter_by(
                id=instance_id, guest_agent_version=start.text).delete(
                    synchronize_session=False):
            return None
        if not ids:
            return ''
        query = session.query(table).filter(table.id.in_(ids))
        found = {str(row.id): str(row.guest_agent_version)
                 for row in query.all()}
        query.delete(synchronize_session=False)
    return ''.join(found[one].removeprefix(_IS_PART) for one in ids)


def creations() -> dict[str, starts.Start]:
    """The creations that wait, by the ids of the instances."""
    return {instance_id: start for instance_id, start in _waiting().items()
            if not start.task_id}


def place_of(instance_id: str) -> starts.Start | None:
    """The record of the creation of an instance; None if there is none."""
    row = agent_models.AgentHeartBeat.get_by(id=instance_id)
    return None if row is None else starts.Start.parse(
        row.guest_agent_version)


def before(ids: Collection[str]) -> dict[str, int]:
    """How many requests are before each of these that waits.

    One statement, whatever the number of ids.

    :param ids: of clusters and of instances that are created.
    :returns: without the ids of requests that do not wait.
    """
    places: dict[str, starts.Place] = {}
    queues: dict[tuple[str, ...], list[int]] = {}
    for one, start in _waiting().items():
        assert start.place is not None
        place = places[one] = start.place
        queues.setdefault((place.process, place.lane), []).append(
            place.number)
    for numbers in queues.values():
        numbers.sort()
    return {one: bisect.bisect_left(
        queues[places[one].process, places[one].lane], places[one].number)
        for one in ids if one in places}


@quotas.retried
def show_life(process: str, number: int) -> None:
    """Record that a process lives.

    :param number: another one than the last time.
    """
    with quotas.transaction() as session:
        _put(session, process, f'{_LIVES}{number}:{CONF.host}')


@quotas.retried
def show_no_life(process: str) -> None:
    """Delete the row of a process in which no request waits."""
    with quotas.transaction() as session:
        session.query(agent_models.AgentHeartBeat).filter_by(
            id=process).delete(synchronize_session=False)


@quotas.retried
def clean() -> None:
    """Delete records that no process needs any more, a day old or older."""
    table, limit = agent_models.AgentHeartBeat, timeutils.utcnow() - _OLD
    with quotas.transaction() as session:
        old = session.query(table).filter(
            table.updated_at < limit,
            table.guest_agent_version.startswith(_OURS)).all()
        ids = [row.id for row in old if not _is_of_operation(
            str(row.guest_agent_version))]
        if ids:
            session.query(table).filter(table.id.in_(ids)).delete(
                synchronize_session=False)


def _is_of_operation(text: str) -> bool:
    start = starts.Start.parse(text)
    return start is not None and bool(start.task_id)


def _waiting() -> dict[str, starts.Start]:
    """All requests that wait, by the ids of their clusters or instances."""
    table = agent_models.AgentHeartBeat
    found = {}
    for row in table.find_by_filter(filters=[
            table.guest_agent_version.startswith(starts.WAITS)]).all():
        start = starts.Start.parse(row.guest_agent_version)
        if start is not None and start.place is not None:
            found[str(row.instance_id)] = start
    return found


def _part_ids(instance_id: str, number: int) -> list[str]:
    """The ids of the rows with the parts of a message."""
    return [str(uuid.uuid5(_NAMESPACE, f'{instance_id}:{part}'))
            for part in range(number)]


class Sight(NamedTuple):
    """What was seen of a process.

    :ivar text: that of its row; None: it has no row.
    :ivar since: the first look at which it had this text.
    :ivar looks: their number, in which the text did not change.
    """

    text: str | None
    since: waiting.Stopwatch
    looks: int = 1


class Watched:
    """Measures, by the clock of this process, how long others showed no life.

    Processes are those of taskmanagers in which requests wait.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Sight] = {}

    def look(self, processes: Collection[str]) -> None:
        """Read the rows of these processes, with one statement."""
        table, told = agent_models.AgentHeartBeat, {}
        if processes:
            told = {str(row.id): str(row.guest_agent_version)
                    for row in table.find_by_filter(filters=[
                        table.id.in_(list(processes))]).all()}
        self._seen = {process: self._sight(process, told.get(process))
                      for process in processes}

    def is_silent(self, process: str, seconds: float, looks: int = 1) -> bool:
        """Whether its row was the same for a time and a number of looks.

        While the database does not answer, time passes, but nothing can be
        seen.
        """
        seen = self._seen[process]
        return bool(seen.since.elapsed >= seconds and seen.looks >= looks)

    def _sight(self, process: str, text: str | None) -> Sight:
        before = self._seen.get(process)
        if before is not None and before.text == text:
            return before._replace(looks=before.looks + 1)
        return Sight(text, waiting.Stopwatch())


def _put(session: orm.Session, row_id: str, text: str) -> None:
    """Insert or update a row, whose id is known.

    A SELECT decides; see starts.
    """
    table = agent_models.AgentHeartBeat
    values = {'guest_agent_version': text, 'updated_at': timeutils.utcnow()}
    query = session.query(table).filter_by(id=row_id)
    if query.first() is None:
        session.add(table(id=row_id, instance_id=row_id, deleted=False,
                          **values))
    else:
        query.update(values, synchronize_session=False)
