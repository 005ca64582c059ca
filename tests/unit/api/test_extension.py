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

"""Routes of clusters: which requests are handled here, and refusals."""

from typing import Any
import uuid

import mock
from trove.cluster import service as cluster_service
from trove.common import exception
from trove.common import extensions
from trove.common import wsgi
from trove.extensions.common import service as root_service
from trove.instance import service as instance_service

from tests.unit.api import base
from tests.unit.api import test_ownership
from tests.unit.api import test_routes
from tests.unit import tables
from trove_pxc.api import extension
from trove_pxc.api import instances
from trove_pxc.api import ownership
from trove_pxc.api import page
from trove_pxc.api import pipeline
from trove_pxc.api import policies
from trove_pxc.api import reading
from trove_pxc.api import running
from trove_pxc.galera import diagnosis
from trove_pxc import masking
from trove_pxc import quotas

INSTANCE = {'flavorRef': '1', 'volume': {'size': 1}}

#: method, path, controller and action
ROUTES = (
    ('GET', '/clusters', extension.ClustersController, 'index'),
    ('GET', '/clusters/c', extension.ClustersController, 'show'),
    ('DELETE', '/clusters/c', extension.ClustersController,
     'delete'),
    ('POST', '/clusters', extension.ClustersController,
     'create'),
    ('POST', '/clusters/c', extension.ActionsController,
     'create'),
    ('GET', '/clusters/c/members', extension.MembersController,
     'index'),
    ('GET', '/clusters/c/health', extension.HealthController,
     'index'),
    ('GET', '/clusters/c/instances/i',
     extension.ShowMemberController, 'show'),
    ('GET', '/clusters/c/root', root_service.RootController,
     'index'),
    ('POST', '/clusters/c/root', root_service.RootController,
     'create'),
    ('DELETE', '/instances/i', extension.InstancesController,
     'delete'),
    ('POST', '/instances/i/action', instances.ActionController,
     'create'),
    ('GET', '/instances/i/backups',
     instances.InstanceBackupsController, 'index'),
    ('GET', '/instances/i/configuration',
     instances.ConfigurationController, 'index'),
    ('GET', '/instances/i/log', instances.LogController,
     'index'),
    ('POST', '/instances/i/log', instances.LogController,
     'create'),
    *((method, '/instances/i/ssl', instances.SslController, action)
      for method, action in (('GET', 'index'), ('POST', 'create'))
      if instances.OFFERS_SSL),
    ('GET', '/instances/i/modules', instances.ModulesController,
     'index'),
    ('POST', '/instances/i/modules',
     instances.ModulesController, 'create'),
    ('DELETE', '/instances/i/modules/m',
     instances.ModulesController, 'delete'),
    ('PATCH', '/instances/i', extension.InstancesController,
     'edit'),
    ('PUT', '/instances/i', extension.InstancesController,
     'update'))


class OurRoutes:
    """The interface of an extension manager, for Trove's middleware."""

    def get_resources(self) -> list[Any]:
        return extension.GaleraExtension().get_resources()

    def get_actions(self) -> list[Any]:
        return []

    get_request_extensions = get_actions


class ExtensionTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.api = extensions.TroveExtensionMiddleware(
            test_routes.behind, OurRoutes())

    def ask(self, method: str, path: str, body: Any = None,
            **who: str) -> Any:
        return base.request(method, path, body, **who).get_response(self.api)

    def be_of_another_package(self) -> None:
        self.override('api_strategy', test_ownership.OF_ANOTHER_PACKAGE,
                      'mariadb')

    def trove(self, controller: type, action: str,
              result: Any = None) -> Any:
        """Replace an action of Trove's controller by this function."""
        patcher = mock.patch.object(
            controller, action, autospec=True,
            return_value=result or wsgi.Result({'of': 'trove'}, 202))
        self.addCleanup(patcher.stop)
        return patcher.start()

    def refused(self, words: str, response: Any, status: int = 400) -> None:
        self.assertEqual(status, response.status_int, response.text)
        message, = (fault['message'] for fault in response.json.values())
        self.assertIn(words, message)


class DescriptorTest(ExtensionTestCase):

    def test_as_trove_lists_extensions(self) -> None:
        made = extension.GaleraExtension()
        for text in (made.get_name(), made.get_description(),
                     made.get_alias(), made.get_namespace(),
                     made.get_updated()):
            self.assertTrue(text)
        self.assertTrue(all(
            isinstance(resource, extensions.ResourceExtension)
            for resource in made.get_resources()))

    def test_what_it_does_for_the_process(self) -> None:
        installed = [self.patch(module, 'install', None)
                     for module in (masking, quotas)]
        extension.GaleraExtension()
        for install in installed:
            install.assert_called_once_with()

    def test_each_route_leads_to_its_controller(self) -> None:
        self.patch(ownership, 'member', True)
        for method, path, controller, action in ROUTES:
            with (mock.patch.object(controller, 'validate_request',
                                    autospec=True),
                  mock.patch.object(controller, action, autospec=True,
                                    return_value={}) as called):
                body = None if method in ('GET', 'DELETE') else {'a': 1}
                self.assertEqual(
                    200, self.ask(method, path, body).status_int, path)
            called.assert_called_once()


class ListTest(ExtensionTestCase):

    def test_the_page_and_a_link_to_the_next(self) -> None:
        cluster = self.load(self.add_cluster())
        load = self.patch(page, 'load', ([cluster], 'a-marker'))
        shown = self.ask('GET', '/clusters?limit=1').json
        self.assertEqual(['c'], [one['name'] for one in shown['clusters']])
        self.assertIn('marker=a-marker', shown['links'][0]['href'])
        (context, project), _ = load.call_args
        self.assertEqual(('1', base.PROJECT), (context.limit, project))

    def test_of_another_project(self) -> None:
        load = self.patch(page, 'load', ([], None))
        self.assertEqual(403, self.ask(
            'GET', '/clusters', project='other').status_int)
        load.assert_not_called()
        self.assertEqual(200, self.ask(
            'GET', '/clusters', project='other', role='admin').status_int)

    def test_troves_rule_is_asked(self) -> None:
        with mock.patch.object(
                extension.policy, 'authorize_on_tenant', autospec=True,
                side_effect=exception.PolicyNotAuthorized()) as authorize:
            self.assertEqual(403, self.ask('GET', '/clusters').status_int)
        self.assertEqual('cluster:index', authorize.call_args.args[1])


class CreateTest(ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.create = self.trove(cluster_service.ClusterController, 'create')

    def ask_for(self, *names: str | None, **changes: Any) -> Any:
        return self.ask('POST', '/clusters', {'cluster': {
            'name': 'c', 'datastore': {'type': 'mariadb',
                                       'version': '10.11'},
            'instances': [INSTANCE if name is None
                          else {**INSTANCE, 'name': name}
                          for name in names], **changes}})

    def asked(self) -> dict[str, Any]:
        """Return the cluster in the request to Trove's controller."""
        return dict(self.create.call_args.args[2]['cluster'])

    def test_names_of_instances_are_kept(self) -> None:
        self.assertEqual(202, self.ask_for('a', None, 'b').status_int)
        self.assertEqual({'instance_names': ['a', None, 'b']},
                         self.asked()['extended_properties'])

    def test_instead_of_those_in_the_properties(self) -> None:
        self.ask_for('a', extended_properties={
            'instance_names': 'of somebody else'})
        self.assertEqual({'instance_names': ['a']},
                         self.asked()['extended_properties'])

    def test_nothing_is_dropped(self) -> None:
        self.refused('cluster.users: a cluster is created without',
                     self.ask_for('a', users=[{'name': 'joe'}]))
        self.create.assert_not_called()

    def test_of_another_package_all_goes_on(self) -> None:
        self.be_of_another_package()
        self.assertEqual(203, self.ask_for(
            'a', extended_properties={'num_configsvr': 2}).status_int)
        self.create.assert_not_called()

    def test_a_value_of_a_datastore_that_is_no_text(self) -> None:
        self.refused('The version_number of a datastore must be a string, '
                     'not 5.', self.ask_for(None, datastore={
                         'type': 'a', 'version': 'b', 'version_number': 5}))

    def test_without_names_nothing_is_added(self) -> None:
        self.ask_for(None, None)
        self.assertNotIn('extended_properties', self.asked())

    def test_what_no_datastore_has(self) -> None:
        self.refused(
            "A datastore has no key 'colour'. Its keys are type, version, "
            'version_number.', self.ask_for(None, datastore={
                'type': 'mariadb', 'version': '10.11', 'colour': 'red'}))
        self.create.assert_not_called()

    def test_each_of_what_one_has(self) -> None:
        self.assertEqual(202, self.ask_for(None, datastore={
            'type': 'mariadb', 'version': '10.11',
            'version_number': '10.11'}).status_int)

    def test_a_body_that_is_none(self) -> None:
        for body in (None, [], {'cluster': {}}):
            self.assertEqual(400, self.ask(
                'POST', '/clusters', body).status_int)
        self.create.assert_not_called()


class ActionsTest(ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.action = self.trove(cluster_service.ClusterController, 'action')

    def test_one_action(self) -> None:
        body = {'grow': [{'flavorRef': '1'}]}
        self.assertEqual(202, self.ask(
            'POST', '/clusters/c', body).status_int)
        self.assertEqual((body, base.PROJECT, 'c'),
                         self.action.call_args.args[2:])

    def test_two(self) -> None:
        self.refused('The body of the request must name one action, not 2.',
                     self.ask('POST', '/clusters/c', {'restart': {},
                                                      'shrink': []}))

    def test_a_body_that_is_none(self) -> None:
        for body in (None, {}, [], {'grow': {'a': 1}}):
            self.assertEqual(400, self.ask(
                'POST', '/clusters/c', body).status_int, body)
        self.action.assert_not_called()


class ShowMemberTest(ExtensionTestCase):

    def test_it_is_troves(self) -> None:
        show = self.trove(
            cluster_service.ClusterController, 'show_instance')
        self.ask('GET', '/clusters/c/instances/i', {'a': 'body'})
        self.assertEqual((base.PROJECT, 'c', 'i'), show.call_args.args[2:])


class RootTest(ExtensionTestCase):
    """In the filter, which comes before the extensions."""

    def setUp(self) -> None:
        super().setUp()
        self.api = pipeline.factory({})(test_routes.behind)
        self.create = self.trove(root_service.RootController, 'create')

    def test_with_a_password_or_without_a_body(self) -> None:
        for body, passed in (({'password': 'a-password'},
                              {'body': {'password': 'a-password'}}),
                             (None, {}), ({}, {})):
            self.assertEqual(202, self.ask(
                'POST', '/clusters/c/root', body).status_int)
            self.assertEqual(
                {'tenant_id': base.PROJECT, 'instance_id': 'c', **passed},
                self.create.call_args.kwargs)

    def test_a_body_that_is_none(self) -> None:
        for body in ([1], {'password': '\0'}):
            self.assertEqual(400, self.ask(
                'POST', '/clusters/c/root', body).status_int)
        self.create.assert_not_called()

    def test_root_is_no_collection(self) -> None:
        """Trove's controller answers 500 to such a request."""
        path = '/clusters/c/root/x'
        self.refused('x', self.ask('DELETE', path), 404)
        for method in ('GET', 'PUT'):
            self.assertEqual(404, self.ask(method, path).status_int)

    def test_a_body_that_is_not_expected(self) -> None:
        index = self.trove(root_service.RootController, 'index')
        self.assertEqual(202, self.ask(
            'GET', '/clusters/c/root', {'a': 1}).status_int)
        index.assert_called_once()


class InstancesTest(ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.member = self.members(self.row)[0]
        self.alone = tables.add_instance(self.version, 'alone')
        self.create = self.trove(
            instance_service.InstanceController, 'create')
        self.update = self.trove(
            instance_service.InstanceController, 'update')

    def replica(self, source: str, key: str = 'replica_of',
                **who: str) -> Any:
        return self.ask('POST', '/instances', {'instance': {
            'name': 'r', 'flavorRef': '1', key: source}}, **who)

    def test_a_replica_of_a_member(self) -> None:
        for key in ('replica_of', 'slave_of'):
            self.refused(
                f'c-1 ({self.member.id}) is a member of a cluster, which '
                'cannot have replicas: every other member holds the same '
                'data already.', self.replica(self.member.id, key))
        self.create.assert_not_called()

    def test_a_replica_of_another(self) -> None:
        shard = tables.add_member(self.row, 'shard', type='shard')
        for source in (self.alone.id, shard.id, str(uuid.uuid4())):
            self.assertEqual(203, self.replica(source).status_int)

    def test_of_another_project_nothing_is_told(self) -> None:
        row = self.add_cluster('o', project='other')
        self.assertEqual(203, self.replica(
            self.members(row)[0].id).status_int)

    def test_a_deleted_member_is_none(self) -> None:
        self.member.update(deleted=True)
        self.assertEqual(203, self.replica(self.member.id).status_int)

    def single(self, **datastore: str) -> Any:
        return self.ask('POST', '/instances', {'instance': {
            'name': 'x', 'flavorRef': '1', 'datastore': datastore}})

    def test_no_replica(self) -> None:
        self.assertEqual(203, self.single(
            type='mariadb', version='10.11').status_int)

    def test_percona_xtradb_cluster_without_a_cluster(self) -> None:
        version = tables.add_version('pxc', '8.0')
        for datastore in ({'type': 'pxc', 'version': '8.0'},
                          {'type': 'pxc', 'version': version.id},
                          {'type': 'pxc', 'version': '8.0',
                           'version_number': '8.0'}):
            self.refused('is only available as a cluster, and 8.0 is a '
                         'version of it', self.single(**datastore))
        self.create.assert_not_called()

    def test_a_datastore_that_there_is_not(self) -> None:
        self.assertEqual(203, self.single(type='none').status_int)

    def change(self, instance_id: str, **changes: Any) -> Any:
        who = {key: changes.pop(key) for key in ('role', 'project', 'of')
               if key in changes}
        return self.ask('PUT', f'/instances/{instance_id}',
                        {'instance': changes}, **who)

    def test_what_would_harm_a_member(self) -> None:
        access = {'access': {'is_public': True}}
        upgrade = {'datastore_version': '10.12'}
        group = 'a configuration group is attached to a whole cluster'
        for changes, words in (
                (access, 'a change of its access would cut it off from the '
                         'other members.'),
                (upgrade, 'an upgrade of only one member would take it out '
                          'of the cluster without preparation.'),
                ({**upgrade, **access}, 'a change of its access'),
                ({'configuration': str(uuid.uuid4())}, group),
                ({'configuration': None}, group),
                ({'configuration': str(uuid.uuid4()), 'name': 'x'}, group),
                ({}, group)):
            for who in ({}, {'role': 'admin'},
                        {'role': 'admin', 'project': 'other', 'of': 'other'}):
                self.refused(
                    f'c-1 ({self.member.id}) is a member of a cluster: '
                    f'{words}', self.change(self.member.id, **changes, **who))
        self.update.assert_not_called()

    def test_a_name_that_a_sibling_has(self) -> None:
        other = self.members(self.row)[1]
        self.refused(
            f'c-1 ({self.member.id}) cannot be named c-2: another member of '
            f'its cluster has this name ({other.id}). Choose another name, '
            'or rename that member first.',
            self.change(self.member.id, name='c-2'))
        self.update.assert_not_called()

    def test_a_name_that_no_sibling_has(self) -> None:
        self.add_cluster('d')
        self.members(self.row)[2].update(deleted=True)
        for name in ('c-1', 'd-1', 'c-3', 'alone'):
            self.assertEqual(202, self.change(
                self.member.id, name=name).status_int)
        self.assertEqual(203, self.change(
            self.alone.id, name='c-2').status_int)

    def test_to_another_project_nothing_is_told(self) -> None:
        self.assertEqual(202, self.change(
            self.member.id, configuration=None, project='other',
            of='other').status_int)

    def test_lists_go_on(self) -> None:
        for path in ('/instances', '/instances/detail'):
            for query in ('', '?limit=x', '?include_clustered=false'):
                self.assertEqual(203, self.ask(
                    'GET', f'{path}{query}').status_int)

    def test_lists_with_members(self) -> None:
        for path, action in (('/instances', 'index'),
                             ('/instances/detail', 'detail')):
            listed = self.trove(
                instance_service.InstanceController, action,
                wsgi.Result({'instances': [{'id': 'i'}]}, 200))
            shown = self.ask('GET', f'{path}?include_clustered=True')
            self.assertEqual(200, shown.status_int)
            self.assertEqual(
                ['c-1', 'c-2', 'c-3'], sorted(
                    one['name'] for one in shown.json['instances']
                    if one['name'] != 'alone'))
            listed.assert_not_called()

    def test_lists_without_members(self) -> None:
        for row in self.members(self.row):
            row.update(deleted=True)
        listed = self.trove(
            instance_service.InstanceController, 'index',
            wsgi.Result({'instances': [{'id': 'i'}]}, 200))
        for query in ('', '&limit=x', '&limit=-1'):
            shown = self.ask(
                'GET', f'/instances?include_clustered=True{query}')
            self.assertEqual([{'id': 'i'}], shown.json['instances'])
        self.assertEqual(3, listed.call_count)

    def test_a_member_is_not_deleted_alone(self) -> None:
        delete = self.trove(instance_service.InstanceController, 'delete')
        self.refused('openstack database cluster shrink', self.ask(
            'DELETE', f'/instances/{self.member.id}'))
        delete.assert_not_called()
        self.assertEqual(203, self.ask(
            'DELETE', f'/instances/{self.alone.id}').status_int)

    def test_what_does_not(self) -> None:
        self.assertEqual(202, self.change(
            self.member.id, name='new').status_int)
        for changes in ({'access': {'is_public': True}}, {},
                        {'configuration': None}):
            self.assertEqual(203, self.change(
                self.alone.id, **changes).status_int)

    def test_a_body_that_is_none(self) -> None:
        for body in (None, [], {}, {'instance': 5}, {'instance': {}},
                     {'instance': {'datastore': 5}},
                     {'instance': {'datastore': {'x': 'y'}}},
                     {'instance': {'replica_of': 5}}):
            self.assertEqual(203, self.ask(
                'POST', '/instances', body).status_int)
            self.assertEqual(203, self.ask(
                'PUT', f'/instances/{self.alone.id}', body).status_int)
        self.assertEqual(400, self.ask(
            'PUT', f'/instances/{self.member.id}', []).status_int)


class ConfigurationTest(ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.member = self.members(self.add_cluster())[0]
        self.patch(running, 'configuration', {'wsrep_on': 'ON'})
        self.of_trove = self.trove(
            instance_service.InstanceController, 'configuration')

    def test_of_a_member(self) -> None:
        for who in ({}, {'role': 'admin', 'project': 'other',
                         'of': 'other'}):
            answer = self.ask(
                'GET', f'/instances/{self.member.id}/configuration', **who)
            self.assertEqual(
                {'instance': {'configuration': {'wsrep_on': 'ON'}}},
                answer.json)
        self.of_trove.assert_not_called()

    def test_of_another(self) -> None:
        alone = tables.add_instance(self.version, 'alone')
        for instance_id in (alone.id, str(uuid.uuid4())):
            self.assertEqual(203, self.ask(
                'GET', f'/instances/{instance_id}/configuration').status_int)

    def test_of_another_project(self) -> None:
        self.assertEqual(404, self.ask(
            'GET', f'/instances/{self.member.id}/configuration',
            project='other', of='other').status_int)


class ReadingTestCase(ExtensionTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        answers = [mock.create_autospec(
            reading.Answer, instance=True, reachable=reachable)
            for reachable in (True, False, True)]
        for number, answer in enumerate(answers):
            answer.to_dict.return_value = {'id': number}
        self.asked = self.patch(reading, 'ask', answers)
        self.diagnose = self.patch(reading, 'diagnose', diagnosis.Diagnosis(
            diagnosis.ClusterState.DEGRADED, 'One is lost.', 'Wait.'))
        self.expire = self.patch(reading, 'certificates_expire', None)

    def cannot_be_read(self, what: str) -> None:
        path = f'/clusters/{self.row.id}/{what}'
        self.assertEqual(404, self.ask(
            'GET', path, project='other').status_int)
        self.assertEqual(404, self.ask(
            'GET', f'/clusters/none/{what}').status_int)
        with mock.patch.object(
                policies, 'authorize', autospec=True,
                side_effect=exception.PolicyNotAuthorized()) as authorize:
            self.assertEqual(403, self.ask('GET', path).status_int)
        self.assertEqual((what, base.PROJECT),
                         authorize.call_args.args[1:])
        self.be_of_another_package()
        self.refused(f'Cluster {self.row.id} is not a Galera cluster of '
                     'trove-pxc. An operator must set api_strategy of its '
                     'datastore.', self.ask('GET', path))
        self.asked.assert_not_called()


class MembersTest(ReadingTestCase):

    def test_what_each_says(self) -> None:
        response = self.ask('GET', f'/clusters/{self.row.id}/members')
        self.assertEqual({'members': [{'id': 0}, {'id': 1}, {'id': 2}]},
                         response.json)
        (cluster,), _ = self.asked.call_args
        self.assertEqual(self.row.id, cluster.id)

    def test_readers_may(self) -> None:
        self.assertEqual(200, self.ask(
            'GET', f'/clusters/{self.row.id}/members',
            role='reader').status_int)

    def test_a_body_is_not_expected(self) -> None:
        for what in ('members', 'health'):
            self.assertEqual(200, self.ask(
                'GET', f'/clusters/{self.row.id}/{what}',
                {'a': 1}).status_int)

    def test_what_cannot_be_read(self) -> None:
        self.cannot_be_read('members')


class HealthTest(ReadingTestCase):

    def health(self) -> Any:
        return self.ask('GET', f'/clusters/{self.row.id}/health').json[
            'health']

    def test_what_the_answers_add_up_to(self) -> None:
        self.assertEqual(
            {'state': 'DEGRADED', 'summary': 'One is lost.',
             'sentence': 'One is lost.',
             'next_action': 'Wait.', 'members': 3, 'reachable': 2},
            self.health())
        cluster, answers = self.diagnose.call_args.args
        self.assertEqual(self.row.id, cluster.id)
        self.assertEqual(self.asked.return_value, answers)

    def test_when_certificates_expire(self) -> None:
        self.expire.return_value = '2036-01-01T00:00:00'
        self.assertEqual('2036-01-01T00:00:00',
                         self.health()['certificates_expire'])

    def test_what_cannot_be_read(self) -> None:
        self.cannot_be_read('health')
