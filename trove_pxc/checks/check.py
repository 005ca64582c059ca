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

"""The types of a check and of its result.

Imported by the modules of checks/ and by the command line.
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
from typing import TypeVar

Place = TypeVar('Place')


@dataclasses.dataclass(frozen=True)
class Fault:
    """One problem of the installation.

    :ivar text: what is wrong and what to write, as sentences.
    :ivar fatal: whether clusters cannot be created or are not safe. Otherwise
        it is a warning.
    """

    text: str
    fatal: bool = True


@dataclasses.dataclass(frozen=True)
class NotChecked:
    """Something that could not be checked.

    :ivar text: why not, and what to do, as sentences.
    """

    text: str


Finding = Fault | NotChecked


@dataclasses.dataclass(frozen=True)
class Check:
    """A check of the installation.

    :ivar name: the heading of the result.
    :ivar look: yields a Fault for each problem, and a NotChecked for each
        thing that it could not check.
    :ivar right: the result if it yields nothing.
    :ivar needs: names of earlier checks. If one of them finds a fatal fault,
        this check is skipped.
    """

    name: str
    look: Callable[..., Iterable[Finding]]
    right: str
    needs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a check.

    :ivar not_checked: what it could not check.
    :ivar blocked_by: the failed check because of which it was skipped.
    """

    check: Check
    faults: tuple[Fault, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    blocked_by: str | None = None

    @property
    def is_fatal(self) -> bool:
        return any(fault.fatal for fault in self.faults)

    @property
    def is_complete(self) -> bool:
        """Whether everything was checked."""
        return not self.blocked_by and not self.not_checked

    @property
    def text(self) -> str:
        """One paragraph for the operator."""
        if self.blocked_by:
            return f'Not checked until "{self.blocked_by}" succeeds.'
        return ' '.join((
            *(fault.text for fault in self.faults),
            *(f'Not checked: {one.text}' for one in self.not_checked),
        )) or self.check.right


def ask(checks: Iterable[Check], place: Place) -> list[Outcome]:
    """Run the checks, in order."""
    outcomes: list[Outcome] = []
    closed: set[str] = set()
    for check in checks:
        blocked_by = next(
            (need for need in check.needs if need in closed), None)
        outcome = Outcome(check, blocked_by=blocked_by)
        if blocked_by is None:
            found = list(check.look(place))
            outcome = Outcome(
                check, tuple(one for one in found if isinstance(one, Fault)),
                tuple(one for one in found if isinstance(one, NotChecked)))
        if outcome.is_fatal or outcome.blocked_by:
            closed.add(check.name)
        outcomes.append(outcome)
    return outcomes
