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

"""An operation on a cluster that serves and goes on serving.

Imported by grow and shrink. It learns from the members who of them forms
the component; what that allows is decided in galera/component.
"""

from collections.abc import Sequence
from typing import Any

from oslo_log import log as logging
from trove.cluster import models as cluster_models
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc.galera import component as components
from trove_pxc.galera import lost
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member


class Standing(formation.Formation):
    """The state of one run.

    :ivar everyone: all members there are, those that are down as well.
    :ivar members: those of them that serve, or are going to.
    :ivar component: what they were last seen to form.
    :ivar finished: those that have come in as full members.
    """

    forming = False
    component = components.Component()

    def __init__(self, name: str, context: Any,
                 cluster: cluster_models.Cluster) -> None:
        super().__init__(name, context, cluster)
        self.everyone: Sequence[Member] = list(self.members)
        self.finished: list[Member] = []

    def needed(self) -> Sequence[Member]:
        """Who has to be Synced before anything is done."""
        return ()

    def passing(self) -> Sequence[Member]:
        """Who is on its way in or out."""
        return ()

    def look(self) -> components.Component:
        """Ask everyone, once."""
        self.component = components.look(
            {member.id: glimpse(member) for member in self.everyone},
            [member.id for member in self.needed()],
            [member.id for member in self.passing()],
            members.labels(self.everyone))
        return self.component

    def check_ports(self) -> None:
        """Raise if one that serves, and stays, has no port any more.

        Its address goes to the settings and security groups of the others,
        and Neutron may give it to another server.

        :raises PortGone: with what to do first.
        """
        for member in self.inside():
            if member not in self.passing() and not member.find_address():
                raise exceptions.PortGone(
                    lost.port_gone(member.name), lost.without_port(
                        lost.Member(
                            self.handle, member.id, member.name,
                            len(self.everyone),
                            member.options.min_cluster_member_count),
                        str(member.row().compute_instance_id)))

    def inside(self) -> list[Member]:
        """Who was seen in the component the last time."""
        return [member for member in self.everyone
                if member.id in self.component.inside]


def passing(operation: Standing) -> Sequence[Member]:
    return operation.passing()


def glimpse(member: Member) -> view.MemberReport | None:
    """What it says at once; None if it says nothing."""
    if not member.prepared():
        return view.NEVER_STARTED
    try:
        report: view.MemberReport = member.guest.member_report(
            member.options.status_call_timeout)
    except (exception.GuestTimeout, exception.GuestError) as silent:
        LOG.info('No report from %s: %s', member.name, silent)
        return None
    return report


def _look(operation: Standing, member: Member) -> None:
    """Learn who serves, their history and what they share.

    :raises ClusterInconsistent: if they are in no state to be changed.
    """
    def probe() -> None:
        if operation.look().obstacle:
            raise waiting.NotYet(operation.component.obstacle)
    try:
        operation.wait(probe, what='the cluster to serve')
    except exceptions.DeadlineExceeded as late:
        raise exceptions.ClusterInconsistent(
            f'the cluster cannot be changed, for {late.last_seen}') from late
    operation.check_ports()
    operation.history = operation.component.uuid
    if operation.secrets is None:
        _learn_secrets(operation)


def _learn_secrets(operation: Standing) -> None:
    """From those that serve; new ones would be of no use."""
    def probe() -> None:
        for other in operation.inside():
            try:
                had = other.settings()
            except (exception.GuestTimeout, exception.GuestError) as silent:
                LOG.info('No settings from %s: %s', other.name, silent)
                continue
            if had is not None:
                operation.secrets = had.secrets
                return
        raise waiting.NotYet('no member that serves has told them')
    operation.wait(probe, what='the settings of a member')


LOOK = workflow.Step(
    'look at the cluster', 'to find a cluster that serves',
    'verify_timeout', workflow.never, _look)
