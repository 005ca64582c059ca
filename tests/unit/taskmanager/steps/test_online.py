# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The members of the component that an operation changes."""

import dataclasses
from typing import Any

from trove.common import exception

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import online

STATES = view.ServerState
PATIENCE = 60       # verify_timeout


class OnlineTestCase(fakes.ClusterTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        for guest in self.guests.values():
            guest.enters()
            guest.membership = Membership(
                fakes.facts(), fakes.secrets('known'))
        self.operation = supervision.Supervised('grow', None, self.cluster)
        self.operation.at = online.LOOK
        self.operation.subject = self.operation.members[0]

    def look(self) -> None:
        self.assertFalse(online.LOOK.done(
            self.operation, self.operation.subject))
        workflow.set_found(self.operation, online.LOOK.do(
            self.operation, self.operation.subject))

    def know(self, **news: Any) -> None:
        """Set the knowledge of the operation; names are those of members."""
        workflow.set_found(self.operation, dataclasses.replace(
            self.operation.found, **{
                field: value if field == 'secrets' else tuple(
                    one for one in self.operation.all_members
                    if one.name in value)
                for field, value in news.items()}))

    def inside(self) -> list[str]:
        return [member.name for member in online.inside(
            self.operation, self.operation.found)]

    def refused(self) -> exceptions.ClusterInconsistent:
        return self.assertRaises(exceptions.ClusterInconsistent, self.look)


class LookTest(OnlineTestCase):

    def test_a_cluster_that_is_whole(self) -> None:
        self.look()
        self.assertEqual(['c-1', 'c-2', 'c-3'], self.inside())
        found = self.operation.found
        self.assertEqual(fakes.HISTORY, found.history)
        self.assertEqual(3, found.component.size)
        self.assertEqual(self.operation.all_members, found.members)
        self.assertFalse(found.forming)

    def test_one_that_is_down_may_be_missing(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        self.look()
        self.assertEqual(['c-1', 'c-3'], self.inside())
        self.assertEqual(3, len(self.operation.all_members))

    def test_unless_it_is_needed(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        self.know(needed=['c-2'])
        error = self.refused()
        self.assertIn('the cluster cannot be changed: ', str(error))
        self.assertIn('not all members serve: c-2', str(error))
        self.assertEqual(PATIENCE, self.clock.now)

    def test_it_is_waited_for(self) -> None:
        self.guests[2].stands(STATES.STOPPED)
        self.know(needed=['c-2'])
        self.clock.after(PATIENCE - 1, self.guests[2].enters)
        self.look()
        self.assertEqual(3, self.operation.found.component.size)

    def test_one_that_passes_may_be_in_any_state(self) -> None:
        self.guests[2].sees = {'local_state': view.LocalState.JOINING}
        self.assertIn('not all members serve: c-2', str(self.refused()))
        self.know(passing=['c-2'])
        self.look()

    def test_nobody_serves(self) -> None:
        for guest in self.guests.values():
            guest.stands(STATES.STOPPED)
        self.assertIn('no member is in a primary component',
                      str(self.refused()))
        self.assertEqual([], self.inside())

    def test_a_silent_one_is_unknown(self) -> None:
        self.guests[2].silent = True
        self.assertIn('has 3 members, but only c-1, c-3 report',
                      str(self.refused()))

    def test_one_that_was_never_ready_is_not_asked(self) -> None:
        self.guests[3].stands(STATES.ABSENT)
        self.report_status(3, fakes.Statuses.BUILDING)
        self.guests[3].silent = True
        self.look()
        self.assertNotIn('c-3 member_report', self.galera.asked)


class SecretsTest(OnlineTestCase):

    def test_they_come_from_who_serves(self) -> None:
        self.guests[1].stands(STATES.STOPPED)
        self.guests[1].membership = Membership(
            fakes.facts(), fakes.secrets('old'))
        self.look()
        self.assertEqual(fakes.secrets('known'), self.operation.found.secrets)
        self.assertNotIn('c-1 member_context', self.galera.asked)

    def test_they_are_asked_for_once(self) -> None:
        self.look()
        self.look()
        self.assertEqual(['c-1 member_context'], [
            question for question in self.galera.asked
            if question.endswith('member_context')])

    def test_the_next_is_asked_if_one_does_not_tell(self) -> None:
        self.guests[1].membership = None
        for error in (exception.GuestTimeout(),
                      exception.GuestError(original_message='busy')):
            self.know(secrets=None)
            self.guests[2].always('member_context', error)
            self.look()
            self.assertEqual(
                fakes.secrets('known'), self.operation.found.secrets)
        self.assertEqual(0, self.clock.now)

    def test_they_are_waited_for_and_never_made(self) -> None:
        for guest in self.guests.values():
            guest.membership = None
        error = self.assertRaises(exceptions.DeadlineExceeded, self.look)
        self.assertIn('the settings of a member', str(error))
        self.assertIsNone(self.operation.found.secrets)
        self.assertEqual([], self.galera.told)


class GlimpseTest(OnlineTestCase):

    def glimpse(self) -> view.MemberReport | None:
        return online.glimpse(self.operation.members[1])

    def test_what_it_says(self) -> None:
        report = self.glimpse()
        self.assertIs(STATES.RUNNING, report.server)
        self.assertTrue(report.view.in_primary)

    def test_it_is_given_little_time(self) -> None:
        self.glimpse()
        self.assertEqual((3,), self.galera.given['c-2 member_report'])

    def test_silence_is_none(self) -> None:
        for error in (exception.GuestTimeout(),
                      exception.GuestError(original_message='busy')):
            self.guests[2].will('member_report', error)
            self.assertIsNone(self.glimpse())
        self.assertEqual(0, self.clock.now)

    def test_one_that_was_never_ready_is_absent(self) -> None:
        self.report_status(2, fakes.Statuses.NEW)
        report = self.glimpse()
        self.assertEqual(
            (STATES.ABSENT, None, False, 0),
            (report.server, report.view, report.started, report.data_bytes))
        self.assertEqual([], self.galera.asked)


class MembersTest(OnlineTestCase):
    """The members that the steps then work on."""

    def names(self) -> list[str]:
        return [member.name for member in self.operation.members]

    def test_all_that_serve_and_the_one_whose_turn_it_is(self) -> None:
        self.operation.subject = self.operation.all_members[2]
        self.know(passing=['c-1', 'c-3'])
        self.guests[3].stands(STATES.STOPPED)
        self.look()
        self.assertEqual(['c-2', 'c-3'], self.names())

    def test_those_that_are_needed(self) -> None:
        self.know(needed=['c-1', 'c-2'], passing=['c-3'])
        self.look()
        self.assertEqual(['c-1', 'c-2'], self.names())

    def test_those_that_each_one_s_settings_name(self) -> None:
        """The needed members; else all that have an address."""
        self.guests[3].stands(STATES.STOPPED)
        del self.cloud.neutron.ports[f'trove-{self.id_of(3)}']
        self.look()
        self.assertEqual(self.operation.all_members[:2],
                         self.operation.found.registered)
        self.guests[3].enters()
        self.know(needed=['c-1'], passing=['c-3'])
        self.look()
        self.assertEqual(self.operation.all_members[:1],
                         self.operation.found.registered)

    def test_one_that_serves_and_has_no_port(self) -> None:
        """Unless the member is to leave."""
        del self.cloud.neutron.ports[f'trove-{self.id_of(3)}']
        self.assertRaises(exceptions.PortGone, self.look)
        self.know(passing=['c-3'])
        self.look()

    def test_a_look_alone_changes_nothing(self) -> None:
        before = self.operation.found
        self.assertEqual(3, len(online.look(
            self.operation).component.inside))
        self.assertIs(before, self.operation.found)
