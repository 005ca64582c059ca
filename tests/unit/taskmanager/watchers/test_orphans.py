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

"""Creations that waited in a taskmanager that died."""

import fixtures
import testtools
from trove.common import cfg

from tests.unit import clock
from tests.unit import tables
from trove_pxc import conf
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc.taskmanager.watchers import orphans

LEASE = 30      # operation_lease


class OrphansTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        conf.register(cfg.CONF)
        self.log = self.useFixture(fixtures.FakeLogger())
        self.clock = self.useFixture(clock.Clock())
        self.taken: list[str] = []
        self.orphans = orphans.Orphans('own', self.taken.append)

    def enter(self, instance_id: str, process: str = 'a1',
              message: str = '') -> None:
        queued.enter_creation(
            instance_id, starts.Place(process, 'creations', 1),
            message or f'message of {instance_id}')

    def look(self, after: float = 0) -> list[str]:
        self.clock.advance(after)
        self.orphans.look()
        return sorted(self.taken)

    def test_those_of_a_taskmanager_that_died(self) -> None:
        for one in ('m-1', 'm-2'):
            self.enter(one)
        self.look()
        self.assertEqual([], self.look(after=LEASE - 1))
        self.assertEqual(['message of m-1', 'message of m-2'],
                         self.look(after=1))
        self.assertEqual({}, queued.creations())
        self.assertIn('The creation of instance m-1: the taskmanager on ',
                      self.log.output)

    def test_those_of_a_taskmanager_that_lives(self) -> None:
        self.enter('m-1')
        for number in range(5):
            queued.show_life('a1', number)
            self.assertEqual([], self.look(after=LEASE - 1))

    def test_own_ones(self) -> None:
        self.enter('m-1', 'own')
        self.look()
        self.assertEqual([], self.look(after=10 * LEASE))

    def test_one_without_a_message_is_not_taken(self) -> None:
        """Its operation reports that it is lost."""
        self.enter('m-1', message='x' * 100_000)
        self.look()
        self.assertEqual([], self.look(after=LEASE))
        self.assertIsNotNone(queued.place_of('m-1'))

    def test_one_that_another_has_just_taken(self) -> None:
        """The other one takes m-2 after this one has read the records."""
        other = orphans.Orphans('other', self.taken.append)

        def create(message: str) -> None:
            self.taken.append(message)
            other.look()
        this = orphans.Orphans('own', create)
        for one in ('m-1', 'm-2'):
            self.enter(one)
        for after in (0, LEASE - 1):
            self.clock.advance(after)
            this.look()
            other.look()
        self.clock.advance(1)
        this.look()
        self.assertEqual(['message of m-1', 'message of m-2'],
                         sorted(self.taken))

    def test_one_of_two_takes_it(self) -> None:
        self.enter('m-1')
        other = orphans.Orphans('other', self.taken.append)
        for after in (0, LEASE):
            self.clock.advance(after)
            for one in (self.orphans, other):
                one.look()
        self.assertEqual(['message of m-1'], self.taken)
