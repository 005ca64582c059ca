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

The manager uses it.
"""

from typing import Any

from trove.guestagent.datastore import service as trove_service
from trove.instance import service_status

from trove_pxc.galera import view
from trove_pxc.guestagent import record
from trove_pxc.guestagent import service

ServiceStatuses = service_status.ServiceStatuses

_BY_SERVER = {
    view.ServerState.ABSENT: ServiceStatuses.SHUTDOWN,
    view.ServerState.STOPPED: ServiceStatuses.SHUTDOWN,
    view.ServerState.CRASHED: ServiceStatuses.CRASHED,
    view.ServerState.STARTING: ServiceStatuses.RUNNING,
    view.ServerState.UNRESPONSIVE: ServiceStatuses.UNKNOWN,
}


def of_report(report: view.MemberReport) -> Any:
    """Trove's service status: HEALTHY only for a node that serves.

    A node that joins its cluster is RUNNING, one outside the primary
    component is BLOCKED.
    """
    if report.server is not view.ServerState.RUNNING:
        return _BY_SERVER[report.server]
    if report.view is None:
        return ServiceStatuses.UNKNOWN
    if report.view.serves:
        return ServiceStatuses.HEALTHY
    if report.view.in_primary:
        return ServiceStatuses.RUNNING
    return ServiceStatuses.BLOCKED


class MemberStatus(trove_service.BaseDbStatus):
    """Trove's status of the database; a member's is its own report."""

    def __init__(self, docker_client: Any) -> None:
        super().__init__(docker_client)
        self.member: service.GaleraService | None = None

    def get_actual_db_status(self) -> Any:
        if self.member is None or not self.member.is_member:
            return super().get_actual_db_status()
        return of_report(self.member.report())

    def report_member(self) -> None:
        """Tell Trove how the member stands, while it is built too.

        Until the cluster is complete a member is what Trove expects of one
        that is being built; a preparation that an agent's death cut short
        has failed.
        """
        if self.member is None or not self.member.is_member:
            return
        if self.is_installed:
            self.set_status(self.get_actual_db_status())
        elif self.member.stage is not record.Stage.PREPARING:
            self.set_status(ServiceStatuses.INSTANCE_READY, force=True)
        elif self.status is None:
            self.set_status(ServiceStatuses.FAILED, force=True)
        else:
            self.set_status(self.status, force=True)
