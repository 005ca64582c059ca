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
from trove_pxc import pending
from trove_pxc.protocols import Cluster
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import certificate_authority
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import complete
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import rolling

Authorities = tuple[Secret, ...]
Each = workflow.Each
Member = members.Member
Rolling = rolling.Rolling

_TURN = (                       # one after another
    rolling.BE_WHOLE,           # the others are all Synced
    rolling.TAKE_OUT,           # they see one less, and serve
    configure.CONFIGURE,        # while its server is stopped
    rolling.RETURN,             # Synced, they see one more
    complete.BE_HEALTHY,
)
ROUND_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (*_TURN, rolling.KEEP_ORDER)),
)
LAST_ROUND_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (*_TURN, rolling.BRING_IN)),
)


def run(operation: Rolling) -> None:
    """Rotate, or go on where an earlier run was cut short."""
    ending = _is_ending(operation)
    workflow.begin(operation)
    workflow.run(operation, (Each(formation.every_member, (LEARN,)),))
    held = operation.found.authorities
    if any(certificate_authority.has_expired(issuer)
           for issuer, *_ in held.values()):
        _start_over(operation)
    # No other member's turn comes while one is missed.
    for member in _taken_out(operation):
        _turn_to(operation, held[member.id], [member])
        _go_round(operation, ROUND_STEPS)
    course = rounds(list(held.values()),
                    None if ending else _maker(operation))
    for authorities in course:
        _turn_to(operation, authorities, _behind(operation, authorities))
        _go_round(operation, LAST_ROUND_STEPS if authorities is course[-1]
                  else ROUND_STEPS)
        workflow.set_found(operation, dataclasses.replace(
            operation.found, authorities=dict.fromkeys(held, authorities)))


def _go_round(operation: Rolling, steps: tuple[Each[Any], ...]) -> None:
    workflow.begin(operation)
    workflow.run(operation, steps)


def _turn_to(operation: Rolling, authorities: Authorities,
             targets: Sequence[Member]) -> None:
    """Let these members show and trust these authorities from now on."""
    found = operation.found
    assert found.secrets is not None
    workflow.set_found(operation, dataclasses.replace(
        found, passing=tuple(targets), secrets=dataclasses.replace(
            found.secrets, authorities=authorities)))


def _is_ending(operation: Rolling) -> bool:
    """Whether some members were done already in an earlier run.

    Then no authority is replaced but what that run has replaced.
    """
    return any(pending.of(member.row()) != operation.change.order
               for member in operation.members)


def _behind(operation: Rolling, authorities: Authorities) -> list[Member]:
    """Who does not hold these."""
    return [member for member in operation.members
            if operation.found.authorities[member.id] != authorities]


def _taken_out(operation: Rolling) -> list[Member]:
    """Whose turn was cut short with the taskmanager that ran it."""
    return [member for member in operation.members
            if member.row().task_status == operation.change.busy]


def _learn(operation: Rolling, member: Member) -> Found:
    """Ask it what it holds.

    :raises ClusterInconsistent: if members talk in clear text.
    """
    had = operation.tell(member, member.settings)
    if had is None or not had.secrets.encrypted:
        raise exceptions.ClusterInconsistent(
            f'{member.name} has no certificate: the cluster was created '
            'without encryption, and keeps that for life; create a new one '
            'and move the data')
    found = operation.found
    return dataclasses.replace(
        found, secrets=had.secrets, authorities={
            **found.authorities, member.id: had.secrets.authorities})


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
                   key=certificate_authority.valid_from)
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


def _start_over(operation: Rolling) -> None:
    """Give everybody what counts from the next start of the servers.

    Nobody takes what has expired for a certificate, so whoever is restarted
    alone does not come back, with it or with a new one.

    :raises ClusterInconsistent: always, to say what to do now.
    """
    (old, *_), *_ = operation.found.authorities.values()
    _turn_to(operation, (_maker(operation)(old),), ())
    workflow.run(operation, (
        Each(formation.every_member, (configure.CONFIGURE,)),))
    operation.remedy = ('reboot the guests of all members at the same time, '
                        'so that all start with the new ones, and recover '
                        'the cluster if it does not come back by itself')
    raise exceptions.ClusterInconsistent(
        'the certificates have expired, so no member can be restarted alone')


def _maker(operation: Rolling) -> Callable[[Secret], Secret]:
    days = operation.members[0].options.certificate_days
    return lambda old: certificate_authority.new(
        operation.cluster_id, days, old)


def _state(context: Context, cluster: Cluster) -> Rolling:
    return Rolling(context, cluster, rolling.Change(
        'rotate certificates', pending.Order(pending.CERTIFICATES),
        InstanceTasks.REBOOTING))


OPERATION = rolling.as_operation(ClusterTasks.UPDATING_CLUSTER, _state, run)
