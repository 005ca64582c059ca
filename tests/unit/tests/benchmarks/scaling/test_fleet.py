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
"""The states of a simulated guest are those of a member without a fault."""

import testtools

from tests.benchmarks.scaling import durations
from tests.benchmarks.scaling import fleet
from trove_pxc.galera import view

Statuses = fleet.Statuses
TIMES = durations.Durations(prepare=5, bootstrap=4, join=2, stop=1)


class FleetTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.fleet = fleet.Fleet(TIMES)
        self.first, self.second = (
            self.fleet.add(f'id-{number}', f'c-{number}')
            for number in (1, 2))
        for guest in (self.first, self.second):
            self.fleet.assign(guest, 'cluster')

    def report(self, guest: fleet.Guest, now: float) -> view.MemberReport:
        return view.MemberReport.from_dict(
            guest.call('member_report', {}, now))

    def bootstrapped(self) -> None:
        self.first.call('bootstrap_member', {}, 100.0)

    def test_guest_is_ready_when_its_preparation_has_ended(self) -> None:
        later = self.first.call('prepare', {'packages': []}, 10.0)
        self.assertEqual(5, later.seconds)
        self.assertEqual(Statuses.BUILDING, self.first.reported(14.0))
        self.assertIsNone(later.end(15.0))
        self.assertEqual(Statuses.INSTANCE_READY, self.first.reported(15.0))

    def test_server_starts_then_joins_then_is_synced(self) -> None:
        self.assertEqual(view.ServerState.ABSENT,
                         self.report(self.first, 99.0).server)
        self.bootstrapped()
        self.assertEqual(view.ServerState.STARTING,
                         self.report(self.first, 101.0).server)
        joining = self.report(self.first, 103.0)
        assert joining.view is not None
        self.assertFalse(joining.view.serves)
        synced = self.report(self.first, 104.0)
        assert synced.view is not None
        self.assertTrue(synced.view.serves)
        self.assertEqual(1, synced.view.cluster_size)

    def test_report_with_patience_waits_until_the_server_is_synced(
            self) -> None:
        self.bootstrapped()
        for patience, seconds, serves in ((30, 3, True), (1, 1, False)):
            later = self.first.call(
                'member_report', {'patience': patience}, 101.0)
            self.assertEqual(seconds, later.seconds)
            report = view.MemberReport.from_dict(
                later.end(101.0 + later.seconds))
            self.assertEqual(
                serves, report.view is not None and report.view.serves)
        self.assertIsInstance(self.first.call(
            'member_report', {'patience': 30}, 104.0), dict)

    def test_members_of_a_cluster_share_history_and_size(self) -> None:
        self.bootstrapped()
        self.second.call('join_member', {'forming': True}, 110.0)
        views = [self.report(guest, 112.0).view
                 for guest in (self.first, self.second)]
        self.assertEqual({2}, {seen and seen.cluster_size for seen in views})
        self.assertEqual(
            1, len({seen and seen.cluster_uuid for seen in views}))

    def test_complete_member_reports_healthy_only_while_synced(self) -> None:
        self.first.status = Statuses.INSTANCE_READY
        self.bootstrapped()
        self.assertEqual(Statuses.INSTANCE_READY, self.first.reported(104.0))
        self.first.call('cluster_complete', {}, 104.0)
        self.assertEqual(Statuses.HEALTHY, self.first.reported(104.0))
        self.assertEqual(
            1, self.first.call('stop_db', {}, 105.0).seconds)
        self.assertEqual(Statuses.SHUTDOWN, self.first.reported(105.0))
        self.first.call('start_member', {}, 106.0)
        self.assertEqual(Statuses.RUNNING, self.first.reported(106.5))
        self.assertEqual(Statuses.HEALTHY, self.first.reported(108.0))

    def test_what_one_member_writes_the_others_read(self) -> None:
        self.first.call('write_probe', {'token': 'abc'}, 1.0)
        self.assertTrue(self.second.call('read_probe', {'token': 'abc'}, 1.0))
        self.assertFalse(
            self.second.call('read_probe', {'token': 'other'}, 1.0))

    def test_call_of_galera_common_waits_for_its_server(self) -> None:
        for guest, bootstrap, seconds in ((self.first, True, 4),
                                          (self.second, False, 2)):
            later = guest.call('install_cluster', {
                'replication_user': {}, 'cluster_configuration': '',
                'bootstrap': bootstrap}, 10.0)
            self.assertEqual(seconds, later.seconds)
            self.assertTrue(guest.synced(10.0 + seconds))

    def test_unknown_call_is_an_error(self) -> None:
        self.assertRaises(LookupError, self.first.call, 'backup', {}, 1.0)

    def test_events_of_a_cluster_have_their_times(self) -> None:
        self.first.call('stop_db', {}, 5.0)
        self.fleet.remove('id-1', 6.0)
        self.assertEqual([(5.0, 'stop_db'), (6.0, 'delete server')],
                         self.fleet.clusters['cluster'].events)
        self.assertEqual([self.second],
                         self.fleet.clusters['cluster'].guests)

    def test_calls_take_the_wanted_time(self) -> None:
        slow = fleet.Fleet(durations.Durations(call=0.5)).add('id', 'name')
        later = slow.call('member_context', {}, 1.0)
        self.assertEqual((0.5, None), (later.seconds, later.result))
