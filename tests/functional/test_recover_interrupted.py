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

"""A recovery that is interrupted at any of its calls, and run again.

The taskmanager dies between any two calls to a guest: before the call, or
after the guest has carried it out but before the taskmanager has the answer.
The next run must lead to one primary component, always bootstrapped from the
member that the first run chose, and no write may be lost.
"""

from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.taskmanager import models as task_models

from tests.functional import base
from tests.functional import galera
from tests.functional import test_interrupted as mortal
from tests.functional import test_resume
from trove_pxc import pending
from trove_pxc.taskmanager.engine import failures
from trove_pxc.taskmanager.operations import create
from trove_pxc.taskmanager.operations import recover
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import recovery

STARTING = galera.ServerState.STARTING
STOPPED = galera.ServerState.STOPPED
CRASHED = galera.ServerState.CRASHED
RUNNING = galera.ServerState.RUNNING
Killed, MortalClient = mortal.Killed, mortal.MortalClient

_LIVES = 10000

# The failures of a cluster: states of the servers and their positions.
ONE_BY_ONE = [(STOPPED, 20), (STOPPED, 25), (STOPPED, 30)]
KILLED = [(STARTING, 30), (CRASHED, 31), (STARTING, 31)]
SURVIVED = [(STARTING, 29), (STOPPED, 30), (RUNNING, 30)]


class InterruptedTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager(mortal.WithoutClusters())
        self.override('remote_guest_client',
                      'tests.functional.test_interrupted.mortal_client')
        self.override('self_recovery_timeout', 1, 'mariadb')
        self.override('member_poll_interval', 0.05, 'mariadb')
        MortalClient.lives, MortalClient.galera = _LIVES, self.galera
        self.cluster_id = str(self.create().json['cluster']['id'])
        for number in (1, 2, 3):
            self.wait_for_event(f'prepared products-{number}')
        made = formation.Formation('create', self.context(), self.tasks())
        create.run(made)
        failures.let_trove_finish(made.members)
        pending.end(self.cluster_id, ClusterTasks.BUILDING_INITIAL)

    def tasks(self) -> Any:
        return task_models.load_cluster_tasks(self.context(),
                                              self.cluster_id)

    def befall(self, places: list[Any]) -> None:
        for number, (server, applied) in enumerate(places, 1):
            self.galera.stand(f'products-{number}', server, applied)
        self.galera.promotions = 0
        self.galera.events.clear()
        self.assertTrue(pending.claim(
            self.cluster_id, ClusterTasks.RESTARTING_CLUSTER,
            [row.id for row in self.instance_rows(self.cluster_id)],
            pending.recovery(None)))

    def cut_short(self, places: list[Any], calls: int,
                  answered: bool) -> bool:
        """Recover; return whether the run ended before this call."""
        self.befall(places)
        MortalClient.answered, MortalClient.lives = answered, calls
        finished = True
        try:
            recover.run(recovery.Recovery(self.context(), self.tasks()))
        except Killed:
            finished = False
        MortalClient.lives = _LIVES
        mortal.resumed(
            self.context(), self.cluster_id).carry_out_pending(
                self.context())
        return finished

    def look_at(self, chosen: int, furthest: int, story: Any) -> None:
        events = self.galera.events
        self.assertEqual(1, self.galera.promotions, (story, events))
        self.assertEqual({f'products-{chosen}'}, {
            event.split()[1] for event in events
            if event.split()[0] in ('continue', 'promote')}, (story, events))
        self.assertEqual([True] * 3, [
            guest.synced for guest in self.galera.component], story)
        self.assertGreaterEqual(self.galera.seqno, furthest)
        self.assertEqual([None] * 3, [
            pending.of(row) for row in self.instance_rows(self.cluster_id)])
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)

    def cut_short_everywhere(self, places: list[Any], chosen: int,
                             answered: bool = True) -> None:
        furthest = max(applied for _, applied in places)
        calls, finished = 0, False
        while not finished:
            finished = self.cut_short(places, calls, answered)
            self.look_at(chosen, furthest, calls)
            calls += 1
        # Each is asked, read, completed again and read from.
        self.assertGreater(calls, 12)

    def test_stopped_members_recover_despite_a_kill_before_any_call(
            self) -> None:
        self.cut_short_everywhere(ONE_BY_ONE, 3, answered=False)

    def test_stopped_members_recover_despite_a_kill_after_any_call(
            self) -> None:
        self.cut_short_everywhere(ONE_BY_ONE, 3)

    def test_killed_members_recover_despite_a_kill_after_any_call(
            self) -> None:
        self.cut_short_everywhere(KILLED, 2)

    def test_survivor_is_promoted_despite_a_kill_after_any_call(self) -> None:
        self.cut_short_everywhere(SURVIVED, 3)


class TakenUpTest(test_resume.ResumptionTest):
    """Resumed by a taskmanager that did not get the request."""

    def setUp(self) -> None:
        super().setUp()
        self.override('member_call_timeout', 1, 'mariadb')
        self.start_taskmanager()
        self.cluster_id = str(self.create().json['cluster']['id'])
        self.wait_for_task(self.cluster_id)
        self.stop_taskmanager()
        for number, applied in enumerate((30, 31, 29), 1):
            self.galera.stand(f'products-{number}', STOPPED, applied)
        self.galera.named('products-2').die()
        self.galera.events.clear()

    def recover(self, **body: str) -> None:
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'recover': body})
        self.assertEqual(202, response.status_int, response.text)
        with self.supervised():
            self.wait_for_task(self.cluster_id)

    def pending(self) -> list[pending.Order | None]:
        return [pending.of(row)
                for row in self.instance_rows(self.cluster_id)]

    def member(self, number: int) -> str:
        return str(self.instance_rows(self.cluster_id)[number - 1].id)

    def test_forced_recovery_is_resumed_from_the_same_member(self) -> None:
        self.recover(force=self.member(1))
        ended = self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual(self.cluster_id, ended['cluster_id'])
        self.assertEqual({'products-1', 'products-3'}, {
            guest.name for guest in self.galera.component if guest.synced})
        self.assertIn('continue products-1', self.galera.events)
        self.assertEqual([None] * 3, self.pending())
        self.assertEqual([], self.notified('dbaas.cluster_restart.end'))

    def test_a_refusal_is_reported_and_force_may_follow(self) -> None:
        self.recover()
        error = self.wait_notified('dbaas.cluster_recover.error')
        self.assertIn('--force MEMBER', error['message'])
        self.assertIn('recover: "choose the member to bootstrap" failed',
                      self.fault(self.member(2)))
        self.assertEqual([None] * 3, self.pending())
        self.assertEqual([], self.notified('dbaas.cluster_restart.error'))
        self.test_forced_recovery_is_resumed_from_the_same_member()

    def test_a_completed_recovery_is_not_repeated(self) -> None:
        """Its taskmanager died before it could clear the task."""
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.RESTARTING_CLUSTER)
        with self.supervised():
            self.wait_for_task(self.cluster_id)
        self.assertEqual([], self.galera.events)
