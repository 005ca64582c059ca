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

"""The order of the steps of a restart."""

from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.steps import rolling

RESTART = pending.Order(pending.RESTART)


class RestartTest(fakes.ClusterTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        for number, guest in self.guests.items():
            guest.enters()
            self.change(number, task_description=RESTART.text)

    def new(self, *numbers: int) -> rolling.Rolling:
        return restart.OPERATION.state(
            None, self.cluster, [self.id_of(number) for number in numbers])

    def test_one_after_another_is_stopped_and_started(self) -> None:
        operation = self.new(1, 2, 3)
        restart.run(operation)
        self.assertEqual(
            [f'c-{number} {order}' for number in (1, 2, 3)
             for order in ('stop_member', 'start_member')],
            self.galera.told)
        self.assertEqual((), operation.found.passing)
        self.assertEqual(3, len(self.galera.inside))

    def test_only_those_who_were_ordered(self) -> None:
        restart.run(self.new(2))
        self.assertEqual(['c-2 stop_member', 'c-2 start_member'],
                         self.galera.told)

    def test_whoever_had_its_turn_is_free_and_has_no_order(self) -> None:
        restart.run(self.new(2))
        row = self.tables.instance(self.id_of(2))
        self.assertEqual((InstanceTasks.NONE, None),
                         (row.task_status, pending.of(row)))
        self.assertEqual(RESTART, pending.of(
            self.tables.instance(self.id_of(3))))

    def test_the_next_is_not_touched_while_one_is_missed(self) -> None:
        self.guests[1].always('start_member', lambda: self.guests[1].stands(
            fakes.ServerState.STARTING))
        operation = self.new(1, 2)
        self.assertRaises(exceptions.DeadlineExceeded, restart.run,
                          operation)
        self.assertEqual('c-1', operation.subject.name)
        self.assertNotIn('c-2 stop_member', self.galera.told)
        self.assertEqual(InstanceTasks.REBOOTING, self.task(1))

    def test_nobody_is_stopped_while_another_does_not_serve(self) -> None:
        self.guests[3].stands(fakes.ServerState.STOPPED)
        self.assertRaises(exceptions.ClusterInconsistent, restart.run,
                          self.new(1, 2))
        self.assertEqual([], self.galera.told)

    def test_another_run_goes_on_with_those_who_are_left(self) -> None:
        moment = 0
        while self.killed_at(moment, lambda: restart.run(self.new(1, 2, 3))):
            had_its_turn = [number for number in self.guests if pending.of(
                self.tables.instance(self.id_of(number))) is None]
            self.galera.told.clear()
            restart.run(self.new(1, 2, 3))
            for number in had_its_turn:
                self.assertNotIn(f'c-{number} stop_member',
                                 self.galera.told)
            self.assertEqual(3, len(self.galera.inside))
            moment += 1
            for number in self.guests:
                self.change(number, task_status=InstanceTasks.NONE)
                self.change(number, task_description=RESTART.text)
        self.assertEqual(2 * 6, moment)
