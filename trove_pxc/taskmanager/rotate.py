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

"""Rotate a cluster's authority and all certificates that it has issued.

Imported by tasks. Three rounds over all members, so that at any moment all
trust what any of them shows: first they trust a new authority as well, then
they show certificates of the new one, then they forget the old one. What the
members hold tells how far an earlier run has come.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
from typing import Any

from trove_pxc import exceptions
from trove_pxc.galera.secret import Secret
from trove_pxc.taskmanager import authority
from trove_pxc.taskmanager import formation
from trove_pxc.taskmanager import members
from trove_pxc.taskmanager import rolling
from trove_pxc.taskmanager import workflow

Authorities = tuple[Secret, ...]

STEPS: tuple[workflow.Step[Any], ...] = (
    formation.CONFIGURE,        # while its server is stopped
)


class Rotation(rolling.Rolling):
    """The state of one run.

    :ivar held: the authorities that each target has.
    """

    def __init__(self, context: Any, cluster: Any,
                 instance_ids: Sequence[str]) -> None:
        super().__init__('rotate certificates', context, cluster,
                         instance_ids)
        self.everyone = self.targets
        self.held: dict[str, Authorities] = {}

    def learn(self) -> None:
        """Ask all members what they hold.

        :raises ClusterInconsistent: if members talk in clear text.
        """
        for member in self.everyone:
            had = member.settings()
            if had is None or not had.secrets.encrypted:
                raise exceptions.ClusterInconsistent(
                    f'{member.name} has no certificate: the cluster was '
                    'created without encryption, and keeps that for life; '
                    'create a new one and move the data')
            self.secrets = had.secrets
            self.held[member.id] = had.secrets.authorities

    def turn_to(self, authorities: Authorities) -> None:
        """Make those the targets that do not hold these yet."""
        assert self.secrets is not None
        self.secrets = dataclasses.replace(
            self.secrets, authorities=authorities)
        self.finished = []
        self.targets = [member for member in self.everyone
                        if self.held[member.id] != authorities]

    def way_back(self, member: members.Member
                 ) -> Sequence[workflow.Step[Any]]:
        """Whatever it is configured with, all others trust it."""
        return (rolling.RETURN,)


def rounds(held: Sequence[Authorities],
           new: Callable[[], Secret]) -> list[Authorities]:
    """What all members are to hold, one after another, from now on.

    :param held: what they hold now.
    :param new: makes an authority; called if none is being introduced.
    """
    known = sorted({one for each in held for one in each},
                   key=authority.valid_from)
    old, fresh = known[0], known[1] if len(known) > 1 else new()
    course = [(old,), (old, fresh), (fresh, old), (fresh,)]
    reached = min(course.index(each) for each in held)
    return course[reached + 1:]


def run(operation: Rotation) -> None:
    """Rotate, or go on where an earlier run was cut short."""
    operation.learn()
    days = operation.everyone[0].options.certificate_days
    for authorities in rounds(
            list(operation.held.values()),
            lambda: authority.new(operation.cluster_id, days)):
        operation.turn_to(authorities)
        rolling.run(operation, STEPS)
        operation.held = dict.fromkeys(operation.held, authorities)
