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

"""What a check is, and what it finds.

Pure. Every module of checks/ and the command line import it.
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
from typing import TypeVar

Place = TypeVar('Place')


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    :ivar text: what is wrong and what to write, as sentences.
    :ivar fatal: whether clusters cannot be made, or are not safe; if not,
        something works less well than it could.
    """

    text: str
    fatal: bool = True


@dataclasses.dataclass(frozen=True)
class Check:
    """A question to the operator's installation.

    :ivar name: how the result is headed.
    :ivar look: yields a Fault for each thing that is wrong.
    :ivar right: what is right if there is none.
    :ivar needs: names of checks before it; while one of them finds a fatal
        fault, this one cannot be asked.
    """

    name: str
    look: Callable[..., Iterable[Fault]]
    right: str
    needs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a check.

    :ivar blocked_by: the check that has to be right before.
    """

    check: Check
    faults: tuple[Fault, ...] = ()
    blocked_by: str | None = None

    @property
    def is_fatal(self) -> bool:
        return any(fault.fatal for fault in self.faults)

    @property
    def text(self) -> str:
        """One paragraph for the operator."""
        if self.blocked_by:
            return f'Not looked at before "{self.blocked_by}" is right.'
        return ' '.join(fault.text for fault in self.faults) or (
            self.check.right)


def ask(checks: Iterable[Check], place: Place) -> list[Outcome]:
    """Ask each check, in order."""
    outcomes: list[Outcome] = []
    closed: set[str] = set()
    for check in checks:
        blocked_by = next(
            (need for need in check.needs if need in closed), None)
        outcome = Outcome(check, blocked_by=blocked_by)
        if blocked_by is None:
            outcome = Outcome(check, tuple(check.look(place)))
        if outcome.is_fatal or outcome.blocked_by:
            closed.add(check.name)
        outcomes.append(outcome)
    return outcomes
