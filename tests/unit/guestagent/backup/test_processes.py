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

"""The process of a backup, as the agent sees it."""

import fixtures
import mock
import testtools

from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import processes
from trove_pxc import waiting

from tests.unit.galera import test_backups


class ProcessTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.logged = self.useFixture(fixtures.FakeLogger())
        patched = mock.patch.object(processes, 'WORKER',
                                    'tests.unit.guestagent.backup.echo')
        patched.start()
        self.addCleanup(patched.stop)
        self.process = processes.Process(
            'backup', 'b-1', {'order': 'o', 'password': 'Adm-1'},
            ['--config-dir=/etc/x'])
        self.process.start()
        self.addCleanup(self.end)

    def end(self) -> None:
        assert self.process._process is not None
        self.process._process.kill()
        self.process.wait(20)

    def told(self, text: str) -> None:
        def probe() -> None:
            if text not in self.process.progress().waits_for:
                raise waiting.NotYet(self.process.progress().waits_for)
        waiting.until(text, probe, 30, 0.02)

    def test_it_gets_the_order_through_a_pipe(self) -> None:
        self.assertEqual(backups.State.RUNNING,
                         self.process.progress().state)
        self.told('"order": "o"')
        # Its threads are not green, and it has the agent's configuration.
        self.told("1 ['--config-dir=/etc/x']")
        assert self.process._process is not None
        self.assertNotIn('Adm-1', str(self.process._process.args))
        self.assertNotIn('Adm-1', self.logged.output)

    def test_it_gets_new_tokens(self) -> None:
        self.process.renew(secret.Secret('token-2'))
        self.told('{"token": "token-2"}')

    def test_its_result_is_kept_when_it_has_ended(self) -> None:
        self.process.cancel('complete')
        self.process.wait(30)
        self.assertFalse(self.process.running)
        found = self.process.progress()
        self.assertEqual((backups.State.COMPLETE, test_backups.RESULT),
                         (found.state, found.result))
        self.process.renew(secret.Secret('late'))
        self.process.cancel()

    def test_the_next_one_may_start_while_it_ends(self) -> None:
        self.process.cancel('complete, but linger')

        def probe() -> None:
            if not self.process.progress().ended:
                raise waiting.NotYet('it runs')
        waiting.until('its result', probe, 30, 0.02)
        self.assertFalse(self.process.running)

    def test_one_that_dies_has_failed(self) -> None:
        self.process.cancel('die')
        self.process.wait(30)
        found = self.process.progress()
        self.assertEqual(backups.State.FAILED, found.state)
        self.assertIn('ended with 7', found.failed_because)

    def test_one_whose_output_cannot_be_read_has_failed(self) -> None:
        self.process.cancel('babble')
        self.process.wait(30)
        self.assertEqual(backups.State.FAILED, self.process.progress().state)
        self.assertIn('cannot be read', self.logged.output)

    def test_one_that_does_not_end_is_killed(self) -> None:
        self.told('order')
        self.process.cancel('ignore')
        self.process.look_after()
        self.assertTrue(self.process.running)
        with mock.patch.object(processes, '_CANCEL_SECONDS', 0):
            self.process.look_after()
        self.process.wait(30)
        self.assertIn('ended with -9', self.process.progress().failed_because)
