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

"""Rotates the certificate authority of a cluster and all its certificates.

Imported by tasks. There are three rounds over all members, so that at any
time each member trusts the certificates of all others. In the first round
they trust a new authority in addition, in the second they get certificates
of the new authority, and in the third they stop trusting the old one. A
member is configured while its server is stopped, so a running server uses
the configured certificates. They show how far an earlier run has got.
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
    rolling.TAKE_OUT,           # the others report one less, and serve
    configure.CONFIGURE,        # while its server is stopped
    rolling.RETURN,             # Synced, the others report one more
    complete.BE_HEALTHY,
)
ROUND_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (*_TURN, rolling.KEEP_ORDER)),
)
LAST_ROUND_STEPS: tuple[Each[Any], ...] = (
    Each(formation.passing, (*_TURN, rolling.BRING_IN)),
)


def run(operation: Rolling) -> None:
    """Rotate the certificates, or continue an interrupted run."""
    ending = _is_ending(operation)
    workflow.begin(operation)
    workflow.run(operation, (Each(formation.every_member, (LEARN,)),))
    held = operation.found.authorities
    if any(certificate_authority.has_expired(issuer)
           for issuer, *_ in held.values()):
        _start_over(operation)
    # First the members that an interrupted run has stopped.
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
    """Set the members to change next, and their new authorities."""
    found = operation.found
    assert found.secrets is not None
    workflow.set_found(operation, dataclasses.replace(
        found, passing=tuple(targets), secrets=dataclasses.replace(
            found.secrets, authorities=authorities)))


def _is_ending(operation: Rolling) -> bool:
    """Whether an earlier run has completed some members.

    Then this run completes that rotation, and creates no new authority.
    """
    return any(pending.of(member.row()) != operation.change.order
               for member in operation.members)


def _behind(operation: Rolling, authorities: Authorities) -> list[Member]:
    """The members that do not have these authorities."""
    return [member for member in operation.members
            if operation.found.authorities[member.id] != authorities]


def _taken_out(operation: Rolling) -> list[Member]:
    """The members that an interrupted run has stopped."""
    return [member for member in operation.members
            if member.row().task_status == operation.change.busy]


def _learn(operation: Rolling, member: Member) -> Found:
    """Read the secrets and authorities of a member.

    :raises ClusterInconsistent: if the cluster is not encrypted.
    """
    had = operation.tell(member, member.settings)
    if had is None or not had.secrets.encrypted:
        raise exceptions.ClusterInconsistent(
            f'{member.name} has no certificate: the cluster was created '
            'without encryption, which cannot be changed; create a new '
            'cluster and move the data')
    found = operation.found
    return dataclasses.replace(
        found, secrets=had.secrets, authorities={
            **found.authorities, member.id: had.secrets.authorities})


LEARN = workflow.Step(
    'read the authorities', 'to report its certificate authorities',
    'member_start_timeout', workflow.never, _learn)


def rounds(held: Sequence[Authorities],
           new: Callable[[Secret], Secret] | None) -> list[Authorities]:
    """The authorities of all members in each of the remaining rounds.

    :param held: the authorities of each member now.
    :param new: makes the successor of this authority; called if no rotation
        has begun. None: if no rotation has begun, there is nothing to do.
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
    """Configure all members with a new authority for their next start.

    Members refuse expired certificates, so a member that is restarted alone
    cannot join, with an old or with a new certificate.

    :raises ClusterInconsistent: always, with the next action.
    """
    (old, *_), *_ = operation.found.authorities.values()
    _turn_to(operation, (_maker(operation)(old),), ())
    workflow.run(operation, (
        Each(formation.every_member, (configure.CONFIGURE,)),))
    operation.remedy = ('reboot the guests of all members at the same time, '
                        'so that they start with new certificates, then '
                        'recover the cluster if it does not recover by '
                        'itself')
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
