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

"""An operation whose taskmanager died is resumed by another one.

The tests simulate a kill after which nothing can be cleaned up: the steps of
the operation run without the RPC method around them, until a call of a guest
does not return.
"""

from collections.abc import Iterator
import contextlib
from typing import Any
from unittest import mock

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import manager
from trove.taskmanager import models as task_models

from tests.functional import base
from tests.functional import test_interrupted as interrupted
from trove_pxc.api import cluster as cluster_model
from trove_pxc import exceptions
from trove_pxc import pending
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager.engine import lease
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.operations import restart
from trove_pxc.taskmanager.watchers import resume
from trove_pxc import waiting

LEASE = 6


class ResumptionTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        for option in ('operation_lease', 'operation_start_timeout'):
            self.override(option, LEASE, 'mariadb')
        self.override('creation_stall_timeout', 5, 'mariadb')

    @contextlib.contextmanager
    def supervised(self) -> Iterator[None]:
        """A taskmanager watches for expired leases while the block runs."""
        with waiting.Regularly(0.2, resume.Resumption().look):
            yield

    def statuses(self, cluster_id: str) -> list[str]:
        return [str(instance['status'])
                for instance in self.show(cluster_id)['instances']]

    def create_for_mortals(self, lives: int) -> str:
        """A complete cluster, whose next taskmanagers die at a call.

        :param lives: the calls to guests before the first one dies.
        """
        self.start_taskmanager()
        cluster_id = str(self.create().json['cluster']['id'])
        self.wait_for_task(cluster_id)
        self.stop_taskmanager()
        self.override('remote_guest_client',
                      'tests.functional.test_interrupted.mortal_client')
        interrupted.MortalClient.lives = lives
        interrupted.MortalClient.galera = self.galera
        return cluster_id


class CreateTest(ResumptionTest):

    def test_lost_cast_is_resumed(self) -> None:
        self.start_taskmanager(interrupted.WithoutClusters())
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_for_task(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))
        ended = self.wait_notified('dbaas.cluster_create.end')
        self.assertEqual(cluster_id, ended['cluster_id'])
        self.assertEqual([], self.notified('dbaas.cluster_create.error'))

    def test_api_that_died_before_the_last_instance_is_reported(self) -> None:
        """A cluster of two members was not requested."""
        self.start_taskmanager(interrupted.WithoutClusters())
        make, made = cluster_model.GaleraCluster.create_instance, []

        def dying(cluster: Any, *values: Any) -> str:
            if len(made) == 2:
                raise interrupted.Killed('trove-api')
            made.append(make(cluster, *values))
            return made[-1]
        with (mock.patch.object(cluster_model.GaleraCluster,
                                'create_instance', dying),
              mock.patch.object(cluster_model.GaleraCluster, '_undo_create')):
            self.assertRaises(interrupted.Killed, self.create)
        (row,) = cluster_models.DBCluster.find_all(deleted=False).all()
        with self.supervised():
            self.wait_for_task(row.id)
        self.assertEqual(['ERROR', 'ERROR'], self.statuses(row.id))
        for member in self.instance_rows(row.id):
            self.assertIn('trove-api ended before it had created all',
                          self.fault(member.id))
        self.assertNotIn('bootstrap products-1', self.galera.events)
        self.wait_notified('dbaas.cluster_create.error')
        self.request('DELETE', f'/clusters/{row.id}')
        self.wait_deleted(row.id)
        self.assert_nothing_left()

    def test_api_that_is_slow_is_not_resumed(self) -> None:
        """It takes longer than the lease, which it renews meanwhile."""
        self.start_taskmanager()
        make = cluster_model.GaleraCluster.create_instance

        def slow(cluster: Any, *values: Any) -> str:
            waiting.pause(0.6 * LEASE)
            return make(cluster, *values)
        with (mock.patch.object(cluster_model.GaleraCluster,
                                'create_instance', slow),
              self.supervised()):
            cluster_id = self.create().json['cluster']['id']
            self.wait_for_task(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))

    def test_instance_without_a_server_is_reported(self) -> None:
        self.start_taskmanager(DiesCreating('products-2'))
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_for_task(cluster_id)
        self.assert_ended_by(cluster_id, 'it has no server')

    def test_guest_that_was_never_told_to_prepare_is_reported(self) -> None:
        self.galera.habits['products-2'] = {'never_told': True}
        self.start_taskmanager(interrupted.WithoutClusters())
        cluster_id = self.create().json['cluster']['id']
        with self.supervised():
            self.wait_for_task(cluster_id)
        self.assert_ended_by(cluster_id, 'was never called to prepare')

    def test_running_operation_is_not_resumed(self) -> None:
        """However long a member takes, its lease is renewed."""
        self.galera.habits['products-2'] = {'stalls': True}
        self.start_taskmanager()
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_event('join products-2')
        look = resume.Resumption()
        with waiting.Regularly(0.2, look.look):
            waiting.pause(2 * LEASE)
            self.galera.habits.clear()
            self.wait_for_task(cluster_id)
        self.assertEqual({}, look._running)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))

    def test_lost_lease_ends_the_operation(self) -> None:
        self.galera.habits['products-2'] = {'stalls': True}
        self.start_taskmanager()
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_event('join products-2')
        self.cluster_row(cluster_id).save()
        error = self.wait_notified('dbaas.cluster_create.error')
        self.assertIn('another taskmanager has resumed it',
                      error['message'])
        self.assertEqual('BUILDING',
                         self.cluster_row(cluster_id).task_status.name)
        self.assertEqual('', self.fault(
            self.instance_rows(cluster_id)[1].id))
        self.galera.habits.clear()
        with self.supervised():
            self.wait_for_task(cluster_id)
        self.assertEqual(['ACTIVE'] * 3, self.statuses(cluster_id))
        self.assertEqual(1, self.galera.events.count('bootstrap products-1'))

    def assert_ended_by(self, cluster_id: str, words: str) -> None:
        """The second member is at fault; a delete leaves nothing."""
        self.assertEqual(['BUILD', 'ERROR', 'BUILD'],
                         self.statuses(cluster_id))
        fault = self.fault(self.instance_rows(cluster_id)[1].id)
        self.assertIn(words, fault)
        self.assertIn('Next: delete the cluster', fault)
        error = self.wait_notified('dbaas.cluster_create.error')
        self.assertIn(words, error['message'])
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_deleted(cluster_id)
        self.assert_nothing_left()


class DiesCreating(interrupted.WithoutClusters):
    """It also died during the creation of one instance."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def create_instance(self, context: Any, instance_id: str, name: str,
                        *values: Any, **others: Any) -> None:
        if name == self._name:
            instance_creation.begin(instance_id)
            return
        super().create_instance(context, instance_id, name, *values, **others)


class DeleteTest(ResumptionTest):

    def test_lost_cast_is_resumed(self) -> None:
        self.start_taskmanager()
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.stop_taskmanager()
        self.start_taskmanager(WithoutDeletes())
        self.request('DELETE', f'/clusters/{cluster_id}')
        with self.supervised():
            self.wait_deleted(cluster_id)
        self.assert_nothing_left()
        self.wait_notified('dbaas.cluster_delete.end')

    def test_two_taskmanagers_at_the_same_time_return_the_quota_once(
            self) -> None:
        """The quota is returned once, whichever is first."""
        self.start_taskmanager()
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.override('operation_lease', 600, 'mariadb')
        row = self.instance_rows(cluster_id)[1]
        self.cloud.servers_that_stay.add(row.compute_instance_id)
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_for_call('servers.delete')
        with lease.Lease(cluster_id, ClusterTasks.DELETING, LEASE,
                         self.cluster_row(cluster_id).updated):
            error = self.wait_notified('dbaas.cluster_delete.error')
        self.assertIn('another taskmanager', error['message'])
        self.assertEqual('DELETING',
                         self.cluster_row(cluster_id).task_status.name)
        self.cloud.servers_that_stay.clear()
        self.override('operation_lease', LEASE, 'mariadb')
        with self.supervised():
            self.wait_deleted(cluster_id)
        self.assert_nothing_left()


class WithoutDeletes(manager.Manager):
    """A taskmanager that died when it took the cast."""

    def delete_cluster(self, context: Any, cluster_id: str) -> None:
        return


class OrdersTest(ResumptionTest):
    """A restart or resize of one member, killed at each call in turn."""

    def setUp(self) -> None:
        super().setUp()
        self.cluster_id = self.create_for_mortals(interrupted._LAST_CALL)
        self.before = self.used()
        self.member = str(self.instance_rows(self.cluster_id)[1].id)

    def ask(self, body: Any) -> None:
        """Send the request; no taskmanager takes the cast."""
        response = self.request(
            'POST', f'/clusters/{self.cluster_id}', body)
        self.assertEqual(202, response.status_int, response.text)

    def tasks(self) -> Any:
        return task_models.load_cluster_tasks(
            self.context(), self.cluster_id)

    def kill_at_each_call(self, body: Any, run: Any, make: Any,
                          look: Any) -> None:
        calls, finished = 0, False
        while not finished:
            self.ask(body())
            self.galera.events.clear()
            finished = self.killed_at(calls, run, make)
            waiting_one = pending.of(self.instance_rows(self.cluster_id)[1])
            self.assertEqual(finished, waiting_one is None)
            interrupted.resumed(
                self.context(), self.cluster_id).carry_out_pending(
                    self.context())
            self.assertEqual('NONE', self.cluster_row(
                self.cluster_id).task_status.name)
            for row in self.instance_rows(self.cluster_id):
                self.assertEqual(InstanceTasks.NONE, row.task_status)
                self.assertIsNone(pending.of(row))
            self.assertIn('stop products-2', self.galera.events)
            self.assertNotIn('stop products-1', self.galera.events)
            self.assertEqual(3, len(self.galera.component))
            look()
            calls += 2
        self.assertGreater(calls, 6)

    def killed_at(self, calls: int, run: Any, make: Any) -> bool:
        interrupted.MortalClient.answered = bool(calls % 4)
        interrupted.MortalClient.lives = calls
        try:
            run(make())
        except interrupted.Killed:
            return False
        finally:
            interrupted.MortalClient.lives = interrupted._LAST_CALL
        return True

    def test_restart_is_resumed(self) -> None:
        self.kill_at_each_call(
            lambda: {'restart': {'instance': self.member}}, restart.run,
            lambda: restart.OPERATION.state(
                self.context(), self.tasks(), [self.member]),
            lambda: self.assertEqual(self.before, self.used()))

    def test_resize_of_the_flavor_is_resumed(self) -> None:
        flavors = ['1', '2']

        def other() -> Any:
            flavors.reverse()
            return {'resize': {'instance': self.member,
                               'flavorRef': flavors[0]}}

        def look() -> None:
            row = self.instance_rows(self.cluster_id)[1]
            self.assertEqual(flavors[0], row.flavor_id)
            more = 512 if flavors[0] == '2' else 0
            self.assertEqual({**self.before, 'ram': self.before['ram'] + more},
                             self.used())
        self.kill_at_each_call(
            other, resize.run_flavor, lambda: resize.FLAVOR.state(
                self.context(), self.tasks(), [self.member], flavors[0]),
            look)

    def test_resize_of_the_volume_is_resumed(self) -> None:
        self.override('max_accepted_volume_size', 60)
        self.override('max_volumes_per_tenant', 60)
        sizes = [1]

        def larger() -> Any:
            sizes[0] += 1
            return {'resize': {'instance': self.member,
                               'volume': {'size': sizes[0]}}}

        def look() -> None:
            row = self.instance_rows(self.cluster_id)[1]
            self.assertEqual(sizes[0], row.volume_size)
            self.assertEqual(
                {**self.before, 'volumes': self.before['volumes']
                 + sizes[0] - 1}, self.used())
        self.kill_at_each_call(
            larger, resize.run_volume, lambda: resize.VOLUME.state(
                self.context(), self.tasks(), [self.member], sizes[0]),
            look)

    def test_failure_of_a_resumed_resize_returns_the_quota_once(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        interrupted.MortalClient.lives = 1000 * interrupted._LAST_CALL
        self.ask({'resize': {'flavorRef': '2'}})
        self.assertNotEqual(self.before, self.used())
        self.galera.named('products-3').stop_db(None)
        with self.supervised():
            self.wait_for_task(self.cluster_id)
        error = self.wait_notified('dbaas.cluster_resize_flavor.error')
        self.assertIn('products-3', error['message'])
        self.assertEqual(self.before, self.used())
        self.assertEqual(['1'] * 3, [
            row.flavor_id for row in self.instance_rows(self.cluster_id)])

    def test_reset_returns_the_unused_quota(self) -> None:
        for body in ({'flavorRef': '2'}, {'volume': {'size': 2}}):
            self.ask({'resize': body})
            self.assertNotEqual(self.before, self.used())
            response = self.request(
                'POST', f'/clusters/{self.cluster_id}',
                {'reset-status': {}}, role='admin')
            self.assertEqual(202, response.status_int, response.text)
            self.assertEqual(self.before, self.used())
            self.assertEqual([None] * 3, [
                pending.of(row)
                for row in self.instance_rows(self.cluster_id)])

    def test_task_without_pending_operations_is_cleared(self) -> None:
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.UPDATING_CLUSTER)
        self.galera.events.clear()
        with self.supervised():
            self.wait_for_task(self.cluster_id)
        self.assertEqual([], self.galera.events)


class LeaseTest(ResumptionTest):
    """The lease of the row of a cluster that nobody builds."""

    def setUp(self) -> None:
        super().setUp()
        self.cluster_id = str(self.create().json['cluster']['id'])

    def lease(self, **others: Any) -> lease.Lease:
        return lease.Lease(self.cluster_id, ClusterTasks.BUILDING_INITIAL,
                           LEASE, **others)

    def test_only_one_of_two_simultaneous_claims_succeeds(self) -> None:
        seen = self.cluster_row(self.cluster_id).updated
        with self.lease(seen=seen) as held:
            self.assertRaises(exceptions.LeaseLost,
                              self.lease(seen=seen).__enter__)
            held.check()

    def test_cast_does_not_take_the_lease_away(self) -> None:
        with self.lease() as held:
            error = self.assertRaises(exceptions.LeaseLost,
                                      self.lease().__enter__)
            self.assertIn('started before', str(error))
            held.check()

    def test_resumption_takes_the_lease_away(self) -> None:
        with (self.lease() as first, self.lease(
                seen=self.cluster_row(self.cluster_id).updated) as second):
            error = self.assertRaises(exceptions.LeaseLost, first.check)
            self.assertIn('another taskmanager', str(error))
            second.check()
            first.end()
            self.assertEqual('BUILDING', self.cluster_row(
                self.cluster_id).task_status.name)
            second.end()
            self.assertEqual('NONE', self.cluster_row(
                self.cluster_id).task_status.name)

    def test_lease_is_renewed_with_a_new_time(self) -> None:
        values = set()
        with self.lease() as held:
            for _ in range(3):
                values.add(self.moved_from(values))
                held.check()
        self.assertEqual(3, len(values))

    def moved_from(self, values: Any) -> Any:
        def probe() -> Any:
            value = self.cluster_row(self.cluster_id).updated
            if value in values:
                raise waiting.NotYet(str(value))
            return value
        return waiting.until('another value', probe, 60, 0.1)

    def test_deletion_takes_the_lease_away(self) -> None:
        with self.lease() as held:
            self.request('DELETE', f'/clusters/{self.cluster_id}')
            self.assertRaises(exceptions.ClusterBeingDeleted, held.check)

    def test_reset_takes_the_lease_away(self) -> None:
        with self.lease() as held:
            self.cluster_row(self.cluster_id).update(
                task_status=ClusterTasks.NONE)
            self.assertRaises(exceptions.LeaseLost, held.check)
            self.assertFalse(held.held())
            held.end()

    def test_lease_is_not_held_without_renewal(self) -> None:
        """The table cannot be written; another taskmanager may have it."""
        with self.lease() as held:
            held._move = lambda: False  # type: ignore[method-assign]
            held.check()
            waiting.pause(LEASE + 0.5)
            error = self.assertRaises(exceptions.LeaseLost, held.check)
        self.assertIn('could not be renewed for 6 s', str(error))
