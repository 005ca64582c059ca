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

"""Names of members, and the requests for members as instances."""

from typing import Any

from trove.configuration import models as configuration_models

from tests.functional import base
from tests.functional import cloud as clouds
from trove_pxc.galera import view


def wanted(*names: Any) -> list[dict[str, Any]]:
    """Instances as a request gives them, some of them with a name."""
    instance = {'flavorRef': '1', 'volume': {'size': 1},
                'nics': [{'network_id': clouds.NETWORK}]}
    return [instance if name is None else dict(instance, name=name)
            for name in names]


class NamesTest(base.TroveTest):

    def names(self, instances: list[Any], **changes: Any) -> list[str]:
        """The names of the members of such a cluster, in order."""
        response = self.create(instances=instances, **changes)
        self.assertEqual(200, response.status_int, response.text)
        shown = self.show(response.json['cluster']['id'])
        self.assertEqual(response.json['cluster']['instances'],
                         shown['instances'])
        return [member['name'] for member in shown['instances']]

    def refuse(self, words: str, instances: list[Any],
               **changes: Any) -> None:
        response = self.create(instances=instances, **changes)
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn(words, response.text)
        self.assert_nothing_left()

    def test_numbers_follow_the_order_of_the_request(self) -> None:
        self.assertEqual(['products-1', 'products-2', 'products-3'],
                         self.names(wanted(None, None, None)))

    def test_a_given_name_is_kept_in_its_place(self) -> None:
        self.assertEqual(
            ['products-1', 'reports', 'products-3'],
            self.names(wanted(None, 'reports', None)))

    def test_all_given_names_keep_their_order(self) -> None:
        names = ['zeus', 'products-7', 'ares', 'hera']
        self.assertEqual(names, self.names(wanted(*names)))

    def test_names_are_accepted_as_an_extended_property(self) -> None:
        """The way to give names where the OSC extension is not installed."""
        self.assertEqual(
            ['a', 'products-2', 'products-3'],
            self.names(wanted(None, None, None), extended_properties={
                'instance_names': ['a', None, None]}))

    def test_a_duplicate_name_is_refused(self) -> None:
        self.refuse('same name', wanted('a', 'a', None))
        self.refuse('same name', wanted(None, 'products-1', None))

    def test_invalid_names_are_refused(self) -> None:
        for name in (5, '', ' ', 'x' * 256, ['a']):
            self.refuse('is not a valid name', wanted(name, None, None))
        self.refuse('must be a list', wanted(None, None, None),
                    extended_properties={'instance_names': 'abc'})


class MemberAsInstanceTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        cluster_id = self.create().json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.member = self.instance_rows(cluster_id)[0]

    def test_a_replica_is_refused(self) -> None:
        before = self.used()
        response = self.request('POST', '/instances', {'instance': {
            'name': 'replica', 'replica_of': self.member.id,
            'nics': [{'net-id': clouds.NETWORK}]}})
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn('products-1', response.text)
        self.assertIn('cannot have replicas', response.text)
        self.assertEqual(before, self.used())

    def test_a_replica_of_a_member_of_another_project_is_not_found(
            self) -> None:
        """The answer does not reveal that it is a member, nor whose."""
        response = self.request('POST', '/instances', {'instance': {
            'name': 'replica', 'replica_of': self.member.id}},
            project='other')
        self.assertNotIn('products', response.text)

    def test_harmful_updates_are_refused(self) -> None:
        rules = dict(self.cloud.rules)
        for method, change, reason in (
                ('PUT', {'access': {'is_public': True}}, 'cut it off'),
                ('PUT', {'access': {'allowed_cidrs': []}}, 'cut it off'),
                ('PUT', {'datastore_version': '10.6'}, 'of only one member'),
                ('PATCH', {'access': {'is_public': True}}, 'not allowed'),
                *((method, change, 'to a whole cluster')
                  for method in ('PUT', 'PATCH') for change in (
                      {'configuration': self.group()},
                      {'configuration': None}, {}))):
            response = self.request(method, f'/instances/{self.member.id}',
                                    {'instance': change})
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn(reason, response.text, (method, change))
        self.assertEqual(rules, self.cloud.rules)

    def test_the_name_of_another_member_is_refused(self) -> None:
        url = f'/instances/{self.member.id}'
        other = self.instance_rows(self.member.cluster_id)[1]
        self.assertEqual('products-2', other.name)
        for method in ('PUT', 'PATCH'):
            response = self.request(
                method, url, {'instance': {'name': other.name}})
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn(f'another member of its cluster has this name '
                          f'({other.id})', response.text)
        for name in (self.member.name, 'renamed', 'products-4'):
            response = self.request('PUT', url, {'instance': {'name': name}})
            self.assertEqual(202, response.status_int, response.text)

    def group(self) -> str:
        """A configuration group of the member's datastore version."""
        found = configuration_models.Configuration.create(
            'group', '', base.PROJECT, None,
            self.member.datastore_version_id)
        configuration_models.Configuration.create_items(
            found.id, {'sort_buffer_size': 1})
        return str(found.id)

    def test_a_configuration_group_is_refused(self) -> None:
        for action in ({'configuration_attach': {'configuration_id':
                                                 self.group()}},
                       {'configuration_detach': {}}):
            response = self.request(
                'POST', f'/clusters/{self.member.cluster_id}', action)
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn('A configuration group cannot be', response.text)

    def test_configuration_shows_the_values_of_the_server(self) -> None:
        url = f'/instances/{self.member.id}/configuration'
        self.assertEqual(
            {'instance': {'configuration': {'wsrep_node_name':
                                            'products-1'}}},
            self.request('GET', url).json)
        self.member.update(configuration_id=self.group())
        self.assertEqual(
            {'wsrep_node_name': 'products-1', 'sort_buffer_size': '1'},
            self.request('GET', url).json['instance']['configuration'])

    def test_configuration_is_refused_if_the_server_is_down(self) -> None:
        self.galera.named('products-1').server = (
            view.ServerState.STOPPED)
        response = self.request(
            'GET', f'/instances/{self.member.id}/configuration')
        self.assertEqual(422, response.status_int, response.text)
        self.assertIn('products-1', response.text)
        self.assertIn('nobody listens', response.text)

    def test_deletion_of_one_member_is_refused(self) -> None:
        response = self.request('DELETE', f'/instances/{self.member.id}')
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn('openstack database cluster shrink', response.text)
        self.assertEqual('', self.fault(self.member.id))

    def test_actions_of_instances_are_refused_for_a_member(self) -> None:
        url = f'/instances/{self.member.id}/action'
        for body, words in (
                ({'restart': {}}, 'cluster restart CLUSTER --member MEMBER'),
                ({'resize': {'flavorRef': '2'}}, 'cluster resize flavor'),
                ({'resize': {'volume': {'size': 2}}}, 'resize volume'),
                ({'promote_to_replica_source': {}}, 'already take writes'),
                ({'eject_replica_source': {}}, 'it has no replicas'),
                ({'dance': {}}, "An instance has no action 'dance'. Its "
                 'actions are restart, resize,'),
                ({'restart': {}, 'resize': {}}, 'must name one action'),
                ({'resize': {}}, 'Validation error'),
                ({'resize': 5}, 'Validation error'),
                ({'reset_status': 5}, 'Validation error'),
                ({}, 'a JSON object'),
                ([], 'a JSON object'), (None, 'a JSON object')):
            response = self.request('POST', url, body)
            self.assertEqual(400, response.status_int, (body, response.text))
            self.assertIn(words, response.json['badRequest']['message'])
        self.assertEqual(404, self.request(
            'POST', f'/instances/{self.unknown_id()}/action',
            {'restart': {}}).status_int)

    def test_an_instance_of_percona_xtradb_cluster_is_refused(self) -> None:
        self.add_datastore('pxc', '8.0')
        before = self.used()
        for version, words in (('8.0', 'only available as a cluster'),
                               ('none', 'cannot be found')):
            response = self.request('POST', '/instances', {'instance': {
                'name': 'single', 'flavorRef': '1', 'volume': {'size': 1},
                'datastore': {'type': 'pxc', 'version': version},
                'nics': [{'net-id': clouds.NETWORK}]}})
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn(words, response.text)
        self.assertEqual(before, self.used())

    def test_other_requests_are_handled_by_trove(self) -> None:
        url = f'/instances/{self.member.id}'
        ours = self.api
        for method, path, body, code in (
                ('GET', '/instances', None, 200),
                ('GET', '/instances/detail', None, 200),
                ('GET', f'{url}/configuration', None, 200),
                ('PATCH', url, {'instance': {'name': 'renamed'}}, 202),
                ('PUT', url, {'instance': {'name': 'products-1'}}, 202),
                ('GET', f'/instances/{self.unknown_id()}', None, 404),
                ('POST', '/instances', {'instance': {'name': 'x'}}, 400)):
            for api in (ours, base.trove_api.API()):
                self.api = api
                response = self.request(method, path, body)
                self.assertEqual(code, response.status_int,
                                 f'{method} {path}: {response.text}')
