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

"""Which operations are resumed, when, and how their end is notified."""

from collections.abc import Callable
import datetime
import types
from typing import Any

import fixtures
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove import rpc
from trove.taskmanager import models as task_models

from tests.unit import specs
from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager import tasks
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc.taskmanager.watchers import resume

LEASE = 30      # operation_lease
THEN = datetime.datetime(2026, 11, 30, 8, 0)
WAITS = starts.Start(2, 'req-1', host='192.0.2.7',
                     place=starts.Place('a1', admission.LONG, 7))


class Request:
    """A request that runs when a test wants."""

    def __init__(self, lane: str, call: Callable[[], None]) -> None:
        self.lane = lane
        self._call = call
        self._alive = True

    def is_alive(self) -> bool:
        return self._alive

    def ends(self) -> None:
        self._alive = False

    def run(self) -> None:
        self._call()
        self.ends()


class Queues:
    """As admission.Admission, without limits."""

    def __init__(self) -> None:
        self.resumed: list[Request] = []

    def resume(self, lane: str, cluster_id: str,
               call: Callable[[], None]) -> Request:
        self.resumed.append(Request(lane, call))
        return self.resumed[-1]


class ResumptionTestCase(fakes.ClusterTestCase):
    """A watcher, and the clusters that it finds."""

    def setUp(self) -> None:
        super().setUp()
        self.queues = Queues()
        self.found: dict[str, discovery.Found] = {}
        self.clusters = self.useFixture(fixtures.MockPatchObject(
            discovery, 'clusters', autospec=True,
            side_effect=lambda task_ids: dict(self.found))).mock
        self.starts: dict[str, starts.Start] = {}
        self.useFixture(fixtures.MockPatchObject(
            starts, 'of', autospec=True,
            side_effect=lambda task_ids: dict(self.starts)))
        self.resume = self.watcher()

    def watcher(self) -> resume.Resumption:
        return resume.Resumption(self.queues)  # type: ignore[arg-type]

    def add(self, cluster_id: str = 'a', manager: str = fakes.MANAGER,
            task_id: int = ClusterTasks.BUILDING_INITIAL.code,
            updated: datetime.datetime = THEN) -> None:
        self.found[cluster_id] = discovery.Found(types.SimpleNamespace(
            id=cluster_id, task_id=task_id, updated=updated), manager)

    def look(self, after: float = 0) -> int:
        """The number of operations resumed by this check."""
        self.clock.advance(after)
        before = len(self.queues.resumed)
        self.resume.look()
        return len(self.queues.resumed) - before


class LookTest(ResumptionTestCase):

    size = 0

    def test_nobody_s_lease_has_run_out_at_the_first_look(self) -> None:
        self.add()
        self.assertEqual(0, self.look(after=1000))

    def test_whose_lease_did_not_move_for_its_time_is_taken_up(self) -> None:
        self.add()
        self.look()
        self.assertEqual(0, self.look(after=LEASE - 0.1))
        self.assertEqual(1, self.look(after=0.1))

    def test_short_operations_do_not_wait_for_long_ones(self) -> None:
        lanes = {ClusterTasks.DELETING.code: admission.DELETIONS,
                 ClusterTasks.RESTARTING_CLUSTER.code: admission.SHORT}
        for task_id in resume.CONTINUATIONS:
            self.found.clear()
            self.add(task_id=task_id)
            self.resume = self.watcher()
            self.look()
            self.look(after=LEASE)
            self.assertEqual(lanes.get(task_id, admission.LONG),
                             self.queues.resumed[-1].lane)

    def test_what_waits_in_a_taskmanager_that_lives(self) -> None:
        """However long it waits, it is not started here."""
        self.override(operation_start_timeout=LEASE)
        self.add()
        self.starts['a'] = WAITS
        for number in range(5):
            queued.show_life('a1', number)
            self.assertEqual(0, self.look(after=LEASE - 1))

    def test_what_waits_in_a_taskmanager_that_died(self) -> None:
        self.add()
        self.starts['a'] = WAITS
        queued.show_life('a1', 1)
        self.look()
        self.assertEqual(0, self.look(after=LEASE - 1))
        self.assertEqual(1, self.look(after=1))

    def test_what_waits_in_the_queue_is_not_resumed(self) -> None:
        self.override(operation_start_timeout=900)
        self.add()
        self.starts['a'] = starts.Start(2, 'req-1')
        self.look()
        self.assertEqual(0, self.look(after=899))
        self.assertEqual(1, self.look(after=1))

    def test_lease_of_what_was_started_counts_from_its_start(self) -> None:
        self.add()
        self.starts['a'] = starts.Start(2, 'req-1')
        self.look()
        self.look(after=10 * LEASE)
        self.starts['a'] = starts.Start(2, 'req-1', 1, '192.0.2.7')
        self.assertEqual(0, self.look())
        self.assertEqual(0, self.look(after=LEASE - 1))
        self.assertEqual(1, self.look(after=1))

    def test_another_request_is_another_operation(self) -> None:
        self.override(operation_start_timeout=900)
        self.add()
        self.starts['a'] = starts.Start(2, 'req-1')
        self.look()
        self.starts['a'] = starts.Start(2, 'req-2')
        self.assertEqual(0, self.look(after=900))
        self.assertEqual(1, self.look(after=900))

    def test_whose_lease_has_moved_is_left_alone(self) -> None:
        for tick in range(10):
            self.add(updated=THEN + datetime.timedelta(seconds=tick))
            self.assertEqual(0, self.look(after=LEASE - 1))
        self.assertEqual(1, self.look(after=LEASE))

    def test_another_task_is_another_operation(self) -> None:
        self.add()
        self.look()
        self.add(task_id=ClusterTasks.DELETING.code)
        self.assertEqual(0, self.look(after=LEASE))
        self.assertEqual(1, self.look(after=LEASE))

    def test_one_that_was_gone_meanwhile_is_seen_anew(self) -> None:
        self.add()
        self.look()
        row = self.found.pop('a')
        self.look(after=10)
        self.found['a'] = row
        self.assertEqual(0, self.look(after=LEASE))

    def test_one_that_runs_here_is_not_taken_up_twice(self) -> None:
        self.add()
        self.look()
        self.assertEqual(1, self.look(after=LEASE))
        self.assertEqual(0, self.look(after=LEASE))

    def test_one_whose_thread_has_ended_may_be_again(self) -> None:
        self.add()
        self.look()
        self.look(after=LEASE)
        self.queues.resumed[0].ends()
        self.assertEqual(1, self.look())

    def test_each_datastore_has_its_own_lease(self) -> None:
        self.override('pxc', operation_lease=60)
        self.add('a', manager='pxc')
        self.add('b')
        self.look()
        self.assertEqual(1, self.look(after=LEASE))
        self.assertEqual(1, self.look(after=LEASE))

    def test_only_tasks_of_operations_are_asked_for(self) -> None:
        self.look()
        (wanted,) = self.clusters.call_args.args
        self.assertEqual(
            {ClusterTasks.BUILDING_INITIAL.code, ClusterTasks.DELETING.code,
             ClusterTasks.RESTARTING_CLUSTER.code,
             ClusterTasks.UPDATING_CLUSTER.code,
             ClusterTasks.GROWING_CLUSTER.code,
             ClusterTasks.SHRINKING_CLUSTER.code}, set(wanted))


class TakenUpTest(ResumptionTestCase):
    """The operation of a cluster with rows, run to its end."""

    def setUp(self) -> None:
        super().setUp()
        self.told = self.useFixture(fixtures.MockPatchObject(
            rpc, 'get_notifier', autospec=True)).mock.return_value.info
        self.tasks = specs.spec(tasks.GaleraClusterTasks)
        self.tasks.id = fakes.CLUSTER
        self.load = self.useFixture(fixtures.MockPatchObject(
            task_models, 'load_cluster_tasks', autospec=True,
            return_value=self.tasks)).mock

    def taken_up(self, task: Any, order: pending.Order | None = None) -> None:
        if order is not None:
            self.change(2, task_description=order.text)
        self.tables.change(cluster_models.DBCluster, fakes.CLUSTER,
                           task_status=task, updated=THEN)
        row = cluster_models.DBCluster.get_by(id=fakes.CLUSTER)
        self.found[fakes.CLUSTER] = discovery.Found(row, fakes.MANAGER)
        self.resume = self.watcher()
        self.look()
        self.assertEqual(1, self.look(after=LEASE))
        self.queues.resumed[-1].run()

    @property
    def event(self) -> str:
        """The only notification that was sent."""
        (call,) = self.told.call_args_list
        return str(call.args[1])

    def test_what_is_run_and_how_it_is_told(self) -> None:
        ordered = self.tasks.carry_out_pending
        for task, order, run, event in (
                (ClusterTasks.BUILDING_INITIAL, None,
                 self.tasks.create_cluster, 'cluster_create'),
                (ClusterTasks.DELETING, None,
                 self.tasks.delete_cluster, 'cluster_delete'),
                (ClusterTasks.RESTARTING_CLUSTER, None, ordered,
                 'cluster_restart'),
                (ClusterTasks.RESTARTING_CLUSTER,
                 pending.Order(pending.RESTART), ordered, 'cluster_restart'),
                (ClusterTasks.RESTARTING_CLUSTER, pending.recovery(None),
                 ordered, 'cluster_recover'),
                (ClusterTasks.RESTARTING_CLUSTER, pending.recovery('id'),
                 ordered, 'cluster_recover'),
                (ClusterTasks.UPDATING_CLUSTER,
                 pending.Order(pending.FLAVOR, '7'), ordered,
                 'cluster_resize_flavor'),
                (ClusterTasks.UPDATING_CLUSTER,
                 pending.Order(pending.VOLUME, '3'), ordered,
                 'cluster_resize_volume'),
                (ClusterTasks.UPDATING_CLUSTER,
                 pending.Order(pending.CERTIFICATES), ordered,
                 'cluster_rotate_certificates'),
                (ClusterTasks.GROWING_CLUSTER, None, ordered,
                 'cluster_grow'),
                (ClusterTasks.SHRINKING_CLUSTER, None, ordered,
                 'cluster_shrink')):
            self.told.reset_mock()
            self.tasks.reset_mock()
            self.change(2, task_description='')
            self.taken_up(task, order)
            run.assert_called_once()
            self.assertEqual(1, len(self.tasks.method_calls))
            self.assertEqual(f'dbaas.{event}.end', self.event)

    def test_create_and_delete_are_told_the_cluster(self) -> None:
        for task, run in (
                (ClusterTasks.BUILDING_INITIAL, self.tasks.create_cluster),
                (ClusterTasks.DELETING, self.tasks.delete_cluster)):
            self.taken_up(task)
            context, cluster_id = run.call_args.args
            self.assertEqual(fakes.CLUSTER, cluster_id)
            self.assertEqual(('demo', True),
                             (context.project_id, context.is_admin))

    def test_the_lease_that_was_seen_is_the_one_that_is_taken(self) -> None:
        self.taken_up(ClusterTasks.BUILDING_INITIAL)
        self.assertEqual(THEN, self.tasks.lost)
        self.load.assert_called_once_with(
            self.tasks.create_cluster.call_args.args[0], fakes.CLUSTER)

    def test_the_end_is_told_for_the_cluster_s_project(self) -> None:
        self.override(None, host='192.0.2.7')
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        payload = self.told.call_args.args[2]
        self.assertEqual(
            ('demo', 'taskmanager', '192.0.2.7', '192.0.2.7'),
            tuple(payload[trait] for trait in (
                'tenant_id', 'server_type', 'client_ip', 'server_ip')))
        self.assertTrue(payload['request_id'].startswith('req-'))

    def test_an_operator_reads_of_it(self) -> None:
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        self.assertIn(
            f'WARNING Operation GROWING_CLUSTER of cluster {fakes.CLUSTER}: '
            'its lease of 30 s expired', self.log.output)

    def test_an_operator_reads_who_held_it(self) -> None:
        self.starts[fakes.CLUSTER] = starts.Start(5, 'req-1', 1, '192.0.2.7')
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        self.assertIn('its lease of 30 s, held on 192.0.2.7, expired; '
                      'resuming', self.log.output)

    def test_an_operator_reads_where_it_waited(self) -> None:
        self.starts[fakes.CLUSTER] = WAITS._replace(task_id=5)
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        self.assertIn('the taskmanager on 192.0.2.7, in which it waited, '
                      'showed no life for 30 s; starting', self.log.output)

    def test_an_operator_reads_that_it_was_never_started(self) -> None:
        self.override(operation_start_timeout=LEASE)
        self.starts[fakes.CLUSTER] = starts.Start(5, 'req-1')
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        self.assertIn('no taskmanager started it within 30 s; starting it',
                      self.log.output)

    def test_a_failure_is_told_and_ends_the_thread_only(self) -> None:
        self.tasks.carry_out_pending.side_effect = exceptions.StepFailed(
            'grow', 'join', 'no disk', 'remove it with a shrink')
        self.taken_up(ClusterTasks.GROWING_CLUSTER)
        self.assertEqual('dbaas.cluster_grow.error', self.event)
        self.assertIn('no disk', self.told.call_args.args[2]['message'])
        self.assertIn('ERROR The operation GROWING_CLUSTER of',
                      self.log.output)

    def test_a_cluster_that_is_gone_by_now(self) -> None:
        self.load.side_effect = exception.ModelNotFoundError()
        self.taken_up(ClusterTasks.DELETING)
        self.assertEqual('dbaas.cluster_delete.error', self.event)
        self.assertIn('ERROR The operation DELETING', self.log.output)

    def test_one_that_another_was_quicker_to_take_is_no_failure(self) -> None:
        self.tasks.create_cluster.side_effect = exceptions.LeaseLost(
            'another taskmanager has it')
        self.taken_up(ClusterTasks.BUILDING_INITIAL)
        self.assertIn('INFO another taskmanager has it', self.log.output)
        self.assertNotIn('failed', self.log.output)

    def test_what_is_not_foreseen_is_not_hidden(self) -> None:
        self.tasks.create_cluster.side_effect = ZeroDivisionError
        self.assertRaises(ZeroDivisionError, self.taken_up,
                          ClusterTasks.BUILDING_INITIAL)

    def test_orders_of_another_cluster_do_not_count(self) -> None:
        self.change(2, task_description=pending.recovery(None).text,
                    cluster_id='another')
        self.taken_up(ClusterTasks.RESTARTING_CLUSTER)
        self.assertEqual('dbaas.cluster_restart.end', self.event)

    def test_orders_of_members_that_are_gone_do_not_count(self) -> None:
        self.change(2, task_description=pending.recovery(None).text,
                    deleted=True)
        self.taken_up(ClusterTasks.RESTARTING_CLUSTER)
        self.assertEqual('dbaas.cluster_restart.end', self.event)
