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

"""Verifies that the members are one cluster: by reports and by a write.

Imported by the operations, and by the steps that wait for a member to join.
"""

from collections.abc import Callable
import functools
import uuid

from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

Supervised = supervision.Supervised
Member = members.Member


def refuse_other_history(operation: Supervised, member: Member,
                         report: view.MemberReport) -> None:
    """Raise MemberFailed if a member is primary with another history."""
    history = operation.found.history
    if (report.view is not None and report.view.in_primary
            and report.view.cluster_uuid not in (None, history)):
        raise member.failed(
            f'it is in a cluster with the UUID {report.view.cluster_uuid}, '
            f'not {history}')


def _agreed(operation: Supervised, member: Member) -> bool:
    return operation.found.joined(operation.ask(member),
                                  len(operation.members))


def _agree(operation: Supervised, member: Member) -> None:
    wait_agreed(operation, member, len(operation.members))


def wait_agreed(operation: Supervised, member: Member, size: int) -> None:
    """Wait until a member is Synced in this cluster, of this size."""
    def agrees(report: view.MemberReport) -> bool:
        refuse_other_history(operation, member, report)
        return operation.found.joined(report, size)
    _wait_seen(operation, member, agrees,
               f'to be Synced in a component of {size}')


def wait_serving(operation: Supervised, member: Member, size: int,
                 or_smaller: bool = False) -> None:
    """Wait until a member serves in a component of this size."""
    def serves(report: view.MemberReport) -> bool:
        seen = report.view
        return seen is not None and seen.serves and (
            seen.cluster_size == size
            or or_smaller and seen.cluster_size < size)
    _wait_seen(operation, member, serves,
               f'to serve in a component of {size}')


def _wait_seen(operation: Supervised, member: Member,
               right: Callable[[view.MemberReport], bool],
               what: str) -> None:
    """Wait until the report of a member is right; else it is at fault."""
    def probe() -> None:
        report = member.report()
        if not right(report):
            raise waiting.NotYet(members.seen(report))
    operation.wait(probe, what=f'{member.name} {what}',
                   seconds=member.options.verify_timeout, by=member)


def _replicate(operation: Supervised, member: Member) -> None:
    token = uuid.uuid4().hex
    operation.tell(member, functools.partial(
        member.guest.write_probe, token))
    for other in operation.members:
        operation.wait(
            _reads(other, token),
            what=f'{other.name} to read what {member.name} wrote',
            by=other)
    operation.tell(member, member.guest.drop_probe)


def _reads(member: Member, token: str) -> Callable[[], None]:
    def probe() -> None:
        if not member.guest.read_probe(token):
            raise waiting.NotYet('the row does not exist')
    return supervision.answered(probe)


AGREE = workflow.Step(
    'verify', 'to report the size of the cluster', 'verify_timeout',
    _agreed, _agree)
REPLICATE = workflow.Step(
    'replicate', 'to have its writes read on all members', 'verify_timeout',
    workflow.never, _replicate)
