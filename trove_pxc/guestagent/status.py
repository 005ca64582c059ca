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

"""The service status of a member that is reported to Trove.

The manager and the reporter use it.
"""

import threading
from typing import Any

from oslo_utils import timeutils

from trove.common import cfg
from trove.common import context as trove_context
from trove.conductor import api as conductor_api
from trove.guestagent.datastore import service as trove_service
from trove.instance import service_status

from trove_pxc import conf
from trove_pxc.galera import catchup
from trove_pxc.galera import roles
from trove_pxc.galera import view
from trove_pxc.guestagent import container
from trove_pxc.guestagent import record
from trove_pxc.guestagent import service
from trove_pxc.protocols import ServiceStatus
from trove_pxc import waiting

CONF = cfg.CONF
ServiceStatuses = service_status.ServiceStatuses

_BY_SERVER = {
    view.ServerState.ABSENT: ServiceStatuses.SHUTDOWN,
    view.ServerState.STOPPED: ServiceStatuses.SHUTDOWN,
    view.ServerState.CRASHED: ServiceStatuses.CRASHED,
    view.ServerState.STARTING: ServiceStatuses.RUNNING,
    view.ServerState.UNRESPONSIVE: ServiceStatuses.UNKNOWN,
}

# With one retry the client connects again if the broker was restarted, and
# does not wait for a broker that is down.
_MORE_TRIES = 1

# The reporter takes seconds to observe a server that hangs, and pauses for
# seconds before the next observation.
_STILL_TRUE_SECONDS = 8

# The reporter observes the server at least as often.
_FRESH_SECONDS = 15

# A member that has not changed for so long is observed less often.
_REST_SECONDS = 20

# A message is lost without an error if the broker has just started and
# trove-conductor has not connected to it yet. So a new status is repeated: it
# may take [oslo_messaging_rabbit] rabbit_interval_max, 30 s, to connect.
_REPEAT_SECONDS = 8
_REPEATED_FOR = 45


def of_report(report: view.MemberReport) -> Any:
    """Trove's service status: HEALTHY only for a member that serves.

    A member that is joining or refuses writes of users is RUNNING. A member
    outside the primary component is BLOCKED.
    """
    if report.server is not view.ServerState.RUNNING:
        return _BY_SERVER[report.server]
    if report.view is None:
        return ServiceStatuses.UNKNOWN
    if roles.role(report) in roles.TAKING_WRITES:
        return ServiceStatuses.HEALTHY
    if report.view.in_primary:
        return ServiceStatuses.RUNNING
    return ServiceStatuses.BLOCKED


class MemberStatus(trove_service.BaseDbStatus):
    """Trove's status of the database; for a member, from its report."""

    def __init__(self, docker_client: container.Client) -> None:
        super().__init__(docker_client)
        self.member: service.GaleraService | None = None
        # A thread reports its observation before another thread observes:
        # the last report is the newest observation.
        self._lock = threading.RLock()
        self._last: tuple[view.MemberReport, waiting.Stopwatch] | None = None
        self._told: tuple[ServiceStatus, waiting.Stopwatch] | None = None
        self._changed = waiting.Stopwatch()     # the told status
        self._form: tuple[object, ...] = ()
        self._rests = waiting.Stopwatch()

    def get_actual_db_status(self) -> Any:
        if self.member is None or not self.member.is_member:
            return super().get_actual_db_status()
        return of_report(self._seen(self.member.report()))

    def periodic_status(self) -> Any:
        """The status for Trove's periodic task: that of the reporter."""
        if self._last is not None and self._last[1].elapsed < _FRESH_SECONDS:
            return of_report(self._last[0])
        return self.get_actual_db_status()

    def set_status(self, status: ServiceStatus, force: bool = False) -> None:
        """Report a status, unless the reporter has just reported the same."""
        with self._lock:
            if (not force and self.member is not None
                    and self.member.is_member and self._was_told(status)):
                return
            super().set_status(status, force=force)
            if force or self.is_installed:
                self._note_told(status)

    def begin_member(self) -> None:
        """Record that this agent, not an earlier one, prepares the member."""
        with self._lock:
            self.status = ServiceStatuses.BUILDING

    def prompt_report(self) -> view.MemberReport:
        """The member's report; the last one if the server hung just then.

        So the caller does not wait for the same timeout again. A member that
        is behind is measured if the reporter has not done it, for example
        because it waits for the broker.
        """
        assert self.member is not None
        if self._last is not None:
            report, age = self._last
            if (report.server is view.ServerState.UNRESPONSIVE
                    and age.elapsed < _STILL_TRUE_SECONDS):
                return report
        report = self.member.report()
        if catchup.is_unmeasured(report):
            waiting.pause(catchup.SHORTEST_SECONDS)
            report = self.member.report()
        return report

    def last_look(self) -> tuple[view.MemberReport, float] | None:
        """The last report, and its age in seconds."""
        if self._last is None:
            return None
        report, age = self._last
        return report, age.elapsed

    def report_member(self) -> None:
        """Observe the member; report changes, and else once a minute.

        A change is reported several times, because a message may be lost.

        It also reports while the member is being created, with the status
        that Trove expects then. If an agent died during the preparation, it
        reports that the preparation failed.

        :raises oslo_messaging.MessagingException: if the broker is down; the
            next call reports the state that is current then.
        """
        if self.member is None or not self.member.is_member:
            return
        with self._lock:
            status = self._status_of(self.member)
            if not self._was_told(status):
                self._tell(status)

    @property
    def at_rest(self) -> bool:
        """Whether the member serves, Synced, and has not changed for a while.

        A status that Trove has not got yet is a change. A guest without a
        member is always at rest.
        """
        if self.member is None or not self.member.is_member:
            return True
        return (self._last is not None and self._told is not None
                and self._told[0] == of_report(self._last[0])
                and roles.role(self._last[0]) is roles.Role.SYNCED
                and self._last[0].progress is None
                and self._rests.elapsed >= _REST_SECONDS)

    def _was_told(self, status: ServiceStatus) -> bool:
        if self._told is None:
            return False
        told, age = self._told
        limit = (_REPEAT_SECONDS if self._changed.elapsed < _REPEATED_FOR
                 else conf.report_seconds(CONF.report_interval))
        return bool(told == status and age.elapsed < limit)

    def _note_told(self, status: ServiceStatus) -> None:
        if self._told is None or self._told[0] != status:
            self._changed = waiting.Stopwatch()
        self._told = (status, waiting.Stopwatch())

    def _status_of(self, member: service.GaleraService) -> Any:
        if self.is_installed:
            return of_report(self._seen(member.glance()))
        if member.stage is not record.Stage.PREPARING:
            return ServiceStatuses.INSTANCE_READY
        if self.status is None:
            return ServiceStatuses.FAILED
        return self.status

    def _seen(self, report: view.MemberReport) -> view.MemberReport:
        self._last = (report, waiting.Stopwatch())
        seen = report.view
        form = (report.server, roles.role(report), seen and (
            seen.cluster_uuid, seen.cluster_conf_id, seen.cluster_size))
        if form != self._form:
            self._form, self._rests = form, waiting.Stopwatch()
        return report

    def _tell(self, status: ServiceStatus) -> None:
        """Report as Trove's set_status does, without waiting for the broker.

        A status that waited would be outdated.
        """
        conductor = conductor_api.API(trove_context.TroveContext())
        conductor.client = conductor.client.prepare(retry=_MORE_TRIES)
        conductor.heartbeat(
            CONF.guest_id, {'service_status': status.description},
            sent=timeutils.utcnow_ts(microsecond=True))
        self.status = status
        self._note_told(status)
