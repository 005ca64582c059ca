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

"""The reporter continues after failures of the broker and its own."""

import threading

import fixtures
import mock
import oslo_messaging as messaging

from trove_pxc.guestagent import reporter
from trove_pxc.guestagent import status as statuses

from tests.unit.guestagent import fakes


class ReporterTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.logged = self.useFixture(fixtures.FakeLogger())
        self.status = mock.create_autospec(
            statuses.MemberStatus, instance=True)
        self.status.at_rest = False
        self.report = self.status.report_member
        self.wait = mock.Mock()
        self.reporter = reporter.Reporter(self.status, self.wait, 'mariadb')

    def test_an_outage_is_logged_once_and_survived(self) -> None:
        self.report.side_effect = [
            messaging.MessageDeliveryFailure('no broker'),
            messaging.MessagingTimeout('no broker'), None,
            messaging.MessageDeliveryFailure('again')]
        for _ in range(3):
            self.reporter.turn()
        self.assertEqual(1, self.logged.output.count('no broker'))
        self.reporter.turn()
        self.assertIn('again', self.logged.output)

    def test_it_pauses_as_long_as_it_is_told(self) -> None:
        self.config.config(group='mariadb', status_look_interval=1.5)
        self.wait.side_effect = [None, None, Ended]
        self.assertRaises(Ended, self.reporter._run)
        self.assertEqual([mock.call(1.5)] * 3, self.wait.call_args_list)
        self.assertEqual(3, self.report.call_count)

    def test_it_pauses_for_longer_while_nothing_changes(self) -> None:
        self.status.at_rest = True
        self.wait.side_effect = Ended
        self.assertRaises(Ended, self.reporter._run)
        self.wait.assert_called_once_with(4)

    def test_it_begins_again_after_what_ended_it(self) -> None:
        caught = mock.patch.object(threading, 'excepthook', autospec=True)
        hook = caught.start()
        self.addCleanup(caught.stop)
        self.report.side_effect = Ended
        self.reporter.keep_on()
        self.reporter._thread.join(10)
        self.reporter.keep_on()
        self.reporter._thread.join(10)
        self.assertEqual(2, self.report.call_count)
        self.assertEqual(2, hook.call_count)

    def test_there_is_one_of_it(self) -> None:
        over = threading.Event()

        def report() -> None:
            over.wait()
            raise SystemExit
        self.report.side_effect = report
        self.reporter.keep_on()
        first = self.reporter._thread
        self.addCleanup(first.join)
        self.addCleanup(over.set)
        self.reporter.keep_on()
        self.assertIs(first, self.reporter._thread)


class Ended(Exception):
    """An unexpected error."""
