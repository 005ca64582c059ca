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

"""Waits for the address of a member, and for a guest that is ready.

Imported by the operations that form or extend a cluster.
"""

from collections.abc import Callable
from collections.abc import Hashable
from typing import Protocol

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation
from trove_pxc import waiting

Member = members.Member

# The longest pause, in seconds, between two requests to Nova or Neutron for a
# member. It is reached when Trove's request to create it waits for others, or
# its server boots for long.
_LONGEST_PAUSE = 5.0

_NOT_BEGUN = (': its guest agent does not run, cannot reach the message '
              'broker, or a restart of the broker lost the message to prepare '
              '(see "Bursts of requests" in the configuration guide)')


class Making(Protocol):
    """An operation whose instances Trove creates."""

    creations: formation.Creations

    def wait(self, probe: Callable[[], None], *, interval: float,
             progress: Callable[[], Hashable] | None = None) -> None:
        """Wait for a probe."""

    def seen(self, member: Member) -> rows.Instance:
        """The state of a member at the last check of a wait."""


def _address_known(operation: Making, member: Member) -> bool:
    return member.find_address() is not None


def _know_address(operation: Making, member: Member) -> None:
    found: list[str | None] = []

    def look() -> None:
        member.check_server(operation.seen(member).server_id)
        found[:] = [member.find_address()]
    look_now_and_then = supervision.every(
        member.options.cloud_poll_interval, look, _LONGEST_PAUSE)

    def probe() -> None:
        look_now_and_then()
        if not any(found):
            raise waiting.NotYet('no port with an address yet')
    operation.wait(
        probe, interval=member.options.cloud_poll_interval,
        progress=lambda: operation.creations.queued(
            member, operation.seen(member)))


def _prepared(operation: Making, member: Member) -> bool:
    return member.prepared()


def _be_prepared(operation: Making, member: Member) -> None:
    look_at_server = supervision.every(
        member.options.cloud_poll_interval, lambda: member.check_server(
            operation.seen(member).server_id), _LONGEST_PAUSE)

    def probe() -> None:
        look_at_server()
        operation.creations.ask(member)
        seen = operation.seen(member)
        if not seen.prepared:
            raise waiting.NotYet(f'its guest is "{seen.described}"'
                                 f'{_NOT_BEGUN if seen.untouched else ""}')
    operation.wait(probe, interval=member.options.database_poll_interval)


KNOW_ADDRESS = workflow.Step(
    'find the address', 'to have a port with an address',
    'member_ready_timeout', _address_known, _know_address)
BE_PREPARED = workflow.Step(
    'prepare', 'to have a guest that is ready', 'member_ready_timeout',
    _prepared, _be_prepared)
