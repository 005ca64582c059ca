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

import json

import testtools

from tests.unit.galera import samples
from trove_pxc.galera.progress import Progress
from trove_pxc.galera import view
from trove_pxc.galera.view import ClusterStatus
from trove_pxc.galera.view import LocalState

# (wsrep_local_state, wsrep_local_state_comment, the state)
STATES = (
    ('0', 'Initialized', LocalState.INITIALIZED),
    ('1', 'Joining', LocalState.JOINING),
    ('1', 'Joining: preparing for State Transfer', LocalState.JOINING),
    ('1', 'Joining: receiving State Transfer', LocalState.JOINING),
    ('2', 'Donor/Desynced', LocalState.DONOR),
    ('3', 'Joined', LocalState.JOINED),
    ('4', 'Synced', LocalState.SYNCED),
    ('4', 'Donor/Desynced', LocalState.SYNCED),
    ('0', '', LocalState.INITIALIZED),
    ('1', '', LocalState.JOINING),
    ('2', '', LocalState.DONOR),
    ('3', '', LocalState.JOINED),
    ('4', '', LocalState.SYNCED),
    ('5', '', LocalState.INCONSISTENT),
    ('6', '', LocalState.UNKNOWN),
    ('', 'Synced', LocalState.SYNCED),
    ('', 'Joining: receiving State Transfer', LocalState.JOINING),
    ('5', 'Inconsistent', LocalState.INCONSISTENT),
    ('', 'Inconsistent', LocalState.INCONSISTENT),
    ('', '', LocalState.UNKNOWN),
    ('six', 'what', LocalState.UNKNOWN),
)

STATUSES = (
    ('Primary', ClusterStatus.PRIMARY),
    ('primary', ClusterStatus.PRIMARY),
    ('non-Primary', ClusterStatus.NON_PRIMARY),
    ('non-primary', ClusterStatus.NON_PRIMARY),
    ('Disconnected', ClusterStatus.DISCONNECTED),
    ('', ClusterStatus.UNKNOWN),
    ('Something', ClusterStatus.UNKNOWN),
)

# (status, state, ready, whether it serves)
SERVING = (
    ('Primary', '4', 'ON', True),
    ('Primary', '2', 'ON', True),
    ('Primary', '3', 'ON', False),
    ('Primary', '1', 'ON', False),
    ('Primary', '4', 'OFF', False),
    ('non-Primary', '4', 'ON', False),
    ('Disconnected', '0', 'OFF', False),
)


# (wsrep_cluster_conf_id, the number)
CONF_IDS = (
    ('0', 0),
    ('4711', 4711),
    (str(2 ** 63 - 1), 2 ** 63 - 1),
    (str(2 ** 63), -1),
    (str(2 ** 64 - 1), -1),
)


class NodeViewTest(testtools.TestCase):

    def test_a_synced_node(self):
        seen = view.NodeView.from_status(samples.SYNCED)
        self.assertTrue(seen.in_primary and seen.is_synced and seen.serves)
        self.assertEqual(3, seen.cluster_size)
        self.assertEqual(samples.UUID, seen.cluster_uuid)
        self.assertEqual(3, seen.cluster_conf_id)
        self.assertEqual(3, seen.last_committed)
        self.assertEqual(('10.99.0.11:3306', '10.99.0.12:3306',
                          '10.99.0.13:3306'), seen.incoming_addresses)
        self.assertEqual('4.23(rXXXX)', seen.provider_version)

    def test_a_node_that_is_cut_off(self):
        seen = view.NodeView.from_status(samples.CUT_OFF)
        self.assertFalse(seen.in_primary or seen.is_synced or seen.serves)
        self.assertTrue(seen.connected)
        self.assertEqual(-1, seen.cluster_conf_id)
        self.assertEqual(25, seen.last_committed)

    def test_a_nil_history_is_none(self):
        seen = view.NodeView.from_status(samples.NIL_HISTORY)
        self.assertIsNone(seen.cluster_uuid)
        self.assertTrue(seen.serves)

    def test_local_states(self):
        for number, comment, state in STATES:
            seen = view.NodeView.from_status({
                'wsrep_local_state': number,
                'wsrep_local_state_comment': comment})
            self.assertIs(state, seen.local_state, (number, comment))
            self.assertEqual(comment, seen.local_state_comment)

    def test_cluster_statuses(self):
        for text, status in STATUSES:
            seen = view.NodeView.from_status({'wsrep_cluster_status': text})
            self.assertIs(status, seen.cluster_status, text)

    def test_configurations(self):
        for text, number in CONF_IDS:
            seen = view.NodeView.from_status({'wsrep_cluster_conf_id': text})
            self.assertEqual(number, seen.cluster_conf_id)

    def test_only_the_inconsistent_was_evicted(self):
        for state in LocalState:
            seen = samples.node_view(local_state=state.value)
            self.assertIs(state is LocalState.INCONSISTENT,
                          seen.was_evicted)

    def test_who_serves(self):
        for status, state, ready, serves in SERVING:
            seen = view.NodeView.from_status({
                **samples.SYNCED, 'wsrep_cluster_status': status,
                'wsrep_local_state': state, 'wsrep_ready': ready})
            self.assertEqual(serves, seen.serves, (status, state, ready))

    def test_a_server_without_wsrep_is_unknown_throughout(self):
        seen = view.NodeView.from_status({})
        self.assertIs(ClusterStatus.UNKNOWN, seen.cluster_status)
        self.assertIs(LocalState.UNKNOWN, seen.local_state)
        self.assertIsNone(seen.cluster_uuid)
        self.assertEqual((0, -1, -1), (
            seen.cluster_size, seen.cluster_conf_id, seen.last_committed))
        self.assertEqual((), seen.incoming_addresses)
        self.assertFalse(seen.ready or seen.connected or seen.serves)

    def test_any_row_may_be_missing_or_nonsense(self):
        for name in samples.SYNCED:
            for value in (None, '', 'nonsense', '-1', ' '):
                rows = dict(samples.SYNCED)
                rows.pop(name)
                if value is not None:
                    rows[name] = value
                seen = view.NodeView.from_status(rows)
                self.assertEqual(
                    seen, view.NodeView.from_dict(seen.to_dict()))

    def test_names_of_rows_may_be_in_capitals(self):
        shouted = {name.upper(): value
                   for name, value in samples.SYNCED.items()}
        self.assertEqual(view.NodeView.from_status(samples.SYNCED),
                         view.NodeView.from_status(shouted))


class MemberReportTest(testtools.TestCase):

    def test_it_survives_json(self):
        for seen in (None, samples.node_view(),
                     view.NodeView.from_status(samples.CUT_OFF),
                     view.NodeView.from_status({})):
            for server in view.ServerState:
                report = view.MemberReport(
                    server, seen, 12, True, 137, 'killed',
                    progress=seen and Progress(7, 2.5, -1.5, 2.0))
                wire = json.dumps(report.to_dict())
                self.assertEqual(report, view.MemberReport.from_dict(
                    json.loads(wire)))

    def test_an_older_guest_does_not_tell_all(self):
        plain = samples.primary().to_dict()
        for key in ('receiving', 'unsynced', 'restarts',
                    'certificate_ends', 'denied', 'progress'):
            del plain[key]
        del plain['view']['recv_queue']
        report = view.MemberReport.from_dict(plain)
        self.assertEqual((False, False, 0, None, False), (
            report.receiving, report.unsynced, report.restarts,
            report.certificate_ends, report.denied))

    def test_what_holds_unless_it_is_told(self):
        report = view.MemberReport(view.ServerState.STOPPED, None, 0, True,
                                   0, '')
        self.assertEqual((False, False, 0, None, False), (
            report.receiving, report.unsynced, report.restarts,
            report.certificate_ends, report.denied))

    def test_a_member_that_was_never_started_has_nothing(self):
        never = view.NEVER_STARTED
        self.assertEqual((0, False, None, ''), (
            never.data_bytes, never.started, never.exit_code, never.error))

    def test_a_queue_is_a_number_or_unknown(self):
        for text, queue in (('0', 0), ('12', 12), ('', None), ('x', None)):
            self.assertEqual(queue, view.NodeView.from_status({
                **samples.SYNCED, 'wsrep_local_recv_queue': text}).recv_queue)

    def test_values_of_a_row_are_those_of_a_list(self):
        names = ('wsrep_on', 'wsrep_reject_queries', 'read_only')
        self.assertEqual(
            'SELECT @@GLOBAL.wsrep_on, @@GLOBAL.wsrep_reject_queries, '
            '@@GLOBAL.read_only', view.values_query(names))
        self.assertEqual(
            {'wsrep_on': 'ON', 'wsrep_reject_queries': 'NONE',
             'read_only': 'OFF'}, view.values_of(names, (1, 'NONE', 0)))

    def test_each_value_that_keeps_it_from_serving_is_altered(self):
        for name, value in view.SERVING_VALUES.items():
            for other in ('', 'ZZZ', '0'):
                seen = view.NodeView.from_status(
                    {**samples.SYNCED, name: other})
                self.assertEqual((name,), seen.altered, (name, other))
            seen = view.NodeView.from_status(
                {**samples.SYNCED, name: f' {value.lower()} '})
            self.assertEqual((), seen.altered, name)
