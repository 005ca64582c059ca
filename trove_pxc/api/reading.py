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

"""Reports of the members of a cluster, requested when a user asks.

Imported by api/extension and api/views. All guests are called at the same
time, so guests that do not answer delay the result only by one time-out. The
result distinguishes a member that does not answer from one that reports a
failure.
"""

from collections.abc import Sequence
import dataclasses
import datetime
import threading
from typing import Any
from typing import Protocol

from oslo_log import log as logging
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.instance import service_status

from trove_pxc.api import known
from trove_pxc.api import members
from trove_pxc.api.model import Cluster
from trove_pxc.api.model import Member
from trove_pxc.galera import catchup
from trove_pxc.galera import diagnosis
from trove_pxc.galera import expiry
from trove_pxc.galera import lost
from trove_pxc.galera import roles
from trove_pxc.galera import view
from trove_pxc import guest_statuses
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

Statuses = service_status.ServiceStatuses
Role = roles.Role

_NOT_TO_BE_DISTURBED = (ClusterTasks.BUILDING_INITIAL, ClusterTasks.DELETING)

#: the part of the time-out after which a call is repeated once
_AT_ONCE = 1 / 3

#: statuses of Nova in which nothing runs in a server
_OFF = ('SHUTOFF', 'SHUTDOWN', 'DELETED', 'SUSPENDED', 'PAUSED')

_UNSYNCED = ('a loss of power could still destroy the data of the last state '
             'transfer')

_POSITIONS = {
    Role.SYNCED: 'member',
    Role.DONOR: 'donor',
    Role.BACKED_UP: 'backup',
    Role.BUSY: 'donor',
    Role.DESYNCED: 'desynced',
    Role.LOCKED: 'locked',
    Role.READ_ONLY: 'read-only',
    Role.REJECTING: 'rejecting',
    Role.UNREPLICATED: 'unreplicated',
    Role.JOINING: 'joiner',
    Role.STARTING: 'starting',
    Role.NON_PRIMARY: 'outside',
    Role.FROZEN: 'frozen',
    Role.UNRESPONSIVE: 'unknown',
    Role.DENIED: 'denied',
    Role.STOPPED: 'stopped',
    Role.CRASHED: 'crashed',
    Role.NEW: 'new',
    Role.FAILED: 'failed',
    Role.GONE: 'gone',
    Role.SILENT: 'unreachable',
}


class Reporting(Protocol):
    """The client of a guest, for reports."""

    def member_report(self, seconds: float) -> view.MemberReport:
        """Return the report of the member; wait at most this time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one member.

    :ivar member: Trove's model of the instance.
    :ivar report: None if the guest did not answer.
    :ivar silence: why there is no answer, or ''. A guest that is not ready yet
        does not answer, but has a report, because its server was never
        started.
    :ivar told: the role according to the reports of all members. None:
        according to its own report.
    :ivar serving: what a member that is behind is compared with.
    """

    member: Member
    report: view.MemberReport | None
    silence: str = ''
    told: Role | None = None
    serving: catchup.Serving = catchup.Serving()

    @property
    def reachable(self) -> bool:
        return not self.silence

    @property
    def role(self) -> str:
        """The role of the member in the cluster, in one word."""
        return _POSITIONS[self.told or roles.role(self.report)]

    def to_dict(self) -> dict[str, Any]:
        """Return the member for the API, without keys of unknown values."""
        shown = members.shown(self.member, self.role)
        shown['reachable'] = self.reachable
        if self.report is None or self.silence:
            shown['detail'] = self.silence
            return shown
        shown['server'] = self.report.server.value
        detail = _detail(self.report, self.serving)
        if detail:
            shown['detail'] = detail
        if self.report.certificate_ends is not None:
            shown['certificate_expires'] = _time(
                self.report.certificate_ends)
        if self.report.view is not None:
            shown.update(_of_view(self.report.view))
        behind = catchup.of(self.report, self.serving)
        if behind is not None:
            shown.update(_of_catch_up(behind))
        return shown


def certificates_expire(answers: Sequence[Answer]) -> str | None:
    """Return when the first certificate expires; None if none is known."""
    ends = expiry.ends({answer.member.id: answer.report
                        for answer in answers})
    return _time(min(ends.values())) if ends else None


def _time(when: datetime.datetime) -> str:
    """Format a time as Trove does."""
    return f'{when:%Y-%m-%dT%H:%M:%S}'


def _detail(report: view.MemberReport, serving: catchup.Serving) -> str:
    """Return the most important fact that the role does not show, or ''."""
    if report.error:
        return report.error
    return catchup.text(report, serving) or (
        _UNSYNCED if report.unsynced else '')


def _of_catch_up(behind: catchup.CatchUp) -> dict[str, Any]:
    shown: dict[str, Any] = {'recv_queue': behind.queue,
                             'behind': behind.behind}
    if behind.progress is not None:
        shown['apply_rate'] = round(behind.progress.applied, 1)
    if behind.seconds is not None:
        shown['catch_up_seconds'] = round(behind.seconds)
    return shown


def _of_view(seen: view.NodeView) -> dict[str, Any]:
    return {
        'state': seen.local_state.value,
        'cluster_status': seen.cluster_status.value,
        'cluster_size': seen.cluster_size,
        'cluster_uuid': seen.cluster_uuid,
        'last_committed': seen.last_committed,
    }


def ask(cluster: Cluster) -> list[Answer]:
    """Return the answers of all members, in member order."""
    answers = _answers(cluster, cluster.members)
    told = _roles(cluster, {answer.member.id: answer.report
                            for answer in answers})
    serving = catchup.Serving.of(answer.report for answer in answers)
    return [dataclasses.replace(answer, told=told[answer.member.id],
                                serving=serving)
            for answer in answers]


def _roles(cluster: Cluster, reports: dict[str, view.MemberReport | None]
           ) -> dict[str, Role]:
    """Return the roles. Members of a create that failed have not joined."""
    failed = (known.failed(cluster.members)
              if known.ever_complete(reports) else ())
    return roles.of_all(reports, failed, known.gone(cluster.members))


def positions(cluster: Cluster) -> dict[str, str]:
    """Return roles_now() as words, by the id of the instance."""
    return {one: _POSITIONS[role]
            for one, role in roles_now(cluster).items()}


def roles_now(cluster: Cluster) -> dict[str, Role]:
    """Return the role of each member, by the id of the instance.

    For requests that are frequent: while the cluster is built or deleted, the
    guests are not called and the result is empty. Guests that cannot answer
    according to Trove's rows are not called either.
    """
    if cluster.db_info.task_status in _NOT_TO_BE_DISTURBED:
        return {}
    lost = [member for member in cluster.members if _known_as_lost(member)]
    reports: dict[str, view.MemberReport | None] = {
        member.id: None for member in cluster.members}
    reports.update(
        (answer.member.id, answer.report) for answer in _answers(
            cluster, [member for member in cluster.members
                      if member not in lost]))
    return _roles(cluster, reports)


def diagnose(cluster: Cluster,
             answers: Sequence[Answer]) -> diagnosis.Diagnosis:
    """Return the diagnosis for these answers."""
    return diagnosis.diagnose(
        known.of_cluster(cluster),
        {answer.member.id: answer.report for answer in answers},
        datetime.datetime.now(datetime.timezone.utc))


def _known_as_lost(member: Member) -> bool:
    """Whether its server is off or deleted, or its heartbeat expired."""
    told = member.datastore_status
    return (member.server_gone
            or told.status == Statuses.FAILED_TIMEOUT_GUESTAGENT
            or (told.status == Statuses.INSTANCE_READY
                and not told.is_uptodate())
            or member.db_info.server_status in _OFF)


def _answers(cluster: Cluster, asked: Sequence[Member]) -> list[Answer]:
    manager = cluster.ds_version.manager
    seconds = CONF[manager].status_call_timeout
    answers = {member.id: _gone(cluster, member) for member in asked
               if member.server_gone}
    questions = [_Question(member, _guest(cluster, manager, member), seconds)
                 for member in asked if member.id not in answers]
    for question in questions:
        question.put()
    for question in questions:
        question.put_again()
    answers.update((question.answer.member.id, question.wait())
                   for question in questions)
    return [answers[member.id] for member in asked]


def _gone(cluster: Cluster, member: Member) -> Answer:
    """The answer for a member whose server is gone, without a call."""
    advice = lost.replacement(known.lost_member(cluster, member))
    return Answer(
        member, None,
        f'its {lost.server_gone(str(member.server_id))}. {advice}')


def _guest(cluster: Cluster, manager: str,
           member: Member) -> Reporting | None:
    """Return the client of a guest; None if it cannot be listening yet."""
    if member.datastore_status.status in guest_statuses.UNPREPARED:
        return None
    client: Reporting = clients.create_guest_client(
        cluster.context, member.id, manager)
    return client


class _Question:
    """A call to one guest, at the same time as the calls to others.

    The call is repeated once if there is no answer at once. When a guest lost
    its power, the broker takes up to two minutes to notice, and meanwhile
    sends every other message to the agent that no longer exists.
    """

    def __init__(self, member: Member, guest: Reporting | None,
                 seconds: float) -> None:
        self._guest = guest
        self._seconds = seconds
        self._open = 0
        self._count = threading.Lock()
        self._over = threading.Event()
        self._at_once = waiting.Deadline(seconds * _AT_ONCE)
        self.answer = (
            Answer(
                member, view.NEVER_STARTED, 'its guest is not ready yet')
            if guest is None else Answer(
                member, None,
                'its guest gave an invalid answer'))

    def put(self) -> None:
        """Call the guest without waiting."""
        if self._guest is None:
            self._over.set()
        else:
            self._put(self._seconds)

    def put_again(self) -> None:
        """Wait for an answer at once, then call the guest a second time."""
        if not self._over.wait(self._at_once.remaining):
            self._put(self._seconds * (1 - _AT_ONCE))

    def wait(self) -> Answer:
        """Return the answer, or the one of a guest that does not answer."""
        self._over.wait()
        return self.answer

    def _put(self, seconds: float) -> None:
        with self._count:
            self._open += 1
        threading.Thread(target=self._call, args=(seconds,),
                         daemon=True).start()

    def _call(self, seconds: float) -> None:
        answer = self.answer
        try:
            answer = self._called(seconds)
        finally:
            with self._count:
                self._open -= 1
                if self.answer.report is None:
                    self.answer = answer
                if answer.report is not None or not self._open:
                    self._over.set()

    def _called(self, seconds: float) -> Answer:
        member = self.answer.member
        assert self._guest is not None
        try:
            return Answer(member, self._guest.member_report(seconds))
        except exception.GuestTimeout:
            return Answer(
                member, None,
                f'its guest did not answer within {self._seconds:g} s')
        except exception.GuestError as error:
            LOG.warning('Guest %s: %s', member.id, error)
            return Answer(member, None, f'its guest failed: {error}')
