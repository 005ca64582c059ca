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

"""Histories of failures, with a decision after each event."""

import copy
import itertools
import random

import testtools

from tests.unit.galera import stories
from trove_pxc.galera import diagnosis
from trove_pxc.galera import plan
from trove_pxc.galera.plan import Step

NAMES = stories.NAMES

# Failures that operators reported. After each event, no wrong member may be
# started; the last column is the member that must be started at the end.
STORIES = (
    ('one after the other is stopped',
     'write stop:1 write stop:2 write stop:3', Step.BOOTSTRAP, 'a-3'),
    ('all get SIGTERM at once', 'write stop_all', Step.BOOTSTRAP, 'a-1'),
    ('power off of all', 'write write kill_all', Step.BOOTSTRAP, 'a-1'),
    ('one was down for long, then all lose power',
     'stop:1 write write write kill_all', Step.BOOTSTRAP, 'a-2'),
    ('quorum lost with a survivor',
     'write kill:1 kill:2', Step.PROMOTE, 'a-3'),
    ('the survivor is killed, too',
     'write kill:1 kill:2 kill:3', Step.BOOTSTRAP, 'a-1'),
    ('one is cut off, the others write on and lose power',
     'cut:1 write kill:2 kill:3', Step.STOP, 'a-1'),
    ('as before, and the one that was cut off is stopped',
     'cut:1 write kill:2 kill:3 stop:1', Step.BOOTSTRAP, 'a-2'),
    ('the donor dies in mid-SST',
     'stop:1 write break_sst:1 kill:2 kill:3', Step.BOOTSTRAP, 'a-2'),
    ('starts that failed have destroyed the seqnos',
     'stop:1 write stop:2 write stop:3 fail_start:1 fail_start:2 '
     'fail_start:3', Step.BOOTSTRAP, 'a-3'),
    ('the furthest has lost its grastate.dat',
     'stop:1 write stop:2 write stop:3 lose_grastate:3', Step.REFUSE, None),
    ('the furthest has lost its data, and knows it',
     'stop:1 write stop:2 write stop:3 lose_data:3', Step.REFUSE, None),
    ('one behind has lost its data',
     'stop:1 write stop:2 write stop:3 lose_data:1', Step.BOOTSTRAP, 'a-3'),
    ('one behind has lost its grastate.dat',
     'stop:1 write stop:2 write stop:3 lose_grastate:1', Step.BOOTSTRAP,
     'a-3'),
    ('recovered, and it goes on',
     'write kill_all recover write join:2 join:3', Step.REJOIN, 'a-1'),
    ('recovered, and all lose power before anybody has joined',
     'write kill_all recover write kill_all', Step.BOOTSTRAP, 'a-1'),
    ('the last to stop is recovered, stops, and another is asked',
     'stop:1 stop:2 write stop:3 recover write stop:3', Step.BOOTSTRAP,
     'a-3'),
)


def parsed(text):
    for word in text.split():
        event, _, number = word.partition(':')
        yield event, f'a-{number or 1}'


class StoriesTest(testtools.TestCase):

    def check(self, cluster, story):
        """The invariants at every moment of every story."""
        answers = cluster.answers()
        choice = plan.choose_bootstrap(NAMES, answers)
        self.assertEqual(0, cluster.forks, story)
        self.assertTrue(choice.reason.cause, story)
        if choice.step in (Step.BOOTSTRAP, Step.PROMOTE):
            self.assertEqual([], cluster.primaries(), story)
            node = cluster.nodes[choice.member]
            self.assertGreaterEqual(node.applied, cluster.acknowledged,
                                    (story, choice))
            self.assertFalse(node.spoiled, story)
            self.assertEqual(choice.step is Step.PROMOTE, node.up, story)
        if choice.step is Step.REJOIN:
            self.assertIn(choice.member, cluster.primaries(), story)
        if cluster.primaries():
            self.assertIs(Step.REJOIN, choice.step, story)
        if choice.step is Step.REFUSE:
            self.assertTrue(set(choice.reason.named) & set(NAMES))
        self.silence(answers, choice, story)
        return choice

    def silence(self, answers, choice, story):
        """Without some answers, no member is started or called down."""
        for number in range(1, 3):
            for silent in itertools.combinations(NAMES, number):
                told = {name: answer for name, answer in answers.items()
                        if name not in silent}
                fewer = plan.choose_bootstrap(NAMES, told)
                self.assertIn(fewer.step, (Step.REJOIN, Step.REFUSE),
                              (story, silent))
                if choice.step is not Step.REJOIN:
                    self.assertIs(Step.REFUSE, fewer.step, (story, silent))
                seen = diagnosis.diagnose(
                    diagnosis.Known(dict(zip(NAMES, NAMES))),
                    {name: answer.report for name, answer in told.items()})
                self.assertNotIn(seen.state, (
                    diagnosis.ClusterState.HEALTHY,
                    diagnosis.ClusterState.DOWN), (story, silent))

    def play(self, events):
        """Run a story, check after each event, return the last choice."""
        cluster = stories.Cluster()
        story = []
        choice = self.check(cluster, story)
        for event, name in events:
            getattr(cluster, event)(name)
            story.append((event, name))
            choice = self.check(cluster, story)
        return choice

    def test_told_stories_cut_short_after_each_event(self):
        for what, text, step, member in STORIES:
            choice = self.play(parsed(text))
            self.assertEqual((step, member), (choice.step, choice.member),
                             (what, choice.reason))

    def go_on(self, cluster, story, events):
        self.check(cluster, story)
        if events:
            for event, name in stories.all_events():
                after = copy.deepcopy(cluster)
                getattr(after, event)(name)
                self.go_on(after, [*story, (event, name)], events - 1)

    def test_every_story_of_three_events(self):
        self.go_on(stories.Cluster(), [], 3)

    def test_long_stories_drawn_at_random(self):
        for seed in range(60):
            draw = random.Random(seed)
            self.play([draw.choice(stories.all_events())
                       for _ in range(25)])
