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

import dataclasses
import datetime
import itertools

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import diagnosis
from trove_pxc.galera.diagnosis import ClusterState
from trove_pxc.galera.diagnosis import UnderWay

IDS = ('id-1', 'id-2', 'id-3')
KNOWN = diagnosis.Known(
    dict(zip(IDS, ('a-1', 'a-2', 'a-3'))), 'my shop')

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
RECEIVING = report('starting', receiving=True)
BUSY = primary(local_state='Donor/Desynced', ready=False)
FROZEN = report('unresponsive')
UNRESPONSIVE = report('running')
DENIED = report('running', denied=True)
READ_ONLY = primary(altered=['read_only'])
REJECTING = primary(altered=['wsrep_reject_queries'])
DESYNCED = primary(local_state='Donor/Desynced', altered=['wsrep_desync'])
LOCKED = primary(local_state='Donor/Desynced', giving=False)
UNREPLICATED = primary(local_state='unknown', altered=['wsrep_on'])
SILENT = None


def of(size):
    return primary(cluster_size=size)


# (reports of a-1, a-2, a-3; state; words of the summary; of the action)
def out(size, uuid=samples.UUID):
    return report(node=samples.node_view(
        cluster_status='non-Primary', local_state='Initialized',
        cluster_size=size, cluster_uuid=uuid, ready=False))


RESTART = "cluster restart 'my shop' --member id-3"
RECOVER = 'cluster recover'
FORCE = '--force MEMBER'
MEMBERS = 'cluster member list'

# (reports, state, words of the summary, words of the next action)
CASES = (
    ([IN, IN, IN], ClusterState.HEALTHY, ('All 3',), ()),
    ([IN, DONOR, IN], ClusterState.HEALTHY,
     ('a-2 is the donor of a joining member',), ()),
    ([DONOR, DONOR, IN], ClusterState.HEALTHY,
     ('a-1 and a-2 are the donors of joining members',), ()),
    ([IN, BUSY, IN], ClusterState.RECOVERING,
     ('2 of 3', 'takes no statements'), ('transfer from a-2',)),
    ([IN, IN, of(2)], ClusterState.RECOVERING,
     ('not all of them report a size of 3 yet', 'changing'), ('Wait',)),
    ([of(2), of(2), of(2)], ClusterState.RECOVERING,
     ('report a size of 2', 'changing'), ('Wait',)),
    ([IN, IN, JOINER], ClusterState.RECOVERING, ('a-3 is joining',),
     ('Wait until a-3', MEMBERS)),
    # a full state transfer: the server answers when it is complete
    ([IN, DONOR, RECEIVING], ClusterState.RECOVERING,
     ('2 of 3 members serve', 'a-3 is joining', 'a-2 is the donor'),
     ('Wait until a-3 is Synced', MEMBERS)),
    ([of(2), BUSY, RECEIVING], ClusterState.RECOVERING,
     ('1 of 3 members serves', 'a-2 takes no statements', 'a-3 is joining'),
     ('Wait',)),
    ([JOINER, JOINER, JOINER], ClusterState.RECOVERING,
     ('None of the 3 members serves',), ('Wait',)),
    ([of(1), STARTING, STARTING], ClusterState.RECOVERING,
     ('1 of 3 members serves', 'a-2', 'a-3'), ('Wait', 'two minutes')),
    ([of(2), of(2), STOPPED], ClusterState.DEGRADED,
     ('2 of 3 members serve;', 'a-3 is stopped'), ('Start it', RESTART)),
    ([of(2), of(2), CRASHED], ClusterState.DEGRADED, ('a-3 has crashed',),
     (MEMBERS, RESTART)),
    ([of(2), of(2), OUT], ClusterState.DEGRADED,
     ('a-3 is outside the primary component',),
     ('network between a-3', RESTART)),
    ([of(2), of(2), FROZEN], ClusterState.DEGRADED,
     ('does not answer', 'component has 2 members, without a-3'), (RESTART,)),
    ([IN, IN, FROZEN], ClusterState.DEGRADED,
     ('has 3 members, including a-3',), (RESTART,)),
    ([of(2), of(2), UNRESPONSIVE], ClusterState.DEGRADED,
     ('does not report its state',), (RESTART,)),
    ([of(2), of(2), NEW], ClusterState.DEGRADED, ('was never started',),
     ("cluster shrink 'my shop' id-3",)),
    # the server runs, but the guest agent cannot log in
    ([IN, IN, DENIED], ClusterState.DEGRADED,
     ('a-3 has a server that runs but refuses the login',
      'has 3 members, including a-3'),
     ('restores its account', 'instance reboot id-3')),
    ([DENIED, DENIED, DENIED], ClusterState.UNCERTAIN,
     ('refuses the login',), ('restores its account',
                              'instance reboot id-1')),
    ([DENIED, DENIED, SILENT], ClusterState.UNCERTAIN,
     ('refuses the login',), ('instance reboot id-1',)),
    # writes are refused, or wait
    ([IN, READ_ONLY, IN], ClusterState.DEGRADED,
     ('2 of 3 members serve; a-2 is read-only',),
     ('"SET GLOBAL read_only = OFF" on a-2', 'root enable id-2')),
    ([IN, IN, REJECTING], ClusterState.DEGRADED,
     ('a-3 rejects all statements',),
     ('"SET GLOBAL wsrep_reject_queries = NONE"',)),
    ([IN, IN, DESYNCED], ClusterState.DEGRADED,
     ('a-3 is desynced', 'wsrep_desync'),
     ('"SET GLOBAL wsrep_desync = OFF" on a-3',)),
    ([IN, IN, LOCKED], ClusterState.DEGRADED,
     ('a-3 is locked by a "FLUSH TABLES WITH READ LOCK" or a backup',),
     (RESTART,)),
    ([IN, LOCKED, LOCKED], ClusterState.DEGRADED,
     ('a-2 is locked', 'a-3 is locked'), (RECOVER,)),
    ([IN, IN, UNREPLICATED], ClusterState.DEGRADED,
     ('2 of 3 members serve; a-3 has wsrep_on = OFF',), (RESTART,)),
    # a donor of a joiner
    ([IN, LOCKED, JOINER], ClusterState.RECOVERING, ('a-2 is the donor',),
     ('Wait',)),
    # one does not answer: the size shows whether it is in the component
    ([of(2), of(2), SILENT], ClusterState.DEGRADED,
     ('a-3 has a guest agent that does not answer',
      'component has 2 members, without a-3'),
     ('Have an operator', 'instance reboot id-3')),
    ([IN, IN, SILENT], ClusterState.DEGRADED,
     ('guest agent that does not answer', 'has 3 members, including a-3'),
     ('instance reboot id-3',)),
    # most do not answer
    ([IN, SILENT, SILENT], ClusterState.DEGRADED,
     ('1 of 3 members serves', 'has 3 members, including a-2 and a-3'),
     ('instance reboot',)),
    ([of(1), SILENT, SILENT], ClusterState.DEGRADED,
     ('has 1 member, without a-2 and a-3',), ('instance reboot',)),
    ([IN, SILENT, STOPPED], ClusterState.DEGRADED,
     ('has 3 members, including a-2', 'a-3 is stopped'),
     ('instance reboot id-2',)),
    # the component changes, and the members do not report it yet
    ([of(1), of(1), SILENT], ClusterState.DEGRADED,
     ('without a-3',), ('instance reboot id-3',)),
    ([of(2), SILENT, SILENT], ClusterState.DEGRADED,
     ('a-2 has a guest agent that does not', 'and a-3 has a guest agent'),
     ('instance reboot',)),
    # a restart requires that all others serve; several need recover
    ([of(1), STOPPED, STOPPED], ClusterState.DEGRADED,
     ('1 of 3 members serves; a-2 is stopped and a-3 is stopped',),
     ('all of them', RECOVER)),
    ([of(2), STARTING, CRASHED], ClusterState.DEGRADED, ('a-2', 'a-3'),
     (MEMBERS, RECOVER)),
    ([of(1), OUT, OUT], ClusterState.DEGRADED, ('a-2', 'a-3'),
     ('network', RECOVER)),
    ([of(1), OUT, STOPPED], ClusterState.DEGRADED, ('a-2', 'a-3'),
     (RECOVER,)),
    ([of(2), JOINER, SILENT], ClusterState.DEGRADED, ('a-2', 'a-3'),
     ('id-3',)),
    ([of(4), of(4), of(4)], ClusterState.UNCERTAIN, ('4', '3'),
     ('Find its address', 'SHOW STATUS', 'server stop')),
    # two histories, or two components of one history
    ([primary(incoming_addresses=['1']), primary(incoming_addresses=['2']),
      OUT], ClusterState.SPLIT, ('a-1 and a-2', 'both take writes'),
     ('Stop all writes', 'server stop', 'cluster grow', 'cluster shrink')),
    ([IN, primary(cluster_uuid=samples.OTHER_UUID), IN], ClusterState.SPLIT,
     ('a-1, a-3 and a-2',), ('Stop',)),
    ([of(2), of(2), out(1, samples.OTHER_UUID)], ClusterState.SPLIT,
     ('a-3 cannot rejoin', 'another history', 'a-1 and a-2'),
     ('that only a-3 has', RESTART)),
    ([of(1), out(1, samples.OTHER_UUID), out(1, samples.OTHER_UUID)],
     ClusterState.SPLIT, ('a-2 and a-3 cannot rejoin',),
     ('that only a-2 has',)),
    ([of(2), of(2), out(1, None)], ClusterState.DEGRADED, ('a-3',),
     (RESTART,)),
    ([out(2), out(2), out(1, samples.OTHER_UUID)], ClusterState.SPLIT,
     ('different histories: a-1, a-2 and a-3',), (MEMBERS, FORCE)),
    # no member is primary
    ([out(3), out(3), out(3)], ClusterState.NON_PRIMARY,
     ('none takes writes', 'They are connected to each other'), (RECOVER,)),
    ([out(1), out(1), out(1)], ClusterState.NON_PRIMARY,
     ('None of them is connected to another',), ('network', RECOVER)),
    ([out(0), out(0), out(0)], ClusterState.NON_PRIMARY,
     ('None of them is connected to another',), ('network', RECOVER)),
    ([out(2), out(2), out(1)], ClusterState.NON_PRIMARY,
     ('At most 2 of them are connected to each other',), ('network', RECOVER)),
    ([OUT, STOPPED, CRASHED], ClusterState.NON_PRIMARY,
     ('a-2 is stopped and a-3 has crashed',), (RECOVER,)),
    ([OUT, STARTING, CRASHED], ClusterState.RECOVERING,
     ('a-2 is starting', 'a-3 has crashed'),
     ('Wait until a-2', 'two minutes', RECOVER)),
    ([STARTING, STARTING, STARTING], ClusterState.RECOVERING,
     ('primary component yet',), ('two minutes', RECOVER)),
    ([STOPPED, STOPPED, STOPPED], ClusterState.DOWN, ('No server runs',),
     (RECOVER,)),
    ([STOPPED, CRASHED, NEW], ClusterState.DOWN, ('a-3 was never started',),
     (RECOVER,)),
    ([NEW, NEW, NEW], ClusterState.NEW, ('No member was started',),
     (MEMBERS,)),
    ([STARTING, NEW, NEW], ClusterState.RECOVERING, ('a-1',), ()),
    ([STOPPED, STOPPED, SILENT], ClusterState.UNCERTAIN,
     ('a-3 has a guest agent that does not answer', 'may be'),
     ('instance reboot id-3', FORCE)),
    ([OUT, OUT, SILENT], ClusterState.UNCERTAIN, ('a-3',), ('a-3', FORCE)),
    ([OUT, SILENT, SILENT], ClusterState.UNCERTAIN,
     ('a-2 has a guest agent that does not', 'and a-3 has a guest agent'),
     ('a-2', FORCE)),
    ([OUT, STOPPED, FROZEN], ClusterState.UNCERTAIN, ('a-3',),
     ('instance reboot id-3',)),
    ([STOPPED, STOPPED, UNRESPONSIVE], ClusterState.UNCERTAIN, ('a-3',),
     ('a-3',)),
    ([STARTING, SILENT, STOPPED], ClusterState.UNCERTAIN, ('a-2',),
     ('a-2',)),
    ([SILENT, SILENT, SILENT], ClusterState.UNCERTAIN,
     ('No member reports whether', 'a-1', 'a-2', 'a-3'),
     ('instance reboot id-1', FORCE)),
)

# every command of the next actions, without arguments
COMMANDS = (
    "openstack database cluster restart 'my shop' --member id-",
    "openstack database cluster recover 'my shop'",
    "openstack database cluster member list 'my shop'",
    "openstack database cluster grow 'my shop' --instance ",
    "openstack database cluster shrink 'my shop' ",
    'openstack database instance reboot id-',
    'openstack database root enable id-',
    'openstack server stop',
    'SET GLOBAL ')

EVERY = (IN, DONOR, BUSY, JOINER, RECEIVING, OUT, UNRESPONSIVE, STARTING,
         FROZEN, STOPPED, CRASHED, NEW, SILENT, DENIED, READ_ONLY, REJECTING,
         DESYNCED, LOCKED, UNREPLICATED)


def diagnose(reports):
    return diagnosis.diagnose(KNOWN, dict(zip(IDS, reports)))


class DiagnoseTest(testtools.TestCase):

    def test_table(self):
        for reports, state, sentence, action in CASES:
            seen = diagnose(reports)
            self.assertIs(state, seen.state, (reports, seen))
            for word in sentence:
                self.assertIn(word, seen.sentence, reports)
            for word in action:
                self.assertIn(word, seen.next_action, reports)

    def test_which_of_two_silent_ones_is_counted_is_not_guessed(self):
        sentence = diagnose((of(2), SILENT, SILENT)).sentence
        self.assertNotIn('counts', sentence)
        self.assertNotIn('goes on', sentence)

    def test_one_that_runs_alone_has_nobody_to_see(self):
        seen = diagnose((OUT, STOPPED, CRASHED))
        self.assertNotIn('of them', seen.sentence)
        self.assertNotIn('network', seen.next_action)

    def test_an_absent_report_is_as_good_as_none(self):
        self.assertEqual(
            diagnosis.diagnose(
                KNOWN, {'id-1': IN, 'id-2': IN, 'id-3': None}),
            diagnosis.diagnose(KNOWN, {'id-1': IN, 'id-2': IN}))

    def test_reports_of_other_members_are_ignored(self):
        reports = dict(zip(IDS, (IN, IN, IN)))
        self.assertEqual(
            diagnosis.diagnose(KNOWN, reports),
            diagnosis.diagnose(KNOWN, {**reports, 'b-1': CRASHED}))

    def test_whatever_they_report(self):
        for reports in itertools.product(EVERY, repeat=3):
            seen = diagnose(reports)
            whole = all(one in (IN, DONOR) for one in reports)
            self.assertEqual(whole, seen.state is ClusterState.HEALTHY,
                             (reports, seen))
            self.assertEqual(whole, not seen.next_action)
            self.assertRegex(seen.sentence, r'^[A-Za-z0-9].*\.$')
            self.assertRegex(seen.next_action, r'^$|^[A-Z].*\.$')
            unsure = any(one in (SILENT, FROZEN, UNRESPONSIVE, DENIED)
                         for one in reports)
            if unsure:
                self.assertNotIn(seen.state, (
                    ClusterState.DOWN, ClusterState.NON_PRIMARY,
                    ClusterState.NEW), reports)

    def test_the_order_of_the_members_changes_no_state(self):
        for reports in itertools.combinations_with_replacement(EVERY, 3):
            states = {diagnose(order).state
                      for order in itertools.permutations(reports)}
            self.assertEqual(1, len(states), reports)

    def test_the_next_action_is_never_a_dead_end(self):
        """It has an existing command, or what to wait for."""
        for reports in itertools.product(EVERY, repeat=3):
            action = diagnose(reports).next_action
            quoted = action.split('"')[1::2]
            for command in quoted:
                self.assertTrue(
                    command.startswith((*COMMANDS, 'SHOW STATUS')), action)
            if action and not quoted:
                self.assertIn('Wait', action)

    def test_a_restart_is_advised_where_all_others_serve(self):
        """Otherwise it would be refused."""
        for reports in itertools.product(EVERY, repeat=3):
            if 'cluster restart' in diagnose(reports).next_action:
                # A locked one counts as the donor if the third may be
                # joining and does not report its state.
                serving = [one for one in reports
                           if one in (IN, DONOR, LOCKED)]
                self.assertGreaterEqual(len(serving), 2, reports)

    def test_without_members(self):
        seen = diagnosis.diagnose(diagnosis.Known({}), {})
        self.assertIs(ClusterState.NEW, seen.state)
        self.assertIn('no members', seen.sentence)

    def test_force_is_not_advised_where_it_is_refused(self):
        """No recovery overrides a server that runs."""
        for reports in itertools.product(EVERY, repeat=3):
            seen = diagnose(reports)
            if seen.state is ClusterState.UNCERTAIN and any(
                    one in (FROZEN, UNRESPONSIVE, DENIED) for one in reports):
                self.assertNotIn('--force', seen.next_action, reports)

    def test_several_variables_of_one_member(self):
        seen = diagnose((IN, IN, primary(altered=[
            'wsrep_desync', 'tx_read_only', 'read_only', 'super_read_only'])))
        self.assertIn('"SET GLOBAL read_only = OFF; '
                      'SET GLOBAL tx_read_only = OFF"', seen.next_action)


class NameTest(testtools.TestCase):

    known = diagnosis.Known(
        {'id-1': 'a-1', 'id-2': 'a-1', 'id-3': 'a-3'}, 'c')

    def told(self, *reports):
        return diagnosis.diagnose(self.known, dict(zip(IDS, reports)))

    def test_two_of_one_name_that_serve(self):
        self.assertIs(ClusterState.HEALTHY, self.told(IN, IN, IN).state)

    def test_the_sentence_tells_them_apart(self):
        seen = self.told(of(2), STOPPED, of(2))
        self.assertIs(ClusterState.DEGRADED, seen.state)
        self.assertIn('2 of 3 members serve; a-1 (id-2) is stopped.',
                      seen.sentence)
        self.assertIn('cluster restart c --member id-2"', seen.next_action)


class FailedTest(testtools.TestCase):
    """Members that failed to join or leave, and a failed create."""

    def told(self, *reports, names=KNOWN.names, **known):
        return diagnosis.diagnose(
            diagnosis.Known(names, 'c', **known), dict(zip(names, reports)))

    def test_a_create_that_failed(self):
        for reports in itertools.product((NEW, IN, CRASHED, SILENT),
                                         repeat=3):
            seen = self.told(*reports, complete=False, failed={
                'id-2': 'create: "join of a-2" failed: out of memory.'})
            self.assertEqual(diagnosis.Diagnosis(
                ClusterState.FAILED, 'The create of the cluster failed: '
                'create: "join of a-2" failed: out of memory.',
                'Delete it: "openstack database cluster delete c". Then '
                'create it again.'), seen)

    def test_a_create_that_failed_for_an_unknown_reason(self):
        self.assertEqual(
            'The create of the cluster failed.',
            self.told(NEW, NEW, NEW, complete=False).sentence)

    def test_a_create_that_runs(self):
        seen = self.told(NEW, NEW, NEW, complete=False,
                         under_way=UnderWay.CREATE)
        self.assertIs(ClusterState.NEW, seen.state)

    def test_a_joining_member_that_did_not_come_in(self):
        names = {**KNOWN.names, 'id-4': 'a-4'}
        for last in (NEW, STOPPED, CRASHED, SILENT, JOINER):
            seen = self.told(IN, IN, IN, last, names=names,
                             failed={'id-4': 'grow: it crashed.'})
            self.assertIs(ClusterState.DEGRADED, seen.state)
            self.assertIn('3 of 4 members serve; a-4 failed to join or '
                          'to leave the cluster. The fault of a-4: grow: '
                          'it crashed.', seen.sentence)
            self.assertIn('Remove it: "openstack database cluster shrink c '
                          'id-4"', seen.next_action)

    def test_one_that_was_to_leave_and_tells_nothing_may_serve(self):
        """If no other member serves, the state is unknown, not down."""
        for silent in (SILENT, FROZEN, UNRESPONSIVE, DENIED):
            seen = self.told(STOPPED, STOPPED, silent, failed={'id-3': ''})
            self.assertIs(ClusterState.UNCERTAIN, seen.state)
            self.assertIn('a-3 has a', seen.sentence)
        seen = self.told(STOPPED, STOPPED, CRASHED, failed={'id-3': ''})
        self.assertIs(ClusterState.DOWN, seen.state)

    def test_one_that_is_down_beside_it_is_brought_back_first(self):
        """Neither a restart nor a shrink is possible then."""
        names = {**KNOWN.names, 'id-4': 'a-4'}
        seen = self.told(of(2), of(2), STOPPED, NEW, names=names,
                         failed={'id-4': ''})
        self.assertIn('"openstack database cluster recover c"',
                      seen.next_action)

    def test_a_server_that_was_deleted_in_nova(self):
        seen = self.told(of(2), of(2), SILENT, gone=['id-3'])
        self.assertIn('a-3 has no server in Nova any more', seen.sentence)
        self.assertIn('grow c', seen.next_action)
        self.assertIn('shrink c id-3', seen.next_action)
        names = {**KNOWN.names, 'id-4': 'a-4'}
        seen = self.told(IN, IN, IN, SILENT, names=names, gone=['id-4'])
        self.assertIn('shrink c id-4', seen.next_action)
        self.assertNotIn('grow', seen.next_action)

    def test_no_member_serves_and_a_server_was_deleted(self):
        for reports in ((STOPPED, STOPPED, SILENT), (OUT, OUT, SILENT)):
            seen = self.told(*reports, gone=['id-3'])
            self.assertIn('--force MEMBER', seen.next_action)


class CertificateTest(testtools.TestCase):

    now = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)

    def told(self, days, under_way=UnderWay.NOTHING, last=IN):
        soon = self.now + datetime.timedelta(days=days)
        late = self.now + datetime.timedelta(days=999)
        reports = [dataclasses.replace(one, certificate_ends=ends)
                   for one, ends in ((IN, late), (IN, soon), (last, late))]
        return diagnosis.diagnose(
            diagnosis.Known(KNOWN.names, 'c', under_way),
            dict(zip(IDS, reports)), self.now)

    def test_nothing_is_said_while_it_is_long(self):
        seen = self.told(31)
        self.assertNotIn('certificate', seen.sentence)
        self.assertEqual('', seen.next_action)

    def test_soon(self):
        seen = self.told(30)
        self.assertIs(ClusterState.HEALTHY, seen.state)
        self.assertIn('The certificate of a-2 expires on 2030-01-31.',
                      seen.sentence)
        self.assertIn('"openstack database cluster certificate rotate c"',
                      seen.next_action)

    def test_too_late(self):
        self.assertIn('expired on 2029-12-31: a member that stops '
                      'cannot rejoin.', self.told(-1).sentence)

    def test_what_is_worse_is_done_first(self):
        seen = self.told(1, last=STOPPED)
        self.assertIn('a-3 is stopped', seen.sentence)
        self.assertIn('certificate of a-2', seen.sentence)
        self.assertIn('restart', seen.next_action)

    def test_it_is_not_advised_while_it_would_be_refused(self):
        seen = self.told(1, UnderWay.CHANGE)
        self.assertEqual('', seen.next_action)

    def test_clear_text(self):
        seen = diagnosis.diagnose(KNOWN, dict.fromkeys(IDS, IN), self.now)
        self.assertNotIn('certificate', seen.sentence)


class UnderWayTest(testtools.TestCase):

    def told(self, reports, under_way):
        return diagnosis.diagnose(
            diagnosis.Known(KNOWN.names, 'c', under_way),
            dict(zip(IDS, reports)))

    def test_a_cluster_that_is_built_is_new_until_it_is_whole(self):
        for reports in ((NEW, NEW, NEW), (STARTING, NEW, NEW),
                        (of(1), NEW, NEW), (of(2), RECEIVING, NEW),
                        (CRASHED, NEW, NEW), (OUT, NEW, NEW)):
            seen = self.told(reports, UnderWay.CREATE)
            self.assertIs(ClusterState.NEW, seen.state, reports)
            self.assertIn('is being built: ', seen.sentence)
            self.assertEqual('Wait until the operation is complete.',
                             seen.next_action)
        whole = self.told((IN, IN, IN), UnderWay.CREATE)
        self.assertIs(ClusterState.HEALTHY, whole.state)

    def test_what_cannot_be_told_stays_so(self):
        seen = self.told((SILENT, NEW, NEW), UnderWay.CREATE)
        self.assertIs(ClusterState.UNCERTAIN, seen.state)

    def test_commands_are_not_advised_while_they_are_refused(self):
        for under_way in (UnderWay.CHANGE, UnderWay.DELETE):
            seen = self.told((of(2), of(2), STOPPED), under_way)
            self.assertIs(ClusterState.DEGRADED, seen.state)
            self.assertIn(': 2 of 3 members serve', seen.sentence)
            self.assertEqual('Wait until the operation is complete.',
                             seen.next_action)

    def test_a_split_cannot_wait(self):
        reports = (IN, primary(cluster_uuid=samples.OTHER_UUID), IN)
        seen = self.told(reports, UnderWay.CHANGE)
        self.assertIs(ClusterState.SPLIT, seen.state)
        self.assertIn('Stop all writes', seen.next_action)
