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

import itertools

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import diagnosis
from trove_pxc.galera.diagnosis import ClusterState
from trove_pxc.galera.diagnosis import Role

NAMES = ('a-1', 'a-2', 'a-3')

primary = samples.primary
report = samples.report
OUT = samples.outside(25)
IN = primary()
DONOR = primary(local_state='Donor/Desynced')
JOINER = primary(local_state='Joining', ready=False)
NEW = report('absent', started=False)
STOPPED = report('stopped')
CRASHED = report('crashed')
STARTING = report('starting')
FROZEN = report('unresponsive')
MUTE = report('running')
SILENT = None

ROLES = (
    (IN, Role.SYNCED),
    (DONOR, Role.DONOR),
    (JOINER, Role.JOINING),
    (primary(local_state='Joined'), Role.JOINING),
    (primary(ready=False), Role.JOINING),
    (primary(local_state='unknown'), Role.MUTE),
    (primary(local_state='Initialized'), Role.MUTE),
    (OUT, Role.NON_PRIMARY),
    (report(node=samples.node_view(cluster_status='Disconnected')),
     Role.NON_PRIMARY),
    (report(node=samples.node_view(cluster_status='unknown')),
     Role.NON_PRIMARY),
    (MUTE, Role.MUTE),
    (STARTING, Role.STARTING),
    (FROZEN, Role.FROZEN),
    (STOPPED, Role.STOPPED),
    (CRASHED, Role.CRASHED),
    (report('absent'), Role.STOPPED),
    (NEW, Role.NEW),
    (SILENT, Role.SILENT),
    # what a server said before it ended counts no more
    (report('stopped', samples.node_view()), Role.STOPPED),
    (report('unresponsive', samples.node_view()), Role.FROZEN),
)


def of(size):
    return primary(cluster_size=size)


# (reports of a-1, a-2, a-3; state; words of the sentence; of the action)
CASES = (
    ([IN, IN, IN], ClusterState.HEALTHY, ('All 3',), ()),
    ([IN, DONOR, IN], ClusterState.HEALTHY, ('a-2 gives',), ()),
    ([IN, IN, of(2)], ClusterState.RECOVERING, ('changing',), ('Wait',)),
    ([IN, IN, JOINER], ClusterState.RECOVERING, ('a-3 is joining',),
     ('Wait until a-3',)),
    ([of(1), STARTING, STARTING], ClusterState.RECOVERING,
     ('1 of 3', 'a-2', 'a-3'), ('Wait',)),
    ([of(2), of(2), STOPPED], ClusterState.DEGRADED,
     ('2 of 3', 'a-3 is stopped'), ('Restart a-3',)),
    ([of(2), of(2), CRASHED], ClusterState.DEGRADED, ('a-3 is crashed',),
     ('error log of a-3',)),
    ([of(2), of(2), OUT], ClusterState.DEGRADED, ('outside',),
     ('network between a-3',)),
    ([of(2), of(2), FROZEN], ClusterState.DEGRADED, ('not answering',),
     ('Restart a-3',)),
    ([of(2), of(2), SILENT], ClusterState.DEGRADED, ('not reporting',),
     ('agent of a-3',)),
    ([IN, IN, SILENT], ClusterState.DEGRADED, ('a-3',), ('a-3',)),
    ([of(2), STARTING, CRASHED], ClusterState.DEGRADED, ('a-2', 'a-3'),
     ('a-3',)),
    ([of(2), JOINER, SILENT], ClusterState.DEGRADED, ('a-2', 'a-3'),
     ('a-3',)),
    ([of(4), of(4), of(4)], ClusterState.UNCERTAIN, ('4', '3'),
     ('stranger',)),
    ([primary(incoming_addresses=['1']), primary(incoming_addresses=['2']),
      OUT], ClusterState.SPLIT, ('a-1 and a-2',), ('Stop all writes',)),
    ([IN, primary(cluster_uuid=samples.OTHER_UUID), IN], ClusterState.SPLIT,
     ('a-1, a-3 and a-2',), ('Stop',)),
    ([OUT, OUT, OUT], ClusterState.NON_PRIMARY, ('nobody takes writes',),
     ('network',)),
    ([OUT, STOPPED, CRASHED], ClusterState.NON_PRIMARY,
     ('a-2 is stopped', 'a-3 is crashed'), ('recover',)),
    ([OUT, STARTING, CRASHED], ClusterState.RECOVERING, ('a-2',),
     ('Wait until a-2',)),
    ([STOPPED, STOPPED, STOPPED], ClusterState.DOWN, ('No member runs',),
     ('Recover',)),
    ([STOPPED, CRASHED, NEW], ClusterState.DOWN, ('a-3 is not started',),
     ('Recover',)),
    ([NEW, NEW, NEW], ClusterState.NEW, ('No member was started',), ()),
    ([STARTING, NEW, NEW], ClusterState.RECOVERING, ('a-1',), ()),
    ([STOPPED, STOPPED, SILENT], ClusterState.UNCERTAIN,
     ('a-3 is not reporting', 'may be'), ('agent of a-3',)),
    ([OUT, OUT, SILENT], ClusterState.UNCERTAIN, ('a-3',), ('a-3',)),
    ([OUT, STOPPED, FROZEN], ClusterState.UNCERTAIN, ('a-3',), ('a-3',)),
    ([STOPPED, STOPPED, MUTE], ClusterState.UNCERTAIN, ('a-3',), ('a-3',)),
    ([STARTING, SILENT, STOPPED], ClusterState.UNCERTAIN, ('a-2',),
     ('a-2',)),
    ([SILENT, SILENT, SILENT], ClusterState.UNCERTAIN,
     ('a-1', 'a-2', 'a-3'), ('a-1',)),
)

EVERY = (IN, DONOR, JOINER, OUT, MUTE, STARTING, FROZEN, STOPPED, CRASHED,
         NEW, SILENT)


def diagnose(reports):
    return diagnosis.diagnose(NAMES, dict(zip(NAMES, reports)))


class RoleTest(testtools.TestCase):

    def test_table(self):
        for told, role in ROLES:
            self.assertIs(role, diagnosis.role(told), told)

    def test_every_state_of_a_server_is_some_role(self):
        for server in samples.view.ServerState:
            self.assertIsInstance(
                diagnosis.role(report(server.value)), Role)


class DiagnoseTest(testtools.TestCase):

    def test_table(self):
        for reports, state, sentence, action in CASES:
            seen = diagnose(reports)
            self.assertIs(state, seen.state, (reports, seen))
            for word in sentence:
                self.assertIn(word, seen.sentence)
            for word in action:
                self.assertIn(word, seen.next_action)

    def test_an_absent_report_is_as_good_as_none(self):
        self.assertEqual(
            diagnosis.diagnose(NAMES, {'a-1': IN, 'a-2': IN, 'a-3': None}),
            diagnosis.diagnose(NAMES, {'a-1': IN, 'a-2': IN}))

    def test_reports_of_strangers_are_ignored(self):
        reports = dict(zip(NAMES, (IN, IN, IN)))
        self.assertEqual(
            diagnosis.diagnose(NAMES, reports),
            diagnosis.diagnose(NAMES, {**reports, 'b-1': CRASHED}))

    def test_whatever_they_report(self):
        for reports in itertools.product(EVERY, repeat=3):
            seen = diagnose(reports)
            whole = all(one in (IN, DONOR) for one in reports)
            self.assertEqual(whole, seen.state is ClusterState.HEALTHY,
                             (reports, seen))
            self.assertEqual(whole, not seen.next_action)
            self.assertTrue(seen.sentence)
            unsure = any(one in (SILENT, FROZEN, MUTE) for one in reports)
            if unsure:
                self.assertNotIn(seen.state, (
                    ClusterState.DOWN, ClusterState.NON_PRIMARY,
                    ClusterState.NEW), reports)

    def test_the_order_of_the_members_changes_no_state(self):
        for reports in itertools.combinations_with_replacement(EVERY, 3):
            states = {diagnose(order).state
                      for order in itertools.permutations(reports)}
            self.assertEqual(1, len(states), reports)
