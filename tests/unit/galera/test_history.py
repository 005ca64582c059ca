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

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import history
from trove_pxc.galera.history import Disqualification
from trove_pxc.galera.reason import Reason

UUID = samples.UUID
OTHER = samples.OTHER_UUID
TRUE_ONE = ('Find out which history has your data, then force a member of '
            'it.')


def views(**changes):
    return {name: samples.node_view(**change)
            for name, change in changes.items()}


# (views of members in a primary component, the components)
COMPONENTS = (
    ({}, []),
    ({'a': {}}, [['a']]),
    ({'a': {}, 'b': {}, 'c': {}}, [['a', 'b', 'c']]),
    # one of them does not report the newest member yet
    ({'a': {'incoming_addresses': ['1', '2'], 'cluster_size': 2},
      'b': {'incoming_addresses': ['1', '2', '3']}}, [['a', 'b']]),
    # another history
    ({'a': {}, 'b': {'cluster_uuid': OTHER}}, [['a'], ['b']]),
    # the same history, but they are not connected to each other
    ({'a': {'incoming_addresses': ['1', '2']},
      'b': {'incoming_addresses': ['1', '2']},
      'c': {'incoming_addresses': ['3']}}, [['a', 'b'], ['c']]),
    # the third has addresses of the first two
    ({'a': {'incoming_addresses': ['1']},
      'b': {'incoming_addresses': ['2']},
      'c': {'incoming_addresses': ['1', '2']}}, [['a', 'b', 'c']]),
    # without addresses: the same view number is the same component
    ({'a': {'incoming_addresses': []}, 'b': {}}, [['a', 'b']]),
    ({'a': {'incoming_addresses': [], 'cluster_conf_id': 9}, 'b': {}},
     [['a'], ['b']]),
    ({'a': {}, 'b': {'incoming_addresses': [], 'cluster_conf_id': 9}},
     [['a'], ['b']]),
    # in the order of their first members
    ({'a': {'incoming_addresses': ['1']},
      'b': {'incoming_addresses': ['2']},
      'c': {'incoming_addresses': ['2']},
      'd': {'incoming_addresses': ['1']}}, [['a', 'd'], ['b', 'c']]),
    ({'a': {'cluster_uuid': None}, 'b': {}}, [['a'], ['b']]),
)

# (position on the disk, disqualification)
FLAWS = (
    (samples.place(31), None),
    (samples.place(31, safe=True), None),
    (samples.place(31, safe=None), None),
    (samples.place(31, gvwstate=True), None),
    (samples.place(0), None),
    (samples.EMPTY, Disqualification.EMPTY),
    (samples.place(31, sst=True), Disqualification.SPOILED),
    (samples.place(-1, None, sst=True), Disqualification.SPOILED),
    (samples.place(31, evicted=True), Disqualification.EVICTED),
    (samples.place(-1, None, grastate=False, evicted=True),
     Disqualification.EVICTED),
    (samples.place(31, grastate=False), Disqualification.NO_GRASTATE),
    (samples.place(-1, None), Disqualification.NO_HISTORY),
    (samples.place(-1), Disqualification.NO_SEQNO),
    (samples.place(-1, None, grastate=False, gvwstate=True),
     Disqualification.NO_GRASTATE),
)


class ComponentsTest(testtools.TestCase):

    def test_table(self):
        for seen, parts in COMPONENTS:
            found = history.components(views(**seen))
            self.assertEqual(parts, found, seen)


class CandidateTest(testtools.TestCase):

    def test_flaws(self):
        for told, disqualification in FLAWS:
            found = history.candidate('a', history.Answer(
                samples.report('stopped'), told))
            self.assertIs(disqualification, found.disqualification, told)
            self.assertEqual(disqualification is None, found.usable)

    def test_of_one_who_does_not_tell_nothing_is_known(self):
        found = history.candidate('a', history.Answer(
            samples.report('stopped')))
        self.assertEqual(history.Candidate(
            name='a', uuid=None, seqno=-1, safe=False, running=False,
            order=0, disqualification=Disqualification.NOT_TOLD,
            ordered=False), found)

    def test_a_running_server_tells_for_itself(self):
        found = history.candidate('a', history.Answer(
            samples.outside(25), samples.place(7, OTHER)))
        self.assertEqual(history.Candidate(
            name='a', uuid=UUID, seqno=25, safe=False, running=True,
            order=0, disqualification=None, ordered=False), found)

    def test_the_last_view_of_a_server_that_stopped_does_not_count(self):
        found = history.candidate('a', history.Answer(
            samples.report('stopped', samples.node_view()),
            samples.place(7, OTHER)))
        self.assertEqual((OTHER, 7, False), (
            found.uuid, found.seqno, found.running))

    def test_one_that_runs_nowhere(self):
        for seqno, uuid, disqualification in (
                (-1, None, Disqualification.NOWHERE),
                (25, None, Disqualification.NOWHERE),
                (-1, UUID, Disqualification.NOWHERE), (0, UUID, None)):
            found = history.candidate('a', history.Answer(
                samples.outside(seqno, uuid)))
            self.assertIs(disqualification,
                          found.disqualification, (seqno, uuid))

    def test_rank_is_seqno_then_running_then_safe_then_order(self):
        answers = {
            'behind': samples.stopped(30, safe=True),
            'first': samples.stopped(31),
            'safe': samples.stopped(31, safe=True),
            'running': history.Answer(samples.outside(31)),
            'last': samples.stopped(31),
        }
        best = sorted(history.candidates(answers),
                      key=lambda candidate: candidate.rank, reverse=True)
        self.assertEqual(['running', 'safe', 'first', 'last', 'behind'],
                         [candidate.name for candidate in best])

    def test_among_equals_the_first_has_the_greatest_rank(self):
        ranks = [history.candidate('a', samples.stopped(31), order).rank
                 for order in range(4)]
        self.assertEqual(sorted(ranks, reverse=True), ranks)
        self.assertEqual(4, len(set(ranks)))


class DiscordTest(testtools.TestCase):

    def test_one_history(self):
        self.assertIsNone(history.discord({}))
        self.assertIsNone(history.discord({'a': (UUID, 3)}))
        self.assertIsNone(history.discord({'a': (UUID, 3), 'b': (UUID, 9)}))

    def test_two_of_them_remember_two(self):
        for mine, yours in ((UUID, OTHER), (OTHER, UUID)):
            self.assertEqual(
                Reason(f'c was last Synced in the history {yours}, a in '
                       f'{mine}', TRUE_ONE, ('a', 'c'), force=True),
                history.discord({'a': (mine, 3), 'b': (mine, 3),
                                 'c': (yours, 3)}))


class DisagreementTest(testtools.TestCase):

    def test_who_has_no_say_silences_nobody(self):
        """An incomplete or empty member precedes one that differs."""
        for one in (samples.stopped(99, OTHER, sst=True),
                    samples.stopped(-1, None)):
            candidates = history.candidates({
                'a': one, 'b': samples.stopped(3),
                'c': samples.stopped(3, OTHER)})
            self.assertEqual(
                Reason(f'c has the history {OTHER}, but the cluster has '
                       f'{UUID}', TRUE_ONE, ('c',), force=True),
                history.disagreement(candidates, None))

    def test_what_members_remember_is_the_history(self):
        candidates = history.candidates({'a': samples.stopped(3),
                                         'b': samples.stopped(3)})
        self.assertIsNone(history.disagreement(candidates, UUID))
        for mine, yours in ((UUID, OTHER), (OTHER, UUID)):
            candidates = history.candidates({'a': samples.stopped(3, mine)})
            self.assertEqual(
                f'a has the history {mine}, but the cluster has {yours}',
                history.disagreement(candidates, yours).cause)
