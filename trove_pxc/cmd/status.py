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

"""trove-pxc-status: tells what of an installation is right and what is not.

Nothing of ours imports it. It reads trove.conf as Trove's services do, and
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


class Checks(upgradecheck.UpgradeCommands):
    """The table, told as oslo.upgradecheck tells."""

    display_title = 'trove-pxc in this Trove'

    def check(self) -> upgradecheck.Code:
        """Ask each, and print what came of it."""
        self._upgrade_checks = tuple(
            (outcome.check.name, _teller(outcome))
            for outcome in check.ask(table.CHECKS, site.Site(CONF)))
        return super().check()


def result(outcome: check.Outcome) -> upgradecheck.Result:
    """An outcome with oslo's code."""
    code = upgradecheck.Code.SUCCESS
    if outcome.faults:
        code = (upgradecheck.Code.FAILURE if outcome.is_fatal
                else upgradecheck.Code.WARNING)
    return upgradecheck.Result(code, outcome.text)


def main(argv: Sequence[str] | None = None) -> int:
    """0 if all is right, 1 with a warning, 2 with a failure."""
    return int(upgradecheck.main(
        CONF, project='trove', upgrade_command=Checks(),
        argv=list(sys.argv[1:] if argv is None else argv)))


def _teller(outcome: check.Outcome
            ) -> Callable[..., upgradecheck.Result]:
    return lambda checks: result(outcome)
