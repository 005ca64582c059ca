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

"""How a member that is behind applies write sets.

Pure. catchup computes it; view carries it in the report of a member.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """The receive queue of a member, and the rates of its last seconds.

    :ivar queue: write sets that wait (wsrep_local_recv_queue).
    :ivar applied: write sets that it applies per second.
    :ivar growth: write sets per second by which those that it has not applied
        become more, in its queue or at its donor; negative if they become
        fewer.
    :ivar measured: the seconds in which the rates were measured.
    """

    queue: int
    applied: float
    growth: float
    measured: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Progress':
        return cls(int(plain['queue']), float(plain['applied']),
                   float(plain['growth']), float(plain['measured']))
