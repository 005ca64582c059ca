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

"""trove-pxc-status: checks an installation.

Other modules do not import it. It reads trove.conf as Trove's services do, and
changes nothing.
"""

from collections.abc import Callable
from collections.abc import Sequence
import sys

from oslo_upgradecheck import upgradecheck
from trove.common import cfg

from trove_pxc.checks import check
from trove_pxc.checks import site
from trove_pxc.checks import table

CONF = cfg.CONF
SUMMARY = 'Checks made'


class Checks(upgradecheck.UpgradeCommands):
    """The table of checks, with the output of oslo.upgradecheck."""

    display_title = 'trove-pxc in this Trove'

    def check(self) -> upgradecheck.Code:
        """Run the checks and print the results and a summary."""
        place = site.Site(CONF)
        outcomes = check.ask(table.CHECKS, place)
        self._upgrade_checks = (
            *((outcome.check.name, _teller(result(outcome)))
              for outcome in outcomes),
            (SUMMARY, _teller(summary(outcomes, place.files))))
        return super().check()


def result(outcome: check.Outcome) -> upgradecheck.Result:
    """Convert an outcome to a result of oslo.upgradecheck.

    oslo has no code for what was not checked, so it is a warning.
    """
    code = upgradecheck.Code.SUCCESS
    if outcome.is_fatal:
        code = upgradecheck.Code.FAILURE
    elif outcome.faults or not outcome.is_complete:
        code = upgradecheck.Code.WARNING
    return upgradecheck.Result(code, outcome.text)


def summary(outcomes: Sequence[check.Outcome],
            files: Sequence[object]) -> upgradecheck.Result:
    """Summarize how much was checked, and with which files of this host."""
    missing = [outcome.check.name for outcome in outcomes
               if not outcome.is_complete]
    where = (f'with {", ".join(map(str, files))} of this host' if files
             else 'without a configuration file')
    if not missing:
        return upgradecheck.Result(
            upgradecheck.Code.SUCCESS,
            f'All {len(outcomes)} checks were made {where}.')
    return upgradecheck.Result(
        upgradecheck.Code.WARNING,
        f'{len(outcomes) - len(missing)} of {len(outcomes)} checks were made '
        f'{where}. Not checked, or only in part: {", ".join(missing)}.')


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 for success, 1 with a warning, 2 with a failure.

    What was not checked is a warning.
    """
    return int(upgradecheck.main(
        CONF, project='trove', upgrade_command=Checks(),
        argv=list(sys.argv[1:] if argv is None else argv)))


def _teller(found: upgradecheck.Result
            ) -> Callable[..., upgradecheck.Result]:
    return lambda checks: found
