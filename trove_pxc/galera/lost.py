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

"""The next action for a member whose server or port was deleted.

Pure. remedy, api/ and the taskmanager import it. A deleted server or port
cannot come back, so the member is replaced by commands that do not need its
guest.
"""

import dataclasses
import shlex

_CLUSTER = 'openstack database cluster'


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """The member that the next action is for.

    :ivar cluster: the name or id of the cluster, for commands.
    :ivar id: the id of the instance.
    :ivar name: its label in sentences.
    :ivar present: the number of members, including this one.
    :ivar least: the minimum number (min_cluster_member_count).
    """

    cluster: str
    id: str
    name: str
    present: int
    least: int


def replacement(member: Member) -> str:
    """The next action for a member that is lost for good."""
    if member.present > member.least:
        return f'Remove it: {_remove(member)}.'
    return (f'Add a member, then remove {member.name}: '
            f'{adding(member.cluster)}, then {_remove(member)}.')


def server_gone(server_id: str) -> str:
    """The cause; it follows "its"."""
    return (f'server {server_id} is gone: it was deleted in Nova, not '
            'through Trove')


def port_gone(name: str) -> str:
    """The cause for a member that serves without a port."""
    return (f'{name} serves, but its Neutron port is gone, so its address '
            'may be assigned to another server')


def without_port(member: Member, server_id: str) -> str:
    """The next action for a member that serves without a port.

    Other members must not be configured with its address. If the cluster has
    the minimum number of members, its server is stopped first.
    """
    if member.present > member.least:
        return replacement(member)
    return (f'Have an operator stop its server ("openstack server stop '
            f'{server_id}"). {replacement(member)}')


def adding(cluster: str) -> str:
    """The command that adds a member to a cluster."""
    return (f'"{_CLUSTER} grow {shlex.quote(cluster)} --instance '
            'flavor=FLAVOR,volume=SIZE"')


def _remove(member: Member) -> str:
    return f'"{_CLUSTER} shrink {shlex.quote(member.cluster)} {member.id}"'
