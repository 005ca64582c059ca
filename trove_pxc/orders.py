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
"""

from collections.abc import Iterable
import dataclasses
from typing import Any
from typing import Self

RESTART = 'restart'
FLAVOR = 'flavor'
VOLUME = 'volume'

_PREFIX = 'Ordered: '
_TEXTS = {RESTART: 'a restart', FLAVOR: 'the flavor ', VOLUME: 'a volume of '}
_UNITS = {VOLUME: ' GB'}


@dataclasses.dataclass(frozen=True)
class Order:
    """One order.

    :ivar action: RESTART, FLAVOR or VOLUME.
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
