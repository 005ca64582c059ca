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

"""The backup that a cluster is created from, and the progress of its restore.

Imported by api/, taskmanager/ and starts. trove-api writes the id of the
backup in the transaction that records the request, so any taskmanager can
create the cluster, or resume its creation. The taskmanager adds the progress.
The record is deleted when the operation of the cluster ends.

Like the records of starts, it is a row of Trove's table ``agent_heartbeats``.
Its ``instance_id`` is derived from the id of the cluster, because that of the
cluster has the record of the request.
"""

from collections.abc import Iterable
import re
from typing import NamedTuple
from typing import Self
import uuid

from sqlalchemy import orm
from trove.common import timeutils
from trove.guestagent import models as agent_models

from trove_pxc import quotas

_NAMESPACE = uuid.UUID('2f6d3f0e-8a3c-4a55-9d0c-5b1f6c1f0a77')
_FORM = re.compile(r'pxc1restore:(?P<backup>[^:]+):(?P<progress>.*)',
                   re.DOTALL)
_TEXT_LENGTH = 255              # of the column in Trove's table


class Restore(NamedTuple):
    """The restore of a backup into a new cluster.

    :ivar backup_id: of Trove's row of the backup.
    :ivar progress: in words, as the taskmanager saw it the last time; '' if
        the restore has not begun.
    """

    backup_id: str
    progress: str = ''

    @property
    def text(self) -> str:
        """The text in the row: "pxc1restore:BACKUP:PROGRESS"."""
        return f'pxc1restore:{self.backup_id}:{self.progress}'[:_TEXT_LENGTH]

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Parse the text of a row; None if it is another text."""
        found = _FORM.fullmatch(text or '')
        return found and cls(found['backup'], found['progress'])


def row_id(cluster_id: str) -> str:
    """The id of the row with the record of a cluster."""
    return str(uuid.uuid5(_NAMESPACE, cluster_id))


def request(session: orm.Session, cluster_id: str, backup_id: str) -> None:
    """Record that a cluster is created from a backup.

    Called in the transaction that records the request.
    """
    row = row_id(cluster_id)
    session.add(agent_models.AgentHeartBeat(
        id=row, instance_id=row, deleted=False,
        guest_agent_version=Restore(backup_id).text,
        updated_at=timeutils.utcnow()))


def of(cluster_ids: Iterable[str]) -> dict[str, Restore]:
    """The restores of clusters, by their ids; one statement for all."""
    rows = {row_id(one): one for one in cluster_ids}
    if not rows:
        return {}
    table, found = agent_models.AgentHeartBeat, {}
    for row in table.find_by_filter(
            filters=[table.instance_id.in_(list(rows))]).all():
        restore = Restore.parse(row.guest_agent_version)
        if restore is not None:
            found[rows[str(row.instance_id)]] = restore
    return found


@quotas.retried
def show(cluster_id: str, restore: Restore) -> None:
    """Record the progress of a restore, unless its record was deleted."""
    with quotas.transaction() as session:
        session.query(agent_models.AgentHeartBeat).filter_by(
            id=row_id(cluster_id)).update(
                {'guest_agent_version': restore.text,
                 'updated_at': timeutils.utcnow()},
                synchronize_session=False)
