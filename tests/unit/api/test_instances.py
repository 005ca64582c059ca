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

"""Routes below an instance: which answer, and from which controller."""

from typing import Any

import mock
import testtools
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.common import wsgi
from trove.instance import service as instance_service

from tests.unit.api import base
from tests.unit.api import test_extension
from tests.unit import tables
from trove_pxc.api import instances

TROVES = instance_service.InstanceController


class InstancesTestCase(test_extension.ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.member = self.members(self.row)[0]
        self.alone = tables.add_instance(self.version, 'alone')
        self.path = f'/instances/{self.member.id}'

    def accepted(self, *asked: Any, **who: str) -> None:
        self.assertEqual(202, self.ask(*asked, **who).status_int, asked)


class ActionTest(InstancesTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.action = self.trove(TROVES, 'action')

    def act(self, body: Any, instance: Any = None, **who: str) -> Any:
        return self.ask('POST', f'/instances/'
                        f'{(instance or self.member).id}/action', body, **who)

    def test_what_a_cluster_does_instead(self) -> None:
        for body, words in (
                ({'restart': {}}, 'openstack database cluster restart'),
                ({'resize': {'flavorRef': '2'}}, 'cluster resize flavor'),
                ({'promote_to_replica_source': {}}, 'already take writes'),
                ({'eject_replica_source': {}}, 'it has no replicas')):
            self.refused(f'c-1 ({self.member.id}) is a member of a cluster: ',
                         self.act(body))
            self.refused(words, self.act(body))
        self.action.assert_not_called()

    def test_what_is_left_to_trove(self) -> None:
        for body in ({'reset_status': {}},
                     {'reset_status': {'force_delete': True}}):
            self.assertEqual(202, self.act(body).status_int)
        self.assertEqual(202, self.act(
            {'restart': {}}, role='admin').status_int)
        self.assertEqual(({'restart': {}}, base.PROJECT, self.member.id),
                         self.action.call_args.args[2:])

    def test_what_is_none(self) -> None:
        for body, words in (
                ({'dance': {}}, "An instance has no action 'dance'. Its "
                 'actions are restart, resize, promote_to_replica_source,'),
                ({'restart': {}, 'x': {}}, 'one action, not 2.'),
                ({'resize': {}}, "['resize'] {}"),
                ({'resize': {'x': 1}}, "['resize']"),
                ({'restart': 5}, "['restart'] 5 is not of type"),
                ({'reset_status': None}, "['reset_status'] None"),
                ([], 'a JSON object'), (None, 'a JSON object')):
            self.refused(words, self.act(body))
        self.action.assert_not_called()

    def test_of_single_instances_all_goes_on(self) -> None:
        for body in ({'restart': {}}, {'dance': {}}, None):
            self.assertEqual(203, self.act(body, self.alone).status_int)

    def test_another_projects_member_trove_does_not_find(self) -> None:
        other = self.members(self.add_cluster('o', project='other'))[0]
        self.assertEqual(202, self.act({'restart': {}}, other).status_int)
        self.refused('a JSON object', self.act(None, other))


class DeletionTest(InstancesTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.delete = self.trove(TROVES, 'delete')

    def test_of_a_cluster_that_stays(self) -> None:
        for role in ('member', 'admin'):
            self.refused('cluster shrink CLUSTER MEMBER',
                         self.ask('DELETE', self.path, role=role))
        self.delete.assert_not_called()

    def test_of_one_that_goes(self) -> None:
        self.row.update(task_status=ClusterTasks.DELETING)
        self.accepted('DELETE', self.path)
        self.row.update(deleted=True)
        self.accepted('DELETE', self.path)


class OthersTest(InstancesTestCase):

    def test_each_asks_trove(self) -> None:
        body = {'name': 'general'}
        module = {'modules': [{'id': self.member.id}]}
        for method, place, sent, action in (
                ('GET', 'backups', None, 'backups'),
                ('GET', 'log', None, 'guest_log_list'),
                ('POST', 'log', body, 'guest_log_action'),
                ('GET', 'modules', None, 'module_list'),
                ('POST', 'modules', module, 'module_apply'),
                ('DELETE', 'modules/m', None, 'module_remove')):
            called = self.trove(TROVES, action)
            self.accepted(method, f'{self.path}/{place}', sent)
            called.assert_called_once()
            self.assertIn(self.member.id, called.call_args.args)

    def test_of_single_instances_all_goes_on(self) -> None:
        for place in ('backups?limit=x', 'configuration', 'log', 'modules',
                      'ssl'):
            for method in ('GET', 'POST'):
                self.assertEqual(203, self.ask(
                    method, f'/instances/{self.alone.id}/{place}'
                ).status_int)

    def test_bodies_that_are_none(self) -> None:
        for place, bodies in (
                ('log', (None, {}, {'name': 5}, {'name': 'a', 'x': 1})),
                ('modules', (None, {'modules': 5}, {'modules': [5]},
                             {'modules': [{'id': 'x'}]}))):
            for body in bodies:
                self.assertEqual(400, self.ask(
                    'POST', f'{self.path}/{place}', body).status_int, body)

    @testtools.skipUnless(instances.OFFERS_SSL, 'Trove 25 has none')
    def test_ssl(self) -> None:
        shown = self.trove(TROVES, 'ssl_show')
        self.accepted('GET', f'{self.path}/ssl')
        shown.assert_called_once()
        for body in (None, {'ssl': 5}, {'ssl': {'mode': 5}}):
            self.assertEqual(400, self.ask(
                'POST', f'{self.path}/ssl', body).status_int, body)

    @testtools.skipUnless(instances.OFFERS_SSL, 'Trove 25 has none')
    def test_ssl_of_a_member(self) -> None:
        ssl = self.trove(TROVES, 'ssl_action')
        body = {'ssl': {'mode': 'basic'}}
        self.refused('is the same for all members', self.ask(
            'POST', f'{self.path}/ssl', body))
        ssl.assert_not_called()

    def test_pages_that_are_none(self) -> None:
        for query in ('limit=x', 'marker=x', 'limit=-1'):
            self.refused('must be an integer of at least 0', self.ask(
                'GET', f'{self.path}/backups?{query}'))

    def test_what_trove_does_not_offer_here(self) -> None:
        for failure, status in (
                (exception.LogsNotAvailable(), 400),
                (exception.ClusterInstanceOperationNotSupported(), 400),
                (exception.SwiftConnectionError(), 422),
                (exception.GuestError(original_message='x'), 400),
                (exception.NotFound(uuid='x'), 404)):
            with mock.patch.object(TROVES, 'guest_log_list', autospec=True,
                                   side_effect=failure):
                response = self.ask('GET', f'{self.path}/log')
            self.assertEqual(status, response.status_int, response.text)


class BackupsTest(InstancesTestCase):

    def back_up(self, instance_id: Any, **others: Any) -> Any:
        return self.ask('POST', '/backups', {'backup': {
            'name': 'b', 'instance': instance_id, **others}})

    def test_of_a_member(self) -> None:
        for source in (self.member.id, f'http://x/{self.path}'):
            self.refused("5 is not of type 'string'",
                         self.back_up(source, name=5))

    def test_all_else_goes_on(self) -> None:
        for source in (self.alone.id, 'none', 5, None, {}):
            self.assertEqual(203, self.back_up(source).status_int)
        for body in (None, [], {}, {'backup': 5}):
            self.assertEqual(203, self.ask(
                'POST', '/backups', body).status_int)
        for method, path in (('GET', '/backups?limit=x'),
                             ('GET', '/backups/b'), ('DELETE', '/backups/b')):
            self.assertEqual(203, self.ask(method, path).status_int)

    def test_a_page(self) -> None:
        backups = self.trove(TROVES, 'backups')
        self.accepted('GET', f'{self.path}/backups?limit=5&marker=20')
        context = backups.call_args.args[1].environ[wsgi.CONTEXT_KEY]
        self.assertEqual(('5', '20'), (context.limit, context.marker))
