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
import re

import testtools

from tests.unit.galera import samples
from trove_pxc.galera.history import Answer
from trove_pxc.galera import plan
from trove_pxc.galera.plan import Step
from trove_pxc.galera import view

UUID = samples.UUID
OTHER = samples.OTHER_UUID
NEW = samples.report('absent', started=False)
EMPTY = samples.EMPTY
NAMES = ('a-1', 'a-2', 'a-3')

stopped = samples.stopped
primary = samples.primary


def outside(seqno, uuid=UUID):
    return Answer(samples.outside(seqno, uuid))


def state(server, **changes):
    return Answer(samples.report(server, **changes), samples.place(-1))


SILENT = None

# A new cluster: (reports and positions of a-1 ... , words of a refusal or
# None if it may be bootstrapped).
NEW_CLUSTERS = (
    ([(NEW, EMPTY)] * 3, None),
    ([], None),
    ([(NEW, EMPTY), (NEW, EMPTY),
      (samples.report('stopped', started=False), EMPTY)], None),
    ([(NEW, EMPTY), (primary(), EMPTY), (NEW, EMPTY)],
     ('a-2', 'primary', UUID, 'Delete')),
    ([(NEW, EMPTY), (samples.report('absent'), EMPTY)],
     ('a-2', 'started before')),
    ([(samples.report('starting', started=False), EMPTY)],
     ('a-1', 'starting')),
    ([(samples.report('running', started=False), EMPTY)],
     ('a-1', 'running')),
    ([(samples.report('unresponsive', started=False), EMPTY)],
     ('a-1', 'unresponsive')),
    ([(NEW, samples.place(31))], ('a-1', UUID, '31')),
    ([(NEW, samples.place(-1))], ('a-1', UUID)),
    ([(NEW, samples.place(-1, None))], ('a-1', 'an operator')),
    ([(NEW, samples.place(-1, None, safe=None, grastate=False,
                          gvwstate=True))], ('a-1',)),
    ([(NEW, samples.place(-1, None, sst=True, grastate=False))],
     ('a-1', 'interrupted SST')),
    ([(samples.report('absent', started=False, data_bytes=90_000_000),
       EMPTY)], ('a-1', '90000000')),
    ([(samples.report('absent', started=False, data_bytes=24_576),
       EMPTY)], None),
    ([(samples.report('absent', started=False, data_bytes=2 ** 20),
       EMPTY)], None),
    ([(samples.report('absent', started=False, data_bytes=2 ** 20 + 1),
       EMPTY)], ('a-1', '1048577')),
    ([(NEW, EMPTY), (NEW, None)], ('a-2', 'guest agent')),
    ([(NEW, EMPTY), (None, EMPTY)], ('a-2', 'guest agent')),
)

# (report, expected uuid, size, whether it has joined)
JOINED = (
    (primary(), UUID, 3, True),
    (primary(), UUID.upper(), 3, True),
    (primary(), UUID, 2, False),
    (primary(), UUID, 4, False),
    (primary(), OTHER, 3, False),
    (primary(cluster_uuid=None), UUID, 3, False),
    (primary(local_state='Joined'), UUID, 3, False),
    (primary(local_state='Joining'), UUID, 3, False),
    (primary(local_state='Donor/Desynced'), UUID, 3, False),
    (primary(ready=False), UUID, 3, False),
    (samples.outside(3), UUID, 1, False),
    (samples.report('starting'), UUID, 3, False),
    (samples.report('running'), UUID, 3, False),
    (samples.report('unresponsive', samples.node_view()), UUID, 3, False),
    (samples.report('crashed', samples.node_view()), UUID, 3, False),
)

# A cluster that needs a recovery:
# (what it is, answers of a-1, a-2, a-3, step, member, words of the reason)
RECOVERIES = (
    ('clean stop one by one: the last to stop has all',
     [stopped(29), stopped(30), stopped(31, safe=True)],
     Step.BOOTSTRAP, 'a-3', ('31',)),
    ('clean stop of all at once: nobody is marked safe',
     [stopped(31), stopped(31), stopped(31)],
     Step.BOOTSTRAP, 'a-1', ('31',)),
    ('all at once, but one had not applied the last',
     [stopped(30), stopped(31), stopped(31)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('kill -9 of all: positions recovered, views present',
     [stopped(29, gvwstate=True), stopped(29, gvwstate=True),
      stopped(29, gvwstate=True)], Step.BOOTSTRAP, 'a-1', ()),
    ('equal positions: the safe one goes first',
     [stopped(31), stopped(31, safe=True), stopped(31)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('marked safe, yet behind: the mark is not believed',
     [stopped(30, safe=True), stopped(35), stopped(31)],
     Step.BOOTSTRAP, 'a-2', ('35',)),
    ('no mark at all, as old Galera writes it',
     [stopped(30, safe=None), stopped(31, safe=None),
      stopped(29, safe=None)], Step.BOOTSTRAP, 'a-2', ()),
    ('crashed servers count as stopped',
     [Answer(samples.report('crashed'), samples.place(5)), stopped(4),
      Answer(samples.report('absent'), samples.place(3))],
     Step.BOOTSTRAP, 'a-1', ()),
    ('one is primary: nobody bootstraps',
     [stopped(31), Answer(primary(cluster_size=1)), stopped(40)],
     Step.REJOIN, 'a-2', ('join',)),
    ('one is primary, another is silent: rejoin all the same',
     [SILENT, Answer(primary()), stopped(1)], Step.REJOIN, 'a-2', ()),
    ('two are primary, together: the first of them is named',
     [stopped(1), Answer(primary()), Answer(primary())],
     Step.REJOIN, 'a-2', ()),
    ('a donor is primary',
     [Answer(primary(local_state='Donor/Desynced')), stopped(1), SILENT],
     Step.REJOIN, 'a-1', ()),
    ('a donor and a Synced one are primary: the Synced one is named',
     [Answer(primary(local_state='Donor/Desynced')), Answer(primary()),
      stopped(1)], Step.REJOIN, 'a-2', ()),
    ('two primary components of one history',
     [Answer(primary(incoming_addresses=['1'])),
      Answer(primary(incoming_addresses=['2'])), stopped(1)],
     Step.REFUSE, None, ('two primary components', 'a-1', 'a-2', 'Stop')),
    ('two primary components of two histories',
     [Answer(primary()), Answer(primary(cluster_uuid=OTHER)), SILENT],
     Step.REFUSE, None, ('two primary components',)),
    ('one does not answer',
     [stopped(31), stopped(31, safe=True), SILENT],
     Step.REFUSE, None, ('a-3', 'did not answer', 'force')),
    ('two do not answer',
     [SILENT, stopped(31), SILENT],
     Step.REFUSE, None, ('a-1, a-3',)),
    ('none answers',
     [SILENT, SILENT, SILENT], Step.REFUSE, None, ('a-1, a-2, a-3',)),
    ('one is starting and may find the others by itself',
     [stopped(31), state('starting'), stopped(31)],
     Step.WAIT, None, ('a-2', 'starting')),
    ('one is starting, one is silent: wait first',
     [SILENT, state('starting'), stopped(31)], Step.WAIT, None, ('a-2',)),
    ('one is frozen: what it holds is unknown',
     [stopped(31), stopped(31), state('unresponsive')],
     Step.REFUSE, None, ('a-3', '"openstack database instance reboot')),
    ('one runs but tells nothing',
     [stopped(31), state('running'), stopped(31)],
     Step.REFUSE, None, ('a-2', 'does not report')),
    ('the survivor of a lost quorum is promoted where it stands',
     [stopped(29), stopped(29), outside(29)],
     Step.PROMOTE, 'a-3', ('29',)),
    ('the survivor is ahead',
     [stopped(20), stopped(25), outside(29)], Step.PROMOTE, 'a-3', ()),
    ('two survivors: the furthest',
     [outside(28), outside(29), stopped(20)], Step.PROMOTE, 'a-2', ()),
    ('all cut off from each other',
     [outside(29), outside(29), outside(29)], Step.PROMOTE, 'a-1', ()),
    ('the survivor was cut off early, and is behind',
     [stopped(31), stopped(31), outside(25)],
     Step.STOP, 'a-3', ('25', 'behind a-1', '31', 'stopped first')),
    ('the survivor has joined nothing yet: the stopped ones decide',
     [stopped(31), stopped(31), outside(-1, None)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('another uuid',
     [stopped(31), stopped(90, OTHER), stopped(31)],
     Step.REFUSE, None, ('a-2', OTHER, UUID)),
    ('a running one of another uuid',
     [stopped(31), outside(90, OTHER), stopped(31)],
     Step.REFUSE, None, ('a-2', OTHER)),
    ('a nil uuid is left out',
     [stopped(31), stopped(-1, None), stopped(30)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('one that was voted out is left out, even before all others',
     [stopped(-1, None, evicted=True), stopped(31), stopped(31)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('an interrupted SST is left out, however far it says it is',
     [stopped(31), stopped(99, sst=True), stopped(30)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('an interrupted SST of another history has no say',
     [stopped(31), stopped(99, OTHER, sst=True), stopped(30)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('an empty member is left out',
     [Answer(samples.report('stopped'), EMPTY), stopped(31), stopped(30)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('no grastate.dat, data not ahead: left out',
     [stopped(31, grastate=False), stopped(31), stopped(30)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('no grastate.dat, yet its data is ahead',
     [stopped(35, grastate=False), stopped(31), stopped(30)],
     Step.REFUSE, None, ('a-1', '35', 'Force a-2')),
    ('of the right history, but where in it is not known',
     [stopped(31), stopped(-1), stopped(31)],
     Step.REFUSE, None, ('a-2', 'has data at an unknown position')),
    ('the guest answers, the position could not be read',
     [stopped(31), Answer(samples.report('stopped')), stopped(31)],
     Step.REFUSE, None, ('a-2', 'does not report its position')),
    ('all are spoiled or empty',
     [stopped(31, sst=True), Answer(samples.report('stopped'), EMPTY),
      stopped(-1, None)],
     Step.REFUSE, None, ('a-1', 'a-2', 'a-3', 'Create a new')),
)

# The same, with recorded positions.
SEEN = (
    ('where it stands, or a little before',
     [stopped(31, seen=31), stopped(30, seen=12), stopped(29)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('all have gone on since then',
     [stopped(31, seen=12), stopped(30, seen=12), stopped(29)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('the disk of the furthest has fallen back',
     [stopped(31, seen=40), stopped(30, seen=30), stopped(29)],
     Step.REFUSE, None, ('is 31, on a-1', 'a-1 recorded position', '40',
                         'Force')),
    ('one that lost its data knows that there was more',
     [stopped(31, seen=31), stopped(-1, None, grastate=False, safe=None,
                                    seen=32), stopped(29)],
     Step.REFUSE, None, ('is 31, on a-1', 'a-2 recorded position', '32')),
    ('one that an SST has spoiled knows that, too',
     [stopped(31), stopped(99, sst=True, seen=32), stopped(29)],
     Step.REFUSE, None, ('a-2 recorded position', '32')),
    ('a survivor, and one that saw more',
     [Answer(outside(31).report, samples.place(-1, seen=31)),
      stopped(30, seen=33), stopped(29)],
     Step.REFUSE, None, ('is 31, on a-1', 'a-2 recorded position', '33')),
    ('one of them was Synced in another history',
     [stopped(31, seen=31), stopped(-1, None, seen=50, seen_uuid=OTHER),
      stopped(31)],
     Step.REFUSE, None, ('a-2 was last Synced', OTHER, UUID)),
    ('the data is of another history than what was seen',
     [stopped(31, OTHER, seen=31), stopped(31, OTHER), stopped(31, OTHER)],
     Step.REFUSE, None, ('a-1 has the history', OTHER, UUID)),
    ('a uuid is the same in capital letters',
     [stopped(31, seen=31, seen_uuid=UUID.upper()), stopped(30), stopped(29)],
     Step.BOOTSTRAP, 'a-1', ()),
    ('the last to answer was Synced in another history than all data',
     [stopped(31), stopped(31), stopped(31, seen=31, seen_uuid=OTHER)],
     Step.REFUSE, None, ('a-1 has the history', OTHER, UUID)),
    ('one is primary, whatever the others have seen',
     [Answer(primary()), stopped(30, seen=99), stopped(29)],
     Step.REJOIN, 'a-1', ()),
    ('among equals the one that was told to continue before',
     [stopped(31), stopped(31, safe=True), stopped(31, ordered=True)],
     Step.BOOTSTRAP, 'a-3', ()),
    ('it does not help one that is behind',
     [stopped(31), stopped(32), stopped(31, ordered=True)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('one that is told and starts is waited for',
     [Answer(samples.report('starting'), samples.place(-1, ordered=True)),
      stopped(31), stopped(31)],
     Step.WAIT, None, ('a-1',)),
)

# Whether servers may be stopped to read the disks: (what, answers, forced,
# words of the refusal; None if they may)
HALTS = (
    ('all look for each other', [state('starting')] * 3, None, None),
    ('crashed and stopped', [state('crashed'), stopped(3), stopped(3)],
     None, None),
    ('a survivor is no obstacle, nor is it stopped',
     [outside(3), state('starting'), stopped(3)], None, None),
    ('one is silent', [state('starting'), SILENT, stopped(3)], None,
     ('a-2', 'did not answer', 'openstack server start')),
    ('one is silent, another forced', [state('starting'), SILENT,
                                       stopped(3)], 'a-1', None),
    ('the forced one is silent', [state('starting'), SILENT, stopped(3)],
     'a-2', ('a-2', 'cannot be started')),
    ('a stranger is forced', [state('starting'), stopped(3), stopped(3)],
     'b-1', ('b-1', 'not a member')),
    ('one is frozen', [state('starting'), state('unresponsive'),
                       stopped(3)], None, ('a-2', 'reboot a-2')),
    ('one runs and tells nothing', [state('starting'), state('running'),
                                    stopped(3)], 'a-1', ('a-2',)),
    ('one is primary', [state('starting'), Answer(primary()), stopped(3)],
     None, ('a-2', 'primary')),
)

START = samples.report('starting')

# What to wait for: (what, answers, forced, words; None for nothing)
HOPES = (
    ('all have stopped', [stopped(3), stopped(3), stopped(3)], None, None),
    ('they start with their last views', [
        Answer(START, samples.place(-1, gvwstate=True)),
        Answer(START, samples.place(-1, gvwstate=True)), stopped(3)], None,
     ('a-1, a-2', 'find the other members')),
    ('one starts as it was told to',
     [stopped(3), Answer(START, samples.place(-1, ordered=True)),
      stopped(3)], None, ('a-2', 'find the other members')),
    ('they stopped in order, and start in vain', [state('starting')] * 3,
     None, None),
    ('one starts, and its disk could not be read',
     [Answer(START), stopped(3), stopped(3)], None, None),
    ('one hangs', [stopped(3), state('unresponsive'), stopped(3)], None,
     ('a-2', 'may still answer or stop')),
    ('one runs and tells nothing',
     [stopped(3), stopped(3), state('running')], None,
     ('a-3', 'may still answer or stop')),
    ('one hangs, and another forced',
     [stopped(3), state('unresponsive'), SILENT], 'a-1', ('a-2',)),
    ('a survivor tells its state', [stopped(3), stopped(3), outside(3)],
     None, None),
    ('one is silent', [stopped(3), SILENT, stopped(3)], None,
     ('no answer from a-2',)),
    ('one is silent, another forced', [stopped(3), SILENT, stopped(3)],
     'a-1', None),
    ('one crashed', [state('crashed'), stopped(3), stopped(3)], None, None),
)

# The survivor that needs a recovery: (what, answers, member).
SURVIVORS = (
    ('all others stopped in order', [stopped(3), outside(3), stopped(3)],
     'a-2'),
    ('and start again, in vain',
     [outside(3), state('starting'), state('starting')], 'a-1'),
    ('whoever is ahead: the recovery decides',
     [stopped(4), stopped(2), outside(3)], 'a-3'),
    ('one was killed, and may come back to it',
     [stopped(3), outside(3), stopped(3, gvwstate=True)], None),
    ('one is coming back to it', [
        stopped(3), outside(3),
        Answer(START, samples.place(-1, gvwstate=True))], None),
    ('one is, or was, told to continue',
     [stopped(3), outside(3), stopped(3, ordered=True)], None),
    ('one is silent', [SILENT, outside(3), stopped(3)], None),
    ('one hangs', [state('unresponsive'), outside(3), stopped(3)], None),
    ('one does not tell what it has left',
     [Answer(START), outside(3), stopped(3)], None),
    ('two run, and may meet', [outside(3), outside(3), stopped(3)], None),
    ('none runs', [stopped(3), stopped(3), stopped(3)], None),
    ('it runs and tells nothing',
     [stopped(3), state('running'), stopped(3)], None),
    ('it is primary', [stopped(3), Answer(primary()), stopped(3)], None),
)

# The operator forces a member: (forced, answers, step, member, words)
FORCED = (
    ('a-1', [stopped(31), SILENT, SILENT], Step.BOOTSTRAP, 'a-1',
     ('forced', '31', 'lost')),
    ('a-1', [stopped(30), stopped(31), SILENT], Step.BOOTSTRAP, 'a-1', ()),
    ('a-2', [stopped(30), stopped(31, OTHER), stopped(30)],
     Step.BOOTSTRAP, 'a-2', ()),
    ('a-1', [outside(30), SILENT, SILENT], Step.PROMOTE, 'a-1', ()),
    ('a-1', [outside(30), SILENT, stopped(35)], Step.PROMOTE, 'a-1', ()),
    ('a-1', [stopped(30), outside(31), SILENT], Step.REFUSE, None,
     ('a-2', 'still runs', 'force a-1')),
    ('a-2', [outside(31), stopped(30), SILENT], Step.REFUSE, None,
     ('a-1', 'still runs', 'force a-2')),
    ('a-1', [stopped(30), outside(31), outside(32)], Step.REFUSE, None,
     ('Force a-2 instead', 'force a-1')),
    ('a-1', [stopped(30), Answer(primary()), SILENT], Step.REJOIN, 'a-2',
     ()),
    ('a-1', [stopped(30), state('unresponsive'), SILENT], Step.REFUSE, None,
     ('a-2',)),
    ('a-1', [stopped(30), state('starting'), SILENT], Step.WAIT, None,
     ('a-2',)),
    ('a-1', [SILENT, stopped(31), stopped(31)], Step.REFUSE, None,
     ('a-1', 'did not answer')),
    ('a-1', [stopped(30, sst=True), stopped(31), SILENT], Step.REFUSE, None,
     ('a-1', 'interrupted SST', 'cannot be forced')),
    ('a-1', [stopped(-1, None, evicted=True), stopped(31), SILENT],
     Step.REFUSE, None, ('a-1', 'evicted', 'cannot be forced')),
    ('a-1', [Answer(samples.report('stopped'), EMPTY), SILENT, SILENT],
     Step.REFUSE, None, ('a-1', 'no data')),
    ('a-1', [stopped(-1), SILENT, SILENT], Step.REFUSE, None, ('a-1',)),
    ('a-1', [stopped(-1, None), SILENT, SILENT], Step.REFUSE, None,
     ('nil',)),
    ('b-1', [stopped(31), stopped(31), stopped(31)], Step.REFUSE, None,
     ('b-1', 'a-1, a-2, a-3')),
)


def told(answers):
    return {name: answer for name, answer in zip(NAMES, answers)
            if answer is not None}


def reasons():
    """All decisions of the tables, also with each member forced."""
    for members, _ in NEW_CLUSTERS:
        reports, positions = ({name: one[number] for name, one
                               in zip(NAMES, members) if one[number]}
                              for number in (0, 1))
        yield plan.may_bootstrap_new(reports, positions).reason
    for table in (RECOVERIES, SEEN, HALTS, HOPES, SURVIVORS, FORCED):
        for _, answers, *_ in table:
            for forced in (None, *NAMES, 'b-1'):
                yield plan.choose_bootstrap(
                    NAMES, told(answers), forced=forced).reason
                yield plan.may_stop_for_recovery(
                    NAMES, told(answers), forced).reason


class NewClusterTest(testtools.TestCase):

    def test_table(self):
        for members, words in NEW_CLUSTERS:
            reports = {f'a-{number}': report for number, (report, _)
                       in enumerate(members, 1) if report is not None}
            positions = {f'a-{number}': place for number, (_, place)
                         in enumerate(members, 1) if place is not None}
            decision = plan.may_bootstrap_new(reports, positions)
            self.assertEqual(words is None, decision.allowed, members)
            for word in words or ():
                self.assertIn(word, str(decision.reason))

    def test_one_that_is_not_new_refuses_wherever_it_stands(self):
        for members, words in NEW_CLUSTERS:
            if words is None or len(members) != 1:
                continue
            for number in range(3):
                three = [(NEW, EMPTY)] * 3
                three[number] = members[0]
                decision = plan.may_bootstrap_new(
                    {name: one[0] for name, one in zip(NAMES, three)},
                    {name: one[1] for name, one in zip(NAMES, three)})
                self.assertFalse(decision.allowed)
                self.assertIn(NAMES[number], str(decision.reason))


class JoinedTest(testtools.TestCase):

    def test_table(self):
        for report, uuid, size, joined in JOINED:
            self.assertEqual(joined, plan.joined(report, uuid, size),
                             (report, uuid, size))

    def test_not_while_a_loss_of_power_would_take_its_data(self):
        report = dataclasses.replace(samples.primary(), unsynced=True)
        self.assertFalse(plan.joined(report, samples.UUID, 3))
        self.assertFalse(plan.joined(report, samples.UUID, 2,
                                     or_larger=True))

    def test_a_larger_component_where_that_will_do(self):
        for report, uuid, size, joined in JOINED:
            if joined:
                self.assertTrue(plan.joined(report, uuid, size,
                                            or_larger=True))
        for size, joined in ((1, True), (2, True), (3, True), (4, False)):
            self.assertIs(joined, plan.joined(
                samples.primary(), samples.UUID, size, or_larger=True))


class ChooseTest(testtools.TestCase):

    def check(self, choice, answers, step, member, words):
        self.assertEqual((step, member), (choice.step, choice.member),
                         (answers, choice.reason))
        for word in words:
            self.assertIn(word, str(choice.reason))
        self.assertTrue(str(choice.reason).endswith('.'), choice.reason)

    def test_recoveries(self):
        for what, answers, step, member, words in RECOVERIES:
            choice = plan.choose_bootstrap(NAMES, told(answers))
            self.check(choice, what, step, member, words)

    def test_what_the_members_remember(self):
        for what, answers, step, member, words in SEEN:
            choice = plan.choose_bootstrap(NAMES, told(answers))
            self.check(choice, what, step, member, words)

    def test_what_is_remembered_refuses_wherever_it_is_from(self):
        for number in range(3):
            answers = [stopped(31, seen=31) for _ in NAMES]
            answers[number] = stopped(20, seen=32)
            choice = plan.choose_bootstrap(NAMES, told(answers))
            self.assertIs(Step.REFUSE, choice.step)
            self.assertIn(f'{NAMES[number]} recorded', choice.reason.cause)

    def test_a_cluster_without_a_write_is_continued_at_0(self):
        choice = plan.choose_bootstrap(NAMES, told([stopped(0)] * 3))
        self.assertEqual((Step.BOOTSTRAP, 'a-1', 0),
                         (choice.step, choice.member, choice.seqno))

    def test_who_decides_nothing_names_no_position(self):
        for what, answers, step, _, _ in (*RECOVERIES, *SEEN):
            if step in (Step.REFUSE, Step.WAIT):
                choice = plan.choose_bootstrap(NAMES, told(answers))
                self.assertEqual(-1, choice.seqno, what)

    def test_a_choice_names_the_history(self):
        for what, answers, step, _, _ in (*RECOVERIES, *SEEN):
            choice = plan.choose_bootstrap(NAMES, told(answers))
            self.assertEqual(
                UUID if step in (Step.BOOTSTRAP, Step.PROMOTE) else '',
                choice.uuid, what)

    def test_may_halt(self):
        for what, answers, forced, words in HALTS:
            decision = plan.may_stop_for_recovery(NAMES, told(answers), forced)
            self.assertEqual(words is None, decision.allowed,
                             (what, decision.reason))
            for word in words or ():
                self.assertIn(word, str(decision.reason))

    def test_worth_waiting(self):
        for what, answers, forced, words in HOPES:
            hope = plan.worth_waiting(NAMES, told(answers), forced)
            self.assertEqual(words is None, hope == '', (what, hope))
            for word in words or ():
                self.assertIn(word, hope)

    def test_survivor(self):
        for what, answers, who in SURVIVORS:
            self.assertEqual(who, plan.survivor(NAMES, told(answers)), what)

    def test_nobody_survives_where_a_stranger_answers(self):
        answers = told([stopped(3), outside(3), stopped(3)])
        self.assertIsNone(plan.survivor(NAMES[:2], answers))

    def test_nothing_is_worth_waiting_for_where_one_survives(self):
        for what, answers, who in SURVIVORS:
            if who is not None:
                self.assertEqual('', plan.worth_waiting(
                    NAMES, told(answers)), what)
                self.assertTrue(plan.may_stop_for_recovery(
                    NAMES, told(answers)).allowed)

    def test_the_unresponsive_are_refused_when_waiting_timed_out(self):
        for what, answers, forced, _ in HOPES:
            unresponsive_servers = plan.unresponsive_servers(told(answers))
            choice = plan.choose_bootstrap(NAMES, told(answers),
                                           forced=forced)
            if unresponsive_servers:
                self.assertIs(Step.REFUSE, choice.step, what)
                self.assertIn(unresponsive_servers[0], choice.reason.named)

    def test_after_a_halt_that_was_allowed_something_is_decided(self):
        for what, answers, forced, words in HALTS:
            if words is None:
                after = [answer and (
                    stopped(3) if answer.report.server is not
                    view.ServerState.RUNNING else answer)
                    for answer in answers]
                choice = plan.choose_bootstrap(NAMES, told(after),
                                               forced=forced)
                self.assertIn(choice.step, (Step.BOOTSTRAP, Step.PROMOTE),
                              what)

    def test_forced(self):
        for who, answers, step, member, words in FORCED:
            choice = plan.choose_bootstrap(NAMES, told(answers), forced=who)
            self.check(choice, answers, step, member, words)

    def test_force_names_the_history_of_the_forced(self):
        choice = plan.choose_bootstrap(
            NAMES, told([stopped(30), stopped(31, OTHER), stopped(30)]),
            forced='a-2')
        self.assertEqual(OTHER, choice.uuid)

    def test_the_seqno_of_a_choice_is_that_of_its_member(self):
        for what, answers, step, member, _ in RECOVERIES:
            if step in (Step.BOOTSTRAP, Step.PROMOTE):
                choice = plan.choose_bootstrap(NAMES, told(answers))
                answer = told(answers)[member]
                self.assertEqual(
                    answer.position.seqno if step is Step.BOOTSTRAP
                    else answer.report.view.last_committed, choice.seqno)

    def test_a_refusal_names_a_member_and_an_action(self):
        for what, answers, step, _, _ in RECOVERIES:
            if step is Step.REFUSE:
                reason = plan.choose_bootstrap(NAMES, told(answers)).reason
                self.assertTrue(set(reason.named) & set(NAMES), what)
                self.check_action(reason)
        for who, answers, step, _, _ in FORCED:
            if step is Step.REFUSE:
                self.check_action(plan.choose_bootstrap(
                    NAMES, told(answers), forced=who).reason)

    def check_action(self, reason):
        """The advice has a command, or names the operator."""
        self.assertTrue(any(action in reason.advice for action in (
            'orce ', 'recover', 'an operator', 'Create a new cluster',
            'Name one of them')), reason)
        # Trove has no command that stops or starts one server.
        for sentence in re.split(r'[.;:,] ', reason.advice):
            if re.search(r'\b([Ss]top|[Ss]tart|[Rr]eboot)\b', sentence):
                self.assertTrue('"openstack ' in sentence
                                or 'writes' in sentence, reason)

    def test_a_reason_has_as_data_what_its_text_says(self):
        for reason in reasons():
            text = str(reason)
            self.assertEqual(tuple(dict.fromkeys(reason.named)),
                             reason.named, text)
            self.assertEqual({name for name in NAMES if name in text},
                             set(reason.named), text)
            self.assertEqual('orce ' in reason.advice, reason.force, text)
            self.assertNotIn('. ', reason.cause)
            self.assertNotEqual('.', reason.cause[-1:])
            self.assertIn(reason.advice[-1:], ('', '.'))

    def test_any_answer_withheld_never_lets_anybody_start(self):
        for what, answers, _, _, _ in RECOVERIES:
            for number in range(3):
                fewer = [None if one == number else answer
                         for one, answer in enumerate(answers)]
                choice = plan.choose_bootstrap(NAMES, told(fewer))
                self.assertNotIn(choice.step,
                                 (Step.BOOTSTRAP, Step.PROMOTE), what)


class OrderTest(testtools.TestCase):

    def test_those_who_lack_least_join_first(self):
        names = tuple(f'a-{number}' for number in range(1, 10))
        positions = {
            'a-1': samples.place(10), 'a-2': samples.place(31),
            'a-3': samples.place(99, sst=True), 'a-4': samples.place(30),
            'a-5': samples.place(99, OTHER), 'a-6': samples.place(30),
            'a-8': samples.place(99, '0' + UUID[1:]),
            'a-9': samples.place(0)}
        self.assertEqual(
            ('a-4', 'a-6', 'a-1', 'a-9', 'a-3', 'a-5', 'a-7', 'a-8'),
            plan.join_order(names, 'a-2', positions))

    def test_without_positions_they_join_in_member_order(self):
        self.assertEqual(('a-1', 'a-3'), plan.join_order(NAMES, 'a-2', {}))
