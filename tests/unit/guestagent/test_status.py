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

"""The service status of a member in Trove."""

import dataclasses
from typing import Any

import fixtures
import mock
from oslo_config import fixture as config_fixture
import oslo_messaging as messaging
import testtools
from trove.common import cfg
from trove.conductor import api as conductor_api
from trove.guestagent.utils import docker as trove_docker

from trove_pxc.galera import catchup
from trove_pxc.galera.progress import Progress
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
                (report(wsrep_local_state='2', wsrep_desync='ON'),
                 Statuses.HEALTHY),
                (report(read_only='ON'), Statuses.RUNNING),
                (report(wsrep_reject_queries='ALL'), Statuses.RUNNING),
                (report(wsrep_on='OFF'), Statuses.RUNNING),
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


class StatusTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(conductor_api, 'API', autospec=True)
        self.conductor = patch.start().return_value
        self.conductor.client = mock.Mock()
        self.config = self.useFixture(config_fixture.Config(cfg.CONF))
        self.addCleanup(patch.stop)
        self.status = status.MemberStatus(mock.sentinel.client)
        self.member = mock.create_autospec(
            service.GaleraService, instance=True)
        self.member.is_member = True
        self.clock = self.useFixture(fixtures.MockPatch(
            'time.monotonic', return_value=1000.0)).mock
        self.shows(report())
        self.status.member = self.member

    def shows(self, seen: view.MemberReport) -> None:
        """What the member reports from now on."""
        self.member.report.return_value = seen
        self.member.glance.return_value = seen

    def after(self, seconds: float) -> None:
        self.clock.return_value += seconds

    def told(self) -> list[str]:
        """The statuses that were reported to Trove."""
        return [call.args[1]['service_status'] for call
                in self.conductor.heartbeat.call_args_list]


class MemberStatusTest(StatusTestCase):

    def at(self, stage: record.Stage) -> None:
        self.member.stage = stage
        self.status.report_member()

    def test_a_member_in_building_is_reported_as_such(self) -> None:
        for stage in (record.Stage.PREPARED, record.Stage.CONFIGURED,
                      record.Stage.STARTED):
            self.at(stage)
        self.assertEqual(['instance ready'], self.told())
        for stage in (record.Stage.PREPARED, record.Stage.STARTED):
            self.after(60)
            self.at(stage)
        self.assertEqual(['instance ready'] * 3, self.told())

    def test_one_that_is_prepared_just_now_is_building(self) -> None:
        self.status.set_status(Statuses.BUILDING, force=True)
        self.after(60)
        self.at(record.Stage.PREPARING)
        self.assertEqual(['building', 'building'], self.told())

    def test_it_is_so_before_trove_says_it(self) -> None:
        """The record is written first."""
        self.status.begin_member()
        self.at(record.Stage.PREPARING)
        self.assertEqual(['building'], self.told())

    def test_a_preparation_that_was_cut_short_has_failed(self) -> None:
        self.at(record.Stage.PREPARING)
        self.after(60)
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
        self.shows(report(**samples.CUT_OFF))
        self.assertEqual(Statuses.BLOCKED,
                         self.status.get_actual_db_status())


class InstalledTestCase(StatusTestCase):
    """A member of a complete cluster."""

    def setUp(self) -> None:
        super().setUp()
        installed = mock.patch.object(
            status.MemberStatus, 'is_installed',
            new_callable=mock.PropertyMock, return_value=True)
        self.installed = installed.start()
        self.addCleanup(installed.stop)

    def sees(self, told: view.MemberReport) -> None:
        self.shows(told)
        self.status.report_member()


class ReportingTest(InstalledTestCase):

    def test_changes_are_told_and_nothing_else(self) -> None:
        for told in (report(), report(), report(State.STARTING),
                     report(wsrep_local_state='1'),
                     report(**samples.CUT_OFF), report(**samples.CUT_OFF),
                     report(wsrep_local_state='2'), report()):
            self.sees(told)
        self.assertEqual(['healthy', 'running', 'blocked', 'healthy'],
                         self.told())

    def test_an_unchanged_status_is_told_as_often_as_by_trove(self) -> None:
        """The reporter observes every 4 s, and Trove's task every minute."""
        self.sees(report())
        for interval, messages in ((5, 5), (30, 5), (100, 3)):
            self.conductor.heartbeat.reset_mock()
            self.config.config(report_interval=interval)
            self.after(1000)
            for second in range(300):
                if second % 4 == 0:
                    self.sees(report())
                if second % 60 == 59:
                    self.status.set_status(self.status.periodic_status())
                self.after(1)
            self.assertEqual(['healthy'] * messages, self.told())

    def test_a_new_status_is_repeated_for_a_while(self) -> None:
        """trove-conductor may not have connected to a new broker yet."""
        self.sees(report())
        self.after(1000)
        for _ in range(60):
            self.sees(report(State.CRASHED))
            self.after(1)
        self.assertEqual(['healthy'] + ['crashed'] * 6, self.told())

    def test_trove_s_task_observes_no_more_than_the_reporter(self) -> None:
        self.sees(report())
        self.member.report.reset_mock()
        self.assertEqual(Statuses.HEALTHY, self.status.periodic_status())
        self.member.report.assert_not_called()

    def test_trove_s_task_replaces_a_reporter_that_hangs(self) -> None:
        self.sees(report())
        self.shows(report(State.CRASHED))
        self.after(16)
        self.status.set_status(self.status.periodic_status())
        self.assertEqual(['healthy', 'crashed'], self.told())

    def test_what_trove_forces_is_always_told(self) -> None:
        self.sees(report())
        self.status.set_status(Statuses.HEALTHY, force=True)
        self.assertEqual(['healthy'] * 2, self.told())

    def test_later_is_newer(self) -> None:
        self.sees(report())
        self.sees(report(State.CRASHED))
        first, second = (call.kwargs['sent'] for call in
                         self.conductor.heartbeat.call_args_list)
        self.assertLess(first, second)

    def test_it_does_not_wait_for_a_broker_that_is_away(self) -> None:
        patient = self.conductor.client
        self.sees(report())
        patient.prepare.assert_called_once_with(retry=1)
        self.assertIs(patient.prepare.return_value, self.conductor.client)

    def test_what_was_not_heard_is_told_when_it_can_be(self) -> None:
        self.sees(report())
        self.conductor.heartbeat.side_effect = (
            messaging.MessageDeliveryFailure)
        for told in (report(State.STARTING), report(State.CRASHED)):
            self.assertRaises(messaging.MessageDeliveryFailure,
                              self.sees, told)
        self.conductor.heartbeat.side_effect = None
        self.conductor.heartbeat.reset_mock()
        self.sees(report(State.CRASHED))
        self.sees(report(State.CRASHED))
        self.assertEqual(['crashed'], self.told())

    def test_back_as_before_after_an_outage_there_is_nothing_to_tell(
            self) -> None:
        self.sees(report())
        self.conductor.heartbeat.side_effect = (
            messaging.MessageDeliveryFailure)
        self.assertRaises(messaging.MessageDeliveryFailure, self.sees,
                          report(State.STARTING))
        self.conductor.heartbeat.side_effect = None
        self.sees(report())
        self.assertEqual(['healthy', 'running'], self.told())

    def test_what_trove_tells_itself_is_known(self) -> None:
        self.status.set_status(Statuses.SHUTDOWN)
        self.sees(report())
        self.sees(report())
        self.assertEqual(['shutdown', 'healthy'], self.told())

    def test_a_status_that_trove_only_waited_for_was_not_told(self) -> None:
        self.sees(report())
        self.status.status = Statuses.SHUTDOWN  # wait_for_status does so
        self.sees(report())
        self.assertEqual(['healthy'], self.told())


class RestTest(InstalledTestCase):
    """When the reporter may observe less often."""

    def rests(self, seen: view.MemberReport) -> bool:
        self.sees(seen)
        self.after(20)
        return self.status.at_rest

    def test_a_member_that_serves_unchanged_is_at_rest(self) -> None:
        self.assertFalse(self.status.at_rest)
        self.sees(report())
        self.assertFalse(self.status.at_rest)
        self.assertTrue(self.rests(report(wsrep_last_committed='9')))

    def test_a_change_of_the_cluster_is_a_change(self) -> None:
        self.rests(report())
        for changed in ({'wsrep_cluster_size': '2'},
                        {'wsrep_cluster_conf_id': '4'},
                        {'wsrep_cluster_state_uuid': samples.OTHER_UUID}):
            self.sees(report(**changed))
            self.assertFalse(self.status.at_rest, changed)
            self.assertTrue(self.rests(report(**changed)), changed)

    def test_a_member_that_does_not_serve_is_never_at_rest(self) -> None:
        for seen in (report(State.STARTING), report(State.STOPPED),
                     report(State.UNRESPONSIVE), report(**samples.CUT_OFF),
                     report(wsrep_local_state='3'),
                     report(wsrep_local_state='2'), report(read_only='ON')):
            self.assertFalse(self.rests(seen), seen)

    def test_a_member_that_falls_behind_is_not_at_rest(self) -> None:
        self.assertFalse(self.rests(dataclasses.replace(
            report(), progress=Progress(500, 9.0, 1.0, 2.0))))

    def test_an_outage_of_the_broker_is_no_rest(self) -> None:
        self.rests(report(**samples.CUT_OFF))
        self.conductor.heartbeat.side_effect = (
            messaging.MessageDeliveryFailure)
        self.assertRaises(messaging.MessageDeliveryFailure, self.sees,
                          report())
        self.after(20)
        self.assertFalse(self.status.at_rest)

    def test_a_guest_without_a_member_is_at_rest(self) -> None:
        self.member.is_member = False
        self.assertTrue(self.status.at_rest)


ANEW = report(State.STOPPED)


class PromptReportTest(StatusTestCase):

    def answer(self, last: Any) -> Any:
        self.shows(last)
        self.status.get_actual_db_status()
        self.member.report.return_value = ANEW
        return self.status.prompt_report()

    def test_a_server_that_hangs_is_not_asked_once_more(self) -> None:
        frozen = report(State.UNRESPONSIVE)
        self.assertIs(frozen, self.answer(frozen))

    def test_everything_else_is_asked_anew(self) -> None:
        for last in (report(), report(State.CRASHED), report(State.STOPPED)):
            self.assertIs(ANEW, self.answer(last))

    def test_not_for_long(self) -> None:
        frozen = report(State.UNRESPONSIVE)
        with mock.patch.object(status, '_STILL_TRUE_SECONDS', 0):
            self.assertIs(ANEW, self.answer(frozen))

    def test_at_first(self) -> None:
        self.assertEqual(report(), self.status.prompt_report())

    def test_a_member_that_is_behind_is_measured_at_once(self) -> None:
        """The reporter measures nothing while it waits for the broker."""
        for state in ('1', '3'):
            first = report(wsrep_local_state=state,
                           wsrep_local_recv_queue='9')
            measured = dataclasses.replace(
                first, progress=Progress(5, 8.0, -8.0, 0.5))
            self.member.report.side_effect = [first, measured, first]
            with mock.patch('trove_pxc.waiting.pause') as pause:
                self.assertIs(measured, self.status.prompt_report())
            pause.assert_called_once_with(catchup.SHORTEST_SECONDS)

    def test_a_measured_member_is_not_measured_again(self) -> None:
        behind = report(wsrep_local_state='3', wsrep_local_recv_queue='9')
        for told in (report(wsrep_local_recv_queue='9'),
                     report(wsrep_local_state='3'),
                     report(**samples.CUT_OFF, wsrep_local_recv_queue='9'),
                     dataclasses.replace(
                         behind, progress=Progress(5, 8.0, -8.0, 0.5))):
            self.member.report.side_effect = [told]
            self.assertIs(told, self.status.prompt_report())
