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

"""The process of a backup, from its own side."""

import io
import json
import signal
import subprocess
import sys
import threading
import uuid

import fixtures
import testtools

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.guestagent.backup import making
from trove_pxc.guestagent.backup import restoring
from trove_pxc.guestagent.backup import worker

from tests.unit.galera import test_backups
from tests.unit.guestagent.backup import test_job
from tests.unit.guestagent.backup import test_member

PROGRAM = """
from trove_pxc.guestagent.backup import worker
told = worker.own_output()
print('a log', flush=True)
print('progress', file=told, flush=True)
"""


class WorkTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.said = io.StringIO()
        self.hold = threading.Event()
        self.addCleanup(self.hold.set)
        self.job = test_job.Work(None)

    def lines(self, *words: object) -> 'worker.Iterator[str]':
        """The agent's words; then it goes on, after its first report."""
        yield from map(json.dumps, words)
        while not self.said.getvalue():
            self.hold.wait(0.01)
        self.job.go_on.set()
        self.hold.wait(30)

    def last(self) -> backups.Progress:
        return backups.Progress.from_dict(
            json.loads(self.said.getvalue().splitlines()[-1]))

    def test_it_tells_its_progress_and_its_result(self) -> None:
        worker.work(self.job, self.lines(), self.said, 60)
        first = json.loads(self.said.getvalue().splitlines()[0])
        self.assertEqual('running', first['state'])
        self.assertEqual(test_backups.RESULT, self.last().result)

    def test_it_takes_new_tokens(self) -> None:
        worker.work(self.job, self.lines({'token': 'token-2'}), self.said, 60)
        self.assertEqual('token-2', self.job._token.current.reveal())

    def test_it_is_cancelled_with_the_reason(self) -> None:
        worker.work(self.job, self.lines({'cancel': 'the server ended'}),
                    self.said, 60)
        self.assertEqual('the server ended', self.last().failed_because)

    def test_it_ends_with_its_agent(self) -> None:
        self.hold.set()
        worker.work(self.job, iter(()), self.said, 60)
        self.assertTrue(self.job.interrupted)

    def test_it_ends_when_the_system_stops_the_agent(self) -> None:
        signals: list[int] = []
        threading.Timer(0.2, signals.append, [signal.SIGTERM]).start()
        worker.work(self.job, iter(self.hold.wait, True), self.said, 60,
                    signals)
        self.assertEqual('the guest agent was stopped',
                         self.last().failed_because)

    def test_it_ends_without_progress(self) -> None:
        threading.Timer(3, self.job.go_on.set).start()
        worker.work(self.job, iter(self.hold.wait, True), self.said, 0.1)
        self.assertIn('no progress', self.last().failed_because)


class StartedTest(test_member.BackupMemberTestCase):

    def begun(self) -> dict[str, object]:
        job = self.member._job
        assert job is not None
        found: dict[str, object] = json.loads(json.dumps(job._started))
        return found

    def test_it_makes_the_backup_of_the_agent(self) -> None:
        self.member.start_backup(self.order(rate_mb=7))
        job, stall_seconds = worker.started(self.begun(), self.engine.client)
        assert isinstance(job, making.BackupJob)
        self.assertEqual(self.order(rate_mb=7), job._order)
        self.assertEqual(1800, stall_seconds)

    def test_it_makes_the_restore_of_the_agent(self) -> None:
        self.engine.holds(status='created')
        self.member.start_restore(test_member.RestoreTest.ORDER)
        job, _ = worker.started(self.begun(), self.engine.client)
        self.assertIsInstance(job, restoring.RestoreJob)


class AloneTest(testtools.TestCase):

    def test_it_waits_for_the_end_of_an_earlier_one(self) -> None:
        name = f'\0{uuid.uuid4()}'
        earlier = worker.alone(name)
        self.assertRaises(exceptions.DeadlineExceeded, worker.alone, name, 0)
        threading.Timer(0.2, earlier.close).start()
        worker.alone(name, 30).close()


class OutputTest(testtools.TestCase):

    def test_a_log_does_not_disturb_the_progress(self) -> None:
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', PROGRAM],
            capture_output=True, text=True, timeout=120)
        self.assertEqual('progress\n', done.stdout)
        self.assertIn('a log', done.stderr)
