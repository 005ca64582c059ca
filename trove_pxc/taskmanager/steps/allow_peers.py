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

"""Who reaches the Galera ports of a member: its peers, and nobody else.

Imported by the operations that change who the members are.
"""

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import ports
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow

Supervised = supervision.Supervised
Member = members.Member


def security_groups(operation: Supervised,
                    member: Member) -> ports.SecurityGroups:
    """A member's ports, and who is to come in through them."""
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
    'admit the others', 'to have its Galera ports open to the others alone',
    'member_start_timeout', _peers_allowed, _allow_peers)
ALLOW_EACH_OTHER = workflow.Step(
    'admit each other', 'to be let in by the others, and let them in',
    'member_start_timeout', _all_allowed, _allow_each_other)
