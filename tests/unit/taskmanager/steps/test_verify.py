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

"""All members report the cluster, and read a write."""

from trove.common import exception

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.steps import verify

VERIFY = 60         # verify_timeout


class AgreeTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1, 2, 3)

    def test_all_see_all(self) -> None:
        self.assertTrue(self.done(verify.AGREE, 2))

    def test_it_is_waited_for(self) -> None:
        self.guests[2].sees = {'cluster_size': 2}
        self.assertFalse(self.done(verify.AGREE, 2))
        self.clock.after(30, self.guests[2].sees.clear)
        self.do(verify.AGREE, 2)

    def test_one_that_never_agrees(self) -> None:
        self.guests[2].sees = {'local_state': view.LocalState.JOINED}
        error = self.fails(
            exceptions.DeadlineExceeded, verify.AGREE, 2)
        self.assertEqual(VERIFY, self.clock.now)
        self.assertIn('c-2 to be Synced in a component of 3', str(error))

    def test_another_history(self) -> None:
        self.guests[2].sees = {'cluster_uuid': fakes.FOREIGN}
        self.fails(exceptions.MemberFailed, verify.AGREE, 2)
        self.assertEqual(0, self.clock.now)


class ServingTest(base.FormationTestCase):
    """A member serves in a component of some size."""

    def setUp(self) -> None:
        super().setUp()
        self.form(1, 2)
        self.at(verify.AGREE, 1)

    def wait(self, size: int, or_smaller: bool = False) -> None:
        verify.wait_serving(self.operation, self.members[1], size,
                            or_smaller)

    def blamed(self, size: int, or_smaller: bool = False) -> None:
        error = self.assertRaises(
            exceptions.MemberFailed, self.wait, size, or_smaller)
        self.assertEqual('c-2', error.member)
        self.assertIn(f'c-2 to serve in a component of {size}', error.cause)

    def test_only_the_size_that_is_wanted(self) -> None:
        self.wait(2)
        self.blamed(1)
        self.blamed(3)
        self.assertEqual(2 * VERIFY, self.clock.now)

    def test_or_a_smaller_one(self) -> None:
        self.wait(2, or_smaller=True)
        self.wait(3, or_smaller=True)
        self.blamed(1, or_smaller=True)

    def test_one_that_does_not_serve(self) -> None:
        self.guests[2].sees = {'ready': False}
        self.blamed(2)
        self.guests[2].stands(view.ServerState.STOPPED)
        self.blamed(2, or_smaller=True)


class ReplicateTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.form(1, 2, 3)

    def test_what_one_writes_all_read_and_nothing_is_left(self) -> None:
        self.assertFalse(self.done(verify.REPLICATE, 3))
        self.do(verify.REPLICATE, 3)
        self.assertEqual(['c-3 write_probe', 'c-3 drop_probe'],
                         self.galera.told)
        token = self.galera.given['c-3 write_probe']
        for number in self.guests:
            self.assertEqual(token,
                             self.galera.given[f'c-{number} read_probe'])

    def test_another_run_writes_something_else(self) -> None:
        self.do(verify.REPLICATE, 3)
        first = self.galera.given['c-3 write_probe']
        self.do(verify.REPLICATE, 3)
        self.assertNotEqual(first, self.galera.given['c-3 write_probe'])

    def test_it_is_waited_for(self) -> None:
        self.guests[1].will('read_probe', False, exception.GuestTimeout(),
                            False)
        self.do(verify.REPLICATE, 3)
        self.assertEqual(4, self.galera.asked.count('c-1 read_probe'))

    def test_one_that_never_reads_it_is_blamed(self) -> None:
        self.guests[2].always('read_probe', False)
        error = self.fails(exceptions.MemberFailed, verify.REPLICATE, 3)
        self.assertEqual('c-2', error.member)
        self.assertIn('c-2 to read what c-3 wrote', error.cause)
        self.assertEqual(VERIFY, self.clock.now)

    def test_one_that_does_not_read_its_own_is_the_step_s(self) -> None:
        self.guests[3].always('read_probe', False)
        self.fails(exceptions.DeadlineExceeded, verify.REPLICATE, 3)

    def test_a_write_whose_answer_was_lost_is_done_again(self) -> None:
        self.guests[3].will('write_probe', exception.GuestTimeout())
        self.do(verify.REPLICATE, 3)
        self.assertEqual(['c-3', 'c-3'], self.galera.was_told('write_probe'))
