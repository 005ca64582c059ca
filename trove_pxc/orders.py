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

"""What a member has been ordered to do and has not done yet.

Written by api/actions, read and cleared by taskmanager/rolling: in the text
that Trove keeps beside an instance's task, so that an operation whose
taskmanager died can be taken up by another, which never saw the request.
With the order stands what it takes of the project's quota: whoever withdraws
the order gives that back, and only one can.
"""

from collections.abc import Iterable
import dataclasses
from typing import Any
from typing import Self

from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from trove.common import clients
from trove.instance import models as instance_models
from trove.quota import quota

LOG = logging.getLogger(__name__)

RESTART = 'restart'
FLAVOR = 'flavor'
VOLUME = 'volume'
CERTIFICATES = 'certificates'

_PREFIX = 'Ordered: '
_TEXTS = {RESTART: 'a restart', FLAVOR: 'the flavor ', VOLUME: 'a volume of ',
          CERTIFICATES: 'new certificates'}
_UNITS = {VOLUME: ' GB'}


@dataclasses.dataclass(frozen=True)
class Order:
    """One order.

    :ivar action: RESTART, FLAVOR, VOLUME or CERTIFICATES.
    :ivar value: the flavor's id, or the volume's size in GB.
    """

    action: str
    value: str = ''

    @property
    def text(self) -> str:
        """How it stands in the instance's row, and what operators read."""
        return (f'{_PREFIX}{_TEXTS[self.action]}{self.value}'
                f'{_UNITS.get(self.action, "")}')

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """The order that a row's text is, None if it is another text."""
        if not text or not text.startswith(_PREFIX):
            return None
        ordered = text.removeprefix(_PREFIX)
        for action, words in _TEXTS.items():
            unit = _UNITS.get(action, '')
            if ordered.startswith(words) and ordered.endswith(unit):
                return cls(action, ordered.removeprefix(words)
                           .removesuffix(unit))
        return None


def of(row: Any) -> Order | None:
    """What an instance has still to do, by its row."""
    return Order.parse(row.task_description)


def waiting(rows: Iterable[Any]) -> tuple[Order | None, list[str]]:
    """The order that stands in these rows, and whose it is."""
    found = [(order, str(row.id)) for row in rows
             if (order := of(row)) is not None]
    if not found:
        return None, []
    first = found[0][0]
    return first, [instance_id for order, instance_id in found
                   if order == first]


def give_back(context: Any, rows: Iterable[Any]) -> None:
    """Withdraw the orders of these instances, and what they were to use."""
    for row in rows:
        order = of(row)
        if order is None:
            continue
        unused = _unused(context, row, order)
        if _withdraw(row, order) and unused:
            quota.run_with_quotas(str(row.tenant_id), unused, dict)


def _withdraw(row: Any, order: Order) -> bool:
    """Take the order away; whether it was still there."""
    with instance_models.DBInstance.query() as query:
        return bool(query.filter_by(
            id=row.id, task_description=order.text).update(
                {'task_description': row.task_status.db_text}))


def _unused(context: Any, row: Any, order: Order) -> dict[str, int]:
    """By how much the use has to change when the order is withdrawn."""
    change = {}
    if order.action == VOLUME:
        change = {'volumes': int(row.volume_size) - int(order.value)}
    elif order.action == FLAVOR:
        flavors = clients.create_nova_client(context, row.region_id).flavors
        try:
            change = {'ram': flavors.get(str(row.flavor_id)).ram
                      - flavors.get(order.value).ram}
        except nova_exceptions.NotFound as gone:
            LOG.warning('What instance %s was to use more stays counted: %s',
                        row.id, gone)
    return {resource: number for resource, number in change.items()
            if number}
