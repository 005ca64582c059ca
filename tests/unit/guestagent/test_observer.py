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

"""The state of a server: starting, running, hanging, crashed, stopped."""

import datetime
import time
from typing import Any

import mock
import testtools

from trove_pxc.galera import view
from trove_pxc.guestagent import container
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import observer
from trove_pxc import waiting

from tests.unit.galera import samples

SYNCED = view.NodeView.from_status(samples.SYNCED)
# The status of MariaDB 10.11 after its volume was full.
EVICTED = view.NodeView.from_status({
    'wsrep_local_state': '5', 'wsrep_local_state_comment': 'Inconsistent',
    'wsrep_cluster_size': '0', 'wsrep_cluster_status': 'Disconnected',
    'wsrep_connected': 'OFF', 'wsrep_ready': 'OFF'})
STARTS = 'galera-start: starting /usr/sbin/mariadbd, position none, order none'
# The log of MariaDB 10.11 about a member that hung in its state transfer.
REJECTED = ('2026-11-28 13:35:46 0 [Warning] WSREP: Rejecting JOIN message '
            'from 0.0 (big-3): new State Transfer required.')
# The same for a joiner whose donor had just joined by a transfer.
GAVE_UP = ('2026-11-28 14:02:13 5 [ERROR] WSREP: Receiving IST failed, node '
           "restart required: IST receiver reported failure: 'IST didn't "
           "contain all write sets, expected last: 28282 last received: "
           "28260' (71)")
State = view.ServerState


def ago(seconds: int) -> str:
    then = (datetime.datetime.now(datetime.timezone.utc)
            - datetime.timedelta(seconds=seconds))
    return then.strftime('%Y-%m-%dT%H:%M:%S.123456789Z')


class ObserverTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.container = mock.create_autospec(
            container.DatabaseContainer, instance=True)
        self.admin = mock.create_autospec(database.Database, instance=True)
        self.admin.view.return_value = SYNCED
        self.container.last_lines.return_value = ['mysqld: [ERROR] disk full']
        self.container.programs.return_value = ['mariadbd --wsrep_on']
        self.observer = observer.Observer(self.container)
        self.docker(status='running')

    def docker(self, status: str, started_at: str = ago(60),
               **more: object) -> None:
        self.container.look.return_value = container.Seen(
            status, started_at=started_at, **more)  # type: ignore[arg-type]

    def state(self) -> view.ServerState:
        return self.observer.observe(self.admin).state

    def test_a_server_that_answers_runs(self) -> None:
        seen = self.observer.observe(self.admin)
        self.assertEqual((State.RUNNING, SYNCED, ''), seen[:3])

    def test_what_docker_says_of_one_that_does_not_run(self) -> None:
        for status, exit_code, state in (
                ('absent', None, State.ABSENT),
                ('created', 0, State.ABSENT),
                ('created', 128, State.CRASHED),
                ('exited', 0, State.STOPPED),
                ('exited', 137, State.CRASHED),
                ('restarting', 0, State.CRASHED),
                ('dead', 1, State.CRASHED),
                ('paused', 0, State.UNRESPONSIVE)):
            self.docker(status=status, exit_code=exit_code)
            self.assertEqual(state, self.state(), status)
        self.admin.view.assert_not_called()

    def test_a_crash_tells_its_code_and_last_error(self) -> None:
        self.docker(status='exited', exit_code=1)
        seen = self.observer.observe(self.admin)
        self.assertEqual(('mysqld: [ERROR] disk full', 1), seen[2:4])

    def test_docker_s_own_error_counts_first(self) -> None:
        self.docker(status='created', exit_code=128, error='no folder')
        self.assertEqual('no folder',
                         self.observer.observe(self.admin).error)

    def test_a_clean_stop_has_no_error(self) -> None:
        self.docker(status='exited', exit_code=0)
        self.assertEqual('', self.observer.observe(self.admin).error)

    def test_without_passwords_it_starts(self) -> None:
        self.assertEqual(State.STARTING, self.observer.observe(None).state)

    def test_nobody_listens_yet(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.assertEqual(State.STARTING, self.state())

    def test_a_server_that_closes_the_connection_does_not_hang(self) -> None:
        """So does one that is stopped, until its process has ended."""
        self.state()
        self.admin.view.side_effect = database.SessionEnded('')
        self.assertEqual(State.STARTING, self.state())

    def test_a_loop_of_short_starts_is_a_crash(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.docker(status='running', restarts=2, started_at=ago(1))
        seen = self.observer.observe(self.admin)
        self.assertEqual((State.CRASHED, 'mysqld: [ERROR] disk full'),
                         (seen.state, seen.error))

    def test_a_loop_is_one_though_the_log_tells_nothing(self) -> None:
        """The server is killed at each start, because memory is full."""
        self.admin.view.side_effect = database.NobodyListens('')
        self.container.last_lines.return_value = []
        self.docker(status='running', restarts=2, started_at=ago(12))
        self.assertEqual(State.CRASHED, self.state())

    def test_it_tells_how_often_docker_has_started_it(self) -> None:
        for status in ('running', 'restarting', 'exited'):
            self.docker(status=status, restarts=4, exit_code=1)
            self.assertEqual(4, self.observer.observe(self.admin).restarts)

    def test_who_dies_at_each_start_is_told_in_time(self) -> None:
        """It runs for a moment, and is observed every two seconds.

        Docker waits 100 ms, then twice as long each time.
        """
        self.admin.view.side_effect = database.NobodyListens('')
        for lives in (0.2, 1.0, 4.0):
            told, now = [], 0.0
            while now < lives + 10:
                now += 2
                self.docker(**self.dying(now, lives))
                told.append(self.state())
            self.assertEqual(State.CRASHED, told[-1], lives)

    def dying(self, now: float, lives: float) -> Any:
        """The state in Docker at a time after the first start."""
        began, waits, restarts = 0.0, 0.1, 0
        while True:
            if now < began + lives:
                return {'status': 'running', 'restarts': restarts,
                        'exit_code': 0, 'started_at': ago(int(now - began))}
            if now < began + lives + waits:
                return {'status': 'restarting', 'restarts': restarts,
                        'exit_code': 1}
            began, waits = began + lives + waits, waits * 2
            restarts += 1

    def test_one_restart_is_no_loop(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.docker(status='running', restarts=1, started_at=ago(1))
        self.assertEqual(State.STARTING, self.state())

    def test_a_start_after_a_crash_tells_of_the_crash(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.container.last_lines.return_value = [
            '11:40:21 UTC - mysqld got signal 11 ;', STARTS]
        for restarts, error in ((0, ''), (1, 'mysqld got signal 11 ;')):
            self.docker(status='running', restarts=restarts,
                        started_at=ago(300))
            seen = self.observer.observe(self.admin)
            self.assertEqual(State.STARTING, seen.state)
            self.assertTrue(seen.error.endswith(error), seen.error)
            self.assertEqual(bool(error), bool(seen.error))

    def test_a_long_transfer_after_old_crashes_is_a_start(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.docker(status='running', restarts=5, started_at=ago(60))
        self.assertEqual(State.STARTING, self.state())

    def test_restarts_before_the_last_answer_are_no_loop(self) -> None:
        self.docker(status='running', restarts=3, started_at=ago(60))
        self.state()
        self.admin.view.side_effect = database.NobodyListens('')
        self.docker(status='running', restarts=4, started_at=ago(1))
        self.assertEqual(State.STARTING, self.state())
        self.docker(status='running', restarts=5, started_at=ago(1))
        self.assertEqual(State.CRASHED, self.state())
        # after a start by the agent: Docker resets its count
        self.docker(status='running', restarts=0, started_at=ago(1))
        self.assertEqual(State.STARTING, self.state())
        self.docker(status='running', restarts=2, started_at=ago(1))
        self.assertEqual(State.CRASHED, self.state())

    def test_who_receives_the_data_does_not_answer_yet(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        for line, receives in (
                ("sh -c wsrep_sst_mariabackup --role 'joiner' --address '10'",
                 True),
                ('/bin/bash -ue /usr/bin/wsrep_sst_rsync --role joiner', True),
                ("wsrep_sst_mariabackup --role 'donor' --address '10'",
                 False),
                ('mariadbd --wsrep_sst_method=rsync', False)):
            self.container.programs.return_value = ['mariadbd', line]
            seen = self.observer.observe(self.admin)
            self.assertEqual((State.STARTING, receives),
                             (seen.state, seen.receiving), line)

    def test_a_transfer_after_crashes_is_a_transfer_with_a_past(self) -> None:
        self.admin.view.side_effect = database.NobodyListens('')
        self.container.programs.return_value = [
            "wsrep_sst_rsync --role 'joiner'"]
        self.docker(status='running', restarts=2, started_at=ago(1))
        seen = self.observer.observe(self.admin)
        self.assertEqual((State.STARTING, True, 'mysqld: [ERROR] disk full'),
                         (seen.state, seen.receiving, seen.error))

    def test_silence_after_an_answer_is_a_hang(self) -> None:
        self.state()
        self.admin.view.side_effect = database.NoAnswerInTime('silent')
        seen = self.observer.observe(self.admin)
        self.assertEqual((State.UNRESPONSIVE, 'silent'),
                         (seen.state, seen.error))

    def test_silence_at_first_is_a_start_but_not_for_ever(self) -> None:
        self.admin.view.side_effect = database.NoAnswerInTime('')
        self.assertEqual(
            [State.STARTING, State.STARTING, State.UNRESPONSIVE],
            [self.state() for _ in range(3)])

    def test_the_answers_of_an_earlier_start_do_not_count(self) -> None:
        self.state()
        self.docker(status='running', started_at=ago(1))
        self.admin.view.side_effect = database.NoAnswerInTime('')
        self.assertEqual(State.STARTING, self.state())

    def test_a_refusal_is_an_answer(self) -> None:
        self.admin.view.side_effect = database.Refused('1040 too many')
        seen = self.observer.observe(self.admin)
        self.assertEqual((State.RUNNING, None, '1040 too many'), seen[:3])

    def test_one_that_was_evicted_is_known_until_its_next_start(self) -> None:
        self.assertFalse(self.observer.evicted('/'))
        self.admin.view.return_value = EVICTED
        self.observer.observe(self.admin)
        self.assertTrue(self.observer.evicted('/'))
        self.docker(status='running', started_at=ago(1))
        self.assertFalse(self.observer.evicted('/'))

    def test_one_that_was_evicted_and_stopped_needs_no_stop(self) -> None:
        self.admin.view.return_value = EVICTED
        self.observer.observe(self.admin)
        self.docker(status='exited', exit_code=0)
        self.assertFalse(self.observer.evicted('/'))

    @mock.patch.object(files.os, 'statvfs', autospec=True)
    def test_a_full_volume_comes_before_a_new_start(self, statvfs) -> None:
        self.admin.view.return_value = EVICTED
        self.observer.observe(self.admin)
        statvfs.return_value = mock.Mock(f_bavail=1, f_frsize=4096)
        self.assertFalse(self.observer.evicted('/volume'))
        statvfs.assert_called_once_with('/volume')
        statvfs.return_value.f_bavail = 100_000
        self.assertTrue(self.observer.evicted('/volume'))

    def joins(self, seconds: float, *lines: str,
              component: str = 'Primary') -> bool:
        """Whether a joiner with this log needs a restart after this time."""
        self.admin.view.return_value = view.NodeView.from_status(
            {**samples.SYNCED, 'wsrep_local_state': '1',
             'wsrep_cluster_status': component,
             'wsrep_local_state_comment': 'Joining', 'wsrep_ready': 'OFF'})
        self.container.last_lines.return_value = list(lines)
        with mock.patch('time.monotonic', autospec=True) as clock:
            clock.return_value = 100.0
            self.observer.observe(self.admin)
            clock.return_value += seconds
            self.observer.observe(self.admin)
            clock.return_value += 1
            self.observer.observe(self.admin)
        return self.observer.evicted('/')

    def test_one_whose_word_was_not_taken_is_out_for_good(self) -> None:
        self.assertTrue(self.joins(31, STARTS, REJECTED))
        self.docker(status='running', started_at=ago(1))
        self.assertFalse(self.observer.evicted('/'))

    def test_one_that_gave_up_is_out_for_good(self) -> None:
        self.assertTrue(self.joins(31, STARTS, GAVE_UP,
                                   component='non-Primary'))

    def test_a_joiner_that_lost_the_others_is_left_alone(self) -> None:
        """Its last view may help the members to find each other."""
        self.assertFalse(self.joins(3600, STARTS, REJECTED,
                                    component='non-Primary'))

    def test_one_that_was_counted_anew_may_yet_get_in(self) -> None:
        self.assertFalse(self.joins(20, STARTS, REJECTED))
        self.admin.view.return_value = SYNCED
        self.observer.observe(self.admin)
        self.assertFalse(self.joins(20, STARTS, REJECTED))

    def test_one_that_gets_much_that_it_missed_is_let(self) -> None:
        self.assertFalse(self.joins(3600, STARTS, 'Receiving IST... 1.0%'))

    def test_what_was_said_of_the_start_before_does_not_count(self) -> None:
        self.assertFalse(self.joins(3600, STARTS, REJECTED, STARTS))

    def test_one_out_of_the_primary_component_is_not_evicted(self) -> None:
        self.admin.view.return_value = view.NodeView.from_status({
            'wsrep_local_state': '0', 'wsrep_cluster_status': 'non-Primary'})
        self.observer.observe(self.admin)
        self.assertFalse(self.observer.evicted('/'))


class GlanceTest(ObserverTest):
    """All that observe() finds, over a session that stays open."""

    def setUp(self) -> None:
        super().setUp()
        self.session = mock.create_autospec(database.Session, instance=True)
        self.session.view.side_effect = lambda: self.admin.view()
        self.admin.session.return_value = self.session
        self.observer.observe = (        # type: ignore[method-assign]
            self.observer.glance)

    def attached(self) -> None:
        self.docker(status='running', restarts=1)
        self.assertEqual(State.RUNNING, self.state())
        self.container.reset_mock()
        self.admin.reset_mock()

    def test_a_server_that_answers_costs_no_call_of_docker(self) -> None:
        self.attached()
        seen = [self.observer.glance(self.admin) for _ in range(3)]
        self.assertEqual(
            [observer.Observation(State.RUNNING, SYNCED, restarts=1,
                                  giving=False, same_server=True)] * 3, seen)
        self.container.look.assert_not_called()
        self.admin.session.assert_not_called()
        self.assertTrue(self.observer.container_state().at_work)
        self.container.look.assert_not_called()

    def test_an_ended_session_is_replaced(self) -> None:
        self.attached()
        self.session.view.side_effect = [database.SessionEnded(''), SYNCED]
        seen = self.observer.glance(self.admin)
        self.assertEqual((State.RUNNING, False),
                         (seen.state, seen.same_server))
        self.session.close.assert_called_once_with()
        self.admin.session.assert_called_once_with()
        self.assertGreaterEqual(self.container.look.call_count, 1)

    def test_a_server_that_was_killed_is_seen(self) -> None:
        self.attached()
        self.session.view.side_effect = database.SessionEnded('')
        self.docker(status='exited', exit_code=137)
        self.assertEqual(State.CRASHED, self.state())
        self.assertEqual('exited', self.observer.container_state().status)

    def test_a_frozen_server_is_asked_once(self) -> None:
        """Each question lasts for seconds."""
        self.attached()
        self.session.view.side_effect = database.NoAnswerInTime('')
        self.assertEqual(State.UNRESPONSIVE, self.state())
        self.admin.session.assert_not_called()
        self.session.close.assert_called_once_with()

    def test_a_paused_container_is_seen(self) -> None:
        self.attached()
        self.session.view.side_effect = database.NoAnswerInTime('')
        self.docker(status='paused')
        self.assertEqual(State.UNRESPONSIVE, self.state())

    def test_a_session_with_an_earlier_server_is_not_kept(self) -> None:
        """The server was restarted while the session was opened."""
        self.container.look.side_effect = [
            container.Seen('running', started_at=ago(seconds))
            for seconds in (60, 1)]
        self.state()
        self.session.close.assert_called_once_with()
        self.container.look.side_effect = None
        self.docker(status='running', started_at=ago(1))
        self.assertEqual(ago(1)[:19],
                         self.observer.container_state().started_at[:19])

    def test_a_session_that_gets_no_answer_is_closed(self) -> None:
        self.session.view.side_effect = database.NoAnswerInTime('')
        self.state()
        self.session.close.assert_called_once_with()

    def test_it_logs_in_again_on_demand(self) -> None:
        self.attached()
        self.observer.log_in_again()
        self.admin.session.side_effect = self.refused()
        seen = self.observer.glance(self.admin)
        self.assertEqual((State.RUNNING, None, True),
                         (seen.state, seen.node_view, seen.denied))
        self.session.close.assert_called_once_with()

    def refused(self) -> database.Refused:
        refusal = database.Refused('Access denied')
        refusal.code = 1045
        return refusal

    def test_an_old_answer_does_not_replace_docker(self) -> None:
        """The reporter may wait for the broker for long."""
        self.attached()
        later = time.monotonic() + 60
        with mock.patch('time.monotonic', autospec=True,
                        return_value=later):
            self.observer.container_state()
        self.container.look.assert_called_once_with()

    def test_it_waits_for_the_end_of_the_server(self) -> None:
        self.attached()
        self.observer.wait(4)
        self.session.wait.assert_called_once_with(4)

    def test_without_a_session_it_pauses(self) -> None:
        with mock.patch.object(waiting, 'pause', autospec=True) as pause:
            self.observer.wait(2)
        pause.assert_called_once_with(2)
