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

"""How many SQL statements the operations on clusters need.

The services count with Trove's own statements, and the reports of the guests
with those of trove-conductor.
"""

from collections.abc import Callable
import threading
from typing import Any

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.instance import models as instance_models
from trove.quota import quota

from tests.functional import base
from tests.functional import sql
from trove_pxc.taskmanager.cloud import rows
from trove_pxc import waiting

#: of a create of three members; the services and the goals of the release
API = 60
TASKMANAGER = 300
#: seconds that a server needs to boot
BOOT = 40


class CreateTest(base.TroveTest):
    """Servers need some time to boot, and the intervals are the defaults."""

    def setUp(self) -> None:
        super().setUp()
        for name in ('member_poll_interval', 'database_poll_interval',
                     'cloud_poll_interval'):
            base.CONF.clear_override(name, 'mariadb')
        base.CONF.clear_override('usage_sleep_time')
        self.override('max_instances_per_tenant', -1)
        self.override('max_ram_per_tenant', -1)
        self.override('max_volumes_per_tenant', -1)
        boot = self.galera.boot

        def slowly(*server: Any) -> None:
            def later() -> None:
                waiting.pause(BOOT)
                boot(*server)
            threading.Thread(target=later, daemon=True).start()
        self.cloud.booted = slowly

    def test_one_create(self) -> None:
        # The first request of a project creates the rows of the quota.
        quota.QUOTAS.get_all_quota_usages_by_tenant(base.PROJECT)
        with sql.statements() as of_api:
            answer = self.create()
        self.assertEqual(200, answer.status_int, answer.text)
        with sql.statements() as of_taskmanager:
            self.start_taskmanager()
            # The test itself sends no statement.
            self.wait_notified('dbaas.cluster_create.end')
            self.settle()
        self.assertLess(len(of_api), API, '\n'.join(of_api))
        self.assertLess(len(of_taskmanager), TASKMANAGER)


class StatesTest(base.TroveTest):
    """The statement that all running operations share."""

    def states(self, number: int) -> Callable[[], rows.States]:
        ids = [self.create(f'c{index}').json['cluster']['id']
               for index in range(number)]
        return lambda: rows.read(ids)

    def test_it_reads_what_troves_models_read(self) -> None:
        self.override('max_instances_per_tenant', -1)
        self.override('max_ram_per_tenant', -1)
        self.override('max_volumes_per_tenant', -1)
        read = self.states(3)
        first, second, third = (
            row.id for row in sorted(
                cluster_models.DBCluster.find_all(deleted=False).all(),
                key=lambda row: str(row.name)))
        gone, changed, _ = self.instance_rows(first)
        gone.update(deleted=True)
        changed.update(task_status=instance_models.InstanceTasks.DELETING,
                       compute_instance_id='server')
        self.cluster_row(second).update(deleted=True)
        for row in self.instance_rows(third):
            row.update(deleted=True)
        with sql.statements() as statements:
            found = read()
        self.assertEqual(1, len(statements), '\n'.join(statements))
        self.assertEqual({first, third}, set(found))
        self.assertEqual({}, found[third].members)
        for cluster_id, state in found.items():
            row = self.cluster_row(cluster_id)
            self.assertEqual((row.task_id, row.updated), state[:2])
            self.assertEqual(
                ClusterTasks.BUILDING_INITIAL.code, state.task_id)
            self.assertEqual({
                row.id: (
                    row.task_status, instance_models.InstanceServiceStatus
                    .get_by(instance_id=row.id).status,
                    row.compute_instance_id,
                    bool(row.task_start_time or row.compute_instance_id))
                for row in self.instance_rows(cluster_id)}, state.members)
        self.assertNotIn(gone.id, found[first].members)

    def test_a_member_without_a_status(self) -> None:
        read = self.states(1)
        for row in instance_models.InstanceServiceStatus.find_all().all():
            row.delete()
        (state,) = read().values()
        self.assertEqual([None] * 3, [
            member.status for member in state.members.values()])
