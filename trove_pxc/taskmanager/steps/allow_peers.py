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

"""Opens the Galera ports of a member to its peers, and to no others.

Imported by the operations that add or remove members.
"""

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import ports
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow

Supervised = supervision.Supervised
Member = members.Member


def security_groups(operation: Supervised,
                    member: Member) -> ports.SecurityGroups:
    """The security groups of a member, with the addresses of its peers."""
    return ports.SecurityGroups(member, [
        other.address for other in operation.found.registered
        if other is not member])


def _peers_allowed(operation: Supervised, member: Member) -> bool:
    return security_groups(operation, member).right()


def _allow_peers(operation: Supervised, member: Member) -> None:
    security_groups(operation, member).set_right()


def _all_allowed(operation: Supervised, member: Member) -> bool:
    return all(security_groups(operation, other).right()
               for other in operation.found.registered)


def _allow_each_other(operation: Supervised, member: Member) -> None:
    for other in operation.found.registered:
        security_groups(operation, other).set_right()


ALLOW_PEERS = workflow.Step(
    'allow the peers', 'to have its Galera ports open only to its peers',
    'member_start_timeout', _peers_allowed, _allow_peers)
ALLOW_EACH_OTHER = workflow.Step(
    'allow each other', 'to have the Galera ports of all members open to it',
    'member_start_timeout', _all_allowed, _allow_each_other)
