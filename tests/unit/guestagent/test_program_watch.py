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

"""The workarounds for faults that the log of a server shows."""

from collections.abc import Iterator
import shutil

from trove_pxc.galera import catalogue
from trove_pxc.galera.series import dotted
from trove_pxc.galera import serverlog
from trove_pxc.galera import workarounds

from tests.unit.galera import logs
from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import A_MOMENT
from tests.unit.guestagent.starting import FOR_EVER
from tests.unit.guestagent.starting import NIL
from tests.unit.guestagent.starting import UUID

FORGED = ('2026-11-28 16:50:14 9 [Warning] Access denied for user '
          '"[ERROR] WSREP: Inconsistency detected: me"@"10.0.0.9"')


class WatchTestCase(starting.StartTestCase):

    def servers(self, workaround: str, on: bool) -> Iterator[str]:
        """Install each series for which a workaround is on, or off.

        :returns: '_8' for a series whose log has the format of 8.x, or ''.
        """
        (known,) = (known for known in workarounds.WORKAROUNDS
                    if known.name == workaround)
        for series in catalogue.DIALECTS:
            if known.is_on(series) is on:
                self.install(series.manager, dotted(series.version))
                yield '_8' if series.version[0] == 8 else ''
                for folder in (self.data, self.transfer):
                    shutil.rmtree(folder)
                    folder.mkdir()


class CommitAfterVoteTest(WatchTestCase):

    def votes_out(self, *lines: str, uuid: str = NIL,
                  then: str = FOR_EVER) -> None:
        """A Synced server that logs this, and then confirms to clients."""
        self.database()
        self.grastate(uuid=uuid)
        self.logs(*lines, then=f'{then}\ntouch $FAKE/told-clients')

    def tells_clients(self) -> bool:
        return (self.fake / 'told-clients').exists()

    def test_the_server_is_killed_before_it_tells_clients(self) -> None:
        for log_format in self.servers('commit-after-vote', on=True):
            vote = logs.VOTES[1 if log_format else 0]
            left = logs.LEFT_8 if log_format else logs.LEFT
            self.votes_out(vote, 'still here', left)
            done = self.start()
            self.assertEqual(137, done.returncode)
            self.assertFalse(self.tells_clients())
            self.assertTrue(self.is_evicted())
            self.assertIn(f'\n{vote}\nstill here\n', done.stderr)
            self.assertIn(left, done.stderr)    # before the shell's "Killed"
            self.assertIn('[ERROR] this member was evicted', done.stderr)

    def test_nothing_is_done_where_the_fault_is_not(self) -> None:
        for _ in self.servers('commit-after-vote', on=False):
            self.votes_out(logs.VOTES[0], logs.LEFT, then=A_MOMENT)
            self.assertEqual(0, self.start().returncode)
            self.assertTrue(self.tells_clients())
            self.assertFalse(self.is_evicted())

    def test_a_server_that_removes_its_state_when_it_is_voted_out(
            self) -> None:
        """PXC 8.4.11 does so with repl.force_sst_after_inconsistency."""
        self.votes_out(logs.VOTES[1], logs.LEFT_8)
        (self.data / 'grastate.dat').unlink()
        self.assertEqual(137, self.start().returncode)
        self.assertTrue(self.is_evicted())

    def test_a_server_that_leaves_in_order_is_not_killed(self) -> None:
        for lines in ((logs.LEFT,), (logs.VOTES[0],), (FORGED, logs.LEFT)):
            self.votes_out(*lines, then=A_MOMENT)
            self.assertEqual(0, self.start().returncode)
            self.assertTrue(self.tells_clients())
            (self.fake / 'told-clients').unlink()
            (self.data / 'mysql').rmdir()

    def test_the_log_alone_does_not_ask_for_a_full_transfer(self) -> None:
        self.votes_out(logs.VOTES[0], logs.LEFT, uuid=UUID)
        self.assertEqual(137, self.start().returncode)
        self.assertFalse(self.is_evicted())


class StalledExchangeTest(WatchTestCase):

    def test_the_server_is_killed(self) -> None:
        for log_format in self.servers('stalled-state-exchange', on=True):
            self.logs(
                logs.COMPONENT,
                logs.NO_EXCHANGE_8 if log_format else logs.NO_EXCHANGE,
                then=FOR_EVER)
            done = self.start()
            self.assertEqual(137, done.returncode)
            self.assertIn('accepts no writes', serverlog.telling_line(
                done.stderr))
            self.assertFalse(self.is_evicted())

    def test_nothing_is_done_where_the_fault_is_not(self) -> None:
        for _ in self.servers('stalled-state-exchange', on=False):
            self.logs(logs.COMPONENT, logs.NO_EXCHANGE, then=A_MOMENT)
            self.assertEqual(0, self.start().returncode)

    def test_nothing_is_done_if_the_component_changes(self) -> None:
        """The wait ends when the whole log has been read."""
        self.command('#!/bin/sh\n[ "$1" = 0.5 ] || while ! grep -q LAST '
                     '"$FAKE/stderr"; do /bin/sleep 0.02; done\n'
                     'exec /bin/sleep 0.05\n', 'sleep')
        self.logs(logs.COMPONENT, logs.NO_EXCHANGE, logs.COMPONENT, 'LAST',
                  then=A_MOMENT)
        self.assertEqual(0, self.start().returncode)


class HangAfterShutdownTest(WatchTestCase):

    def test_the_server_is_killed(self) -> None:
        for _ in self.servers('hang-after-shutdown', on=True):
            self.logs('2014-11-05 21:18:22 9 [ERROR] unknown variable x=1',
                      '2014-11-05 21:18:22 9 [ERROR] Aborting',
                      logs.SHUT_DOWN, then=FOR_EVER)
            done = self.start()
            self.assertEqual(137, done.returncode)
            self.assertIn('did not end though it has shut down', done.stderr)
            self.assertIn('unknown variable',
                          serverlog.telling_line(done.stderr))

    def test_nothing_is_done_where_the_fault_was_never_seen(self) -> None:
        for log_format in self.servers('hang-after-shutdown', on=False):
            self.logs(logs.SHUT_DOWN_8 if log_format else logs.SHUT_DOWN,
                      then=A_MOMENT)
            done = self.start()
            self.assertEqual(0, done.returncode)
            self.assertNotIn('[ERROR]', done.stderr)

    def test_a_server_that_ends_in_time_is_not_killed(self) -> None:
        self.command('#!/bin/sh\n[ "$1" = 10 ] && exec /bin/sleep 2\n'
                     'exec /bin/sleep 0.05\n', 'sleep')
        for _ in self.servers('hang-after-shutdown', on=True):
            self.logs(logs.SHUT_DOWN, then=A_MOMENT)
            done = self.start()
            self.assertEqual(0, done.returncode)
            self.assertNotIn('[ERROR]', done.stderr)
