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

"""Members that were not created or failed, and summaries of reports."""

from types import SimpleNamespace

import testtools

from tests.unit.galera import samples
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import faults
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows


class AllMadeTest(testtools.TestCase):

    def check(self, *rows: tuple[int, int | None]) -> None:
        asked = [SimpleNamespace(number=number, last_asked=last)
                 for number, last in rows]
        members.check_all_made('c', asked, asked)

    def test_all(self) -> None:
        self.check((1, 3), (2, 3), (3, 3))
        self.check((4, 4))

    def test_rows_that_do_not_tell(self) -> None:
        self.check((1, None), (3, None))

    def test_one_that_is_there_for_another_run(self) -> None:
        asked, there = SimpleNamespace(number=4, last_asked=5), (
            SimpleNamespace(number=number, last_asked=5)
            for number in (1, 2, 3, 4, 5))
        members.check_all_made('c', [asked], there)

    def test_some(self) -> None:
        for made, missing in (
                ([(1, 3), (2, 3)], 'member 3 of'), ([(1, 3)], '2, 3 of'),
                ([(4, 6), (6, 6)], 'member 5 of'), ([], 'member 1 of')):
            error = self.assertRaises(
                exceptions.ClusterInconsistent, self.check, *made)
            self.assertIn(missing, str(error))


class FailedTest(fakes.ClusterTestCase):

    def test_what_an_earlier_run_advised_is_no_part_of_the_cause(
            self) -> None:
        self.change(1, task_status=fakes.InstanceTasks.BUILDING_ERROR_SERVER)
        faults.save_fault(self.id_of(1), faults.Fault(
            'no disk', 'delete the cluster', 'create failed').short, '')
        member = members.load(None, self.cluster)[0]
        error = self.assertRaises(exceptions.MemberFailed, member.check,
                                  rows.SHARED.state(self.cluster.id)
                                  .members[member.id])
        self.assertEqual('create failed: no disk', error.cause)

    def test_one_without_rows_was_deleted(self) -> None:
        member = members.load(None, self.cluster)[0]
        for seen in (None, rows.Instance(
                fakes.InstanceTasks.NONE, None, 'server-1')):
            error = self.assertRaises(exceptions.MemberFailed, member.check,
                                      seen)
            self.assertEqual('the instance was deleted', error.cause)


class SeenTest(testtools.TestCase):

    def report(self, server: view.ServerState, rows: dict[str, str] | None,
               error: str = '') -> view.MemberReport:
        return view.MemberReport(
            server=server, data_bytes=0, started=True, exit_code=None,
            error=error, view=None if rows is None
            else view.NodeView.from_status(rows))

    def test_a_server_that_answers(self) -> None:
        self.assertEqual(
            'server running, Primary, Joining, size 2',
            members.seen(self.report(view.ServerState.RUNNING, {
                'wsrep_cluster_status': 'Primary', 'wsrep_local_state': '1',
                'wsrep_cluster_size': '2'})))

    def test_one_that_does_not(self) -> None:
        self.assertIn(
            'size 3, and it is read-only: it refuses the writes of users',
            members.seen(samples.primary(altered=['read_only'])))
        self.assertIn('and it is locked by', members.seen(samples.primary(
            local_state='Donor/Desynced', giving=False)))
        self.assertEqual('server starting', members.seen(
            self.report(view.ServerState.STARTING, None)))

    def test_one_that_told_why(self) -> None:
        self.assertEqual('server crashed, "no space"', members.seen(
            self.report(view.ServerState.CRASHED, None, 'no space')))
