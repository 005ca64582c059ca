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
"""How fast a member applies the write sets that wait in its queue."""

import dataclasses
from typing import Any

import testtools

from trove_pxc.galera import catchup
from trove_pxc.galera.progress import Progress
from trove_pxc.galera import view

from tests.unit.galera import samples

State = view.LocalState
RECEIVES = 'Joining: receiving State Transfer'


def seen(queue: int | None, committed: int = 100, state: State = State.JOINED,
         **changes: Any) -> view.NodeView:
    return samples.node_view(recv_queue=queue, last_committed=committed,
                             local_state=state.value, **changes)


def joining(queue: int, committed: int = 100,
            comment: str = 'Joining') -> view.NodeView:
    return seen(queue, committed, State.JOINING, local_state_comment=comment)


class MeterTest(testtools.TestCase):

    def measure(self, *looks: tuple[float, view.NodeView | None]
                ) -> Progress | None:
        """The result of the last of these views, each at a time."""
        meter = catchup.Meter()
        result = None
        for now, node_view in looks:
            result = meter.look(node_view, now)
        return result

    def test_two_views_give_rates(self) -> None:
        self.assertEqual(
            Progress(48_000, 2_500.0, -1_000.0, 2.0),
            self.measure((10.0, seen(50_000, 1_000)),
                         (12.0, seen(48_000, 6_000))))

    def test_one_view_gives_none(self) -> None:
        self.assertIsNone(self.measure((10.0, seen(50_000))))

    def test_views_at_the_same_time_give_none(self) -> None:
        """A call may come just after the reporter has looked."""
        self.assertIsNone(self.measure(
            (10.0, seen(50_000)), (10.4, seen(50_010))))

    def test_close_views_do_not_replace_older_ones(self) -> None:
        self.assertEqual(
            Progress(30, 0.0, 10.0, 3.0), self.measure(
                (10.0, seen(0)), (11.9, seen(2)), (12.0, seen(5)),
                (13.0, seen(30))))

    def test_old_views_do_not_count(self) -> None:
        self.assertEqual(
            Progress(40, 0.0, -10.0, 1.0), self.measure(
                (10.0, seen(999_999)), (31.0, seen(50)), (32.0, seen(40))))

    def test_who_is_behind(self) -> None:
        for state, first, last, behind in (
                (State.JOINED, 9, 1, True), (State.JOINED, 1, 9, True),
                (State.JOINED, 1, 0, True), (State.JOINING, 1, 9, True),
                (State.JOINING, 0, 0, True),
                (State.DONOR, 200, 101, True), (State.DONOR, 0, 100, False),
                (State.SYNCED, 90, 101, True), (State.SYNCED, 0, 100, False),
                (State.SYNCED, 200, 199, False),
                (State.SYNCED, 200, 200, False),
                (State.INITIALIZED, 200, 300, False)):
            progress = self.measure((1.0, seen(first, state=state)),
                                    (2.0, seen(last, state=state)))
            self.assertEqual(behind, progress is not None,
                             (state, first, last))

    def test_another_state_or_history_begins_anew(self) -> None:
        """A restart begins with another queue and position."""
        for other in (seen(9, state=State.SYNCED), seen(9, committed=1),
                      seen(9, cluster_uuid=samples.OTHER_UUID),
                      seen(None), None):
            self.assertIsNone(self.measure((1.0, seen(9)), (2.0, other)),
                              other)
        self.assertIsNone(self.measure(
            (1.0, seen(9)), (2.0, None), (3.0, seen(5))))


def report(node_view: view.NodeView | None, progress: Progress | None = None
           ) -> view.MemberReport:
    return view.MemberReport(
        server=view.ServerState.RUNNING, view=node_view, data_bytes=0,
        started=True, exit_code=None, error='', progress=progress)

    def test_write_sets_at_the_donor_count_until_it_has_them(self) -> None:
        """It is Joining, and at first its queue has the newer ones only."""
        looks = ((0.0, joining(0, 1_000, RECEIVES)),
                 (2.0, joining(1_000, 6_000, RECEIVES)),
                 (2.5, joining(1_100, 7_000)),      # which of the two is not
                 (4.5, joining(100, 9_000)),        # known for this time
                 (5.0, seen(0, 9_100)))
        for number, expected in (
                (2, Progress(1_000, 2_500.0, -2_000.0, 2.0)),
                (3, Progress(1_100, 2_500.0, -2_000.0, 2.0)),
                (4, Progress(100, 1_750.0, -1_250.0, 4.0)),
                (5, Progress(0, 1_577.8, -1_133.3, 4.5))):
            progress = self.measure(*looks[:number])
            assert progress is not None
            self.assertEqual(expected, dataclasses.replace(
                progress, applied=round(progress.applied, 1),
                growth=round(progress.growth, 1)))


class TextTest(testtools.TestCase):

    def test_one_look_tells_how_much_waits(self) -> None:
        """A member in these states is behind, also before it is measured."""
        for state in (State.JOINING, State.JOINED):
            self.assertEqual(
                'catching up: 700 write sets wait',
                text(report(seen(700, state=state))))
        self.assertEqual('catching up: 1 write set waits',
                         text(report(seen(1))))
        self.assertEqual('catching up: 0 write sets wait',
                         text(report(seen(None))))

    def test_measured_queue(self) -> None:
        for progress, told in (
                (Progress(48_000, 2_300.4, -1_920.0, 2.0),
                 'catching up: 48,000 write sets wait, 2,300/s applied, '
                 'about 25 s'),
                (Progress(1, 3.0, -3.0, 2.0),
                 'catching up: 1 write set waits, 3/s applied, about 1 s'),
                (Progress(700, 900.0, 0.0, 9.0),
                 'catching up: 700 write sets wait, 900/s applied'),
                (Progress(700, 900.0, 50.0, 4.9),
                 'catching up: 700 write sets wait, 900/s applied')):
            self.assertEqual(told, text(report(seen(1), progress)))

    def test_seconds(self) -> None:
        for behind, growth, seconds in (
                (48_000, -1_920.0, 25.0), (10, -0.5, 20.0), (10, 0.0, None),
                (10, 5.0, None), (0, -5.0, 0.0)):
            self.assertEqual(seconds, catchup.CatchUp(
                behind, 0, Progress(0, 9.0, growth, 2.0)).seconds)
        self.assertIsNone(catchup.CatchUp(9, 0).seconds)

    def test_a_member_that_cannot_keep_up_gets_advice(self) -> None:
        told = text(report(seen(1, state=State.SYNCED),
                           Progress(48_000, 900.0, 300.0, 5.0)))
        self.assertTrue(told.startswith(
            'cannot keep up: 48,000 write sets wait, 900/s applied, and '
            '300/s more arrive. Write less, or '), told)
        self.assertIn('wsrep_slave_threads', told)

    def test_missed_write_sets_count_while_it_is_joining(self) -> None:
        others = (report(seen(0, 30_000, State.SYNCED)),
                  report(seen(0, 29_990, State.DONOR)), None)
        joiner = report(joining(4_000, 10_000, RECEIVES),
                        Progress(4_000, 2_500.0, -2_000.0, 2.0))
        self.assertEqual(
            'catching up: 20,000 write sets wait (4,000 in its queue), '
            '2,500/s applied, about 10 s', text(joiner, *others))
        self.assertEqual(
            'catching up: 20,000 write sets wait (4,000 in its queue)',
            text(dataclasses.replace(joiner, progress=None), *others))
        slow = dataclasses.replace(
            joiner, progress=Progress(4_000, 200.0, 300.0, 9.0))
        self.assertIn('cannot keep up: 20,000 write sets wait (4,000 in its '
                      'queue), 200/s applied, and 300/s more arrive',
                      text(slow, *others))
        self.assertEqual(
            'catching up: 4,000 write sets wait',
            text(report(joining(4_000, 10_000)), *others))

    def test_only_its_own_cluster_counts(self) -> None:
        other = report(seen(0, 30_000, State.SYNCED,
                            cluster_uuid=samples.OTHER_UUID))
        outside = report(seen(0, 30_000, State.SYNCED,
                              cluster_status='non-Primary'))
        self.assertEqual(
            'catching up: 40 write sets wait',
            text(report(joining(40, comment=RECEIVES)), other, outside))

    def test_a_member_that_is_not_behind_has_no_text(self) -> None:
        for state in (State.SYNCED, State.DONOR, State.INITIALIZED):
            self.assertEqual('', text(report(seen(9, state=state))))
        self.assertEqual('', text(report(seen(
            9, state=State.JOINING, cluster_status='non-Primary'))))
        self.assertEqual('', text(report(None)))

    def test_a_full_copy_shows_how_much_has_arrived(self) -> None:
        mib = 1 << 20
        whole = dataclasses.replace(report(seen(0, state=State.DONOR)),
                                    data_bytes=1_500 * mib)
        told = 'receives a full copy of the data (SST)'
        for got, others, expected in (
                (400, [whole, None], f'{told}: 400 of about 1,500 MiB'),
                (1_600, [whole], told), (400, [None], told)):
            self.assertEqual(expected, text(dataclasses.replace(
                report(None), server=view.ServerState.STARTING,
                receiving=True, data_bytes=got * mib), *others))


def text(behind: view.MemberReport,
         *others: view.MemberReport | None) -> str:
    return catchup.text(behind, catchup.Serving.of([behind, *others]))
