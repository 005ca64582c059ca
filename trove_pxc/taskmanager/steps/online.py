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

"""The component of a cluster that serves and goes on serving.

Imported by grow, shrink and their steps. It learns from the members who of
them forms the component; what that allows is decided in galera/component.
"""

import dataclasses

from oslo_log import log as logging
from trove.common import exception

from trove_pxc import exceptions
from trove_pxc.galera import component as components
from trove_pxc.galera import lost
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member
Supervised = supervision.Supervised


def look(operation: Supervised) -> Found:
    """Ask everyone, once, who forms the component.

    The steps are about those that are needed. If nobody in particular is,
    they are about all that serve, and the one that is to join them.
    """
    found = operation.found
    component = components.look(
        {member.id: glimpse(member) for member in operation.all_members},
        [member.id for member in found.needed],
        [member.id for member in found.passing],
        members.labels(operation.all_members))
    return dataclasses.replace(
        found, component=component, members=found.needed or tuple(
            member for member in operation.all_members
            if member is operation.subject or (
                member.id in component.inside
                and member not in found.passing)))


def inside(operation: Supervised, found: Found) -> list[Member]:
    """Who was seen in the component."""
    return [member for member in operation.all_members
            if member.id in found.component.inside]


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


def _look(operation: Supervised, member: Member) -> Found:
    """Learn who serves, their history and what they share.

    :raises ClusterInconsistent: if they are in no state to be changed.
    """
    def probe() -> Found:
        found = look(operation)
        if found.component.obstacle:
            raise waiting.NotYet(found.component.obstacle)
        return found
    try:
        found = operation.wait(probe, what='the cluster to serve')
    except exceptions.DeadlineExceeded as late:
        raise exceptions.ClusterInconsistent(
            f'the cluster cannot be changed, for {late.last_seen}') from late
    _check_ports(operation, found)
    return dataclasses.replace(
        found, history=found.component.uuid,
        registered=found.needed or tuple(
            one for one in operation.all_members
            if one.find_address() is not None),   # also who is down
        secrets=found.secrets or _shared_secrets(operation, found))


def _check_ports(operation: Supervised, found: Found) -> None:
    """Raise if one that serves, and stays, has no port any more.

    Its address goes to the settings and security groups of the others, and
    Neutron may give it to another server.

    :raises PortGone: with what to do first.
    """
    for member in inside(operation, found):
        if member not in found.passing and not member.find_address():
            raise exceptions.PortGone(
                lost.port_gone(member.name), lost.without_port(
                    lost.Member(
                        operation.handle, member.id, member.name,
                        len(operation.all_members),
                        member.options.min_cluster_member_count),
                    str(member.row().compute_instance_id)))


def _shared_secrets(operation: Supervised,
                    found: Found) -> settings.ClusterSecrets:
    """From those that serve; new ones would be of no use."""
    def probe() -> settings.ClusterSecrets:
        for other in inside(operation, found):
            try:
                had = other.settings()
            except (exception.GuestTimeout, exception.GuestError) as silent:
                LOG.info('No settings from %s: %s', other.name, silent)
                continue
            if had is not None:
                secrets: settings.ClusterSecrets = had.secrets
                return secrets
        raise waiting.NotYet('no member that serves has told them')
    return operation.wait(probe, what='the settings of a member')


LOOK = workflow.Step(
    'look at the cluster', 'to find a cluster that serves',
    'verify_timeout', workflow.never, _look)
