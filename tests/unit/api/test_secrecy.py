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

"""Passwords of a request in the logs while it is answered."""

import logging
from typing import Any

import fixtures
import webob
import webob.dec

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import secrecy
from trove_pxc import masking


class SecrecyTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        masking.install()
        self.log = self.useFixture(fixtures.FakeLogger())

    def answer(self, request: Any) -> str:
        """Return what an application logs if it quotes the body."""
        @webob.dec.wsgify
        def application(inner: Any) -> webob.Response:
            logging.getLogger('anybody').info(
                'a body: %s', inner.body.decode(errors='replace'))
            return webob.Response(status=203)

        self.assertEqual(203, request.get_response(
            secrecy.Secrecy(application)).status_int)
        return str(self.log.output)

    def test_every_password_is_hidden(self) -> None:
        for body in ({'password': "s3cret'one"},
                     {'users': [{'name': 'joe', 'password': "s3cret'one"}]},
                     {'user': {'password': "s3cret'one"}}):
            said = self.answer(base.request('POST', '/x', body))
            self.assertIn('a body: ', said)
            self.assertNotIn('s3cret', said)

    def test_after_the_answer_nothing_is(self) -> None:
        self.answer(base.request('POST', '/x', {'password': 'ordinary'}))
        logging.getLogger('anybody').info('an ordinary day')
        self.assertIn('an ordinary day', self.log.output)

    def test_bodies_without_one(self) -> None:
        for body in (b'', b'{', b'\xff', b'[' * 100000, b'{"a": 1}'):
            request = base.request('POST', '/x')
            request.body = body
            self.answer(request)

    def test_more_than_can_be_hidden(self) -> None:
        """Each password takes time for each log line.

        Requests for other instances are still answered.
        """
        member = self.members(self.add_cluster())[0]
        alone = tables.add_instance(self.version, 'alone')
        for body, words in (
                ({'x': [{'password': 'a'}] * 101}, '101 passwords'),
                ({'x': 'a' * 262144, 'password': 'b'}, '262144 bytes')):
            for path in ('/clusters', '/clusters/c/root',
                         f'/instances/{member.id}/users'):
                answer = base.request('POST', path, body).get_response(
                    secrecy.Secrecy(self.fail))
                self.assertEqual(413, answer.status_int)
                self.assertIn(words, answer.json['overLimit']['message'])
            for path in ('/instances', '/clustersx',
                         f'/instances/{alone.id}/users'):
                self.answer(base.request('POST', path, body))
        self.answer(base.request('POST', '/x', {
            'x': [{'password': 'a'}] * 100}))
        self.answer(base.request('POST', '/x', {'x': 'a' * 262144}))
