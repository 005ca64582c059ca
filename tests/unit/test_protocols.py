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


import fixtures
from neutronclient.v2_0 import client as neutron_client
import testtools
from trove.cluster import models as cluster_models
from trove.cluster import tasks as cluster_tasks
from trove.common.db import models as guest_models
from trove.common import notification
from trove.common import wsgi
from trove.extensions.common import models as root_models
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance import tasks as instance_tasks
from trove.quota import models as quota_models

from tests.unit import specs
from tests.unit import tables
from trove_pxc import protocols


class ContractTest(testtools.TestCase):
    """Trove's objects have the attributes of the protocols."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.useFixture(tables.Tables())
        self.version = tables.add_version('mariadb', '10.11')
        self.row = tables.add_cluster(self.version, 'c')
        tables.add_member(self.row, 'c-1')
        self.member = instance_models.DBInstance.find_by(
            cluster_id=self.row.id)
        self.status = instance_models.InstanceServiceStatus.find_by(
            instance_id=self.member.id)

    def check(self, protocol: type, found: object, *unset: str) -> None:
        """:param unset: attributes that are only set later."""
        self.assertEqual(sorted(unset), sorted(
            name for name in specs.names_of(protocol)
            if not hasattr(found, name)))

    def test_rows(self) -> None:
        self.check(protocols.ClusterRow, self.row)
        self.check(protocols.InstanceRow, self.member, 'addresses')
        self.check(protocols.StatusRow, self.status)
        self.check(protocols.FaultRow, instance_models.DBInstanceFault())
        self.check(protocols.Reservation, quota_models.Reservation())
        history = root_models.RootHistory.create(
            tables.context(), self.member.id)
        history.delete()    # it sets deleted_at
        self.check(protocols.RootHistory, history)

    def test_tasks_and_statuses(self) -> None:
        self.check(protocols.ClusterTask, cluster_tasks.ClusterTasks.NONE)
        self.check(protocols.InstanceTask, instance_tasks.InstanceTasks.NONE)
        self.check(protocols.ServiceStatus,
                   service_status.ServiceStatuses.NEW)

    def test_models(self) -> None:
        cluster = cluster_models.Cluster(tables.context(), self.row)
        self.check(protocols.Cluster, cluster)
        self.check(protocols.Datastore, cluster.ds)
        self.check(protocols.DatastoreVersion, cluster.ds_version)
        self.member.addresses = []
        self.check(protocols.Instance, instance_models.SimpleInstance(
            cluster.context, self.member, self.status))

    def test_requests(self) -> None:
        context, request = tables.context(), wsgi.Request.blank('/')
        self.check(protocols.Context, context, 'notification')
        self.check(protocols.Request, request)
        self.check(protocols.Result, wsgi.Result(None))
        self.check(protocols.Notification, notification.DBaaSClusterCreate(
            context, request_id='r', server_type='api'))

    def test_neutron(self) -> None:
        self.check(protocols.Neutron, neutron_client.Client)

    def test_what_a_guest_takes(self) -> None:
        for kind, made in (
                (protocols.GuestUser, guest_models.DatastoreUser(
                    name='n', host='%', password='p', databases=['d'])),
                (protocols.GuestDatabase, guest_models.DatastoreSchema(
                    name='d'))):
            self.assertEqual(set(kind.__annotations__),
                             made.serialize().keys() & set(
                                 kind.__annotations__))
