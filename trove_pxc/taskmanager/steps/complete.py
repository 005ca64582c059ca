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

"""Completes a member: its guest starts to report, and it is HEALTHY.

Imported by the operations, as their last steps.
"""

from trove.extensions.common import models as root_models

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting

Supervised = supervision.Supervised
Member = members.Member


def _healthy(operation: Supervised, member: Member) -> bool:
    return member.healthy()


def _complete(operation: Supervised, member: Member) -> None:
    operation.tell(member, member.guest.cluster_complete)


def _be_healthy(operation: Supervised, member: Member) -> None:
    def probe() -> None:
        seen = operation.seen(member)
        if not seen.healthy:
            raise waiting.NotYet(f'its guest reports "{seen.described}"')
    operation.wait(probe, interval=member.options.database_poll_interval)


def _bring_in(operation: Supervised, member: Member) -> Found:
    """Give the member the same state in Trove's rows as the others."""
    histories = [root_models.RootHistory.load(operation.context, other.id)
                 for other in operation.all_members if other is not member]
    if any(history is not None and not (
            history.deleted_at and history.deleted_at > history.created)
            for history in histories):
        root_models.RootHistory.create(operation.context, member.id)
    failures.release([member])
    return operation.found.had_its_turn(member)


COMPLETE = workflow.Step(
    'complete', 'to have its guest start to report', 'health_timeout',
    _healthy, _complete)
BE_HEALTHY = workflow.Step(
    'become healthy', 'to be reported HEALTHY by its guest', 'health_timeout',
    _healthy, _be_healthy)
BRING_IN = workflow.Step(
    'finish', 'to be a full member', 'verify_timeout', workflow.never,
    _bring_in)
