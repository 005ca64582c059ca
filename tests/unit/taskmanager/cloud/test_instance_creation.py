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

"""An interrupted creation is distinguished from a slow one."""

import types
from typing import Any

import fixtures
from oslo_db import exception as db_exceptions
import testtools
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from tests.unit import clock
from tests.unit import tables
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager.cloud import rows

LIMIT = 75
START = 7200
LEASE = 30


class Member:
    """A member whose creation can make progress."""

    id = 'some-id'
    options = types.SimpleNamespace(creation_stall_timeout=LIMIT,
                                    creation_start_timeout=START,
                                    operation_lease=LEASE)

    def __init__(self) -> None:
        self.server: str | None = None
        self.begun: str | None = 'then'
        self.ports: list[dict[str, str]] = []
        self.disks: list[Any] = []
        self.new = True
        self.answers = True
        self.neutron = types.SimpleNamespace(
            list_ports=lambda name: {'ports': self.ports})
        self.cinder = types.SimpleNamespace(volumes=types.SimpleNamespace(
            list=lambda search_opts: self.disks))
        self.guest = types.SimpleNamespace(member_report=self.report)

    def row(self) -> Any:
        return types.SimpleNamespace(
            compute_instance_id=self.server, updated='then',
            task_start_time=self.begun)

    def untouched(self) -> bool:
        return self.new

    def report(self) -> view.MemberReport:
        if not self.answers:
            raise exception.GuestTimeout()
        return view.MemberReport(
            server=view.ServerState.ABSENT, view=None, data_bytes=0,
            started=False, exit_code=None, error='')

    def failed(self, cause: str) -> exceptions.MemberFailed:
        return exceptions.MemberFailed('c-2', self.id, cause)


class CreationTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.clock = self.useFixture(clock.Clock())
        self.member = Member()
        self.instance_creation = instance_creation.Creation(
            self.member)  # type: ignore[arg-type]

    def queued(self) -> int:
        row = self.member.row()
        return self.instance_creation.queued(rows.Instance(
            InstanceTasks.BUILDING, None, row.compute_instance_id,
            bool(row.task_start_time or row.compute_instance_id)))

    def dead(self, look: Any) -> str:
        return str(self.assertRaises(exceptions.MemberFailed, look))

    def test_nothing_moves(self) -> None:
        self.instance_creation.look()
        self.clock.advance(LIMIT - 1)
        self.instance_creation.look()
        self.clock.advance(1)
        self.assertIn('has no server', self.dead(self.instance_creation.look))

    def test_one_that_waits_in_the_queue_is_not_stalled(self) -> None:
        self.member.begun = None
        self.instance_creation.look()
        self.clock.advance(10 * LIMIT)
        self.instance_creation.look()
        self.member.begun = 'now'
        self.clock.advance(LIMIT - 1)
        self.instance_creation.look()
        self.clock.advance(1)
        self.dead(self.instance_creation.look)

    def test_one_whose_beginning_an_older_release_did_not_record(
            self) -> None:
        """Its port or its volume shows that it has begun."""
        self.member.begun = None
        self.member.ports.append({'id': 'p'})
        self.instance_creation.look()
        self.clock.advance(LIMIT)
        self.dead(self.instance_creation.look)

    def test_number_changes_until_it_has_begun(self) -> None:
        self.member.begun = None
        seen = [self.queued() for _ in range(3)]
        self.assertEqual(3, len(set(seen)))
        self.clock.advance(START - 1)
        self.member.begun = 'now'
        first = self.queued()
        self.assertNotIn(first, seen)
        self.clock.advance(START)
        self.assertEqual(first, self.queued())

    def test_one_with_a_server_has_begun(self) -> None:
        self.member.begun, self.member.server = None, 'there'
        self.assertEqual(self.queued(),
                         self.queued())

    def test_one_that_does_not_begin_within_hours(self) -> None:
        self.member.begun = None
        self.clock.advance(START - 1)
        self.queued()
        self.clock.advance(1)
        error = self.dead(self.queued)
        self.assertIn('did not begin to create it within 7200 s', error)

    def wait_in_queue(self, seconds: float, lives: bool,
                      message: str = '') -> None:
        if queued.place_of(self.member.id) is None:
            queued.enter_creation(self.member.id, starts.Place(
                'a1', 'creations', 1), message)
        for number in range(int(seconds)):
            if lives:
                queued.show_life('a1', number)
            self.queued()
            self.clock.advance(1)

    def test_one_that_waits_in_a_taskmanager_that_lives(self) -> None:
        self.member.begun = None
        self.wait_in_queue(10 * LEASE, True)
        self.queued()

    def test_one_that_waits_in_a_taskmanager_that_died(self) -> None:
        self.member.begun = None
        queued.show_life('a1', 0)
        self.wait_in_queue(3 * LEASE, False)
        error = self.dead(self.queued)
        self.assertIn('its request was lost: the taskmanager on ', error)

    def test_one_whose_message_is_stored_is_not_lost(self) -> None:
        """Another taskmanager creates it."""
        self.member.begun = None
        self.wait_in_queue(10 * LEASE, False, 'message')
        self.queued()

    def test_one_that_has_begun_is_not_lost(self) -> None:
        self.member.begun = None
        self.wait_in_queue(3 * LEASE, False)
        self.member.begun = 'now'
        self.queued()

    def test_time_without_the_database_does_not_count(self) -> None:
        self.member.begun = None
        self.wait_in_queue(LEASE, False)
        self.clock.advance(100 * LEASE)
        self.wait_in_queue(LEASE, False)
        self.wait_in_queue(LEASE, True)

    def test_whatever_moves_gives_it_time(self) -> None:
        disk = types.SimpleNamespace(id='v', status='creating')

        def available() -> None:
            disk.status = 'available'
        for step in (lambda: self.member.ports.append({'id': 'p'}),
                     lambda: self.member.disks.append(disk), available):
            self.instance_creation.look()
            self.clock.advance(LIMIT - 1)
            step()
        self.instance_creation.look()

    def test_with_a_server_it_may_boot_as_long_as_it_likes(self) -> None:
        self.instance_creation.look()
        self.member.server = 'there'
        self.clock.advance(10 * LIMIT)
        self.instance_creation.look()

    def test_guest_that_was_not_told(self) -> None:
        self.instance_creation.ask()
        self.clock.advance(LIMIT)
        self.assertIn('never called', self.dead(self.instance_creation.ask))

    def test_time_runs_when_its_guest_does(self) -> None:
        self.member.answers = False
        self.instance_creation.ask()
        self.clock.advance(10 * LIMIT)
        self.instance_creation.ask()
        self.member.answers = True
        self.instance_creation.ask()
        self.clock.advance(LIMIT - 1)
        self.instance_creation.ask()

    def test_guest_that_has_begun(self) -> None:
        self.instance_creation.ask()
        self.member.new = False
        self.clock.advance(10 * LIMIT)
        self.instance_creation.ask()


class BeginTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        version = tables.add_version()
        self.cluster = tables.add_cluster(version)
        self.rows = [tables.add_instance(
            version, name, cluster_id=self.cluster.id) for name in 'ab']

    def test_only_its_row_is_changed(self) -> None:
        instance_creation.begin(self.rows[0].id)
        first, second = [tables.again(row) for row in self.rows]
        self.assertIsNotNone(first.task_start_time)
        self.assertEqual(self.rows[0].updated, first.updated)
        self.assertIsNone(second.task_start_time)

    def test_without_the_database_it_is_created_all_the_same(self) -> None:
        log = self.useFixture(fixtures.FakeLogger())
        self.useFixture(fixtures.MockPatchObject(
            instance_models.DBInstance, 'query',
            side_effect=db_exceptions.DBConnectionError))
        instance_creation.begin(self.rows[0].id)
        self.assertIn(self.rows[0].id, log.output)

    def test_one_whose_cluster_is_deleted_does_not_begin(self) -> None:
        for values in ({'task_status': ClusterTasks.DELETING},
                       {'deleted': True, 'task_status': ClusterTasks.NONE}):
            self.cluster.update(**values)
            self.assertRaises(exceptions.ClusterBeingDeleted,
                              instance_creation.begin, self.rows[0].id)
        self.assertIsNone(tables.again(self.rows[0]).task_start_time)

    def test_one_that_is_deleted_does_not_begin(self) -> None:
        self.rows[0].update(deleted=True)
        for one in (self.rows[0].id, 'another'):
            self.assertRaises(exceptions.ClusterBeingDeleted,
                              instance_creation.begin, one)

    def test_one_that_has_begun_does_not_begin_again(self) -> None:
        instance_creation.begin(self.rows[0].id)
        before = tables.again(self.rows[0]).task_start_time
        self.assertRaises(exceptions.LeaseLost,
                          instance_creation.begin, self.rows[0].id)
        self.assertEqual(before, tables.again(self.rows[0]).task_start_time)
