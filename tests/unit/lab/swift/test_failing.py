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
"""Requests that fail, break or are slow in the proxy of Swift."""

from collections.abc import Iterable
import io
from pathlib import Path
from typing import Any

from eventlet import wsgi
import fixtures
import mock
import testtools

from lab.swift import failing
from lab.swift import faults as swift_faults
from lab import waiting

BODY = b'x' * 1000


class Wire(io.BytesIO):
    """The body of a request, with the connection it comes from."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.broken = False

    def get_socket(self) -> 'Wire':
        return self

    def shutdown(self, how: int) -> None:
        self.broken = True


class FailingTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.useFixture(fixtures.TempDir()).path, 'x.json')
        self.stored: list[bytes] = []
        self.wire = Wire(b'')
        self.draws: list[float] = []
        self.filter = failing.Failing(
            self.store, self.file,
            lambda: self.draws.pop(0) if self.draws else 0.0)

    def store(self, environ: dict[str, Any],
              start: Any) -> Iterable[bytes]:
        """An object store that keeps each whole upload."""
        data = environ['wsgi.input'].read(300)
        body = data
        while data:
            data = environ['wsgi.input'].read(300)
            body += data
        if environ['REQUEST_METHOD'] == 'GET':
            start('200 OK', [('Content-Length', str(len(BODY)))])
            return [BODY[:400], BODY[400:]]
        if len(body) == int(environ['CONTENT_LENGTH'] or len(body)):
            self.stored.append(body)
        start('201 Created', [('Content-Length', '0')])
        return []

    def ask(self, method: str = 'PUT', path: str = '/v1/AUTH_demo/c/o',
            length: str | None = None) -> tuple[str, bytes]:
        """Status and body of the answer.

        :param length: what the request says; None: the truth
        """
        self.wire = Wire(BODY if method == 'PUT' else b'')
        answers: list[str] = []
        given = b''.join(self.filter({
            'REQUEST_METHOD': method, 'PATH_INFO': path,
            'CONTENT_LENGTH': (str(len(self.wire.getvalue()))
                               if length is None else length),
            'wsgi.input': self.wire, 'eventlet.input': self.wire,
        }, lambda status, headers, *others: answers.append(status)))
        return answers[0], given

    def set(self, **values: Any) -> None:
        swift_faults.store(self.file, swift_faults.Faults(**values))

    def test_no_fault(self) -> None:
        self.assertEqual('201 Created', self.ask()[0])
        self.assertEqual([BODY], self.stored)
        self.assertEqual(('200 OK', BODY), self.ask('GET'))

    def test_a_code_is_the_answer_and_nothing_is_stored(self) -> None:
        self.set(share=1, kinds=('507',))
        status, text = self.ask()
        self.assertEqual('507 Insufficient Storage', status)
        self.assertEqual(failing.MESSAGE, text)
        self.assertEqual([], self.stored)

    def test_each_code_has_a_reason(self) -> None:
        for code in swift_faults.CODES:
            self.set(share=1, kinds=(code,))
            self.assertEqual(code, self.ask()[0][:3])

    def test_a_share(self) -> None:
        self.set(share=0.5, kinds=('500', '503'))
        self.draws = [0.6]
        self.assertEqual('201 Created', self.ask()[0])
        self.draws = [0.4, 0.99]
        self.assertEqual('503 Service Unavailable', self.ask()[0])

    def test_only_some_requests(self) -> None:
        self.set(share=1, kinds=('503',), methods=('PUT',), text='/c/')
        self.assertEqual('200 OK', self.ask('GET')[0])
        self.assertEqual('201 Created', self.ask(path='/v1/x/d/o')[0])
        self.assertEqual('503 Service Unavailable', self.ask()[0])

    def test_at_most_so_many_times(self) -> None:
        for _ in range(2):
            self.set(share=1, kinds=('503',), times=2)
            self.assertEqual(
                ['503', '503', '201', '201'],
                [self.ask()[0][:3] for _ in range(4)])

    def test_an_upload_breaks_in_the_middle(self) -> None:
        self.set(share=1, kinds=(swift_faults.CUT,))
        self.assertRaises(wsgi.ChunkReadError, self.ask)
        self.assertTrue(self.wire.broken)
        self.assertEqual([], self.stored)
        self.assertLess(self.wire.tell(), len(BODY))

    def test_an_upload_in_chunks_never_ends(self) -> None:
        self.set(share=1, kinds=(swift_faults.CUT,))
        self.assertRaises(wsgi.ChunkReadError, self.ask, length='')
        self.assertTrue(self.wire.broken)
        self.assertEqual([], self.stored)

    def test_a_download_breaks_in_the_middle(self) -> None:
        self.set(share=1, kinds=(swift_faults.CUT,))
        self.assertEqual(('200 OK', BODY[:500]), self.ask('GET'))
        self.assertTrue(self.wire.broken)

    def test_another_request_breaks_before_it_begins(self) -> None:
        self.set(share=1, kinds=(swift_faults.CUT,))
        self.assertEqual('500', self.ask('DELETE')[0][:3])
        self.assertTrue(self.wire.broken)
        self.assertEqual([], self.stored)

    def test_the_answer_is_lost(self) -> None:
        self.set(share=1, kinds=(swift_faults.LOST,))
        self.ask()
        self.assertTrue(self.wire.broken)
        self.assertEqual([BODY], self.stored)

    def test_all_bodies_share_the_rate(self) -> None:
        self.set(rate=2000)
        with mock.patch.object(waiting, 'pause', autospec=True) as pause:
            self.ask()
            self.assertEqual([BODY], self.stored)
            self.ask('GET')
        waits = [call.args[0] for call in pause.call_args_list]
        self.assertAlmostEqual(1.0, max(waits), delta=0.1)

    def test_a_delay(self) -> None:
        self.set(delay=2.5)
        with mock.patch.object(waiting, 'pause', autospec=True) as pause:
            self.ask()
        pause.assert_called_once_with(2.5)
