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

"""When a member may be taken out: all others serve, in one cluster."""

import types
from typing import Any

import testtools

from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.steps import rolling
from trove_pxc import waiting


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
    """An operation that waits for nothing: it looks once."""

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
        """At the others of the first member."""
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

    def test_two_clusters(self) -> None:
        self.refused('another cluster', report(), report('a'), report('b'))


class ReturnQuotaTest(testtools.TestCase):

    def test_of_a_cluster_whose_members_are_deleted(self) -> None:
        """An error here would hide that the cluster is being deleted."""
        rolling.return_quota(types.SimpleNamespace(
            found=Found((), ()), context=None))
