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

"""The knowledge of a run, and the members of its phases."""

import types

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.steps import bootstrap
from trove_pxc.taskmanager.steps import formation

STATES = view.ServerState


class WhoTest(base.FormationTestCase):

    def names(self, of: object) -> list[str]:
        return [member.name for member in of(self.operation)]

    def test_who_goes_through_the_steps(self) -> None:
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.names(formation.every_member))
        self.assertEqual(['c-1'], self.names(formation.first_member))
        self.assertEqual(['c-3'], self.names(formation.last_member))

    def test_only_joiners_that_are_prepared_are_configured_early(self) -> None:
        self.assertEqual(['c-2', 'c-3'],
                         self.names(formation.prepared_joiners))
        self.report_status(2, fakes.Statuses.BUILDING)
        self.assertEqual(['c-3'], self.names(formation.prepared_joiners))

    def test_all_join_but_the_one_that_is_in(self) -> None:
        self.know(source=self.members[1])
        self.assertEqual(['c-1', 'c-3'], self.names(formation.joiners))

    def test_a_cluster_is_found_with_its_history(self) -> None:
        self.form(2)
        self.assertEqual(('c-2', fakes.HISTORY), (
            self.operation.found.source.name, self.operation.found.history))

    def test_who_serves(self) -> None:
        self.form(1)
        self.guests[2].stands(STATES.RUNNING)
        self.report_status(3, fakes.Statuses.BUILDING)
        self.at(bootstrap.BOOTSTRAP, 1)
        self.assertEqual(
            [True, False, False],
            [formation.serving(self.operation, member) is not None
             for member in self.members])
        self.assertNotIn('c-3 member_report', self.galera.asked)


class FormingTest(base.FormationTestCase):

    def test_it_is_empty_and_all_know_all(self) -> None:
        found = self.operation.found
        self.assertTrue(found.forming)
        self.assertEqual((tuple(self.members),) * 2,
                         (found.members, found.registered))


class FactsTest(base.FormationTestCase):

    def test_the_memory_is_that_of_the_flavor(self) -> None:
        """That of the new flavor, unless the resize is being undone."""
        def memory() -> int:
            return formation.facts(self.operation, self.members[0]).memory_mb
        self.assertEqual(1024, memory())
        self.know(flavor=types.SimpleNamespace(ram='2048'))
        self.assertEqual(2048, memory())
        self.know(keeps_flavor=True)
        self.assertEqual(1024, memory())


class CreationTest(base.FormationTestCase):
    """Instances whose creation may be interrupted."""

    def setUp(self) -> None:
        super().setUp()
        self.change(3, compute_instance_id=None)

    def watch(self) -> None:
        for _ in range(100):
            self.operation.check()
            self.clock.advance(1)

    def test_one_that_does_not_move_has_failed(self) -> None:
        self.operation.creations.interrupted = True
        error = self.assertRaises(exceptions.MemberFailed, self.watch)
        self.assertEqual('c-3', error.member)
        self.assertGreaterEqual(self.clock.now, 75)

    def test_without_an_interruption_nobody_looks(self) -> None:
        self.watch()
        self.assertEqual(100, self.clock.now)

    def ask(self) -> None:
        """Whether its guest was called to prepare."""
        for _ in range(100):
            self.operation.creations.ask(self.members[2])
            self.clock.advance(1)

    def test_one_that_is_never_told_to_prepare_has_failed(self) -> None:
        self.report_status(3, fakes.Statuses.NEW)
        self.ask()
        self.assertEqual(100, self.clock.now)
        self.operation.creations.interrupted = True
        error = self.assertRaises(exceptions.MemberFailed, self.ask)
        self.assertEqual('c-3', error.member)
