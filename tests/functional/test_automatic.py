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

"""Automatic recovery."""

from collections.abc import Callable

from oslo_messaging.notify import _impl_test as notifications
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from tests.functional import galera
from tests.functional import sql
from tests.functional import test_actions
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc.taskmanager.watchers import resume
from trove_pxc import waiting

STARTING = galera.ServerState.STARTING
STOPPED = galera.ServerState.STOPPED
RUNNING = galera.ServerState.RUNNING
Statuses = service_status.ServiceStatuses


class AutomaticTest(test_actions.ActionTest):

    def setUp(self) -> None:
        super().setUp()
        self.galera.promotions = 0
        self.watch = automatic.Watch()

    def fall(self, status: service_status.ServiceStatus = Statuses.SHUTDOWN,
             server: galera.ServerState = STOPPED) -> None:
        """All members have stopped; their guests have reported it."""
        for number, name in enumerate(test_actions.NAMES, 1):
            self.galera.stand(name, server, 30 - number)
            self.galera.named(name).report_status(status)

    def look(self) -> bool:
        """Watch until the delay is over; return whether a recovery began."""
        began = waiting.Stopwatch()

        def probe() -> None:
            self.watch.look()
            if (not self.notified('dbaas.cluster_recover.start')
                    and began.elapsed < 10):
                raise waiting.NotYet('nothing was begun')
        waiting.until('a recovery', probe, 60, 0.3)
        return bool(self.notified('dbaas.cluster_recover.start'))

    def needy(self) -> bool:
        return self.cluster_id in automatic.nobody_serves([self.cluster_id])

    def test_recovery_begins_when_all_have_stopped(self) -> None:
        for status, server in (
                (Statuses.SHUTDOWN, STOPPED), (Statuses.CRASHED, STARTING),
                (Statuses.BLOCKED, RUNNING), (Statuses.RUNNING, STARTING),
                (Statuses.CRASHED, galera.ServerState.CRASHED)):
            self.fall(status, server)
            cluster = self.cluster_row(self.cluster_id)
            self.assertTrue(self.needy())
            self.assertTrue(automatic.attend(cluster), status)
            self.wait_for_task(self.cluster_id)
            self.assertEqual(3, len(self.galera.component))
        self.assertEqual([], self.notified('dbaas.cluster_recover.error'))

    def test_recovery_waits_for_its_delay(self) -> None:
        self.fall()
        self.override('automatic_recovery_patience', 3600, 'mariadb')
        self.watch.look()
        self.override('automatic_recovery_patience', 5, 'mariadb')
        self.watch.look()
        self.assertEqual([], self.notified('dbaas.cluster_recover.start'))
        self.assertTrue(self.look())
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual(1, self.galera.promotions)

    def leave_one(self) -> None:
        """All but one have stopped; it runs without a primary component."""
        self.fall()
        self.galera.stand('products-1', RUNNING, 30)
        self.galera.named('products-1').report_status(Statuses.BLOCKED)

    def glance(self) -> bool:
        """Watch for a part of the delay; return whether a recovery began."""
        self.override('automatic_recovery_patience', 3600, 'mariadb')
        self.watch.look()
        self.assertEqual({}, self.watch._running)
        began = waiting.Stopwatch()

        def probe() -> None:
            if began.elapsed < 4:
                raise waiting.NotYet('a part of the patience is not over')
        waiting.until('a part of the patience', probe, 10, 0.3)
        # A third of the delay is over, but not all of it.
        patience = round(began.elapsed * 2)
        self.override('automatic_recovery_patience', patience, 'mariadb')
        self.watch.look()
        self.override('automatic_recovery_patience', 3600, 'mariadb')

        def asked() -> None:
            self.watch.look()
            if self.watch._running:
                raise waiting.NotYet('a recovery asks members')
        waiting.until('all to be asked', asked, 60, 0.3)
        return bool(self.notified('dbaas.cluster_recover.start'))

    def test_recovery_from_a_survivor_has_a_shorter_delay(self) -> None:
        for others in (STOPPED, STARTING):
            self.leave_one()
            for name in test_actions.NAMES[1:]:
                self.galera.named(name).server = others
            self.assertTrue(self.glance())
            self.wait_for_task(self.cluster_id)
            self.assertEqual(3, len(self.galera.component))
            self.assertIn('promote products-1', self.galera.events)
            self.watch = automatic.Watch()
            notifications.reset()
            self.galera.events.clear()

    def test_recovery_waits_for_self_recovery_of_survivors(self) -> None:
        self.leave_one()
        self.galera.habits['products-2'] = {'meets': True}
        self.assertFalse(self.glance())
        self.assertEqual([], [event for event in self.galera.events
                              if event.startswith(('halt', 'promote'))])
        # No recovery was tried, so it is due when the delay is over.
        self.override('automatic_recovery_patience', 5, 'mariadb')
        self.assertTrue(self.look())

    def test_stopped_members_wait_for_the_full_delay(self) -> None:
        self.fall()
        self.assertFalse(self.glance())

    def test_no_recovery_if_it_is_switched_off(self) -> None:
        self.override('automatic_recovery', False, 'mariadb')
        self.fall()
        self.assertFalse(self.look())

    def test_no_recovery_if_one_member_serves(self) -> None:
        self.fall()
        self.galera.named('products-2').report_status(Statuses.HEALTHY)
        self.assertFalse(self.needy())

    def test_no_recovery_of_a_busy_or_incomplete_cluster(self) -> None:
        self.fall()
        row = self.instance_rows(self.cluster_id)[0]
        row.update(task_status=InstanceTasks.REBOOTING)
        self.assertFalse(self.needy())
        row.update(task_status=InstanceTasks.NONE)
        self.galera.named('products-1').report_status(Statuses.INSTANCE_READY)
        self.assertFalse(self.needy())

    def test_cost_does_not_depend_on_the_number_of_clusters(self) -> None:
        self.override('automatic_recovery_patience', 3600, 'mariadb')
        self.fall()
        looks = (self.watch.look, resume.Resumption().look)
        few = [self.statements(look) for look in looks]
        more = [self.add_needy(f'more-{number}') for number in range(5)]
        self.assertEqual(few, [self.statements(look) for look in looks])
        self.assertEqual({self.cluster_id, *more},
                         set(self.watch._cases))

    @staticmethod
    def statements(look: Callable[[], None]) -> int:
        """The number of SQL statements."""
        with sql.statements() as asked:
            look()
        return len(asked)

    def add_needy(self, name: str) -> str:
        """Add another cluster, in the tables alone; return its id."""
        like = self.cluster_row(self.cluster_id)
        cluster = cluster_models.DBCluster.create(
            name=name, tenant_id=like.tenant_id, task_status=like.task_status,
            datastore_version_id=like.datastore_version_id)
        for number in range(3):
            row = instance_models.DBInstance.create(
                name=f'{name}-{number}', cluster_id=cluster.id,
                tenant_id=like.tenant_id, task_status=InstanceTasks.NONE,
                datastore_version_id=like.datastore_version_id)
            instance_models.InstanceServiceStatus.create(
                instance_id=row.id, status=Statuses.SHUTDOWN)
        return str(cluster.id)

    def test_at_rest_two_statements_return_no_cluster(self) -> None:
        for number in range(5):
            cluster_id = self.add_needy(f'more-{number}')
            self.tell(cluster_id, 0, Statuses.HEALTHY)
        self.assertEqual(2, self.statements(self.watch.look))
        self.assertEqual({}, self.unserved())

    def tell(self, cluster_id: str, number: int,
             status: service_status.ServiceStatus) -> None:
        """Save the report of a guest of another cluster."""
        row = instance_models.InstanceServiceStatus.find_by(
            instance_id=self.instance_rows(cluster_id)[number].id)
        row.set_status(status)
        row.save()

    def unserved(self, *known: str, wanted: bool = True) -> dict[str, str]:
        return {cluster_id: found.manager for cluster_id, found
                in discovery.unserved(lambda manager: wanted, known).items()}

    def test_selection_of_clusters_without_a_serving_member(self) -> None:
        ours = {self.cluster_id: 'mariadb'}
        self.assertEqual({}, self.unserved())
        self.assertEqual(ours, self.unserved(self.cluster_id))
        self.fall()
        self.assertEqual(ours, self.unserved())
        self.assertEqual({}, self.unserved(wanted=False))
        self.galera.named('products-2').report_status(Statuses.HEALTHY)
        self.assertEqual({}, self.unserved())
        self.override('agent_heartbeat_expiry', 0)
        self.assertEqual(ours, self.unserved())
        row = self.cluster_row(self.cluster_id)
        row.update(task_status=ClusterTasks.RESTARTING_CLUSTER)
        self.assertEqual({}, self.unserved())
        self.assertEqual(ours, self.unserved(self.cluster_id))
        row.update(deleted=True)
        self.assertEqual({}, self.unserved(self.cluster_id))
        row.update(deleted=False, task_status=ClusterTasks.NONE)

    def test_report_of_a_deleted_member_does_not_count(self) -> None:
        cluster_id = self.add_needy('more')
        self.tell(cluster_id, 0, Statuses.HEALTHY)
        self.assertEqual({}, self.unserved())
        self.instance_rows(cluster_id)[0].update(deleted=True)
        self.assertEqual([cluster_id], list(self.unserved()))

    def test_nothing_is_forced_and_nothing_is_stopped(self) -> None:
        self.override('member_call_timeout', 1, 'mariadb')
        self.fall(Statuses.CRASHED, STARTING)
        self.galera.events.clear()
        self.galera.named('products-2').die()
        self.assertFalse(automatic.attend(self.cluster_row(self.cluster_id)))
        self.assertEqual([], self.galera.events)
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)

    def test_recovery_waits_for_a_server_that_is_stopping(self) -> None:
        self.fall()
        guest = self.galera.named('products-3')
        guest.server = galera.ServerState.UNRESPONSIVE
        self.galera.habits[guest.name] = {'deaf_for': 5, 'turns_out': STOPPED}
        self.assertTrue(automatic.attend(self.cluster_row(self.cluster_id)))
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual(1, self.galera.promotions)

    def test_no_recovery_of_a_primary_component(self) -> None:
        for name in test_actions.NAMES:
            self.galera.named(name).report_status(Statuses.SHUTDOWN)
        self.assertFalse(automatic.attend(self.cluster_row(self.cluster_id)))
        self.assertEqual([], self.galera.events)

    def test_only_one_of_two_claims_succeeds(self) -> None:
        self.fall()
        cluster = self.cluster_row(self.cluster_id)
        self.stop_taskmanager()
        self.assertEqual([True, False], [
            automatic.attend(cluster), automatic.attend(cluster)])
        response = self.act({'recover': {}})
        self.assertEqual(422, response.status_int, response.text)
