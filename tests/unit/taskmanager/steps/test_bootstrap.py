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

"""Which member bootstraps, and when a bootstrap is refused."""

import itertools

from trove.common import exception

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.steps import bootstrap

STATES = view.ServerState


class BootstrapTest(base.FormationTestCase):

    def bootstrap(self) -> None:
        for step in (bootstrap.START_BOOTSTRAP, bootstrap.BOOTSTRAP):
            if not self.done(step, 1):
                self.do(step, 1)

    def test_the_first_is_told_when_all_are_proven_empty(self) -> None:
        self.assertFalse(self.done(bootstrap.BOOTSTRAP, 1))
        self.do(bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual(['c-1 bootstrap_member'], self.galera.told)
        self.assertEqual(
            sorted(f'c-{number} {question}' for number in self.guests
                   for question in ('member_report', 'member_position')),
            sorted(self.galera.asked))
        self.do(bootstrap.BOOTSTRAP, 1)
        self.assertEqual((self.members[0], fakes.HISTORY), (
            self.operation.found.source, self.operation.found.history))

    def test_one_that_is_not_prepared_is_not_asked(self) -> None:
        self.report_status(3, fakes.Statuses.NEW)
        self.guests[3].silent = True
        self.bootstrap()
        self.assertNotIn('c-3 member_position', self.galera.asked)

    def refused(self, *words: str) -> None:
        error = self.fails(
            exceptions.BootstrapRefused, bootstrap.START_BOOTSTRAP, 1)
        for word in words:
            self.assertIn(word, str(error))
        self.assertEqual([], self.galera.told)

    def test_not_beside_data(self) -> None:
        self.guests[2].place = fakes.AT_REST
        self.refused('c-2 holds data')

    def test_not_beside_one_that_was_started(self) -> None:
        self.guests[3].started = True
        self.refused('c-3 was started before')

    def test_not_beside_one_that_is_silent(self) -> None:
        self.guests[2].silent = True
        error = self.fails(
            exceptions.MemberFailed, bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual('c-2', error.member)
        self.assertEqual([], self.galera.told)

    def test_not_beside_one_whose_disk_is_not_told(self) -> None:
        self.guests[2].always('member_position', exception.GuestTimeout())
        error = self.fails(
            exceptions.MemberFailed, bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual('c-2', error.member)
        self.assertEqual([], self.galera.told)

    def test_not_in_a_cluster_that_is_deleted_meanwhile(self) -> None:
        def position() -> object:
            self.delete_cluster()
            return self.guests[3].place
        self.guests[3].will('member_position', position)
        self.fails(exceptions.ClusterBeingDeleted,
                   bootstrap.START_BOOTSTRAP, 1)
        self.assertEqual([], self.galera.told)

    def test_it_is_not_told_twice(self) -> None:
        def starts_and_nobody_hears() -> None:
            self.guests[1].stands(STATES.STARTING)
            self.clock.after(60, self.guests[1].enters)
            raise exception.GuestTimeout()
        self.guests[1].will('bootstrap_member', starts_and_nobody_hears)
        self.bootstrap()
        self.assertEqual(['c-1'], self.galera.was_told('bootstrap_member'))
        self.assertGreaterEqual(self.clock.now, 60)

    def test_the_cluster_is_found_through_any_that_is_primary(self) -> None:
        self.guests[3].enters()
        self.bootstrap()
        self.assertEqual('c-3', self.operation.found.source.name)
        self.assertEqual(fakes.HISTORY, self.operation.found.history)
        self.assertEqual([], self.galera.told)

    def starts(self) -> None:
        self.guests[1].stands(STATES.STARTING)

    def test_a_server_that_keeps_ending(self) -> None:
        states = itertools.cycle((STATES.STARTING, STATES.CRASHED))
        reports = (view.MemberReport(
            server=state, view=None, data_bytes=0, started=True,
            exit_code=1, error='no memory') for state in states)
        self.guests[1].will('bootstrap_member', lambda: setattr(
            self.guests[1], 'answers', {'member_report': reports}))
        self.do(bootstrap.START_BOOTSTRAP, 1)
        error = self.fails(
            exceptions.MemberFailed, bootstrap.BOOTSTRAP, 1)
        self.assertIn('ended 4 times (exit code 1): no memory', error.cause)

    def test_one_that_takes_too_long(self) -> None:
        self.guests[1].will('bootstrap_member', self.starts)
        self.do(bootstrap.START_BOOTSTRAP, 1)
        error = self.fails(
            exceptions.DeadlineExceeded, bootstrap.BOOTSTRAP, 1)
        self.assertEqual((300, 'server starting'),
                         (error.seconds, error.last_seen))

    def test_it_is_over_when_it_is_primary_and_synced(self) -> None:
        for wrong in ({'cluster_status': view.ClusterStatus.NON_PRIMARY},
                      {'local_state': view.LocalState.JOINED}):
            self.guests[1].stands(STATES.ABSENT)
            self.guests[1].started = False
            self.guests[1].place = fakes.NOTHING
            self.guests[1].sees = wrong
            self.do(bootstrap.START_BOOTSTRAP, 1)
            self.fails(exceptions.DeadlineExceeded, bootstrap.BOOTSTRAP, 1)
