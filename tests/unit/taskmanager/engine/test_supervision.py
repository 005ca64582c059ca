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

"""Watching a server that starts, and the interval of checks."""

import datetime
import itertools
import math
import types
from typing import Any

from cinderclient import exceptions as cinder_exceptions
import fixtures
import mock
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import exceptions as nova_exceptions
from oslo_db import exception as db_exceptions
import testtools
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks

from tests.unit import clock
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc import waiting


MEMBER: Any = types.SimpleNamespace(
    failed=lambda cause: exceptions.MemberFailed('c-1', 'x', cause))


def report(server: view.ServerState, data_bytes: int = 0,
           restarts: int = 0) -> Any:
    return view.MemberReport(
        server=server, view=None, data_bytes=data_bytes, started=True,
        exit_code=1, error='no space left', restarts=restarts)


class CrashWatchTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.watch = supervision.CrashWatch(MEMBER)

    def crash(self) -> None:
        self.watch.look(report(view.ServerState.STARTING))
        self.watch.look(report(view.ServerState.CRASHED))

    def test_the_guest_waits_for_the_server_before_it_reports(self) -> None:
        member = mock.create_autospec(members.Member, instance=True)
        member.report.return_value = report(view.ServerState.STARTING)
        watch = supervision.CrashWatch(member)
        self.assertIs(member.report.return_value, watch.report())
        member.report.assert_called_once_with(1.0)
        self.assertIsNotNone(watch.progress())

    def test_three_ends_are_forgiven_the_fourth_is_not(self) -> None:
        for _ in range(3):
            self.crash()
        error = self.assertRaises(exceptions.MemberFailed, self.crash)
        self.assertIn('ended 4 times (exit code 1): no space left',
                      str(error))

    def test_one_end_seen_often_is_one(self) -> None:
        for _ in range(50):
            self.watch.look(report(view.ServerState.CRASHED))

    def loop(self, *restarts: int) -> None:
        """It is down at each check, once in three seconds."""
        for count in restarts:
            self.clock.advance(3)
            self.watch.look(report(view.ServerState.CRASHED,
                                   restarts=count))

    def test_one_that_nobody_sees_up_ends_in_time(self) -> None:
        self.loop(2, 5, 6)
        error = self.assertRaises(exceptions.MemberFailed,
                                  self.loop, 7, 8, 8)
        self.assertIn('ended 6 times (exit code 1): no space left',
                      str(error))
        self.assertLess(self.clock.now, 20)

    def test_what_may_pass_in_a_moment_is_waited_for(self) -> None:
        self.loop(0, 5, 6)
        self.loop(*[0] * 50)

    def test_all_may_be_forgiven(self) -> None:
        self.watch = supervision.CrashWatch(MEMBER, forgiven=math.inf)
        for _ in range(50):
            self.crash()
        self.loop(*range(100))

    def test_restarts_before_the_watch_do_not_count(self) -> None:
        self.loop(*[70] * 50)

    def test_a_start_by_hand_begins_anew(self) -> None:
        for _ in range(20):
            self.loop(3, 0)

    def test_data_that_arrives_is_progress(self) -> None:
        self.watch.look(report(view.ServerState.STARTING, 1))
        first = self.watch.progress()
        self.watch.look(report(view.ServerState.STARTING, 1))
        self.assertEqual(first, self.watch.progress())
        self.watch.look(report(view.ServerState.STARTING, 2))
        self.assertNotEqual(first, self.watch.progress())


class WaitTest(fakes.ClusterTestCase):
    """Errors of the cloud and the database during a poll."""

    def setUp(self) -> None:
        super().setUp()
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.operation = supervision.Supervised('it', None, self.cluster)
        self.operation.at = workflow.Step(
            'join', 'to be in', 'verify_timeout', lambda *_: False,
            lambda *_: None)
        self.operation.subject, self.other, _ = self.operation.members

    def wait(self, *answers: Any, **words: Any) -> Any:
        left = list(answers)

        def probe() -> Any:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self.operation.wait(probe, **words)

    def test_what_may_pass_is_waited_for(self) -> None:
        self.assertEqual(7, self.wait(
            nova_exceptions.ClientException(503),
            neutron_exceptions.ConnectionFailed(reason='late'),
            cinder_exceptions.ClientException(500),
            db_exceptions.DBConnectionError(Exception('lost')), 7))
        self.assertEqual(4, self.clock.now)
        self.assertIn('WARNING Nova answers 503', self.log.output)

    def test_nobody_is_blamed_when_it_does_not(self) -> None:
        late = self.assertRaises(
            exceptions.DeadlineExceeded, self.wait,
            nova_exceptions.ClientException(503), by=self.other)
        self.assertIn('last observed: Nova answers 503', str(late))

    def test_who_was_seen_not_to_come_is(self) -> None:
        failed = self.assertRaises(
            exceptions.MemberFailed, self.wait,
            nova_exceptions.ClientException(503), waiting.NotYet('down'),
            by=self.other)
        self.assertEqual(self.other.id, failed.instance_id)


class CheckTest(fakes.ClusterTestCase):
    """What the tables show while an operation waits."""

    def setUp(self) -> None:
        super().setUp()
        self.override(member_poll_interval=0.25, database_poll_interval=0.3)
        self.reads: list[float] = []
        self.useFixture(fixtures.MockPatchObject(
            rows, 'SHARED', rows.Reader(self.read)))
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.operation = supervision.Supervised('it', None, self.cluster)
        self.operation.at = workflow.Step(
            'join', 'to be in', 'join_stall_timeout', lambda *_: False,
            lambda *_: None)
        self.operation.subject = self.operation.members[0]

    def read(self, cluster_ids: Any) -> Any:
        self.reads.append(self.clock.now)
        return fakes.states(cluster_ids)

    def wait(self) -> None:
        def probe() -> None:
            raise waiting.NotYet('')
        self.operation.wait(probe)

    def changed(self, seconds: float, change: Any) -> float:
        """Seconds until a wait ends, after a change in so many seconds."""
        began = self.clock.now
        self.clock.after(seconds, change)
        error = self.assertRaises(exceptions.GaleraError, self.wait)
        self.assertFalse(isinstance(error, exceptions.DeadlineExceeded))
        return self.clock.now - began - seconds

    def test_a_deletion_ends_a_wait_within_about_a_second(self) -> None:
        for seconds in (0.1, 3, 7.7, 60, 299):
            self.begin(ClusterTasks.RESTARTING_CLUSTER)
            self.assertLess(self.changed(seconds, self.delete_cluster), 1.4)

    def test_a_failed_member_ends_a_wait_within_about_a_second(self) -> None:
        self.assertLess(self.changed(100, lambda: self.report_status(
            2, fakes.Statuses.FAILED_TIMEOUT_GUESTAGENT)), 1.4)

    def test_a_deleted_member_ends_a_wait(self) -> None:
        self.assertLess(self.changed(100, lambda: self.change(
            2, deleted=True)), 1.4)

    def test_a_lost_lease_ends_a_wait_within_about_a_second(self) -> None:
        self.operation.held = self.lease()
        with self.operation.held:
            self.assertLess(self.changed(100, lambda: self.tables.change(
                cluster_models.DBCluster, fakes.CLUSTER,
                updated=datetime.datetime(2027, 1, 1))), 1.4)

    def lease(self) -> lease.Lease:
        return lease.Lease(
            fakes.CLUSTER, ClusterTasks.RESTARTING_CLUSTER, 30)

    def test_a_renewal_after_the_read_is_no_loss(self) -> None:
        self.operation.held = self.lease()
        with self.operation.held:
            before = rows.SHARED.state(fakes.CLUSTER)
            self.clock.advance(6)
            self.assertEqual(before.task_id, self.tables.cluster(
                fakes.CLUSTER).task_id)
            self.assertNotEqual(before.updated, self.tables.cluster(
                fakes.CLUSTER).updated)
            with mock.patch.object(rows.SHARED, 'state', autospec=True,
                                   return_value=before):
                self.operation.check()

    def test_a_long_wait_reads_less_often(self) -> None:
        self.changed(250, self.delete_cluster)
        first = [read for read in self.reads if read < 6]
        later = [read for read in self.reads if read > 30]
        self.assertLess(len(first), 6 / 0.3)
        self.assertLess(len(later), 220 / 0.7)

    def test_a_check_of_a_step_reads_now(self) -> None:
        self.operation.check()
        self.operation.check()
        self.assertEqual(2, len(self.reads))

    def test_probes_see_what_was_read(self) -> None:
        other = self.operation.members[1]
        self.operation.check()
        self.report_status(2, fakes.Statuses.HEALTHY)
        self.assertFalse(self.operation.seen(other).healthy)
        self.operation.check()
        self.assertTrue(self.operation.seen(other).healthy)
        self.change(2, deleted=True)
        self.assertRaises(exceptions.MemberFailed, self.operation.check)
        self.assertRaises(
            exceptions.MemberFailed, self.operation.seen, other)


class EveryTest(testtools.TestCase):

    def test_it_is_called_at_once_and_then_seldom(self) -> None:
        calls: list[int] = []
        now_and_then = supervision.every(3600, lambda: calls.append(1))
        now_and_then()
        now_and_then()
        self.assertEqual([1], calls)

    def test_without_an_interval_it_is_called_always(self) -> None:
        calls: list[int] = []
        always = supervision.every(0, lambda: calls.append(1))
        always()
        always()
        self.assertEqual([1, 1], calls)

    def test_the_interval_grows_up_to_a_limit(self) -> None:
        now = self.useFixture(clock.Clock())
        calls: list[float] = []
        less_and_less = supervision.every(
            1, lambda: calls.append(now.now), 5)
        for _ in range(1000):
            less_and_less()
            now.advance(0.5)
        pauses = [after - before for before, after
                  in itertools.pairwise(calls)]
        self.assertEqual(sorted(pauses), pauses)
        self.assertEqual([1, 1, 1], pauses[:3])
        self.assertEqual([5, 5, 5], pauses[-3:])
