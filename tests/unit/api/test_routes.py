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

"""What is read of a request, whatever its sender writes."""

import mock
import testtools
from trove.common import base_exception
from trove.common import wsgi

from tests.unit.api import base
from trove_pxc.api import routes


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
