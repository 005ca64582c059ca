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

"""Recovery of a cluster whose members have stopped, lost each other, died."""

from typing import Any

from trove.cluster.tasks import ClusterTasks

from tests.functional import galera
from tests.functional import test_actions

ONE, TWO, THREE = test_actions.NAMES
STARTING = galera.ServerState.STARTING
STOPPED = galera.ServerState.STOPPED
CRASHED = galera.ServerState.CRASHED
RUNNING = galera.ServerState.RUNNING
UNRESPONSIVE = galera.ServerState.UNRESPONSIVE
OTHER_UUID = 'e847613f-e734-11f1-a125-b3ce385cf975'


class RecoverTestCase(test_actions.ActionTest):
    """Each test begins with a cluster of three that served."""

    def setUp(self) -> None:
        super().setUp()
        self.galera.promotions = 0

    def stand(self, *places: Any, **data: Any) -> None:
        """All members' servers and the positions of their data."""
        for name, (server, applied) in zip(test_actions.NAMES, places):
            self.galera.stand(name, server, applied)
        for name, changes in data.items():
            guest = self.galera.named(name.replace('_', '-'))
            for key, value in changes.items():
                setattr(guest, key, value)
        self.galera.events.clear()

    def recover(self, **body: str) -> Any:
        return self.accept({'recover': body})

    def recovered(self, *events: str) -> None:
        """All serve, one component was made, in this way."""
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual([], self.notified('dbaas.cluster_recover.error'))
        self.assertEqual(set(test_actions.NAMES), {
            guest.name for guest in self.galera.component if guest.synced})
        self.assertEqual(list(events), [
            event for event in self.galera.events
            if event.split()[0] in ('continue', 'promote', 'start')])
        self.assertEqual(['', '', ''], [
            self.fault(self.member(number)) for number in (1, 2, 3)])

    def failed(self, *words: str) -> str:
        """The error that was sent; nobody was made primary."""
        error = str(self.wait_notified('dbaas.cluster_recover.error')[
            'message'])
        for word in words:
            self.assertIn(word, error)
        self.assertEqual(ClusterTasks.NONE,
                         self.cluster_row(self.cluster_id).task_status)
        return error

    def refused(self, *words: str) -> str:
        error = self.failed('choose the member to bootstrap', *words)
        self.assertEqual(0, self.galera.promotions)
        self.assertEqual([], [event for event in self.galera.events
                              if event.split()[0] in ('continue',
                                                      'promote')])
        return error


class WayTest(RecoverTestCase):

    def test_stopped_one_by_one(self) -> None:
        self.stand((STOPPED, 20), (STOPPED, 25), (STOPPED, 30))
        self.recover()
        self.recovered(f'continue {THREE}', f'start {TWO}', f'start {ONE}')
        self.assertEqual(1, self.galera.promotions)

    def test_stopped_all_at_once(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 30), (STOPPED, 30))
        self.recover()
        self.recovered(f'continue {ONE}', f'start {TWO}', f'start {THREE}')

    def test_the_last_to_stop_among_equals(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 30), (STOPPED, 30),
                   products_2={'safe': True})
        self.recover()
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_killed_and_looking_for_each_other_in_vain(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (CRASHED, 29))
        self.recover()
        self.assertIn(f'halt {ONE}', self.galera.events)
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_one_that_somebody_starts_when_it_was_stopped(self) -> None:
        """As an operator who does not know that a recovery runs."""
        self.stand((STARTING, 30), (STARTING, 31), (CRASHED, 29))
        self.galera.habits[THREE] = {'has_started': ONE}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')
        self.assertEqual(2, self.galera.events.count(f'halt {ONE}'))

    def test_those_that_can_meet_by_themselves_are_let(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (STARTING, 31))
        for name in test_actions.NAMES:
            self.galera.habits[name] = {'meets': True}
        self.recover()
        self.recovered()
        self.assertEqual([], [event for event in self.galera.events
                              if event.startswith('halt')])

    def test_those_that_could_meet_and_do_not(self) -> None:
        """One has another last view, so it is none of theirs."""
        self.stand((STARTING, 30), (STARTING, 31), (STOPPED, 31))
        for name in test_actions.NAMES:
            self.galera.habits[name] = {'meets': True}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {THREE}', f'start {ONE}')

    def test_a_survivor_is_promoted(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 30))
        self.recover()
        self.assertNotIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_a_survivor_whose_component_is_changing(self) -> None:
        self.stand((STARTING, 30), (STARTING, 29), (RUNNING, 30))
        self.galera.habits[THREE] = {'counting': 4}
        self.recover()
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_a_survivor_that_never_counts_them_is_continued(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 30))
        self.galera.habits[THREE] = {'counting': 10 ** 6}
        self.recover()
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {ONE}', f'start {THREE}', f'start {TWO}')

    def test_if_one_survivor_refuses_the_next_is_asked(self) -> None:
        self.stand((STOPPED, 29), (RUNNING, 30), (RUNNING, 30))
        self.galera.habits[TWO] = {'counting': 10 ** 6}
        self.recover()
        self.assertIn(f'halt {TWO}', self.galera.events)
        self.recovered(f'promote {THREE}', f'start {TWO}', f'start {ONE}')

    def test_a_survivor_that_is_behind_is_stopped_first(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 31), (RUNNING, 29))
        self.recover()
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_one_that_is_still_stopping_is_waited_for(self) -> None:
        self.stand((STOPPED, 29), (UNRESPONSIVE, 31), (STOPPED, 30))
        self.galera.habits[TWO] = {'deaf_for': 5, 'turns_out': STOPPED}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {THREE}', f'start {ONE}')

    def test_one_that_is_busy_is_waited_for(self) -> None:
        self.stand((STARTING, 30), (UNRESPONSIVE, 31), (STOPPED, 29))
        self.galera.habits[TWO] = {'deaf_for': 5, 'turns_out': RUNNING}
        self.recover()
        self.assertNotIn(f'halt {TWO}', self.galera.events)
        self.recovered(f'promote {TWO}', f'start {ONE}', f'start {THREE}')

    def test_a_survivor_may_be_busy_when_it_counts(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 31))
        self.galera.habits[ONE] = {'makes_deaf': THREE}
        self.galera.habits[THREE] = {'deaf_for': 5, 'turns_out': RUNNING}
        self.recover()
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_while_one_is_primary_the_others_join_it(self) -> None:
        for name in (ONE, TWO):
            self.galera.stand(name, STOPPED, 99)
        self.recover()
        self.recovered(f'start {ONE}', f'start {TWO}')
        self.assertEqual(0, self.galera.promotions)

    def test_what_is_whole_is_left_alone(self) -> None:
        self.recover()
        self.recovered()
        self.assertEqual(['write products-3'], self.galera.events)

    def test_body_that_is_null(self) -> None:
        self.accept({'recover': None})
        self.recovered()

    def test_spoiled_and_lost_data_is_left_out(self) -> None:
        self.stand((STOPPED, 99), (STOPPED, 30), (STOPPED, 30),
                   products_1={'spoiled': True},
                   products_2={'grastate': False})
        self.recover()
        self.recovered(f'continue {THREE}', f'start {TWO}', f'start {ONE}')
        self.assertFalse(self.galera.named(ONE).spoiled)

    def test_a_member_that_lost_its_data(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, -1), (STOPPED, 30),
                   products_2={'history': ''})
        self.recover()
        self.recovered(f'continue {ONE}', f'start {THREE}', f'start {TWO}')


class RefusalTest(RecoverTestCase):

    def silence(self, name: str) -> None:
        self.override('member_call_timeout', 1, 'mariadb')
        self.galera.named(name).die()

    def test_one_that_does_not_answer(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 31), (STOPPED, 29))
        self.silence(TWO)
        self.recover()
        self.refused(TWO, 'did not answer', '--force MEMBER')
        self.assertEqual([], self.galera.events)
        self.assertIn('did not answer', self.fault(self.member(2)))
        self.assertEqual('', self.fault(self.member(1)))

    def test_one_that_does_not_answer_and_force(self) -> None:
        self.test_one_that_does_not_answer()
        self.recover(force=self.member(1))
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual({ONE, THREE}, {
            guest.name for guest in self.galera.component if guest.synced})
        self.assertEqual([f'continue {ONE}', f'start {THREE}'], [
            event for event in self.galera.events
            if event.split()[0] in ('continue', 'start')])

    def test_the_forced_one_does_not_answer(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        self.silence(TWO)
        self.recover(force=self.member(2))
        self.refused(TWO, 'cannot be started')
        self.assertEqual([], self.galera.events)

    def test_another_history(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (STOPPED, 29),
                   products_2={'history': OTHER_UUID},
                   products_3={'held': True})
        self.recover()
        self.refused(TWO, OTHER_UUID, self.galera.history, '--force MEMBER')
        # It goes on as before: two look for each other, one stays stopped.
        self.assertEqual([f'start {ONE}', f'start {TWO}'],
                         self.galera.events[-2:])

    def test_a_disk_that_tells_nothing(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        self.galera.habits[ONE] = {'unreadable': True}
        self.recover()
        self.refused(ONE, 'does not report its position')

    def test_behind_what_a_member_remembers(self) -> None:
        seen = (self.galera.history, 40)
        self.stand((STOPPED, 30), (STOPPED, -1), (STOPPED, 29),
                   products_2={'history': '', 'seen': seen})
        self.recover()
        self.refused(f'is 30, on {ONE}', f'{TWO} recorded position', '40')
        self.recover(force=self.member(1))
        self.recovered_by_force(ONE)

    def recovered_by_force(self, name: str) -> None:
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertIn(f'continue {name}', self.galera.events)
        self.assertEqual(3, len(self.galera.component))

    def test_nothing_is_left(self) -> None:
        self.stand((STOPPED, -1), (STOPPED, -1), (STOPPED, -1))
        for name in test_actions.NAMES:
            self.galera.named(name).history = ''
        self.recover()
        self.refused('No member holds usable data', 'Create a new cluster')
        for number in (1, 2, 3):
            self.assertIn('holds no data', self.fault(self.member(number)))

    def test_a_frozen_one(self) -> None:
        self.stand((STARTING, 30), (UNRESPONSIVE, 31), (STOPPED, 29))
        self.recover()
        self.refused(TWO, 'does not answer')
        self.assertEqual([], self.galera.events)

    def test_health_names_the_command(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        health = self.request(
            'GET', f'/clusters/{self.cluster_id}/health').json['health']
        self.assertEqual('DOWN', health['state'])
        self.assertIn('openstack database cluster recover',
                      health['next_action'])

    def test_strangers_cannot_be_forced(self) -> None:
        stranger = self.unknown_id()
        self.refuse(400, f'{stranger} is not a member',
                    {'recover': {'force': stranger}})
        self.refuse(400, 'Validation error',
                    {'recover': {'member': stranger}})

    def test_a_cluster_with_a_task(self) -> None:
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.RESTARTING_CLUSTER)
        response = self.act({'recover': {}})
        self.assertEqual(422, response.status_int, response.text)

    def test_a_cluster_that_is_being_deleted(self) -> None:
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.DELETING)
        response = self.act({'recover': {}})
        self.assertEqual(422, response.status_int, response.text)


class TimeOutTest(RecoverTestCase):

    def test_the_same_one_is_tried_again(self) -> None:
        """It was told to continue, and has not become primary in time."""
        self.override('bootstrap_timeout', 10, 'mariadb')
        self.stand((STARTING, 30), (STARTING, 30), (STARTING, 30),
                   products_3={'safe': True})
        self.galera.habits[THREE] = {'ignores_order': True}
        self.recover()
        self.failed('continue of products-3', 'bootstrap_timeout')
        self.assertEqual(0, self.galera.promotions)
        # Nobody else may be primary beside it, if it is merely slow.
        self.assertEqual([STOPPED, STOPPED], [
            self.galera.named(name).server for name in (ONE, TWO)])
        self.galera.named(THREE).safe = False
        self.galera.habits.clear()
        self.recover()
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual({f'continue {THREE}'}, {
            event for event in self.galera.events
            if event.startswith('continue')})
        self.assertEqual(1, self.galera.promotions)
        self.assertEqual(3, len(self.galera.component))

    def test_one_that_crashes_keeps_only_itself_out(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 29), (CRASHED, 29))
        self.galera.habits[TWO] = {'crashes': True}
        self.recover()
        self.failed('join of products-2', 'disk is 100% full')
        self.assertIn(f'start {THREE}', self.galera.events)
        self.assertIn('100% full', self.fault(self.member(2)))
        self.assertEqual('', self.fault(self.member(1)))

    def test_delete_ends_it(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 29), (STOPPED, 29))
        self.galera.habits[TWO] = {'stalls': True}
        self.act({'recover': {}})
        self.wait_for_event(f'start {TWO}')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assert_nothing_left()
