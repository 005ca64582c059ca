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

"""When members may be added or removed: a table of reports."""

from typing import Any

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import component
from trove_pxc.galera import view

JOINING = view.LocalState.JOINING
DONOR = view.LocalState.DONOR


def inside(size: int = 3, **changes: Any) -> view.MemberReport:
    return samples.primary(cluster_size=size, **changes)


def joining(size: int) -> view.MemberReport:
    return inside(size, local_state=JOINING.value, ready=False)


def look(*reports: view.MemberReport | None, needed: str = '',
         passing: str = '') -> component.Component:
    """Members are called a, b, c, ... in the order of their reports."""
    return component.look(dict(zip('abcdefg', reports)), needed, passing)


class FitTest(testtools.TestCase):

    def fit(self, *reports: view.MemberReport | None, inside: str,
            **more: str) -> component.Component:
        found = look(*reports, **more)
        self.assertEqual('', found.obstacle)
        self.assertEqual(tuple(inside), found.inside)
        self.assertEqual(samples.UUID, found.uuid)
        return found

    def test_all_serve(self) -> None:
        found = self.fit(inside(), inside(), inside(), inside='abc',
                         needed='abc')
        self.assertEqual((3, 0), (found.size, found.hidden))

    def test_one_is_down_and_not_counted(self) -> None:
        for down in (None, samples.report('stopped'),
                     samples.report('crashed'), samples.outside(7)):
            self.fit(inside(2), down, inside(2), inside='ac')

    def test_one_is_down_that_is_on_its_way_out(self) -> None:
        self.fit(inside(3), None, inside(3), inside(3), inside='acd',
                 needed='acd', passing='b')

    def test_one_on_its_way_out_does_not_answer_and_counts(self) -> None:
        found = self.fit(inside(4), None, inside(4), inside(4),
                         inside='acd', needed='acd', passing='b')
        self.assertEqual(1, found.hidden)

    def test_one_on_its_way_in_gets_its_data(self) -> None:
        self.fit(inside(4), inside(4), inside(4, local_state=DONOR.value),
                 joining(4), inside='abcd', passing='d')
        self.fit(inside(4), inside(4), inside(4), samples.report('starting'),
                 inside='abc', passing='d')


class UnfitTest(testtools.TestCase):

    def unfit(self, words: str, *reports: view.MemberReport | None,
              **more: str) -> None:
        self.assertIn(words, look(*reports, **more).obstacle)

    def test_no_component(self) -> None:
        self.unfit('no member is in a primary component: a has a guest '
                   'agent that does not answer, b is outside the primary',
                   None, samples.outside(7))
        self.unfit('no member')
        found = look(None, samples.outside(7))
        self.assertEqual((0, 0, '', ()), (
            found.size, found.hidden, found.uuid, found.inside))

    def test_nobody_is_hidden_where_more_answer_than_are_counted(
            self) -> None:
        self.assertEqual(0, look(inside(2), inside(2), inside(2)).hidden)

    def test_two_components(self) -> None:
        self.unfit('two primary components: a, b and c',
                   inside(2), inside(2),
                   inside(1, cluster_uuid=samples.OTHER_UUID))
        self.unfit('two primary components: a and b',
                   inside(1, incoming_addresses=['10.0.0.1:3306']),
                   inside(1, incoming_addresses=['10.0.0.2:3306']))

    def test_one_that_is_needed(self) -> None:
        for report, role in (
                (None, 'has a guest agent that does not answer'),
                (samples.report('stopped'), 'is stopped'),
                (samples.outside(7), 'is outside'),
                (joining(3), 'is joining'),
                (inside(3, local_state=DONOR.value), 'is the donor')):
            self.unfit(f'not all members serve: b {role}', inside(3), report,
                       inside(3), needed='abc')

    def test_one_that_is_back_but_not_yet_ready(self) -> None:
        self.unfit('not all members serve: b is joining', inside(3),
                   joining(3), inside(3))

    def test_silent_one_that_is_counted(self) -> None:
        for silent in (None, samples.report('running'),
                       samples.report('unresponsive')):
            self.unfit('the component has 3 members, but only a, c '
                       'report that they are in it; b ',
                       inside(3), silent, inside(3))

    def test_one_that_cannot_be_inside_accounts_for_nobody(self) -> None:
        for report in (samples.report('absent', started=False),
                       samples.report('stopped'), samples.report('crashed'),
                       samples.outside(7)):
            self.unfit('has 3 members, but only a, c report',
                       inside(3), None, inside(3), report, passing='d')

    def test_more_than_are_known(self) -> None:
        self.unfit('Trove knows no other member', inside(4), inside(4),
                   inside(4))
        self.unfit('has 5 members', inside(5), None, inside(5), inside(5),
                   passing='b')

    def test_component_that_is_changing(self) -> None:
        self.unfit('they report a size of 2, 3', inside(2), inside(3),
                   inside(3))
        self.unfit('3 members are in it, but they report a size of 2',
                   inside(2), inside(2), inside(2))

    def test_history_without_a_name(self) -> None:
        nil = view.NodeView.from_status(samples.NIL_HISTORY)
        self.unfit('reports no UUID', samples.report(node=nil),
                   samples.report(node=nil), samples.report(node=nil))


class SurvivalTest(testtools.TestCase):

    def test_more_than_half_must_be_left(self) -> None:
        for size, names, lost, survives in (
                (4, 'abc', 'd', True), (4, 'abcd', 'd', True),
                (4, 'ab', 'cd', False), (6, 'abc', 'def', False),
                (6, 'abcd', 'ef', True), (5, 'abc', 'c', False),
                (3, 'ab', 'c', True), (2, 'a', 'b', False),
                (1, 'a', '', True)):
            found = component.Component(tuple(names), size, 'u')
            self.assertIs(survives, found.survives_without(lost),
                          (size, names, lost))


class LabelTest(testtools.TestCase):

    labels = {'id-1': 'a', 'id-2': 'b (id-2)', 'id-3': 'b (id-3)'}

    def look(self, *reports: view.MemberReport | None) -> Any:
        return component.look(dict(zip(self.labels, reports)),
                              labels=self.labels)

    def test_members_are_known_by_their_ids(self) -> None:
        found = self.look(inside(2), inside(2), None)
        self.assertEqual((('id-1', 'id-2'), ''),
                         (found.inside, found.obstacle))

    def test_an_obstacle_names_them_by_their_labels(self) -> None:
        self.assertIn('only a, b (id-2) report that they are in it; b (id-3) ',
                      self.look(inside(3), inside(3), None).obstacle)
        locked = inside(3, local_state=DONOR.value, giving=False,
                        ready=False)
        self.assertIn('not all members serve: b (id-2) takes no statements',
                      self.look(inside(3), locked, inside(3)).obstacle)
