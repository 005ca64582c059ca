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

"""A member is stopped only if all others serve, in one cluster."""

import dataclasses
import types
from typing import Any

import testtools
from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc import pending
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import rolling
from trove_pxc import waiting

ORDER = pending.Order(pending.RESTART)


def report(uuid: str = 'a', state: str = '4', status: str = 'Primary',
           size: int = 3) -> view.MemberReport:
    return view.MemberReport(
        server=view.ServerState.RUNNING, data_bytes=0, started=True,
        exit_code=None, error='', view=view.NodeView.from_status({
            'wsrep_cluster_status': status, 'wsrep_local_state': state,
            'wsrep_cluster_size': str(size), 'wsrep_ready': 'ON',
            'wsrep_cluster_state_uuid': uuid}))


def stopped() -> view.MemberReport:
    return view.MemberReport(
        server=view.ServerState.STOPPED, view=None, data_bytes=0,
        started=True, exit_code=0, error='')


class OneLook:
    """An operation that does not wait: it checks once."""

    found = Found((), ())

    def __init__(self, *reports: view.MemberReport) -> None:
        self.members = [
            types.SimpleNamespace(name=f'c-{number}', report=lambda r=one: r,
                                  options=types.SimpleNamespace(
                                      verify_timeout=1))
            for number, one in enumerate(reports, start=1)]

    def others(self, member: Any) -> list[Any]:
        return [other for other in self.members if other is not member]

    def wait(self, probe: Any, what: str = '', **others: Any) -> Any:
        try:
            return probe()
        except waiting.NotYet as seen:
            raise exceptions.DeadlineExceeded(what, 1, str(seen)) from seen


class BeWholeTest(testtools.TestCase):

    def look(self, *reports: view.MemberReport) -> Found:
        """Check the other members of the first one."""
        operation: Any = OneLook(*reports)
        return rolling._be_whole(operation, operation.members[0])

    def refused(self, words: str, *reports: view.MemberReport) -> None:
        error = self.assertRaises(
            exceptions.ClusterInconsistent, self.look, *reports)
        self.assertIn(words, str(error))

    def test_all_others_serve(self) -> None:
        self.assertEqual('a', self.look(
            report(), report(), report()).history)

    def test_it_may_be_down_itself(self) -> None:
        self.assertEqual('a', self.look(
            stopped(), report(size=2), report(size=2)).history)

    def test_another_is_down(self) -> None:
        self.refused('c-3: server stopped', report(), report(), stopped())

    def test_another_is_not_synced_or_not_in(self) -> None:
        self.refused('c-2', report(), report(state='1'), report())
        self.refused('c-3', report(), report(), report(state='2'))
        self.refused('c-2', report(), report(status='non-Primary'), report())

    def test_another_is_backed_up(self) -> None:
        seen = dataclasses.replace(report(state='2'), backup='b-1')
        self.assertEqual('a', self.look(report(), report(), seen).history)

    def test_two_clusters(self) -> None:
        self.refused('another cluster', report(), report('a'), report('b'))


class RollingTest(fakes.ClusterTestCase):
    """Which members are changed, and how a change is undone."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        for guest in self.guests.values():
            guest.enters()

    def new(self, *numbers: int, **values: Any) -> rolling.Rolling:
        """:param numbers: of the members to change; none: all."""
        return rolling.Rolling(
            None, self.cluster, rolling.Change(
                'restart', ORDER, InstanceTasks.REBOOTING, **values),
            [self.id_of(number) for number in numbers] or None)

    def names(self, *numbers: int) -> list[str]:
        operation = self.new(*numbers)
        self.assertEqual(operation.targets, operation.found.passing)
        self.assertEqual(operation.all_members, operation.members)
        return [member.name for member in operation.targets]

    def test_all_have_their_turn_or_those_that_are_named(self) -> None:
        self.assertEqual(['c-1', 'c-2', 'c-3'], self.names())
        self.assertEqual(['c-1', 'c-3'], self.names(1, 3))

    def test_of_those_that_have_an_order_still(self) -> None:
        self.change(2, task_description=ORDER.text)
        self.assertEqual(['c-2'], self.names(1, 2))
        self.assertEqual(['c-1', 'c-2', 'c-3'], self.names())

    def put_back(self, operation: rolling.Rolling) -> None:
        """A member whose server was stopped for its change."""
        self.guests[2].stands(view.ServerState.STOPPED)
        operation.subject = operation.members[1]
        workflow.set_found(operation, dataclasses.replace(
            operation.found, history=fakes.HISTORY))
        rolling.put_back(operation)

    def test_one_that_is_out_is_started(self) -> None:
        operation = self.new(2)
        self.change(2, task_status=InstanceTasks.REBOOTING)
        self.put_back(operation)
        self.assertEqual(['c-2 start_member'], self.galera.told)
        self.assertTrue(operation.found.keeps_flavor)

    def test_or_goes_the_way_that_the_change_has(self) -> None:
        went: list[str] = []
        step: Any = dataclasses.replace(
            rolling.RETURN, done=lambda operation, member: False,
            do=lambda operation, member: went.append(member.name))
        self.change(2, task_status=InstanceTasks.REBOOTING)
        self.put_back(self.new(2, way_back=(step, step)))
        self.assertEqual(['c-2', 'c-2'], went)
        self.assertEqual([], self.galera.told)

    def test_one_that_is_not_out_is_left_alone(self) -> None:
        operation = self.new(2)
        self.put_back(operation)
        operation.subject = None
        rolling.put_back(operation)
        self.assertEqual([], self.galera.told)
        self.assertFalse(operation.found.keeps_flavor)


class ReturnQuotaTest(testtools.TestCase):

    def test_of_a_cluster_whose_members_are_deleted(self) -> None:
        """An error here would hide that the cluster is being deleted."""
        rolling.return_quota(types.SimpleNamespace(
            found=Found((), ()), context=None))
