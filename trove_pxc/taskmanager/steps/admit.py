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


def doors(operation: Supervised, member: Member) -> ports.Doors:
    """A member's ports, and who is to come in through them."""
    return ports.Doors(member, [
        other.address for other in operation.found.registered
        if other is not member])


def _admitting(operation: Supervised, member: Member) -> bool:
    return doors(operation, member).right()


def _admit(operation: Supervised, member: Member) -> None:
    doors(operation, member).set_right()


def _all_admit(operation: Supervised, member: Member) -> bool:
    return all(doors(operation, other).right()
               for other in operation.found.registered)


def _admit_all(operation: Supervised, member: Member) -> None:
    for other in operation.found.registered:
        doors(operation, other).set_right()


ADMIT = workflow.Step(
    'admit the others', 'to have its Galera ports open to the others alone',
    'member_start_timeout', _admitting, _admit)
ADMIT_ALL = workflow.Step(
    'admit each other', 'to be let in by the others, and let them in',
    'member_start_timeout', _all_admit, _admit_all)
