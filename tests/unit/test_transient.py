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

"""Which errors are temporary, and how they are described."""

from cinderclient import exceptions as cinder
import fixtures
from glanceclient import exc as glance
from keystoneauth1 import exceptions as keystone
from neutronclient.common import exceptions as neutron
from novaclient import exceptions as nova
from oslo_db import exception as db
from sqlalchemy import exc as sqlalchemy
import testtools

from tests.unit import clock
from trove_pxc import exceptions
from trove_pxc import transient
from trove_pxc import waiting

MAY_PASS = (
    (nova.ClientException(503, 'busy'), 'Nova answers 503: busy (HTTP 503)'),
    (nova.ClientException(500, 'a\n b'), 'Nova answers 500: a b (HTTP 500)'),
    (cinder.ClientException(504, 'late'),
     'Cinder answers 504: late (HTTP 504)'),
    (neutron.ServiceUnavailable(), 'Neutron answers 503: '),
    (neutron.NeutronClientException(message='slow down', status_code=429),
     'Neutron answers 429: slow down'),
    (neutron.ConnectionFailed(reason='reset'),
     'Neutron does not answer: Connection to neutron failed: reset'),
    (glance.HTTPServiceUnavailable('busy'), 'Glance answers 503: '),
    (glance.CommunicationError('refused'),
     'Glance does not answer: refused'),
    (glance.InvalidEndpoint('timed out'), 'Glance does not answer: timed'),
    (keystone.ConnectTimeout('http://n:8774/ timed out'),
     'the cloud does not answer: http://n:8774/ timed out'),
    (keystone.ConnectFailure('refused'), 'the cloud does not answer: '),
    (keystone.UnknownConnectionError('cut', OSError()),
     'the cloud does not answer: '),
    (keystone.ServiceUnavailable(), 'the cloud answers 503: '),
    (ConnectionResetError('reset'), 'the cloud does not answer: reset'),
    (TimeoutError(), 'the cloud does not answer: TimeoutError'),
    (sqlalchemy.TimeoutError('QueuePool limit'), "Trove's database: "),
    (db.DBDeadlock(Exception('try again')), "Trove's database: try again"),
)
STAY = (
    nova.NotFound(404), nova.Conflict(409), nova.Forbidden(403),
    nova.OverLimit(413), nova.ClientException(501), cinder.BadRequest(400),
    neutron.PortNotFoundClient(), neutron.OverQuotaClient(),
    neutron.SslCertificateValidationError(reason='self-signed'),
    glance.HTTPNotFound(), keystone.SSLError('self-signed'),
    keystone.Unauthorized(), keystone.EndpointNotFound(),
    db.DBDuplicateEntry(), ValueError('no'), OSError('disk'),
    exceptions.ClusterInconsistent('two'))


class ReasonTest(testtools.TestCase):

    def test_what_may_pass(self) -> None:
        for error, words in MAY_PASS:
            self.assertIsInstance(error, transient.KINDS)
            told = transient.reason(error)
            self.assertTrue(told.startswith(words), (words, told))

    def test_what_stays(self) -> None:
        for error in STAY:
            self.assertEqual('', transient.reason(error), repr(error))

    def test_no_statement_of_the_database_is_told(self) -> None:
        inner = sqlalchemy.OperationalError(
            'SELECT x', {'password': 'very-secret'},
            Exception('Lost connection'))
        for error in (db.DBConnectionError(inner),
                      db.DBConnectionError(Exception(str(inner)))):
            told = transient.reason(error)
            self.assertIn('Lost connection', told)
            self.assertNotIn('very-secret', told)
            self.assertNotIn('SELECT', told)


class AwaitedTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            format='%(levelname)s %(message)s'))
        self.clock = self.useFixture(clock.Clock())

    def until(self, *answers: object) -> object:
        left = iter(answers)

        def probe() -> object:
            answer = next(left)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return waiting.until('it', transient.awaited('it', probe), 3, 1)

    def test_it_is_waited_for(self) -> None:
        self.assertEqual(7, self.until(
            nova.ClientException(503), waiting.NotYet('no'),
            neutron.ConnectionFailed(reason='x'), 7))
        self.assertEqual(3, self.clock.now)

    def test_each_reason_is_logged_once_as_a_warning(self) -> None:
        self.until(nova.ClientException(503), nova.ClientException(503),
                   cinder.ClientException(500), 1)
        self.assertEqual(2, self.log.output.count('WARNING'))
        self.assertIn('Nova answers 503: Unknown Error (HTTP 503); still '
                      'waiting for it', self.log.output)

    def test_the_error_names_what_was_last_seen(self) -> None:
        late = self.assertRaises(
            exceptions.DeadlineExceeded, self.until,
            *[nova.ClientException(503, 'busy')] * 9)
        self.assertIn('last observed: Nova answers 503: busy', str(late))
        self.assertTrue(transient.unavailable(late))

    def test_what_was_seen_of_a_member_is_no_service_that_fails(self) -> None:
        late = self.assertRaises(
            exceptions.DeadlineExceeded, self.until,
            nova.ClientException(503), *[waiting.NotYet('down')] * 9)
        self.assertFalse(transient.unavailable(late))
        self.assertFalse(transient.unavailable(None))

    def test_an_error_that_stays_ends_the_wait(self) -> None:
        self.assertRaises(nova.NotFound, self.until, nova.NotFound(404))
        self.assertEqual(0, self.clock.now)


class OutlastedTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.calls: list[float] = []

    def late(self) -> None:
        """Wait for a minute, then for a service."""
        self.calls.append(self.clock.now)
        if len(self.calls) == 1:
            waiting.pause(60)
        raise nova.ClientException(503, 'busy')

    def test_the_seconds_begin_with_the_first_error(self) -> None:
        error = self.assertRaises(
            exceptions.DeadlineExceeded,
            transient.outlasted, 'Nova', self.late, 3, 1)
        self.assertIn('Nova answers 503', str(error))
        self.assertEqual([0, 61, 62, 63], self.calls)

    def test_what_it_returns(self) -> None:
        self.assertEqual(5, transient.outlasted('Nova', lambda: 5, 3, 1))
        self.assertEqual([], self.clock.pauses)
