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

"""Finds the primary component of a cluster that serves.

Imported by grow, shrink, and the steps. It asks all members;
galera/component decides from their reports whether the cluster may be
changed.
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
    """Ask each member once, and find the members of the component.

    The steps then work on the needed members. If there are none, they work
    on all members that serve, and on the one that is to join.
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
    """The members in the last observed component."""
    return [member for member in operation.all_members
            if member.id in found.component.inside]


def glimpse(member: Member) -> view.MemberReport | None:
    """The report of a member without a retry; None if there is no answer."""
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
    """Find the members that serve, their history and their secrets.

    :raises ClusterInconsistent: if the cluster cannot be changed now.
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
            f'the cluster cannot be changed: {late.last_seen}') from late
    _check_ports(operation, found)
    return dataclasses.replace(
        found, history=found.component.uuid,
        registered=found.needed or tuple(
            one for one in operation.all_members
            if one.find_address() is not None),   # even if it is down
        secrets=found.secrets or _shared_secrets(operation, found))


def _check_ports(operation: Supervised, found: Found) -> None:
    """Raise if the port of a member that serves and stays is gone.

    Its address is in the settings and security groups of the others, and
    Neutron may assign it to another server.

    :raises PortGone: with the next action.
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
    """Read the shared secrets from a member that serves."""
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
        raise waiting.NotYet('no member that serves has reported them')
    return operation.wait(probe, what='the settings of a member')


LOOK = workflow.Step(
    'check the cluster', 'to find a cluster that serves',
    'verify_timeout', workflow.never, _look)
