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

from typing import Any

import testtools

from trove_pxc.galera import catchup
from trove_pxc.galera.progress import Progress
from trove_pxc.galera import view

from tests.unit.galera import samples

State = view.LocalState


def seen(queue: int | None, committed: int = 100, state: State = State.JOINED,
         **changes: Any) -> view.NodeView:
    return samples.node_view(recv_queue=queue, last_committed=committed,
                             local_state=state.value, **changes)


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
            Progress(48_000, 2_500.0, -1_000.0),
            self.measure((10.0, seen(50_000, 1_000)),
                         (12.0, seen(48_000, 6_000))))

    def test_one_view_gives_none(self) -> None:
        self.assertIsNone(self.measure((10.0, seen(50_000))))

    def test_views_at_the_same_time_give_none(self) -> None:
        """A call may come just after the reporter has looked."""
        self.assertIsNone(self.measure(
            (10.0, seen(50_000)), (10.1, seen(50_010))))

    def test_close_views_do_not_replace_older_ones(self) -> None:
        self.assertEqual(
            Progress(30, 0.0, 10.0), self.measure(
                (10.0, seen(0)), (11.9, seen(2)), (12.0, seen(5)),
                (13.0, seen(30))))

    def test_old_views_do_not_count(self) -> None:
        self.assertEqual(
            Progress(40, 0.0, -10.0), self.measure(
                (10.0, seen(999_999)), (31.0, seen(50)), (32.0, seen(40))))

    def test_who_is_behind(self) -> None:
        for state, first, last, behind in (
                (State.JOINED, 9, 1, True), (State.JOINED, 1, 9, True),
                (State.JOINED, 1, 0, False), (State.JOINING, 1, 9, True),
                (State.JOINING, 0, 0, False),
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
        for other in (seen(9, state=State.JOINING), seen(9, committed=1),
                      seen(9, cluster_uuid=samples.OTHER_UUID),
                      seen(None), None):
            self.assertIsNone(self.measure((1.0, seen(9)), (2.0, other)),
                              other)
        self.assertIsNone(self.measure(
            (1.0, seen(9)), (2.0, None), (3.0, seen(5))))


class TextTest(testtools.TestCase):

    def test_texts(self) -> None:
        for progress, state, text in (
                (Progress(48_000, 2_300.4, -1_920.0), State.JOINED,
                 'catching up: 48,000 write sets wait, 2,300/s applied, '
                 'about 25 s'),
                (Progress(1, 3.0, -3.0), State.JOINED,
                 'catching up: 1 write set waits, 3/s applied, about 1 s'),
                (Progress(700, 900.0, 0.0), State.JOINED,
                 'catching up: 700 write sets wait, 900/s applied'),
                (Progress(48_000, 900.0, 300.0), State.SYNCED,
                 'cannot keep up: 48,000 write sets wait, 900/s applied, '
                 'and the queue grows by 300/s'),
                (Progress(12_000, 900.0, 300.0), State.JOINING,
                 'applying the write sets that it missed: 900/s applied; '
                 '12,000 newer ones wait')):
            self.assertEqual(text, catchup.text(progress, state))
