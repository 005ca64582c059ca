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

"""Members and health of a cluster, through Trove's extensions."""

import datetime
from typing import Any
import uuid

import fixtures
from oslo_policy import policy as oslo_policy
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import extensions
from trove.common import policy
from trove.common import wsgi
from trove.datastore import models as datastore_models
from trove.db import get_db_api
from trove.instance import models as instance_models
import webob

from tests.functional import base
from trove_pxc.galera import catchup
from trove_pxc import waiting

GALERA_COMMON = ('trove.common.strategies.cluster.experimental.'
                 'galera_common.api.GaleraCommonAPIStrategy')


def ask(test: Any, path: str, project: str = base.PROJECT,
        method: str = 'GET') -> webob.Response:
    """Send a request through the extensions to Trove's router."""
    request = wsgi.Request.blank(
        f'/{project}{path}', method=method,
        headers={'Content-Type': 'application/json'})
    request.environ[wsgi.CONTEXT_KEY] = test.context(project)
    return request.get_response(test.extended)


class ReadingTest(base.TroveTest):
    """trove-api with the filter of extensions, as in its pipeline."""

    def setUp(self) -> None:
        super().setUp()
        self.extended = extensions.TroveExtensionMiddleware(self.api)
        self.start_taskmanager()

    def get(self, path: str, project: str = base.PROJECT,
            method: str = 'GET') -> webob.Response:
        return ask(self, path, project, method)

    def build(self) -> str:
        cluster_id = str(self.create().json['cluster']['id'])
        self.wait_for_task(cluster_id)
        return cluster_id

    def read(self, cluster_id: str, what: str) -> Any:
        response = self.get(f'/clusters/{cluster_id}/{what}')
        self.assertEqual(200, response.status_int, response.text)
        return response.json[what]

    def test_whole_cluster_is_healthy(self) -> None:
        cluster_id = self.build()
        members = self.read(cluster_id, 'members')
        shown = self.show(cluster_id)
        self.assertEqual(
            [(instance['id'], instance['name'], instance['ip'])
             for instance in shown['instances']],
            [(member['id'], member['name'], member['ip'])
             for member in members])
        for member in members:
            self.assertEqual(
                ('member', 'Synced', 'Primary', 3, 'ACTIVE', 'HEALTHY',
                 True, self.galera.history),
                tuple(member[key] for key in (
                    'role', 'state', 'cluster_status', 'cluster_size',
                    'status', 'operating_status', 'reachable',
                    'cluster_uuid')))
        health = self.read(cluster_id, 'health')
        self.assertEqual(('HEALTHY', '', 3, 3), tuple(
            health[key] for key in (
                'state', 'next_action', 'members', 'reachable')))
        expire = [member['certificate_expires'] for member in members]
        self.assertEqual(min(expire), health['certificates_expire'])
        years = datetime.datetime.now() + datetime.timedelta(days=3640)
        self.assertGreater(min(expire), years.isoformat())

    def test_member_that_catches_up_says_how_long(self) -> None:
        cluster_id = self.build()
        for limit in ('SHORTEST_SECONDS', 'SURE_SECONDS'):
            self.useFixture(fixtures.MonkeyPatch(
                f'{catchup.__name__}.{limit}', 1e-9))
        guest = self.galera.named('products-3')
        guest.variables.update(wsrep_local_state='3', wsrep_ready='OFF')

        def listed(queue: int, committed: int) -> dict[str, Any]:
            guest.variables.update(
                wsrep_local_recv_queue=str(queue),
                wsrep_last_committed=str(committed))
            member: dict[str, Any] = self.read(cluster_id, 'members')[2]
            return member
        first = listed(50_000, 10_000)
        self.assertEqual('catching up: 50,000 write sets wait',
                         first['detail'])
        self.assertNotIn('apply_rate', first)
        member = listed(40_000, 30_000)
        self.assertEqual(('joiner', 'Joined', 40_000), tuple(
            member[key] for key in ('role', 'state', 'recv_queue')))
        self.assertIn('catching up: 40,000 write sets wait, ',
                      member['detail'])
        self.assertGreater(member['apply_rate'], 0)
        self.assertGreaterEqual(member['catch_up_seconds'], 0)
        member = listed(90_000, 30_001)
        self.assertIn('cannot keep up: 90,000 write sets wait, ',
                      member['detail'])
        self.assertIn('wsrep_slave_threads', member['detail'])
        self.assertNotIn('catch_up_seconds', member)

    def test_member_that_is_joining_is_compared_with_the_others(self) -> None:
        cluster_id = self.build()
        for name in ('products-1', 'products-2'):
            self.galera.named(name).variables['wsrep_last_committed'] = '9000'
        self.galera.named('products-3').variables.update(
            wsrep_local_state='1', wsrep_ready='OFF',
            wsrep_local_state_comment='Joining: receiving State Transfer',
            wsrep_local_recv_queue='200', wsrep_last_committed='4000')
        member = self.read(cluster_id, 'members')[2]
        self.assertEqual(
            ('joiner', 5_000, 200,
             'catching up: 5,000 write sets wait (200 in its queue)'),
            tuple(member[key] for key in (
                'role', 'behind', 'recv_queue', 'detail')))

    def test_clear_text_cluster_has_no_expiry_date(self) -> None:
        self.override('encrypt_cluster_traffic', False, 'mariadb')
        cluster_id = self.build()
        self.assertNotIn('certificates_expire',
                         self.read(cluster_id, 'health'))

    def test_certificates_that_expire_soon_are_shown(self) -> None:
        self.override('certificate_days', 20, 'mariadb')
        health = self.read(self.build(), 'health')
        self.assertIn('expires on', health['summary'])
        self.assertIn('certificate rotate products', health['next_action'])

    def test_stopped_and_unreachable_members_are_shown(self) -> None:
        cluster_id = self.build()
        self.galera.named('products-2').stop_db(None)
        self.galera.named('products-3').die()
        members = self.read(cluster_id, 'members')
        self.assertEqual(
            [('member', True), ('stopped', True), ('unreachable', False)],
            [(member['role'], member['reachable']) for member in members])
        self.assertNotIn('state', members[1])
        self.assertIn('did not answer within 2 s', members[2]['detail'])
        health = self.read(cluster_id, 'health')
        self.assertEqual(('DEGRADED', 2), (health['state'],
                                           health['reachable']))
        self.assertIn('products-3 has a guest agent that does not answer',
                      health['summary'])

    def test_members_that_do_not_answer_are_asked_in_parallel(self) -> None:
        self.override('status_call_timeout', 5, 'mariadb')
        cluster_id = self.build()
        for guest in list(self.galera.guests.values()):
            guest.die()
        watch = waiting.Stopwatch()
        members = self.read(cluster_id, 'members')
        self.assertLess(watch.elapsed, 2 * 5)  # In turn it would be 15.
        self.assertEqual([False] * 3, [
            member['reachable'] for member in members])
        self.assertEqual('UNCERTAIN',
                         self.read(cluster_id, 'health')['state'])

    def test_error_of_a_guest_is_shown(self) -> None:
        cluster_id = self.build()
        self.galera.habits['products-1'] = {'fails_to_report': True}
        members = self.read(cluster_id, 'members')
        self.assertEqual('unreachable', members[0]['role'])
        self.assertIn('its guest failed', members[0]['detail'])
        self.assertIn('no socket', members[0]['detail'])

    def test_cluster_that_is_built_is_shown(self) -> None:
        for name in ('products-1', 'products-2', 'products-3'):
            self.galera.habits[name] = {'unprepared': True}
        cluster_id = self.create().json['cluster']['id']
        members = self.read(cluster_id, 'members')
        self.assertEqual(
            [('new', 'BUILD', 'its guest is not ready yet')] * 3,
            [(member['role'], member['status'], member['detail'])
             for member in members])
        health = self.read(cluster_id, 'health')
        self.assertEqual(('NEW', 0), (health['state'], health['reachable']))

    def test_show_has_roles_and_a_list_calls_no_guest(self) -> None:
        cluster_id = self.build()
        self.galera.named('products-2').stop_db(None)
        self.galera.named('products-3').die()
        self.assertEqual(['member', 'stopped', 'unreachable'],
                         self.roles(cluster_id))
        watch = waiting.Stopwatch()
        (listed,) = self.get('/clusters').json['clusters']
        self.assertLess(watch.elapsed, 2)
        for member in listed['instances']:
            self.assertNotIn('role', member)

    def test_members_known_to_be_lost_are_not_asked(self) -> None:
        self.override('status_call_timeout', 30, 'mariadb')
        cluster_id = self.build()
        first, second, _ = self.instance_rows(cluster_id)
        self.galera.named('products-1').die()
        self.galera.named('products-2').die()
        self.expire(first.id)
        self.cloud.servers[second.compute_instance_id].status = 'SHUTOFF'
        watch = waiting.Stopwatch()
        self.assertEqual(['unreachable', 'unreachable', 'member'],
                         self.roles(cluster_id))
        self.assertLess(watch.elapsed, 25)

    def test_member_list_asks_a_member_with_an_old_heartbeat(self) -> None:
        cluster_id = self.build()
        self.expire(self.instance_rows(cluster_id)[0].id)
        self.assertEqual('unreachable', self.roles(cluster_id)[0])
        member = self.read(cluster_id, 'members')[0]
        self.assertEqual(('member', 'ERROR'),
                         (member['role'], member['operating_status']))

    def test_no_guest_is_called_while_the_cluster_is_built_or_deleted(
            self) -> None:
        self.galera.habits['products-3'] = {'unprepared': True}
        cluster_id = self.create().json['cluster']['id']
        for member in self.show(cluster_id)['instances']:
            self.assertNotIn('role', member)
        health = self.read(cluster_id, 'health')
        self.assertEqual(('NEW', 'Wait until the operation is complete.'),
                         (health['state'], health['next_action']))
        self.assertIn('The cluster is being built: ', health['summary'])

    def test_next_action_names_the_cluster(self) -> None:
        cluster_id = self.build()
        self.galera.named('products-2').stop_db(None)
        second = self.instance_rows(cluster_id)[1].id
        command = ('openstack database cluster restart products '
                   f'--member {second}')
        self.assertIn(command, self.read(cluster_id, 'health')['next_action'])
        self.cluster_row(cluster_id).update(
            task_status=ClusterTasks.RESTARTING_CLUSTER)
        health = self.read(cluster_id, 'health')
        self.assertEqual('DEGRADED', health['state'])
        self.assertNotIn(command, health['next_action'])

    def roles(self, cluster_id: str) -> list[str]:
        return [member['role'] for member in
                self.show(cluster_id)['instances']]

    def expire(self, instance_id: str) -> None:
        """As if the guest had not reported for long."""
        row = instance_models.InstanceServiceStatus.find_by(
            instance_id=instance_id)
        row['updated_at'] -= datetime.timedelta(days=1)
        get_db_api().save(row)

    def test_policies_for_reading(self) -> None:
        cluster_id = self.build()
        for what in ('members', 'health'):
            path = f'/clusters/{cluster_id}/{what}'
            self.assertEqual(404, self.get(path, 'strangers').status_int)
            self.assertEqual(404, self.get(
                f'/clusters/{self.unknown_id()}/{what}').status_int)
        enforcer = policy.get_enforcer()
        rules = dict(enforcer.rules)
        self.addCleanup(enforcer.set_rules, rules)
        enforcer.set_rules(
            {'cluster:show': oslo_policy.RuleDefault('x', '!').check},
            overwrite=False)
        for what in ('members', 'health'):
            path = f'/clusters/{cluster_id}/{what}'
            self.assertEqual(403, self.get(path).status_int)

    def test_only_reading_is_possible(self) -> None:
        cluster_id = self.build()
        for what in ('members', 'health'):
            path = f'/clusters/{cluster_id}/{what}'
            for method, more in (('POST', ''), ('PUT', '/x'),
                                 ('DELETE', '/x'), ('GET', '/x'),
                                 ('GET', '/new'), ('GET', '/x/edit')):
                self.assertEqual(
                    404, self.get(path + more, method=method).status_int,
                    (method, what + more))

    def test_routes_of_trove_are_unchanged(self) -> None:
        cluster_id = self.build()
        for path in ('/clusters', f'/clusters/{cluster_id}', '/instances'):
            direct = self.request('GET', path)
            extended = self.get(path)
            self.assertEqual((200, direct.text),
                             (extended.status_int, extended.text), path)


class ForeignTest(base.TroveTest):
    """An installation that has the package but does not use it."""

    def setUp(self) -> None:
        super().setUp()
        self.extended = extensions.TroveExtensionMiddleware(self.api)
        for manager in base.MANAGERS:
            self.override('api_strategy', GALERA_COMMON, manager)
        row = cluster_models.DBCluster.create(
            id=str(uuid.uuid4()), name='theirs', tenant_id=base.PROJECT,
            datastore_version_id=self.version_id(),
            task_status=ClusterTasks.NONE)
        self.cluster_id = row.id

    def version_id(self) -> str:
        return str(datastore_models.DBDatastoreVersion.find_by(
            name='10.11').id)

    def test_clusters_of_others_are_listed_and_shown_as_in_trove(self) -> None:
        for path in ('/clusters', f'/clusters/{self.cluster_id}'):
            response = ask(self, path)
            self.assertEqual(200, response.status_int, response.text)
            self.assertEqual(self.request('GET', path).text, response.text)

    def test_members_and_health_of_other_clusters_are_refused(self) -> None:
        for what in ('members', 'health'):
            response = ask(self, f'/clusters/{self.cluster_id}/{what}')
            self.assertEqual(400, response.status_int)
            self.assertIn('is not a Galera cluster of trove-pxc',
                          response.text)
