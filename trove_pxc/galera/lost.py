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

"""What to do about a member whose server or port was deleted in the cloud.

Pure. Imported by remedy, api/ and the taskmanager. Neither comes back: the
member is replaced, by commands that need nothing of it.
"""

import dataclasses
import shlex

_CLUSTER = 'openstack database cluster'


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """Of which member of which cluster the next action is.

    :ivar cluster: what commands take for the cluster.
    :ivar id: of the instance.
    :ivar name: as sentences name it.
    :ivar present: how many members the cluster has with this one.
    :ivar least: how many it has to keep (min_cluster_member_count).
    """

    cluster: str
    id: str
    name: str
    present: int
    least: int


def replacement(member: Member) -> str:
    """The next action about a member that is lost for good."""
    if member.present > member.least:
        return f'Remove it: {_remove(member)}.'
    return (f'Add a member, then remove {member.name}: '
            f'{adding(member.cluster)}, then {_remove(member)}.')


def server_gone(server_id: str) -> str:
    """What happened to a member, after "its"."""
    return (f'server {server_id} is gone: it was deleted in Nova, past '
            'Trove')


def port_gone(name: str) -> str:
    """What happened to a member that serves all the same."""
    return (f'{name} serves, but Neutron has no port of it any more, so its '
            'address may be given to another server')


def without_port(member: Member, server_id: str) -> str:
    """The next action about a member that serves without a port.

    It must not be told to others. Who may not be removed yet has to stop.
    """
    if member.present > member.least:
        return replacement(member)
    return (f'An operator stops its server ("openstack server stop '
            f'{server_id}"). {replacement(member)}')


def adding(cluster: str) -> str:
    """The command that adds a member to a cluster."""
    return (f'"{_CLUSTER} grow {shlex.quote(cluster)} --instance '
            'flavor=FLAVOR,volume=SIZE"')


def _remove(member: Member) -> str:
    return f'"{_CLUSTER} shrink {shlex.quote(member.cluster)} {member.id}"'
