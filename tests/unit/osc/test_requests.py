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

"""The paths of requests, and how answers are converted."""

import datetime
import json
import types
from typing import Any

import mock
from osc_lib import exceptions
from requests import models
import testtools
from troveclient import client
from troveclient import exceptions as trove_exceptions
from troveclient.v1 import clusters

from trove_pxc.osc import requests

CLUSTER = clusters.Cluster(None, {'id': 'an-id', 'name': 'c', 'instances': [
    {'id': 'id-1', 'name': 'c-1'}, {'id': 'id-2', 'name': 'c-2'}]})


class RequestsTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.client = mock.create_autospec(client.HTTPClient, instance=True)
        self.database = types.SimpleNamespace(client=self.client)

    def answers(self, body: Any, status: int = 200) -> None:
        response = models.Response()
        response.status_code = status
        response.headers['Content-Type'] = 'application/json'
        response._content = json.dumps(body).encode()
        self.client.get.return_value = response, body
        self.client.post.return_value = response, body


class FindTest(testtools.TestCase):

    def test_a_cluster_by_its_id(self) -> None:
        manager = mock.create_autospec(clusters.Clusters, instance=True)
        manager.resource_class = clusters.Cluster
        manager.get.return_value = CLUSTER
        database = types.SimpleNamespace(clusters=manager)
        self.assertIs(CLUSTER, requests.find_cluster(database, 'an-id'))
        manager.get.assert_called_once_with('an-id')

    def test_a_cluster_that_there_is_not(self) -> None:
        manager = mock.create_autospec(clusters.Clusters, instance=True)
        manager.resource_class = clusters.Cluster
        for look in (manager.get, manager.find):
            look.side_effect = trove_exceptions.NotFound(404)
        manager.list.return_value = []
        self.assertRaises(
            exceptions.CommandError, requests.find_cluster,
            types.SimpleNamespace(clusters=manager), 'none')

    def test_a_member_by_name_or_id(self) -> None:
        for name_or_id in ('c-2', 'id-2'):
            self.assertEqual({'id': 'id-2', 'name': 'c-2'},
                             requests.find_member(CLUSTER, name_or_id))

    def test_a_member_that_there_is_not(self) -> None:
        error = self.assertRaises(
            exceptions.CommandError, requests.find_member, CLUSTER, 'c')
        self.assertEqual('c is not a member of cluster c. Its members are: '
                         'c-1, c-2', str(error))


class ReadTest(RequestsTestCase):

    def test_members(self) -> None:
        self.answers({'members': ({'id': 'id-1'},)})
        self.assertEqual([{'id': 'id-1'}],
                         requests.members(self.database, CLUSTER))
        self.client.get.assert_called_once_with('/clusters/an-id/members')

    def test_health(self) -> None:
        self.answers({'health': {'state': 'DOWN'}})
        self.assertEqual({'state': 'DOWN'},
                         requests.health(self.database, CLUSTER))
        self.client.get.assert_called_once_with('/clusters/an-id/health')

    def test_the_cluster_as_it_is_now(self) -> None:
        self.answers({'cluster': {'name': 'c'}})
        self.assertEqual({'name': 'c'},
                         requests.show(self.database, CLUSTER))
        self.client.get.assert_called_once_with('/clusters/an-id')

    def test_a_fault(self) -> None:
        self.answers({'instance': {'fault': {
            'message': 'no\n room', 'created': '2026-01-02T03:04:05'}}})
        self.assertEqual(
            ('no room', datetime.datetime(2026, 1, 2, 3, 4, 5)),
            requests.fault(self.database, 'id-1'))
        self.client.get.assert_called_once_with('/instances/id-1')

    def test_no_fault(self) -> None:
        for instance in ({}, {'fault': None}, {'fault': {}}):
            self.answers({'instance': instance})
            self.assertIsNone(requests.fault(self.database, 'id-1'))

    def test_a_refusal(self) -> None:
        self.answers({'unprocessableEntity': {'message': 'gone'}}, 422)
        for ask in (requests.members, requests.health, requests.show):
            error = self.assertRaises(
                trove_exceptions.UnprocessableEntity, ask, self.database,
                CLUSTER)
            self.assertIn('gone', str(error))


class ActTest(RequestsTestCase):

    def test_an_action(self) -> None:
        self.answers(None, 202)
        requests.act(self.database, CLUSTER, 'resize', {'flavorRef': '2'})
        self.client.post.assert_called_once_with(
            '/clusters/an-id', body={'resize': {'flavorRef': '2'}})

    def test_a_refusal(self) -> None:
        self.answers({'badRequest': {'message': 'no such flavor'}}, 400)
        error = self.assertRaises(
            trove_exceptions.BadRequest, requests.act, self.database,
            CLUSTER, 'resize', {})
        self.assertIn('no such flavor', str(error))


class ClusterOfTest(RequestsTestCase):

    def test_the_cluster_of_a_member(self) -> None:
        self.client.get.side_effect = [
            (None, {'instance': {'cluster_id': 'an-id'}}),
            (None, {'cluster': {'id': 'an-id'}})]
        with mock.patch.object(requests.common, 'check_for_exceptions'):
            self.assertEqual(
                {'id': 'an-id'}, requests.cluster_of(self.database, 'id-1'))
        self.assertEqual(
            ['/instances/id-1', '/clusters/an-id'],
            [call.args[0] for call in self.client.get.mock_calls])

    def test_no_cluster_any_more(self) -> None:
        self.assertIsNone(requests.cluster_of(self.database, None))
        self.answers({'instance': {}})
        self.assertIsNone(requests.cluster_of(self.database, 'id-1'))
        self.client.get.side_effect = trove_exceptions.NotFound(404)
        self.assertIsNone(requests.cluster_of(self.database, 'id-1'))
