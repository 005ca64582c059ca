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
"""The lab's Swift through Trove's client: tenants, tokens, and each fault."""

import time
from typing import Any

from lab import home as lab_home
from lab.services import base
from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import objects

CONTAINER = 'of-the-tests'
TEXT = 'The quick brown fox. ' * 1000
NO_ANSWER = 0


class TestSwift(case.TestCase):
    """All tests share a client of the project demo."""

    client: objects.Client
    token: str

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program = objects.client(laboratory.home())
        cls.client = program.__enter__()
        cls.addClassCleanup(program.__exit__, None, None, None)
        cls.token = cls.client.token('demo')
        cls.client.ask('demo', cls.token, 'put_container', CONTAINER)

    def setUp(self):
        super().setUp()
        self.put('an-object', TEXT)

    def ask(self, method: str, *arguments: Any) -> Any:
        return self.client.ask('demo', self.token, method, CONTAINER,
                               *arguments)

    def put(self, name: str, text: str) -> None:
        self.ask('put_object', name, text)

    def get(self, name: str = 'an-object') -> str:
        return str(self.ask('get_object', name))

    def names(self) -> list[str]:
        return [one['name'] for one in self.ask('get_container')]

    def check_fails(self, status: int, method: str, *arguments: Any) -> None:
        failed = self.assertRaises(objects.Failed, self.ask, method,
                                   *arguments)
        self.assertEqual(status, failed.status, str(failed))

    def expired(self) -> bool:
        """Whether Swift refuses the token."""
        try:
            self.get()
        except objects.Failed as failed:
            self.assertEqual(401, failed.status, str(failed))
            return True
        raise waiting.NotYet('it is valid')

    def fault(self, *words: str) -> None:
        """Set a fault until the end of the test."""
        self.addCleanup(laboratory.lab, 'swift', 'heal')
        laboratory.lab('swift', *words)

    def test_a_round_trip(self):
        self.assertEqual(TEXT, self.get())
        self.ask('put_in_chunks', 'an-object', TEXT * 2)
        self.assertEqual(TEXT * 2, self.get())
        self.assertIn('an-object', self.names())
        self.ask('delete_object', 'an-object')
        self.check_fails(404, 'get_object', 'an-object')

    def test_guests_reach_it_at_each_address_of_the_controller(self):
        for address in lab_home.CONTROLLER_ADDRESSES:
            host = f'[{address}]' if ':' in address else address
            self.assertTrue(base.answers_http(
                laboratory.home(),
                f'http://{host}:{lab_home.SWIFT_PORT}/healthcheck'), address)

    def test_another_tenant_is_refused(self):
        stranger = self.client.token('other')
        for method, arguments in (
                ('get_account', ()), ('get_container', (CONTAINER,)),
                ('get_object', (CONTAINER, 'an-object')),
                ('put_object', (CONTAINER, 'an-object', 'x')),
                ('delete_object', (CONTAINER, 'an-object'))):
            failed = self.assertRaises(
                objects.Failed, self.client.ask, 'demo', stranger, method,
                *arguments)
            self.assertEqual(403, failed.status, str(failed))
        self.assertEqual(TEXT, self.get())

    def test_a_token_expires(self):
        failed = self.assertRaises(
            objects.Failed, self.client.ask, 'demo', 'AUTH_ftkforged',
            'get_account')
        self.assertEqual(401, failed.status, str(failed))
        self.addCleanup(laboratory.lab, 'swift', 'tokens', '--default')
        laboratory.lab('swift', 'tokens', '--seconds', '1')
        # The test may reach this line in the second of the first request.
        waiting.until('the token to expire', self.expired, 10, 0.5)
        fresh = self.client.token('demo')
        self.assertEqual(TEXT, self.client.ask(
            'demo', fresh, 'get_object', CONTAINER, 'an-object'))

    def test_it_is_stopped(self):
        self.fault('stop')
        self.check_fails(NO_ANSWER, 'get_object', 'an-object')
        self.assertEqual('down', laboratory.status()['services'][
            'swift-proxy'])
        laboratory.lab('swift', 'start')
        self.assertEqual(TEXT, self.get())

    def test_it_hangs(self):
        self.fault('freeze', '--part', 'proxy')
        began = time.monotonic()
        self.check_fails(NO_ANSWER, 'get_object', 'an-object')
        self.assertGreaterEqual(time.monotonic() - began,
                                objects.PATIENCE - 0.1)
        laboratory.lab('swift', 'thaw')
        self.assertEqual(TEXT, self.get())

    def test_it_is_slow(self):
        self.fault('slow', '--kib', '64')
        began = time.monotonic()
        self.put('slow', 'x' * 2 * 64 * 1024)
        self.assertGreaterEqual(time.monotonic() - began, 1.9)

    def test_it_is_full(self):
        """Downloads and deletions go on."""
        self.put('another', TEXT)
        self.fault('full')
        self.check_fails(503, 'put_object', 'a-third', TEXT)
        self.assertEqual(TEXT, self.get())
        self.ask('delete_object', 'another')
        laboratory.lab('swift', 'heal')
        self.put('a-third', TEXT)

    def test_a_share_of_the_requests_fails(self):
        self.fault('fail', '--share', '1', '--kind', '507', '--method', 'PUT')
        self.check_fails(507, 'put_object', 'an-object', 'x')
        self.assertEqual(TEXT, self.get())
        laboratory.lab('swift', 'fail', '--share', '0.5', '--kind', '500')
        codes = set()
        for _ in range(30):
            try:
                self.get()
                codes.add(200)
            except objects.Failed as failed:
                codes.add(failed.status)
        self.assertEqual({200, 500}, codes)

    def test_the_connection_breaks(self):
        self.fault('fail', '--share', '1', '--kind', 'cut')
        self.check_fails(NO_ANSWER, 'put_object', 'broken', TEXT * 10)
        self.check_fails(NO_ANSWER, 'put_in_chunks', 'broken', TEXT)
        self.check_fails(NO_ANSWER, 'get_object', 'an-object')
        laboratory.lab('swift', 'heal')
        self.assertNotIn('broken', self.names())

    def test_the_answer_is_lost(self):
        self.fault('fail', '--share', '1', '--kind', 'lost', '--method',
                   'PUT', '--times', '1')
        self.check_fails(NO_ANSWER, 'put_object', 'lost', TEXT)
        self.assertEqual(TEXT, self.get('lost'))
        self.put('lost', TEXT)

    def test_an_object_is_damaged(self):
        """The server notices it when it has sent the object."""
        laboratory.lab('swift', 'corrupt', CONTAINER, 'an-object')
        damaged = self.get()
        self.assertEqual(len(TEXT), len(damaged))
        self.assertNotEqual(TEXT, damaged)
        self.check_fails(404, 'get_object', 'an-object')
        self.assertIn('an-object', self.names())

    def test_an_object_is_missing(self):
        laboratory.lab('swift', 'lose', CONTAINER, 'an-object')
        self.check_fails(404, 'get_object', 'an-object')
        self.assertIn('an-object', self.names())
        refused = self.assertRaises(laboratory.Refused, laboratory.lab,
                                    'swift', 'lose', CONTAINER, 'an-object')
        self.assertIn('there is no object', str(refused))
