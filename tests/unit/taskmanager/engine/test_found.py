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

"""The knowledge of a run is replaced, never changed."""

import dataclasses
import types
from typing import Any

import testtools

from trove_pxc.galera import position
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine.found import Survey

ONE, TWO, THREE = MEMBERS = tuple(
    types.SimpleNamespace(name=f'c-{number}') for number in (1, 2, 3))
HISTORY = '11111111-1111-11f1-a111-111111111111'


def report(size: int = 3) -> view.MemberReport:
    return view.MemberReport(
        server=view.ServerState.RUNNING, data_bytes=0, started=True,
        exit_code=None, error='', view=view.NodeView.from_status({
            'wsrep_cluster_status': 'Primary', 'wsrep_local_state': '4',
            'wsrep_cluster_size': str(size), 'wsrep_ready': 'ON',
            'wsrep_cluster_state_uuid': HISTORY}))


class FoundTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        members: Any = MEMBERS
        self.found = Found(members, members, passing=members)

    def test_nothing_of_it_can_be_changed(self) -> None:
        for field in dataclasses.fields(Found):
            self.assertRaises(dataclasses.FrozenInstanceError, setattr,
                              self.found, field.name, None)

    def test_what_is_not_said_is_not_so(self) -> None:
        found = self.found
        self.assertEqual([False] * 4, [
            found.forming, found.or_larger, found.keeps_flavor,
            found.survey.asked])

    def test_a_cluster_that_is_found_through_a_member(self) -> None:
        found = self.found.through(TWO, report())
        self.assertEqual((TWO, HISTORY), (found.source, found.history))
        self.assertEqual((None, ''),
                         (self.found.source, self.found.history))
        self.assertEqual(MEMBERS, found.members)

    def test_a_member_that_had_its_turn(self) -> None:
        found = self.found.had_its_turn(TWO)
        self.assertEqual((ONE, THREE), found.passing)
        self.assertEqual((ONE, THREE), found.had_its_turn(TWO).passing)
        self.assertEqual(MEMBERS, found.members)

    def test_who_has_joined(self) -> None:
        self.assertFalse(self.found.joined(report(), 3))
        found = self.found.through(ONE, report())
        self.assertTrue(found.joined(report(), 3))
        self.assertFalse(found.joined(report(), 2))
        larger = dataclasses.replace(found, or_larger=True)
        self.assertTrue(larger.joined(report(), 2))
        self.assertFalse(larger.joined(report(), 4))


class SurveyTest(testtools.TestCase):

    def test_answers_and_who_gave_none(self) -> None:
        place = position.Position(
            uuid=HISTORY, seqno=7, safe_to_bootstrap=None,
            sst_in_progress=False, grastate_present=True, view_present=False)
        all_members: Any = {'c-1': ONE, 'c-2': TWO, 'c-3': THREE}
        survey = Survey(all_members, {'c-1': report(), 'c-3': report()},
                        {'c-3': place, 'c-2': place})
        self.assertEqual(['c-1', 'c-3'], list(survey.answers))
        self.assertIsNone(survey.answers['c-1'].position)
        self.assertEqual(place, survey.answers['c-3'].position)
        self.assertEqual([TWO], survey.silent)
        self.assertEqual({}, Survey().answers)
