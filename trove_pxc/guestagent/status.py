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

"""What Trove is told of a member: its report in Trove's words.

The manager uses it, and the reporter tells it.
"""

import threading
from typing import Any

from oslo_utils import timeutils

from trove.common import cfg
from trove.common import context as trove_context
from trove.conductor import api as conductor_api
from trove.guestagent.datastore import service as trove_service
from trove.instance import service_status

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

# With one more the client of the broker connects anew, where the broker was
# restarted since; it does not wait for one that is away.
_MORE_TRIES = 1

# The reporter's look at a server that hangs takes seconds, and so does its
# pause before the next.
_STILL_TRUE_SECONDS = 8


def of_report(report: view.MemberReport) -> Any:
    """Trove's service status: HEALTHY only for a node that serves.

    A node that joins its cluster is RUNNING, as is one that refuses the
    writes of users; one outside the primary component is BLOCKED.
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
    """Trove's status of the database; a member's is its own report."""

    def __init__(self, docker_client: container.Client) -> None:
        super().__init__(docker_client)
        self.member: service.GaleraService | None = None
        # Who looks tells what was seen before another looks: the newest
        # word is the newest look.
        self._lock = threading.RLock()
        self._last: tuple[view.MemberReport, waiting.Stopwatch] | None = None
        self._told: tuple[ServiceStatus, waiting.Stopwatch] | None = None

    def get_actual_db_status(self) -> Any:
        if self.member is None or not self.member.is_member:
            return super().get_actual_db_status()
        return of_report(self._look(self.member))

    def set_status(self, status: ServiceStatus, force: bool = False) -> None:
        with self._lock:
            super().set_status(status, force=force)
            if force or self.is_installed:
                self._told = (status, waiting.Stopwatch())

    def begin_member(self) -> None:
        """It is being prepared, by this agent and not by one that died."""
        with self._lock:
            self.status = ServiceStatuses.BUILDING

    def prompt_report(self) -> view.MemberReport:
        """The member's report; at once if its server was just seen to hang.

        Whoever asks does not have to wait for the same silence once more.
        """
        assert self.member is not None
        if self._last is not None:
            report, age = self._last
            if (report.server is view.ServerState.UNRESPONSIVE
                    and age.elapsed < _STILL_TRUE_SECONDS):
                return report
        return self.member.report()

    def last_look(self) -> tuple[view.MemberReport, float] | None:
        """What was seen last, and how many seconds ago."""
        if self._last is None:
            return None
        report, age = self._last
        return report, age.elapsed

    def report_member(self) -> None:
        """Look, and tell Trove what changed, or once per report_interval.

        While the member is built too: until the cluster is complete it is
        what Trove expects of one that is being built; a preparation that an
        agent's death cut short has failed.

        :raises oslo_messaging.MessagingException: if the broker is away;
            what was to be told is told by the next call, if it is still so.
        """
        if self.member is None or not self.member.is_member:
            return
        with self._lock:
            status = self._status_of(self.member)
            if self._told is not None:
                told, age = self._told
                if told == status and age.elapsed < CONF.report_interval:
                    return
            self._tell(status)

    def _status_of(self, member: service.GaleraService) -> Any:
        if self.is_installed:
            return self.get_actual_db_status()
        if member.stage is not record.Stage.PREPARING:
            return ServiceStatuses.INSTANCE_READY
        if self.status is None:
            return ServiceStatuses.FAILED
        return self.status

    def _look(self, member: service.GaleraService) -> view.MemberReport:
        report = member.report()
        self._last = (report, waiting.Stopwatch())
        return report

    def _tell(self, status: ServiceStatus) -> None:
        """As Trove's set_status, which would wait until the broker is back.

        By then it would be old news.
        """
        conductor = conductor_api.API(trove_context.TroveContext())
        conductor.client = conductor.client.prepare(retry=_MORE_TRIES)
        conductor.heartbeat(
            CONF.guest_id, {'service_status': status.description},
            sent=timeutils.utcnow_ts(microsecond=True))
        self.status = status
        self._told = (status, waiting.Stopwatch())
