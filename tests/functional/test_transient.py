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

"""A cloud in which every fifth call fails and every seventh answer is lost.

Each operation still succeeds, and leaves behind nothing that was created
twice. When a service does not come back, the error names the service, and no
member.
"""

from typing import Any

import mock
from oslo_db import exception as db_exceptions
import testtools
from trove.cluster import models as cluster_models

from tests.functional import base
from tests.functional import cloud as clouds
from tests.functional import test_actions
from tests.functional import test_grow
from tests.functional import test_recover
from trove_pxc import conf
from trove_pxc.taskmanager.cloud import rows
from trove_pxc import waiting

ONE, TWO, THREE = test_actions.NAMES


class CreateTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def test_create_and_delete_succeed(self) -> None:
        self.comes_and_goes('products')

    def test_name_that_nova_could_take_for_a_pattern_is_supported(
            self) -> None:
        """Its servers are found even after an answer was lost."""
        self.comes_and_goes('shop+ (new')

    def comes_and_goes(self, name: str) -> None:
        self.cloud.outage = clouds.Outage()
        created = self.create(name)
        self.assertEqual(200, created.status_int, created.text)
        cluster_id = created.json['cluster']['id']
        self.wait_notified('dbaas.cluster_create.end')
        for things, number in (
                (self.cloud.servers, 3), (self.cloud.ports, 3),
                (self.cloud.volumes, 3), (self.cloud.groups, 3)):
            self.assertEqual(number, len(things))
        rules = [tuple(rule[key] for key in (
            'security_group_id', 'port_range_min', 'remote_ip_prefix'))
            for rule in self.cloud.rules.values()]
        self.assertEqual(len(set(rules)), len(rules))
        self.assertEqual(['ACTIVE'] * 3, [
            one['status'] for one in self.show(cluster_id)['instances']])
        self.assertEqual(202, self.request(
            'DELETE', f'/clusters/{cluster_id}').status_int)
        self.wait_deleted(cluster_id)
        self.assert_nothing_left()
        failed = self.cloud.outage.failed
        self.assertGreater(len(failed), 20)

    def test_create_with_a_server_group_succeeds(self) -> None:
        self.cloud.outage = clouds.Outage(refused=4, lost=3)
        created = self.create(locality='affinity')
        self.assertEqual(200, created.status_int, created.text)
        self.wait_notified('dbaas.cluster_create.end')
        (group,) = self.cloud.server_groups.values()
        self.assertEqual(3, len(group.members))

    def test_service_that_stays_down_is_named_and_no_member(self) -> None:
        self.override('member_start_timeout', 20, 'mariadb')
        call = self.cloud.call

        def away(name: str) -> None:
            if name == 'list_security_group_rules':
                raise clouds._error_of(name, 503)
            call(name)
        self.cloud.call = away  # type: ignore[method-assign]
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(cluster_id)
        error = self.wait_notified('dbaas.cluster_create.error')['message']
        self.assertIn('timed out after 20 s', error)
        self.assertIn('Neutron answers 503: busy', error)
        self.assertIn('when the named service answers again', error)
        for row in self.instance_rows(cluster_id):
            self.assertIn('Neutron answers 503', self.fault(row.id))

    def test_without_retries_one_error_ends_the_create(self) -> None:
        """The behaviour of Trove, if an operator sets it."""
        self.override('cloud_retry_timeout', 0, conf.OWN_GROUP)
        self.cloud.outage = clouds.Outage(refused=9, lost=1000)
        self.wait_for_task(self.create().json['cluster']['id'])
        self.wait_notified('dbaas.cluster_create.error')


class ChangeTest(test_grow.GrowthTest):
    """Each test begins with a cluster of three; then calls begin to fail."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud.outage = clouds.Outage()

    def ended(self, action: str) -> None:
        self.assertEqual([], [
            payload['message'] for payload
            in self.notified(f'dbaas.{action}.error')])
        self.wait_notified(f'dbaas.{action}.end')
        assert self.cloud.outage is not None
        self.assertNotEqual([], self.cloud.outage.failed)
        self.cloud.outage = None
        self.assertEqual({'ACTIVE'}, {
            one['status'] for one in self.show(
                self.cluster_id)['instances']})

    def test_grow_and_shrink_succeed(self) -> None:
        self.grow()
        self.assert_serving(ONE, TWO, THREE, 'products-4')
        self.settle()
        self.shrink('products-2')
        self.assert_serving(ONE, THREE, 'products-4')
        for things in (self.cloud.servers, self.cloud.ports,
                       self.cloud.volumes, self.cloud.groups):
            self.assertEqual(3, len(things))
        self.ended('cluster_grow')

    def test_resize_of_the_flavor_succeeds(self) -> None:
        self.accept({'resize': {'flavorRef': '2'}})
        self.assert_whole()
        self.assertEqual({'2'}, {
            server.flavor['id'] for server in self.cloud.servers.values()})
        self.ended('cluster_resize_flavor')

    def test_resize_of_the_volume_succeeds(self) -> None:
        self.accept({'resize': {'volume': {'size': 2}}})
        self.assert_whole()
        self.assertEqual({2}, {
            volume.size for volume in self.cloud.volumes.values()})
        self.ended('cluster_resize_volume')

    def test_restart_succeeds(self) -> None:
        self.accept({'restart': {}})
        self.assert_whole()
        self.ended('cluster_restart')


class RecoverTest(test_recover.RecoverTestCase):

    def test_recovery_of_stopped_members_succeeds(self) -> None:
        self.stand(*[(test_recover.STOPPED, 7)] * 3)
        self.cloud.outage = clouds.Outage(refused=2, lost=3)
        self.recover()
        self.cloud.outage = None
        self.assertEqual(set(test_actions.NAMES), {
            guest.name for guest in self.galera.component if guest.synced})
        self.wait_notified('dbaas.cluster_recover.end')


class DatabaseTest(test_actions.ActionTest):

    def test_lost_database_connection_is_retried(self) -> None:
        """In each wait and between the steps."""
        lost: list[int] = []

        def often(read: Any) -> Any:
            def reading(*args: Any, **conditions: Any) -> Any:
                lost.append(1)
                if len(lost) % 4 == 0:
                    raise db_exceptions.DBConnectionError(
                        Exception('Lost connection [SQL: SELECT secret]'))
                return read(*args, **conditions)
            return reading
        self.assertEqual(202, self.act({'restart': {}}).status_int)
        self.wait_for_event('stop products-1')
        with (mock.patch.object(cluster_models.DBCluster, 'get_by', often(
                cluster_models.DBCluster.get_by)),
              mock.patch.object(rows, 'SHARED', rows.Reader(
                  often(rows.read)))):
            def over() -> None:
                if not self.notified('dbaas.cluster_restart.end'):
                    raise waiting.NotYet(str(self.galera.events))
            waiting.until('the restart to end', over, 300, 0.1)
        self.assert_whole()
        self.assertGreater(len(lost), 10)


class OutageTest(testtools.TestCase):

    def test_service_of_a_call(self) -> None:
        for name, service in (
                ('volumes.get', 'cinder'), ('servers.list', 'nova'),
                ('create_server_volume', 'nova'), ('images.get', 'glance'),
                ('list_ports', 'neutron'),
                ('delete_security_group', 'neutron')):
            self.assertEqual(service, clouds._service_of(name))
