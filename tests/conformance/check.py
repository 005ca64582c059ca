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

"""Runs checks, one after another, and collects their results.

This module does not depend on the lab: a check is a function that returns a
remark or raises. If a check fails, the next ones still run.
"""

from collections.abc import Callable, Sequence
import dataclasses
import enum
import subprocess
import time

from lab import errors
from lab import report as lab_report
from tests.e2e import laboratory


class Outcome(enum.Enum):
    """The result of a check; the value is shown in the table."""

    PASSED = 'passed'
    FAILED = 'FAILED'
    NOT_IN_IMAGE = 'not in the image'
    NOT_APPLICABLE = 'not applicable'
    NOT_RUN = 'NOT RUN'

    @property
    def good(self) -> bool:
        return self not in (Outcome.FAILED, Outcome.NOT_RUN)


class Left(Exception):
    """A check does not apply; the text says why."""

    outcome = Outcome.NOT_APPLICABLE


class NotInImage(Left):
    """The image lacks the programs; this is no failure."""

    outcome = Outcome.NOT_IN_IMAGE


class Stopped(Exception):
    """There is no cluster for the next checks."""


#: The errors of a check if the cluster is not as it should be.
EXPECTED = (errors.LabError, laboratory.Refused, AssertionError, OSError,
            subprocess.SubprocessError)


@dataclasses.dataclass(frozen=True)
class Check:
    """One row of the table.

    :ivar run: returns a remark, '' for none.
    :ivar own: it needs no healthy cluster before it.
    """

    name: str
    run: Callable[[], str]
    own: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a check."""

    name: str
    outcome: Outcome
    seconds: float
    remark: str


def run(checks: Sequence[Check], prepare: Callable[[], object],
        failed: Callable[[Check], object], report: lab_report.Report,
        expected: tuple[type[Exception], ...] = EXPECTED) -> list[Result]:
    """Run all checks; return the result of each, in their order.

    :param prepare: called before each check that is not ``own``; raises
        one of ``expected`` or Stopped if there is no healthy cluster.
    :param failed: called after a check that failed, to save logs.
    :param expected: errors that count as the failure of a check.
    """
    results = []
    for number, check in enumerate(checks, 1):
        report.say(f'{number} of {len(checks)}: {check.name} ...')
        result = _one(check, prepare, expected)
        results.append(result)
        report.say(f'{number} of {len(checks)}: {check.name}: '
                   f'{result.outcome.value} after {result.seconds:.0f} s'
                   + (f': {result.remark}' if result.remark else ''))
        if result.outcome is Outcome.FAILED:
            failed(check)
    return results


def _one(check: Check, prepare: Callable[[], object],
         expected: tuple[type[Exception], ...]) -> Result:
    began = time.monotonic()

    def result(outcome: Outcome, remark: str) -> Result:
        return Result(check.name, outcome, time.monotonic() - began, remark)

    try:
        if not check.own:
            prepare()
    except (Stopped, *expected) as stopped:
        return result(Outcome.NOT_RUN, _text(stopped))
    began = time.monotonic()
    try:
        return result(Outcome.PASSED, check.run())
    except Left as left:
        return result(left.outcome, str(left))
    except expected as failure:
        return result(Outcome.FAILED, _text(failure))


def _text(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__
