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

"""A member's report in Trove's words."""

import dataclasses

import mock
import testtools
from trove.conductor import api as conductor_api
from trove.guestagent.utils import docker as trove_docker

from trove_pxc.galera import view
from trove_pxc.guestagent import record
from trove_pxc.guestagent import service
from trove_pxc.guestagent import status

from tests.unit.galera import samples

State = view.ServerState
Statuses = status.ServiceStatuses


def report(state: view.ServerState = State.RUNNING,
           **changes: str) -> view.MemberReport:
    node_view = view.NodeView.from_status({**samples.SYNCED, **changes})
    return view.MemberReport(
        server=state, data_bytes=0, started=True, exit_code=None, error='',
        view=node_view if state is State.RUNNING else None)


class OfReportTest(testtools.TestCase):

    def test_only_a_node_that_serves_is_healthy(self) -> None:
        for told, expected in (
                (report(), Statuses.HEALTHY),
                (report(wsrep_local_state='2'), Statuses.HEALTHY),
                (report(wsrep_local_state='1'), Statuses.RUNNING),
                (report(wsrep_local_state='3'), Statuses.RUNNING),
                (report(**samples.CUT_OFF), Statuses.BLOCKED),
                (report(State.STARTING), Statuses.RUNNING),
                (report(State.STOPPED), Statuses.SHUTDOWN),
                (report(State.ABSENT), Statuses.SHUTDOWN),
                (report(State.CRASHED), Statuses.CRASHED),
                (report(State.UNRESPONSIVE), Statuses.UNKNOWN)):
            self.assertEqual(expected, status.of_report(told), told)

    def test_a_server_that_refuses_is_not_known(self) -> None:
        refused = dataclasses.replace(report(), view=None)
        self.assertEqual(Statuses.UNKNOWN, status.of_report(refused))


class MemberStatusTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(conductor_api, 'API', autospec=True)
        self.conductor = patch.start().return_value
        self.addCleanup(patch.stop)
        self.status = status.MemberStatus(mock.sentinel.client)
        self.member = mock.create_autospec(
            service.GaleraService, instance=True)
        self.member.is_member = True
        self.member.report.return_value = report()
        self.status.member = self.member

    def told(self) -> list[str]:
        """The statuses that Trove was told."""
        return [call.args[1]['service_status'] for call
                in self.conductor.heartbeat.call_args_list]

    def at(self, stage: record.Stage) -> None:
        self.member.stage = stage
        self.status.report_member()

    def test_a_member_in_building_is_reported_as_such(self) -> None:
        for stage in (record.Stage.PREPARED, record.Stage.CONFIGURED,
                      record.Stage.STARTED):
            self.at(stage)
        self.assertEqual(['instance ready'] * 3, self.told())

    def test_one_that_is_prepared_just_now_is_building(self) -> None:
        self.status.set_status(Statuses.BUILDING, force=True)
        self.at(record.Stage.PREPARING)
        self.assertEqual(['building', 'building'], self.told())

    def test_a_preparation_that_was_cut_short_has_failed(self) -> None:
        self.at(record.Stage.PREPARING)
        self.at(record.Stage.PREPARING)
        self.assertEqual(['failed to spawn'] * 2, self.told())

    def test_who_is_no_member_is_left_to_trove(self) -> None:
        self.member.is_member = False
        self.status.report_member()
        self.assertEqual([], self.told())
        with mock.patch.object(trove_docker, 'get_container_health',
                               autospec=True, return_value='healthy'):
            self.assertEqual(Statuses.HEALTHY,
                             self.status.get_actual_db_status())

    def test_a_member_s_status_is_its_own_report(self) -> None:
        self.member.report.return_value = report(**samples.CUT_OFF)
        self.assertEqual(Statuses.BLOCKED,
                         self.status.get_actual_db_status())
