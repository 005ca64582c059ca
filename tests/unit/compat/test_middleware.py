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

"""Contract: where Trove's middleware stores the next application."""

from typing import Any

import fixtures
import testtools
from trove.common import extensions
from trove.common import wsgi
import webob
import webob.dec

from trove_pxc.compat import middleware


@webob.dec.wsgify
def behind(request: Any) -> webob.Response:
    """The next application; it returns the body."""
    return webob.Response(status=203, text=request.body.decode())


class Deserializer(wsgi.RequestDeserializer):
    """Passes requests on that do not have "ours" in the query."""

    def deserialize(self, request: Any) -> Any:
        if 'ours' not in request.GET:
            middleware.hand_on(request)
        return super().deserialize(request)


class Controller(wsgi.Controller):

    def create(self, req: Any, body: Any) -> Any:
        return {'ours': body}


class Manager:
    """The interface of an extension manager, for Trove's middleware."""

    def get_resources(self) -> list[Any]:
        resource = extensions.ResourceExtension('things', Controller())
        resource.deserializer = Deserializer()
        return [resource]

    def get_actions(self) -> list[Any]:
        return []

    get_request_extensions = get_actions


class HandOnTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.api = extensions.TroveExtensionMiddleware(behind, Manager())

    def ask(self, query: str = '') -> Any:
        request = wsgi.Request.blank(
            f'/things{query}', method='POST', body=b'{"a": 1}',
            headers={'Content-Type': 'application/json'})
        return request.get_response(self.api)

    def test_discovery(self) -> None:
        self.assertEqual({'ours': {'a': 1}}, self.ask('?ours=1').json)

    def test_handed_on_as_it_came(self) -> None:
        answer = self.ask()
        self.assertEqual((203, '{"a": 1}'), (answer.status_int, answer.text))

    def test_missing(self) -> None:
        """Then the controller of the route answers."""
        self.useFixture(fixtures.MonkeyPatch(
            'trove_pxc.compat.middleware._BEHIND', 'elsewhere'))
        self.assertEqual({'ours': {'a': 1}}, self.ask().json)
        self.assertIn('This package answers POST /things', self.log.output)
