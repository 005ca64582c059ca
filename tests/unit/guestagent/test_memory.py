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

"""The last position that is stored: never ahead of the disk."""

import pathlib

import fixtures
import mock
from oslo_concurrency import processutils

from trove_pxc.galera import errors
from trove_pxc.galera import view
from trove_pxc.guestagent import memory

from tests.unit.galera import samples
from tests.unit.guestagent import fakes


class MemoryTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        (self.root / 'volume' / 'conf.d').mkdir()
        self.path = pathlib.Path(self.where.memory_file)
        clock = self.useFixture(
            fixtures.MockPatch('time.monotonic')).mock
        clock.side_effect = lambda: self.now
        self.now = 100.0
        self.memory = self.new_agent()

    def new_agent(self) -> memory.Memory:
        return memory.Memory(self.files, self.where.memory_file)

    def look(self, seqno: int, **changes: object) -> None:
        self.memory.look(samples.node_view(last_committed=seqno, **changes))

    def later(self, seconds: float = memory.SETTLE_SECONDS) -> None:
        self.now += seconds

    def test_it_is_kept_when_it_has_settled(self) -> None:
        self.look(7)
        self.assertIsNone(self.memory.recall())
        self.later()
        self.look(9)
        self.assertEqual((samples.UUID, 7), self.memory.recall())
        self.later()
        self.look(11)
        self.assertEqual((samples.UUID, 9), self.memory.recall())

    def test_many_looks_are_as_cheap_as_one(self) -> None:
        self.look(7)
        for seqno in range(8, 20):
            self.later(memory.SETTLE_SECONDS / 20)
            self.look(seqno)
        self.assertFalse(self.path.exists())

    def test_the_next_agent_recalls_it(self) -> None:
        self.test_it_is_kept_when_it_has_settled()
        self.assertEqual((samples.UUID, 9), self.new_agent().recall())
        self.assertEqual(0o600, self.mode(str(self.path)))

    def test_only_a_synced_member_of_a_primary_component_counts(
            self) -> None:
        for changes in (
                {'cluster_status': view.ClusterStatus.NON_PRIMARY.value},
                {'local_state': view.LocalState.JOINING.value},
                {'local_state': view.LocalState.DONOR.value},
                {'cluster_uuid': None}):
            for seqno in (7, 8):
                self.look(seqno, **changes)
                self.later()
        self.look(-1)
        self.memory.look(None)
        self.assertIsNone(self.memory.recall())

    def test_a_forced_cluster_may_fall_back(self) -> None:
        self.test_it_is_kept_when_it_has_settled()
        self.later()
        self.look(3)
        self.later()
        self.look(4)
        self.assertEqual((samples.UUID, 3), self.memory.recall())

    def test_a_full_disk_keeps_nobody_from_reporting(self) -> None:
        self.look(7)
        self.later()
        with mock.patch.object(
                type(self.files), 'write', autospec=True,
                side_effect=processutils.ProcessExecutionError):
            self.look(8)
        self.later()
        self.look(9)
        self.assertEqual((samples.UUID, 8), self.memory.recall())

    def test_a_file_that_tells_nothing_is_no_safe_answer(self) -> None:
        for text in ('', '{}', '[]', '{"uuid": 1, "seqno": "x"}'):
            self.path.write_text(text)
            self.assertRaises(errors.UnreadablePosition, self.memory.recall)
