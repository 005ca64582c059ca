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

"""A request that cannot be carried out gets one clear error."""

from typing import Any

from trove.common import cfg

from tests.functional import base
from tests.functional import cloud as clouds

CONF = cfg.CONF


class RefusalTest(base.TroveTest):
    """No taskmanager runs: trove-api refuses alone."""

    def refuse(self, code: int, words: str, **request: Any) -> None:
        response = self.create(**request)
        self.assertEqual(code, response.status_int, response.text)
        (error,) = response.json.values()
        self.assertIn(words, error['message'])
        self.assert_nothing_left()

    def instances(self, *changes: dict[str, Any]) -> list[dict[str, Any]]:
        """Three instances, each with its changes; None removes a key."""
        usual = {'flavorRef': '1', 'volume': {'size': 1},
                 'nics': [{'network_id': clouds.NETWORK}]}
        every = [{**usual, **change} for change in (*changes, {}, {}, {})]
        return [{key: value for key, value in instance.items()
                 if value is not None} for instance in every[:3]]

    def test_invalid_bodies_are_refused(self) -> None:
        for body, words in (
                (None, 'The body of the request'),
                ({}, 'The body of the request'),
                ([], 'The body of the request'),
                ('cluster', 'The body of the request'),
                (5, 'The body of the request'),
                ({'cluster': []}, 'is not of type'),
                ({'cluster': 5}, 'is not of type'),
                ({'clusters': {}}, 'is a required property')):
            response = self.request('POST', '/clusters', body)
            self.assertEqual(400, response.status_int, response.text)
            self.assertIn(words, response.text)

    def test_texts_that_the_tables_cannot_store_are_refused(self) -> None:
        for name in ('a\0b', 'a\ud800', 'an \U0001f418'):
            self.refuse(400, 'cannot be stored', name=name)

    def test_several_errors_are_reported_at_once(self) -> None:
        self.refuse(400, "['cluster']['locality'] 5 is not of type",
                    name=7, locality=5, instances={})

    def test_attributes_of_no_datastore_are_refused(self) -> None:
        for key in ('foo', 'return_inactive'):
            self.refuse(400, key, datastore={
                'type': 'mariadb', 'version': '10.11', key: True})

    def test_users_and_databases_are_refused(self) -> None:
        """A password could not be stored until the cluster is complete."""
        user = {'name': 'joe', 'password': 's3cret'}
        for what in ({'users': [user]}, {'databases': [{'name': 'shop'}]},
                     {'instances': self.instances({'users': [user]})}):
            self.refuse(400, 'openstack database user create MEMBER', **what)
        response = self.create(users=[user])
        self.assertNotIn('s3cret', response.text)

    def test_access_is_refused(self) -> None:
        for access in ({'is_public': True}, {'allowed_cidrs': ['10.0.0.0/8']},
                       {'is_public': False, 'allowed_cidrs': ['0.0.0.0/0']},
                       {'colour': 'red'}, 5, 'public'):
            for what in ({'access': access},
                         {'instances': self.instances({'access': access})}):
                self.refuse(400, 'access to the members', **what)

    def test_attributes_that_clusters_do_not_have_are_refused(self) -> None:
        """Nothing is ignored silently."""
        for what, place in (
                ({'colour': 'red'}, "'cluster.colour'"),
                ({'slave_of': 'x'}, "'cluster.slave_of'"),
                ({'extended_properties': {'num_mongos': 2}},
                 "'extended_properties.num_mongos'"),
                ({'instances': self.instances({'related_to': 'x'})},
                 "'instances[0].related_to'"),
                ({'instances': self.instances({}, {'volume': {
                    'size': 1, 'iops': 5}})}, "'instances[1].volume.iops'"),
                ({'instances': self.instances({'type': 'shard'})},
                 "instance type 'shard'"),
                ({'datastore': {'type': 'mariadb', 'version': '10.11',
                                'version_number': 5}}, 'a string, not 5')):
            self.refuse(400, place, **what)

    def test_two_instances_are_refused(self) -> None:
        self.refuse(400, 'must be at least 3', number=2)

    def test_no_instances_are_refused(self) -> None:
        self.refuse(400, 'must be at least 3', number=0)

    def test_minimum_number_is_an_option(self) -> None:
        self.override('min_cluster_member_count', 5, 'mariadb')
        self.refuse(400, 'must be at least 5', number=4)

    def test_different_volumes_are_refused(self) -> None:
        self.refuse(400, 'volume', instances=self.instances(
            {'volume': {'size': 2}}))

    def test_no_volume_is_refused(self) -> None:
        self.refuse(400, 'volume size is required',
                    instances=self.instances({'volume': None}))

    def test_volume_larger_than_allowed_is_refused(self) -> None:
        size = {'volume': {'size': CONF.max_accepted_volume_size + 1}}
        self.refuse(413, 'exceed', instances=self.instances(
            size, size, size))

    def test_unknown_flavor_is_refused(self) -> None:
        self.refuse(400, 'Flavor 77 cannot be found',
                    instances=self.instances({}, {'flavorRef': '77'}))

    def test_unknown_network_is_refused(self) -> None:
        unknown = [{'network_id': self.unknown_id()}]
        self.refuse(400, 'cannot be found',
                    instances=self.instances(*3 * [{'nics': unknown}]))

    def test_different_networks_are_refused(self) -> None:
        other = self.unknown_id()
        self.cloud.networks[other] = {'id': other}
        self.refuse(400, 'must be the same', instances=self.instances(
            {'nics': [{'network_id': other}]}))

    def test_no_network_is_refused_if_there_are_several(self) -> None:
        self.cloud.networks['other'] = {
            'id': 'other', 'project_id': base.PROJECT}
        self.refuse(400, 'Name the network',
                    instances=self.instances(*3 * [{'nics': None}]))

    def test_missing_image_is_refused(self) -> None:
        self.cloud.images.clear()
        self.refuse(400, 'does not exist in Glance')

    def test_inactive_image_is_refused(self) -> None:
        self.cloud.images[clouds.IMAGE]['status'] = 'queued'
        self.refuse(400, 'it is queued, not active')

    def test_unsupported_version_is_refused(self) -> None:
        self.add_datastore('mariadb', '5.5')
        self.refuse(400, '5.5', datastore={'type': 'mariadb',
                                           'version': '5.5'})

    def test_unknown_configuration_is_refused(self) -> None:
        self.refuse(404, 'could not be found',
                    configuration=self.unknown_id())

    def test_configuration_that_is_no_id_is_refused(self) -> None:
        for configuration in ([1], {'id': 1}, 10 ** 30, True):
            self.refuse(400, 'ID of a configuration group',
                        configuration=configuration)

    def test_name_that_would_be_too_long_is_refused(self) -> None:
        self.refuse(400, 'shorter cluster name', name='x' * 254)

    def test_quota_of_instances_is_enforced(self) -> None:
        self.refuse(413, "['instances']", number=11)

    def test_quota_of_ram_is_enforced(self) -> None:
        self.override('max_ram_per_tenant', 1000)
        self.refuse(413, 'ram', number=3)

    def test_quota_of_volumes_is_enforced(self) -> None:
        self.override('max_volumes_per_tenant', 2)
        self.refuse(413, 'volumes', number=3)

    def test_server_group_of_a_refused_request_is_deleted(self) -> None:
        self.refuse(400, 'must be at least 3', number=2,
                    locality='anti-affinity')
        self.assertIn('server_groups.create', self.cloud.calls)

    def test_cluster_of_another_project_is_not_found(self) -> None:
        created = self.create().json['cluster']
        for method in ('GET', 'DELETE'):
            response = self.request(
                method, f'/clusters/{created["id"]}', project='other')
            self.assertEqual(404, response.status_int, response.text)
