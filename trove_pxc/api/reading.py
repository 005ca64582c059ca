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

"""What the members of a cluster say of themselves, asked when one looks.

Imported by api/extension. All guests are asked at the same time; one that
does not answer costs no more than its time-out, and is told apart from one
that answers with bad news.
"""

from collections.abc import Sequence
import dataclasses
import threading
from typing import Any

from oslo_log import log as logging
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.instance import service_status

from trove_pxc.api import members
from trove_pxc.galera import diagnosis
from trove_pxc.galera import view

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

Statuses = service_status.ServiceStatuses
Role = diagnosis.Role

_NOT_LISTENING = (Statuses.NEW, Statuses.BUILDING)

_NOTHING_YET = view.MemberReport(
    server=view.ServerState.ABSENT, view=None, data_bytes=0, started=False,
    exit_code=None, error='')

_POSITIONS = {
    Role.SYNCED: 'member',
    Role.DONOR: 'donor',
    Role.JOINING: 'joiner',
    Role.STARTING: 'starting',
    Role.NON_PRIMARY: 'outside',
    Role.FROZEN: 'frozen',
    Role.MUTE: 'unknown',
    Role.STOPPED: 'stopped',
    Role.CRASHED: 'crashed',
    Role.NEW: 'new',
    Role.SILENT: 'unreachable',
}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came from one member.

    :ivar member: Trove's view of the instance.
    :ivar report: None if none came.
    :ivar silence: why none came, or ''. A guest that was never ready gives
        none, and yet it is known that it has started nothing.
    """

    member: Any
    report: view.MemberReport | None
    silence: str = ''

    @property
    def reachable(self) -> bool:
        return not self.silence

    def to_dict(self) -> dict[str, Any]:
        """As the API shows a member; what is not known is absent."""
        role = diagnosis.role(self.report)
        shown: dict[str, Any] = {
            'id': self.member.id,
            'name': self.member.name,
            'role': _POSITIONS[role],
            'status': members.shown_status(self.member),
            'operating_status': str(self.member.operating_status),
            'reachable': self.reachable,
        }
        addresses = self.member.get_visible_ip_addresses()
        if addresses:
            shown['ip'] = [address['address'] for address in addresses]
        if self.report is None or self.silence:
            shown['detail'] = self.silence
            return shown
        shown['server'] = self.report.server.value
        if self.report.error:
            shown['detail'] = self.report.error
        if self.report.view is not None:
            shown.update(_of_view(self.report.view))
        return shown


def _of_view(seen: view.NodeView) -> dict[str, Any]:
    return {
        'state': seen.local_state.value,
        'cluster_status': seen.cluster_status.value,
        'cluster_size': seen.cluster_size,
        'cluster_uuid': seen.cluster_uuid,
        'last_committed': seen.last_committed,
    }


def ask(cluster: Any) -> list[Answer]:
    """The answers of all members, in member order."""
    manager = cluster.ds_version.manager
    seconds = CONF[manager].status_call_timeout
    questions = [_Question(member, _guest(cluster, manager, member), seconds)
                 for member in cluster.members]
    for question in questions:
        question.start()
    for question in questions:
        question.join()
    return [question.answer for question in questions]


def diagnose(answers: Sequence[Answer]) -> diagnosis.Diagnosis:
    """What the answers add up to."""
    return diagnosis.diagnose(
        [answer.member.name for answer in answers],
        {answer.member.name: answer.report for answer in answers})


def _guest(cluster: Any, manager: str, member: Any) -> Any:
    """The client of a guest; None while none can be listening."""
    if member.datastore_status.status in _NOT_LISTENING:
        return None
    return clients.create_guest_client(cluster.context, member.id, manager)


class _Question(threading.Thread):
    """One call to one guest, while the others are asked as well."""

    def __init__(self, member: Any, guest: Any, seconds: int) -> None:
        super().__init__(daemon=True)
        self._guest = guest
        self._seconds = seconds
        self.answer = (
            Answer(member, _NOTHING_YET, 'its guest is not ready yet')
            if guest is None else Answer(
                member, None,
                'its guest gave an answer that is not understood'))

    def run(self) -> None:
        if self._guest is None:
            return
        member = self.answer.member
        try:
            self.answer = Answer(
                member, self._guest.member_report(self._seconds))
        except exception.GuestTimeout:
            self.answer = Answer(
                member, None,
                f'its guest did not answer within {self._seconds} s')
        except exception.GuestError as error:
            LOG.warning('Guest %s: %s', member.id, error)
            self.answer = Answer(member, None, f'its guest failed: {error}')
