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

"""How the body of a request is read, for any body."""

from typing import Any

import mock
import testtools
from trove.common import base_exception
from trove.common import extensions
from trove.common import wsgi
import webob
import webob.dec

from tests.unit.api import base
from tests.unit.api import test_ownership
from tests.unit import tables
from trove_pxc.api import routes


@webob.dec.wsgify
def behind(request: Any) -> webob.Response:
    """The application behind the routes; it returns the body."""
    return webob.Response(status=203, json_body={
        'path': request.path_info, 'method': request.method,
        'body': request.body.decode()})


class Alone:
    """An extension manager with one route, for Trove's middleware."""

    def __init__(self, resource: Any) -> None:
        self.resource = resource

    def get_resources(self) -> list[Any]:
        return [self.resource]

    def get_actions(self) -> list[Any]:
        return []

    get_request_extensions = get_actions


class DeserializerTest(testtools.TestCase):

    def read(self, body: bytes, content_type: str = 'application/json'
             ) -> object:
        request = base.request('POST')
        request.body = body
        request.headers['Content-Type'] = content_type
        return routes.Deserializer().deserialize_body(request, 'create')

    def test_json(self) -> None:
        self.assertEqual({'body': {'a': 1}}, self.read(b'{"a": 1}'))

    def test_no_body(self) -> None:
        self.assertEqual({}, self.read(b''))

    def test_what_is_no_json(self) -> None:
        for body in (b'{', b'"\xff"'):
            error = self.assertRaises(
                base_exception.MalformedRequestBody, self.read, body)
            self.assertIn('JSON', str(error))

    def test_what_troves_own_would_end_with(self) -> None:
        said = 'Malformed message body: it cannot be read as JSON'
        self.assertEqual(said, str(self.assertRaises(
            base_exception.MalformedRequestBody, self.read, b'[' * 200000)))
        undecodable = UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'x')
        with mock.patch.object(
                wsgi.RequestDeserializer, 'deserialize_body', autospec=True,
                side_effect=undecodable):
            self.assertEqual(said, str(self.assertRaises(
                base_exception.MalformedRequestBody, self.read, b'x')))

    def test_xml(self) -> None:
        for kind in ('application/xml', 'text/xml'):
            self.assertRaises(
                base_exception.InvalidContentType,
                routes.Deserializer().get_body_deserializer, kind)


class ResourceTest(testtools.TestCase):

    def test_it_has_the_deserializer(self) -> None:
        controller = wsgi.Controller()
        parent = {'member_name': 'a', 'collection_name': 'b'}
        made = routes.Resource('things', controller, parent=parent,
                               member_actions={'update': 'PUT'})
        self.assertIsInstance(made.deserializer, routes.Deserializer)
        self.assertEqual(
            ('things', controller, parent, {'update': 'PUT'}),
            (made.collection, made.controller, made.parent,
             made.member_actions))


class Controller(wsgi.Controller):
    """Answers every request."""

    def create(self, req: Any, tenant_id: str, body: Any) -> Any:
        return {'ours': body}

    def show(self, req: Any, tenant_id: str, id: str) -> Any:
        return {'ours': id}


class ConcernsTest(base.ApiTestCase):
    """Requests of others are passed on unchanged."""

    def ask(self, concerns: Any, request: Any) -> Any:
        return request.get_response(extensions.TroveExtensionMiddleware(
            behind, Alone(routes.Resource(
                '{tenant_id}/things', Controller(), concerns))))

    def test_discovery(self) -> None:
        answer = self.ask(lambda request, args: True,
                          base.request('POST', '/things', {'a': 1}))
        self.assertEqual({'ours': {'a': 1}}, answer.json)

    def test_of_others(self) -> None:
        path = '/things/a.json?b=c'
        for body in (b'{"a": 1}', b'{', b'\xc3\xa4'):
            request = base.request('PUT', path)
            request.body = body
            answer = self.ask(lambda request, args: False, request)
            self.assertEqual(203, answer.status_int)
            self.assertEqual(
                {'path': f'/{base.PROJECT}/things/a.json', 'method': 'PUT',
                 'body': body.decode()}, answer.json)

    def test_what_the_path_says(self) -> None:
        asked: list[Any] = []

        def concerns(request: Any, args: Any) -> bool:
            asked.append(args)
            return True
        self.ask(concerns, base.request('GET', '/things/a'))
        self.assertEqual([{'tenant_id': base.PROJECT, 'id': 'a',
                           'action': 'show'}], asked)

    def test_members(self) -> None:
        member = self.members(self.add_cluster())[0]
        alone = tables.add_instance(self.version, 'alone')
        for args, ours in (
                ({'id': member.id}, True), ({'instance_id': member.id}, True),
                ({'instance_id': member.id, 'id': 'a user'}, True),
                ({'id': alone.id}, False), ({'id': 'none'}, False),
                ({}, False)):
            self.assertEqual(ours, routes.members(base.request(), args))

    def test_clusters(self) -> None:
        row = self.add_cluster()
        for key in ('id', 'cluster_id', 'instance_id'):
            self.assertTrue(routes.clusters(
                base.request(), {key: row.id}))
            self.assertTrue(routes.clusters(base.request(), {key: 'none'}))
        self.assertTrue(routes.clusters(base.request(), {}))
        self.override('api_strategy', test_ownership.OF_ANOTHER_PACKAGE,
                      'mariadb')
        self.assertFalse(routes.clusters(base.request(), {'id': row.id}))
