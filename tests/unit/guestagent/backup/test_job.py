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

"""A job that runs, ends, fails and is cancelled."""

import threading

import fixtures
import mock
import testtools

from oslo_concurrency import processutils

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import job

from tests.unit import clock
from tests.unit.galera import test_backups


class Work(job.Job):
    """Does what the test says."""

    def __init__(self, do: object) -> None:
        super().__init__('backup', 'b-1', test_backups.STORE)
        self._do = do
        self.go_on = threading.Event()
        self.interrupted = False

    def _work(self) -> backups.Result:
        self._at(backups.Step.COPY)
        if isinstance(self._do, BaseException):
            raise self._do
        self.go_on.wait(10)
        self._at(backups.Step.STORE)
        return test_backups.RESULT

    def _interrupt(self) -> None:
        self.interrupted = True
        self.go_on.set()

    def _mask(self, text: str) -> str:
        return text.replace('Adm-1', '***')


class JobTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.logged = self.useFixture(fixtures.FakeLogger())

    def ended(self, work: Work) -> backups.Progress:
        work.start()
        work.go_on.set()
        work.wait(10)
        self.assertFalse(work.running)
        return work.progress()

    def test_a_complete_one_has_its_result(self) -> None:
        found = self.ended(Work(None))
        self.assertEqual((backups.State.COMPLETE, test_backups.RESULT, ''),
                         (found.state, found.result, found.failed_because))
        self.assertIn('complete', self.logged.output)

    def test_a_running_one_tells_its_step(self) -> None:
        work = Work(None)
        work.start()
        self.addCleanup(work.wait, 10)
        self.addCleanup(work.go_on.set)
        self.assertTrue(work.running)
        self.assertEqual(backups.State.RUNNING, work.progress().state)

    def test_each_failure_has_its_reason_and_advice(self) -> None:
        for failure, reason, advice in (
                (exceptions.BackupStoreFailed('quota'), 'quota', 'store'),
                (exceptions.BackupUnusable('damaged'), 'damaged', 'another'),
                (exceptions.ServerNotAnswering('silence'), 'silence',
                 'health show'),
                (exceptions.BackupToolFailed('Error'), 'Error', 'log'),
                (OSError(28, 'no space'), 'no space', 'log'),
                (ValueError('no number'), 'no number', 'log'),
                (processutils.ProcessExecutionError(stderr='sudo: no'),
                 'sudo: no', 'log')):
            found = self.ended(Work(failure))
            self.assertEqual((backups.State.FAILED, backups.Step.COPY),
                             (found.state, found.step))
            self.assertIn(reason, found.failed_because)
            self.assertIn(advice, found.next_action)

    def test_passwords_are_masked(self) -> None:
        found = self.ended(Work(exceptions.BackupToolFailed('of Adm-1')))
        self.assertEqual('of ***', found.failed_because)
        self.assertNotIn('Adm-1', self.logged.output)

    def test_an_unexpected_error_is_a_failure_too(self) -> None:
        with mock.patch.object(threading, 'excepthook',
                               autospec=True) as hook:
            found = self.ended(Work(KeyError('x')))
        self.assertEqual(backups.State.FAILED, found.state)
        self.assertIn('unexpected', found.failed_because)
        hook.assert_called_once()

    def test_a_cancelled_one_ends_at_its_next_step(self) -> None:
        work = Work(None)
        work.start()
        work.cancel()
        self.assertTrue(work.interrupted)
        work.go_on.set()
        work.wait(10)
        self.assertEqual('the backup was cancelled',
                         work.progress().failed_because)

    def test_one_without_progress_is_ended(self) -> None:
        now = self.useFixture(clock.Clock())
        work = Work(None)
        work.start()
        work.look_after(100)
        now.advance(90)
        work.data_bytes = 5
        work.look_after(100)
        now.advance(90)
        work.look_after(100)
        self.assertFalse(work.interrupted)
        now.advance(20)
        work.look_after(100)
        self.assertTrue(work.interrupted)
        work.go_on.set()
        work.wait(10)
        self.assertIn('made no progress for 100 s',
                      work.progress().failed_because)

    def test_a_new_token_ends_the_wait_for_one(self) -> None:
        work = Work(None)
        work._token.refuse(test_backups.STORE.token)
        self.assertTrue(work.progress().token_refused)
        work.renew(secret.Secret('token-2'))
        self.assertFalse(work.progress().token_refused)
