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

"""A cluster that is being formed, and one step of one of its members."""

import dataclasses
from typing import Any

from tests.unit.taskmanager import fakes
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation


class FormationTestCase(fakes.ClusterTestCase):
    """Three instances are ready, and were never started."""

    def setUp(self) -> None:
        super().setUp()
        self.operation = self.new()
        self.members = self.operation.members

    def new(self) -> formation.Formation:
        return formation.Formation('create', None, self.cluster)

    def at(self, step: workflow.Step, number: int) -> formation.Member:
        """Set the current step and member of the operation."""
        self.operation.at = step
        self.operation.subject = self.members[number - 1]
        return self.operation.subject

    def done(self, step: workflow.Step, number: int) -> bool:
        """Whether the step is done; the check changes nothing."""
        member = self.at(step, number)
        before = vars(self.operation).copy()
        done = step.done(self.operation, member)
        self.assertEqual(before, vars(self.operation))
        self.assertIs(before['found'], self.operation.found)
        return done

    def do(self, step: workflow.Step, number: int) -> None:
        """Run the step as the engine does."""
        workflow.set_found(self.operation, step.do(
            self.operation, self.at(step, number)))
        self.assertTrue(self.done(step, number)
                        or step.done is workflow.never)

    def fails(self, kind: type[Exception], step: workflow.Step,
              number: int) -> Exception:
        return self.assertRaises(
            kind, step.do, self.operation, self.at(step, number))

    def know(self, **news: Any) -> None:
        """Set the knowledge of the operation."""
        workflow.set_found(self.operation, dataclasses.replace(
            self.operation.found, **news))

    def form(self, *numbers: int) -> None:
        """Set the members of the cluster."""
        for number in numbers:
            self.guests[number].enters()
        first = self.members[numbers[0] - 1]
        workflow.set_found(
            self.operation, self.operation.found.through(
                first, first.report()))
        self.galera.asked.clear()
