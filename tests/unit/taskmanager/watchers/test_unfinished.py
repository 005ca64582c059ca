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

"""When another taskmanager goes on with a backup."""

from typing import Any

import fixtures
import mock
import testtools
from trove.common import cfg

from tests.unit import clock
from tests.unit import tables
from trove_pxc import backups
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager import backing
from trove_pxc.taskmanager.watchers import unfinished

LEASE = 30      # operation_lease
START = 900     # operation_start_timeout


class UnfinishedTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        conf.register(cfg.CONF)
        self.log = self.useFixture(fixtures.FakeLogger())
        self.clock = self.useFixture(clock.Clock())
        self.queues = mock.create_autospec(admission.Admission,
                                           instance=True)
        self.watcher = unfinished.Unfinished(self.queues)
        self.row = backups.new_row(
            tables.context(), tables.add_member(
                tables.add_cluster(tables.add_version()), 'c-1'),
            'nightly', None, 'box', None)

    def look(self, after: float = 0) -> int:
        """How many backups were taken up so far."""
        self.clock.advance(after)
        self.watcher.look()
        return int(self.queues.admit_backup.call_count)

    def test_one_that_nobody_started(self) -> None:
        self.look()
        self.assertEqual(0, self.look(after=START - 1))
        self.assertEqual(1, self.look(after=1))
        self.assertEqual(1, self.look(after=START))
        arguments: Any = self.queues.admit_backup.call_args.args
        self.assertEqual(('backups', self.row.id), arguments[:2])

    def test_one_whose_taskmanager_died(self) -> None:
        held = backups.Held.take(self.row.id)
        assert held is not None
        self.look()
        self.assertEqual(0, self.look(after=LEASE - 1))
        held.write()
        self.assertEqual(0, self.look(after=LEASE - 1))
        self.assertEqual(0, self.look(after=LEASE - 1))
        self.assertEqual(1, self.look(after=1))
        self.assertIn('going on with it on this host', self.log.output)

    def test_one_that_has_ended_or_was_deleted(self) -> None:
        backups.delete(self.row)
        self.look()
        self.assertEqual(0, self.look(after=START))

    def test_what_is_left_is_cleaned(self) -> None:
        self.row.update(state='FAILED')
        with mock.patch.object(backing, 'clean', autospec=True) as clean:
            self.watcher.clean()
            self.assertEqual(self.row.id, clean.call_args.args[1].id)
            clean.side_effect = exceptions.BackupStoreFailed('no answer')
            self.watcher.clean()
        self.assertIn('are left: no answer', self.log.output)

    def test_those_that_run_are_not_cleaned(self) -> None:
        with mock.patch.object(backing, 'clean', autospec=True) as clean:
            self.watcher.clean()
        clean.assert_not_called()
