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

"""The pending operations of the members of a cluster.

trove-api writes them, and the operations read and remove them. They are stored
in the description of an instance's task in Trove's table, so that another
taskmanager, which did not get the request, can resume an operation. Those of a
grow or shrink are in the rows of the members that stay, because Trove writes
to the rows of the members that join or leave. The pending operation of a
resize has the amount by which it changed the use of the quota. Both are
written and removed in one transaction.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import re
from typing import NamedTuple
from typing import Self

from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import clients
from trove.common import timeutils
from trove.instance import models as instance_models

from trove_pxc.galera import naming
from trove_pxc.protocols import ClusterTask
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc import quotas
from trove_pxc import starts

LOG = logging.getLogger(__name__)

RESTART = 'restart'
FLAVOR = 'flavor'
VOLUME = 'volume'
RECOVER = 'recover'
FORCE = 'force'
GROW = 'grow'
SHRINK = 'shrink'
CERTIFICATES = 'certificates'

_FORM = re.compile(r'pxc1:(?P<action>[a-z]+)(?P<taken>[+-]\d+)?'
                   r'(?::(?P<value>.+))?', re.DOTALL)
_WITHOUT_VALUE = (RESTART, RECOVER, CERTIFICATES)
_ACTIONS = (*_WITHOUT_VALUE, FLAVOR, VOLUME, FORCE, GROW, SHRINK)
#: the form before pxc1: the texts before and after the value
_SENTENCE = 'Ordered: '
_SENTENCES = {
    RESTART: ('a restart', ''), FLAVOR: ('the flavor ', ''),
    VOLUME: ('a volume of ', ' GB'), RECOVER: ('a recovery', ''),
    FORCE: ('a recovery, by force from ', ''),
    GROW: ('to let in all members from number ', ' on'),
    SHRINK: ('to stay without ', ''), CERTIFICATES: ('new certificates', '')}
_SENTENCE_TAKEN = re.compile(r'(.+) \(([+-]\d+) MB of ram\)', re.DOTALL)
_COUNTED = {FLAVOR: 'ram', VOLUME: 'volumes'}   # resources of the quota
_ID_LENGTH = 8                  # enough to identify a member of a cluster
_TEXT_LENGTH = 255              # of the column in Trove's table


@dataclasses.dataclass(frozen=True)
class Order:
    """One pending operation.

    :ivar action: RESTART, FLAVOR, VOLUME, RECOVER, FORCE, GROW, SHRINK or
        CERTIFICATES.
    :ivar value: the flavor's id, the volume's size in GB, the id of the member
        to bootstrap from, the number of the first new member, or the first
        characters of the ids of the members that leave.
    :ivar taken: for FLAVOR, the MB of ram by which it changed the use of the
        quota. None: not stored. It may differ from member to member, and is
        ignored in comparisons.
    """

    action: str
    value: str = ''
    taken: int | None = dataclasses.field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The text in the instance's row.

        "pxc1:ACTION", followed by ":VALUE" if the action has a value. The
        change of the quota follows the action: "pxc1:flavor+512:7".
        """
        taken = '' if self.taken is None else f'{self.taken:+d}'
        value = f':{self.value}' if self.value else ''
        return f'pxc1:{self.action}{taken}{value}'

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Parse the text of a row; None if it is another text."""
        found = _FORM.fullmatch(text or '')
        if found is None:
            return cls._parse_sentence(text or '')
        action, value = found['action'], found['value'] or ''
        if action not in _ACTIONS or (
                bool(value) is (action in _WITHOUT_VALUE)):
            return None
        return cls(action, value, int(found['taken'])
                   if action == FLAVOR and found['taken'] else None)

    @classmethod
    def _parse_sentence(cls, text: str) -> Self | None:
        """Parse a text of a release before the form pxc1."""
        if not text.startswith(_SENTENCE):
            return None
        ordered = text.removeprefix(_SENTENCE)
        for action, (before, behind) in _SENTENCES.items():
            value = ordered.removeprefix(before).removesuffix(behind)
            if f'{before}{value}{behind}' == ordered and (
                    bool(value) is (action not in _WITHOUT_VALUE)):
                kept = (_SENTENCE_TAKEN.fullmatch(value)
                        if action == FLAVOR else None)
                return (cls(action, kept[1], int(kept[2])) if kept
                        else cls(action, value))
        return None


def recovery(force: str | None) -> Order:
    """:param force: id of the member that the operator has chosen, or None."""
    return Order(RECOVER) if force is None else Order(FORCE, force)


def shrinking(instance_ids: Iterable[str]) -> Order | None:
    """Return the pending operation of a shrink; None if it is too long."""
    order = Order(SHRINK, ', '.join(
        sorted(one[:_ID_LENGTH] for one in instance_ids)))
    return order if len(order.text) <= _TEXT_LENGTH else None


def joining(order: Order, cluster_name: str,
            rows: Iterable[InstanceRow]) -> list[str] | None:
    """Return the ids of the new members, of all rows; None if unknown."""
    found = []
    for row in rows:
        if of(row) == order:
            continue            # an old member
        number = naming.number_of(cluster_name, row.name, row.shard_id)
        if number is None:
            return None
        if number >= int(order.value):
            found.append(str(row.id))
    return found


def leaving(order: Order, rows: Iterable[InstanceRow]) -> list[str] | None:
    """Return the ids that still have to leave; None if ambiguous."""
    named = order.value.split(', ')
    found = [str(row.id) for row in rows if row.id[:_ID_LENGTH] in named]
    return found if len(found) <= len(named) else None


class Use(NamedTuple):
    """The change of the quota by a pending operation.

    :ivar amounts: MB of ram or GB of volumes, by the id of the instance.
    """

    project: str
    amounts: Mapping[str, int]


def claim(cluster_id: str, task: ClusterTask, instance_ids: Sequence[str],
          order: Order | None, before: ClusterTask = ClusterTasks.NONE,
          use: Use | None = None, request_id: str = '') -> bool:
    """Set a task, the pending operations and the quota in one transaction.

    So an operation that finds its task without pending operations has nothing
    to do.

    :param before: the task that the cluster must have.
    :param request_id: of the context with which the operation is cast. A cast
        of another request does not start it.
    :returns: False if it has another task. Then nothing was set.
    :raises trove.common.exception.QuotaExceeded: then nothing was set.
    """
    if order is None or use is None:
        return _claim(cluster_id, task, instance_ids, order, before,
                      request_id)
    resource = _COUNTED[order.action]
    return _claim(cluster_id, task, instance_ids, order, before, request_id,
                  use, {resource: sum(use.amounts.values())},
                  quotas.usable(use.project, [resource]))


@quotas.retried
def _claim(cluster_id: str, task: ClusterTask, instance_ids: Sequence[str],
           order: Order | None, before: ClusterTask, request_id: str,
           use: Use | None = None,
           total: quotas.Amounts | None = None,
           limits: quotas.Amounts | None = None) -> bool:
    with quotas.transaction() as session:
        claimed = bool(session.query(cluster_models.DBCluster).filter_by(
            id=cluster_id, deleted=False,
            task_id=before.code).update({'task_id': task.code}))
        if claimed:
            starts.request(session, cluster_id, task, request_id)
        if claimed and order is not None:
            for text, ids in _texts(order, instance_ids, use).items():
                session.query(instance_models.DBInstance).filter(
                    instance_models.DBInstance.id.in_(ids)).update(
                        {'task_description': text},
                        synchronize_session=False)
        if claimed and use is not None and total is not None:
            quotas.use(session, use.project, total, limits)
    return claimed


def _texts(order: Order, instance_ids: Iterable[str],
           use: Use | None) -> dict[str, list[str]]:
    """Return the ids of the rows by their new text."""
    found: dict[str, list[str]] = {}
    for one in instance_ids:
        taken = (use.amounts[one]
                 if use is not None and order.action == FLAVOR else None)
        text = dataclasses.replace(order, taken=taken).text
        found.setdefault(text, []).append(one)
    return found


def end(cluster_id: str, task: ClusterTask, **values: object) -> bool:
    """Remove a task and the pending operations in one transaction.

    Pending operations that are counted in the quota remain: see give_back().
    The time of the cluster's last update remains the time of the end until the
    cluster has a task again.

    :param values: values that its row must have, besides the task.
    :returns: whether it had them.
    """
    with cluster_models.DBCluster.query() as query:
        ended = bool(query.filter_by(
            id=cluster_id, deleted=False, task_id=task.code,
            **values).update({'task_id': ClusterTasks.NONE.code,
                              'updated': timeutils.utcnow()}))
        if ended:
            starts.forget(query.session, cluster_id)
            rows = query.session.query(instance_models.DBInstance).filter_by(
                cluster_id=cluster_id, deleted=False)
            for row in rows.all():
                order = of(row)
                if order is not None and order.action not in _COUNTED:
                    rows.filter_by(
                        id=row.id,
                        task_description=row.task_description).update(
                            {'task_description': row.task_status.db_text},
                            synchronize_session=False)
    return ended


def of(row: InstanceRow) -> Order | None:
    """Return the pending operation in an instance's row, or None."""
    return Order.parse(row.task_description)


def waiting(rows: Iterable[InstanceRow]) -> tuple[Order | None, list[str]]:
    """Return the pending operation of these rows, and the ids that have it."""
    found = [(order, str(row.id)) for row in rows
             if (order := of(row)) is not None]
    if not found:
        return None, []
    first = found[0][0]
    return first, [instance_id for order, instance_id in found
                   if order == first]


def give_back(context: Context, rows: Iterable[InstanceRow]) -> None:
    """Withdraw the pending operations of these instances, with their quota.

    If an amount cannot be determined, the quota stays counted. An amount that
    a resize has released is counted again, even if the project has used it
    meanwhile.
    """
    for row in rows:
        order = of(row)
        if order is not None:
            _withdraw(row, _unused(context, row, order))


@quotas.retried
def _withdraw(row: InstanceRow, unused: Mapping[str, int]) -> None:
    """Remove the pending operation and its quota, if it is still there."""
    with quotas.transaction() as session:
        withdrawn = session.query(instance_models.DBInstance).filter_by(
            id=row.id, task_description=row.task_description).update(
                {'task_description': row.task_status.db_text})
        if withdrawn and unused:
            quotas.use(session, str(row.tenant_id), unused)


def _unused(context: Context, row: InstanceRow,
            order: Order) -> dict[str, int]:
    """Return by how much the use of the quota changes."""
    change = {}
    if order.action == VOLUME and row.volume_size is not None:
        change = {'volumes': int(row.volume_size) - int(order.value)}
    elif order.action == FLAVOR and str(row.flavor_id) == order.value:
        LOG.debug('Instance %s has its new flavor', row.id)
    elif order.action == FLAVOR and order.taken is not None:
        change = {'ram': -order.taken}
    elif order.action == FLAVOR:
        flavors = clients.create_nova_client(context, row.region_id).flavors
        try:
            change = {'ram': flavors.get(str(row.flavor_id)).ram
                      - flavors.get(order.value).ram}
        except nova_exceptions.NotFound as gone:
            LOG.warning('The quota of the withdrawn resize of instance %s '
                        'stays counted, because the change of its ram is '
                        'unknown: %s', row.id, gone)
    return {resource: number for resource, number in change.items()
            if number}
