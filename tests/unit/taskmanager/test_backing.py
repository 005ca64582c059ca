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

"""Backups in the taskmanager; tests.functional.test_backups has the rest."""

from typing import Any

import fixtures
import mock
import testtools
from trove.common import cfg
from trove.common import clients
from trove.common import exception

from tests.unit import clock
from tests.unit import tables
from trove_pxc import backups as rows
from trove_pxc import conf
from trove_pxc.galera import backups
from trove_pxc.guestagent import api
from trove_pxc.taskmanager import backing

RUNS = backups.Progress('b', backups.State.RUNNING)


class BackingTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        conf.register(cfg.CONF)
        self.log = self.useFixture(fixtures.FakeLogger())
        self.clock = self.useFixture(clock.Clock())
        self.guest = mock.create_autospec(api.GaleraGuestAPI, instance=True)
        self.guest.backup_progress.return_value = backups.unknown('b')
        self.store = mock.Mock()
        self.store.get_container.return_value = ({}, [])
        for name, made in (('create_guest_client', self.guest),
                           ('create_swift_client', self.store)):
            patched = mock.patch.object(clients, name, autospec=True,
                                        return_value=made)
            patched.start()
            self.addCleanup(patched.stop)
        self.context = tables.context()
        self.member = tables.add_member(
            tables.add_cluster(tables.add_version()), 'c-1')
        self.row: Any = rows.new_row(
            self.context, self.member, 'nightly', None, 'box', None)

    def clean(self) -> None:
        backing.clean(self.context, tables.again(self.row))

    def test_one_that_runs_is_ended_before_its_objects_are_deleted(
            self) -> None:
        self.guest.backup_progress.side_effect = [RUNS, RUNS, backups.unknown(
            'b')]
        rows.delete(self.row)
        self.clean()
        self.guest.cancel_backup.assert_called_once_with(self.row.id)
        self.assertEqual(3, self.guest.backup_progress.call_count)
        self.assertIsNone(tables.again(self.row).location)

    def test_guest_that_does_not_answer_or_does_not_end(self) -> None:
        self.row.update(state='FAILED')
        self.guest.backup_progress.return_value = RUNS
        backing.end_on_guest(self.guest, 'b')
        self.assertLess(self.clock.now, 120)
        self.guest.cancel_backup.side_effect = exception.GuestTimeout()
        self.clean()
        self.assertIsNone(tables.again(self.row).location)

    def test_guest_is_not_asked_about_a_complete_one(self) -> None:
        self.row.update(location='http://swift/v1/AUTH_x/box/b.xbstream')
        rows.delete(self.row)
        self.clean()
        self.guest.cancel_backup.assert_not_called()
        self.clean()
        self.store.get_container.assert_called_once()

    def test_guest_of_a_deleted_member_is_not_asked(self) -> None:
        rows.delete(self.row)
        self.member.update(deleted=True)
        self.clean()
        self.guest.cancel_backup.assert_not_called()
