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

"""Bootstraps a new cluster, after a check that this is safe.

Imported by create. All members are asked; galera/plan decides from their
answers whether to bootstrap. The start is a step of its own, so that a create
can configure the joiners while the server of the first member starts.
"""

from collections.abc import Mapping

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import plan
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Supervised = supervision.Supervised
Member = members.Member


def _cluster_known(operation: Supervised, member: Member) -> bool:
    return operation.found.source is not None


def _start_bootstrap(operation: Supervised, member: Member) -> Found | None:
    """Start the bootstrap, unless a member is in a primary component.

    A member that was never prepared was never started. All others must
    answer.
    """
    def order() -> Found | None:
        asked = {name: one for name, one in members.by_label(
            operation.members).items() if one is member or one.prepared()}
        told = {name: operation.ask(one) for name, one in asked.items()}
        for name, report in told.items():
            if report.view is not None and report.view.in_primary:
                return operation.found.through(asked[name], report)
        own = next(name for name, one in asked.items() if one is member)
        if not told[own].started:
            _begin(operation, member, asked, told)
        return None
    return operation.tell(member, order)


def _begin(operation: Supervised, member: Member,
           asked: Mapping[str, Member],
           told: Mapping[str, view.MemberReport]) -> None:
    """Start the server, with no data or with that of a backup.

    The guest itself checks that its data is that of a complete backup.
    """
    restored = bool(operation.found.backup_id)
    if restored:
        asked = {name: one for name, one in asked.items()
                 if one is not member}
    _prove_safe(operation, asked, {name: told[name] for name in asked})
    operation.check_wanted()    # the answers may have taken long
    if restored:
        member.guest.bootstrap_restored()
    else:
        member.guest.bootstrap_member()


def _bootstrap(operation: Supervised, member: Member) -> Found:
    """Wait until the member that bootstraps is Synced."""
    watch = supervision.CrashWatch(member)

    def probe() -> view.MemberReport:
        report = watch.report()
        if (report.view is None or not report.view.in_primary
                or not report.view.is_synced):
            raise waiting.NotYet(members.seen(report))
        return report
    return operation.found.through(member, operation.wait(probe))


def _prove_safe(operation: Supervised, asked: Mapping[str, Member],
                told: Mapping[str, view.MemberReport]) -> None:
    """Raise if a member may hold data or may be in a cluster."""
    decision = plan.may_bootstrap_new(
        told, {name: operation.tell(one, one.position)
               for name, one in asked.items()})
    if not decision.allowed:
        raise exceptions.BootstrapRefused(str(decision.reason))
    LOG.info('Cluster %s may be bootstrapped: %s', operation.cluster_id,
             decision.reason)


START_BOOTSTRAP = workflow.Step(
    'start the bootstrap', 'to have the order to bootstrap',
    'member_start_timeout', workflow.never, _start_bootstrap)
BOOTSTRAP = workflow.Step(
    'bootstrap', 'to be Synced in a primary component of its own',
    'bootstrap_timeout', _cluster_known, _bootstrap)
