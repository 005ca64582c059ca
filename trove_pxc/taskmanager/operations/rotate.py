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
they show certificates of the new one, then they forget the old one. Each is
told while its server is stopped, so what it holds is what its server shows
when it runs; that tells how far an earlier run has come.
"""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from trove_pxc import exceptions
from trove_pxc.galera.secret import Secret
from trove_pxc import orders
from trove_pxc.taskmanager.cloud import authority
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rolling

Authorities = tuple[Secret, ...]
Each = workflow.Each
Member = members.Member

STEPS: tuple[Each[Any], ...] = (    # of one round
    Each(rolling.targets, (         # one after another
        rolling.BE_WHOLE,           # the others are all Synced
        rolling.TAKE_OUT,           # they see one less, and serve
        configure.CONFIGURE,        # while its server is stopped
        rolling.RETURN,             # Synced, they see one more
        complete.BE_HEALTHY,
        rolling.BRING_IN,
    )),
)


def run(operation: 'Rotation') -> None:
    """Rotate, or go on where an earlier run was cut short."""
    workflow.begin(operation)
    workflow.run(operation, (Each(formation.every_member, (LEARN,)),))
    if any(authority.has_expired(issuer)
           for issuer, *_ in operation.authorities.values()):
        _start_over(operation)
    # No other member's turn comes while one is missed.
    for member in operation.taken_out():
        _go_round(operation, operation.authorities[member.id], [member])
    course = rounds(list(operation.authorities.values()),
                    None if operation.ending else _maker(operation))
    for authorities in course:
        operation.last = authorities is course[-1]
        _go_round(operation, authorities, operation.behind(authorities))
        operation.authorities = dict.fromkeys(
            operation.authorities, authorities)


def _go_round(operation: 'Rotation', authorities: Authorities,
              targets: Sequence[Member]) -> None:
    """Have these members show and trust these authorities."""
    operation.turn_to(authorities, targets)
    workflow.begin(operation)
    workflow.run(operation, STEPS)


class Rotation(rolling.Rolling):
    """The state of one run.

    :ivar targets: whose turn it is to be in this round.
    :ivar authorities: what each member holds, by its id.
    :ivar last: whether a member that had its turn in this round is done.
    :ivar ending: whether some were done already in an earlier run: then
        no authority is to be replaced but what that run has replaced.
    """

    last = False

    def __init__(self, context: Any, cluster: Any) -> None:
        super().__init__('rotate certificates', context, cluster, (),
                         orders.Order(orders.CERTIFICATES))
        self.targets = list(self.members)
        self.authorities: dict[str, Authorities] = {}
        self.ending = any(orders.of(member.row()) != self.order
                          for member in self.members)

    @property
    def ordered(self) -> Sequence[Member]:
        return self.members

    def turn_to(self, authorities: Authorities,
                targets: Sequence[Member]) -> None:
        """Let these be what the targets are configured with from now on."""
        assert self.secrets is not None
        self.secrets = dataclasses.replace(
            self.secrets, authorities=authorities)
        self.finished = []
        self.targets = list(targets)

    def behind(self, authorities: Authorities) -> list[Member]:
        """Who does not hold these."""
        return [member for member in self.members
                if self.authorities[member.id] != authorities]

    def taken_out(self) -> list[Member]:
        """Whose turn was cut short with the taskmanager that ran it."""
        return [member for member in self.members
                if member.row().task_status == self.busy]

    def let_go(self, member: Member) -> None:
        """The order stays in its row until the last round."""
        if self.last:
            super().let_go(member)
        else:
            member.row().update(task_status=InstanceTasks.NONE,
                                task_description=self.order.text)

    def way_back(self, member: Member) -> Sequence[workflow.Step[Any]]:
        """Whatever it is configured with, all others trust it."""
        return (rolling.RETURN,)


def _learn(operation: Rotation, member: Member) -> None:
    """Ask it what it holds.

    :raises ClusterInconsistent: if members talk in clear text.
    """
    had = operation.tell(member, member.settings)
    if had is None or not had.secrets.encrypted:
        raise exceptions.ClusterInconsistent(
            f'{member.name} has no certificate: the cluster was created '
            'without encryption, and keeps that for life; create a new one '
            'and move the data')
    operation.secrets = had.secrets
    operation.authorities[member.id] = had.secrets.authorities


LEARN = workflow.Step(
    'ask for the authorities', 'to have told what it holds',
    'member_start_timeout', workflow.never, _learn)


def rounds(held: Sequence[Authorities],
           new: Callable[[Secret], Secret] | None) -> list[Authorities]:
    """What all members are to hold, one after another, from now on.

    :param held: what they hold now.
    :param new: makes the one that follows this authority; called if none is
        being introduced. None: if none is, nothing is left to do.
    """
    known = sorted({one for each in held for one in each},
                   key=authority.valid_from)
    old = known[0]
    if len(known) > 1:
        fresh = known[1]
    elif new is not None:
        fresh = new(old)
    else:
        return []
    course = [(old,), (old, fresh), (fresh, old), (fresh,)]
    reached = min(course.index(each) for each in held)
    return course[reached + 1:]


def _start_over(operation: Rotation) -> None:
    """Give everybody what counts from the next start of the servers.

    Nobody takes what has expired for a certificate, so whoever is restarted
    alone does not come back, with it or with a new one.

    :raises ClusterInconsistent: always, to say what to do now.
    """
    (old, *_), *_ = operation.authorities.values()
    operation.turn_to((_maker(operation)(old),), ())
    workflow.run(operation, (
        Each(formation.every_member, (configure.CONFIGURE,)),))
    operation.remedy = ('reboot the guests of all members at the same time, '
                        'so that all start with the new ones, and recover '
                        'the cluster if it does not come back by itself')
    raise exceptions.ClusterInconsistent(
        'the certificates have expired, so no member can be restarted alone')


def _maker(operation: Rotation) -> Callable[[Secret], Secret]:
    days = operation.members[0].options.certificate_days
    return lambda old: authority.new(operation.cluster_id, days, old)


OPERATION = rolling.as_operation(ClusterTasks.UPDATING_CLUSTER, Rotation, run)
