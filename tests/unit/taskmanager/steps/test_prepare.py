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

"""Instances get an address, and a guest that is ready."""

import itertools

import fixtures

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.steps import prepare

CLOUD = fakes.INTERVALS['cloud_poll_interval']
DATABASE = fakes.INTERVALS['database_poll_interval']


class AddressTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.port = self.cloud.neutron.ports.pop(f'trove-{self.id_of(2)}')

    def comes(self) -> None:
        self.cloud.neutron.ports[f'trove-{self.id_of(2)}'] = self.port

    def test_it_is_waited_for(self) -> None:
        self.assertFalse(self.done(prepare.KNOW_ADDRESS, 2))
        self.clock.after(100, self.comes)
        self.do(prepare.KNOW_ADDRESS, 2)
        self.assertEqual('10.0.0.2', self.members[1].address)
        self.assertEqual({CLOUD}, set(self.clock.pauses))

    def test_it_never_comes(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, prepare.KNOW_ADDRESS, 2)
        self.assertEqual(1800, error.seconds)
        self.assertEqual('no port with an address yet', error.last_seen)

    def queues(self) -> None:
        self.change(2, compute_instance_id=None)

    def test_time_in_the_queue_does_not_count(self) -> None:
        self.queues()
        self.clock.after(5000, lambda: self.change(2, task_start_time='now'))
        self.clock.after(6500, self.comes)
        self.do(prepare.KNOW_ADDRESS, 2)
        self.assertGreaterEqual(self.clock.now, 6500)

    def test_it_never_comes_after_the_queue(self) -> None:
        self.queues()
        self.clock.after(5000, lambda: self.change(2, task_start_time='now'))
        self.fails(exceptions.DeadlineExceeded, prepare.KNOW_ADDRESS, 2)
        self.assertLess(self.clock.now, 5000 + 1800 + 2 * CLOUD)

    def test_it_does_not_begin_within_hours(self) -> None:
        self.queues()
        error = self.fails(
            exceptions.MemberFailed, prepare.KNOW_ADDRESS, 2)
        self.assertIn('did not begin', error.cause)
        self.assertLess(self.clock.now, 7200 + 2 * CLOUD)

    def test_a_server_that_failed_ends_the_wait(self) -> None:
        self.clock.after(60, lambda: setattr(
            self.cloud.servers['server-2'], 'status', 'ERROR'))
        error = self.fails(
            exceptions.MemberFailed, prepare.KNOW_ADDRESS, 2)
        self.assertEqual('c-2', error.member)
        self.assertLess(self.clock.now, 60 + 2 * CLOUD)


class PreparedTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.report_status(2, fakes.Statuses.BUILDING)

    def gets_ready(self) -> None:
        self.report_status(2, fakes.Statuses.INSTANCE_READY)

    def test_it_is_waited_for(self) -> None:
        self.assertFalse(self.done(prepare.BE_PREPARED, 2))
        self.clock.after(600, self.gets_ready)
        self.do(prepare.BE_PREPARED, 2)
        self.assertEqual({DATABASE}, set(self.clock.pauses))
        self.assertEqual([], self.galera.asked)

    def test_it_never_gets_ready(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, prepare.BE_PREPARED, 2)
        self.assertEqual('its guest is "building"', error.last_seen)

    def test_it_never_begins(self) -> None:
        """The reason is told: its message may have been lost."""
        self.report_status(2, fakes.Statuses.NEW)
        error = self.fails(
            exceptions.DeadlineExceeded, prepare.BE_PREPARED, 2)
        self.assertTrue(error.last_seen.startswith('its guest is "new": '))
        self.assertIn('lost the message to prepare', error.last_seen)

    def test_a_guest_that_fails_ends_the_wait(self) -> None:
        self.guests[2].looks = {'error': 'no image'}
        self.clock.after(60, lambda: self.report_status(
            2, fakes.Statuses.FAILED))
        error = self.fails(
            exceptions.MemberFailed, prepare.BE_PREPARED, 2)
        self.assertEqual(('c-2', 'no image'), (error.member, error.cause))
        self.assertLess(self.clock.now, 65)

    def test_a_server_that_fails_ends_the_wait(self) -> None:
        self.clock.after(60, lambda: setattr(
            self.cloud.servers['server-2'], 'status', 'ERROR'))
        self.fails(exceptions.MemberFailed, prepare.BE_PREPARED, 2)
        self.assertLess(self.clock.now, 60 + 2 * CLOUD)

    def looks(self, seconds: float) -> list[float]:
        """When Nova is asked for a server, of a guest that gets ready then."""
        looks: list[float] = []
        self.useFixture(fixtures.MockPatchObject(
            members.Member, 'check_server', autospec=True,
            side_effect=lambda member, server: looks.append(
                self.clock.now)))
        self.clock.after(seconds, self.gets_ready)
        self.do(prepare.BE_PREPARED, 2)
        return looks

    def test_nova_is_asked_at_the_interval_of_the_cloud(self) -> None:
        self.assertEqual([0, 4, 8, 12], self.looks(12))

    def test_nova_is_asked_less_often_for_one_that_boots_long(self) -> None:
        self.override(cloud_poll_interval=0.5, database_poll_interval=0.5)
        looks = self.looks(300)
        self.assertEqual([0, 0.5, 1], looks[:3])
        self.assertLess(len(looks), 120)
        self.assertLessEqual(max(
            after - before for before, after
            in itertools.pairwise(looks)), 5.5)

    def untouched(self) -> None:
        self.operation.creations.interrupted = True
        self.report_status(2, fakes.Statuses.NEW)

    def test_one_that_is_never_told_to_prepare(self) -> None:
        self.untouched()
        error = self.fails(
            exceptions.MemberFailed, prepare.BE_PREPARED, 2)
        self.assertIn('never called to prepare', error.cause)
        self.assertLess(self.clock.now, 80)

    def test_only_after_an_interruption_is_it_asked_for(self) -> None:
        self.untouched()
        self.operation.creations.interrupted = False
        self.fails(exceptions.DeadlineExceeded, prepare.BE_PREPARED, 2)
