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

"""Request bodies of every kind: each request for clusters is answered."""

from typing import Any

from trove.common import wsgi

from tests.functional import base

JSON = 'application/json'


class BodiesTest(base.TroveTest):
    """No taskmanager runs; the cluster stays as it was created."""

    def setUp(self) -> None:
        super().setUp()
        self.url = '/clusters/' + self.create().json['cluster']['id']

    def send(self, method: str, path: str, body: bytes,
             kind: str = JSON) -> Any:
        request = wsgi.Request.blank(
            f'/{base.PROJECT}{path}', method=method, body=body,
            headers={'Content-Type': kind})
        context = self.context()
        context.limit = context.marker = None
        request.environ[wsgi.CONTEXT_KEY] = context
        return request.get_response(self.api)

    def check(self, code: int, words: str, method: str, path: str,
              body: bytes, kind: str = JSON) -> None:
        response = self.send(method, path, body, kind)
        self.assertEqual(code, response.status_int, (body, response.text))
        self.assertIn(words, response.text)

    def test_actions_without_a_body_are_refused(self) -> None:
        for body in (b'', b'{}', b'[]', b'null', b'5', b'"restart"',
                     b'[{"restart": {}}]'):
            self.check(400, 'The body of the request', 'POST', self.url,
                       body)
        self.check(400, 'must name one action', 'POST', self.url,
                   b'{"restart": {}, "resize": {}}')

    def test_unknown_actions_are_refused(self) -> None:
        self.check(400, 'not supported', 'POST', self.url,
                   b'{"add_shard": {"add_shard": {}}}')
        for body in (b'{"": {}}', b'{"x": null}', b'{"grow": 5}'):
            self.assertEqual(400, self.send(
                'POST', self.url, body).status_int, body)

    def test_actions_of_an_unknown_cluster_are_not_found(self) -> None:
        for place in (self.unknown_id(), 'x', 'a%00b'):
            self.check(404, 'not be found', 'POST', f'/clusters/{place}',
                       b'{"restart": {}}')

    def test_bodies_that_cannot_be_parsed_are_refused(self) -> None:
        for path in ('/clusters', self.url):
            for body in (b'{', b'\xff\xfe', b'[' * 20000,
                         b'{"a":' * 20000):
                self.check(400, '', 'POST', path, body)
            for kind in ('application/xml', 'text/plain'):
                self.check(415, '', 'POST', path, b'<a/>', kind)

    def test_unexpected_bodies_are_refused(self) -> None:
        member = self.show(self.url.split('/')[-1])['instances'][0]['id']
        for path in ('/clusters', self.url, f'{self.url}/members',
                     f'{self.url}/health', f'{self.url}/root',
                     f'{self.url}/instances/{member}',
                     f'/instances/{member}'):
            self.check(200, '', 'GET', path, b'{"limit": 5}')
        self.check(202, '', 'DELETE', self.url, b'{"force": true}')
