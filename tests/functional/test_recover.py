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

"""Recovery of a cluster whose members stopped, lost each other or died."""

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
    """Each test begins with a healthy cluster of three."""

    def setUp(self) -> None:
        super().setUp()
        self.galera.promotions = 0

    def stand(self, *places: Any, **data: Any) -> None:
        """Set the servers of all members and the positions of their data."""
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
        """All members serve; one component was made, with these events."""
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
        """The error that was sent; no member was made primary."""
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

    def test_members_stopped_one_by_one(self) -> None:
        self.stand((STOPPED, 20), (STOPPED, 25), (STOPPED, 30))
        self.recover()
        self.recovered(f'continue {THREE}', f'start {TWO}', f'start {ONE}')
        self.assertEqual(1, self.galera.promotions)

    def test_members_stopped_at_once(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 30), (STOPPED, 30))
        self.recover()
        self.recovered(f'continue {ONE}', f'start {TWO}', f'start {THREE}')

    def test_of_equal_positions_the_last_to_stop_bootstraps(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 30), (STOPPED, 30),
                   products_2={'safe': True})
        self.recover()
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_killed_members_that_do_not_find_each_other(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (CRASHED, 29))
        self.recover()
        self.assertIn(f'halt {ONE}', self.galera.events)
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_survivor_that_an_operator_starts_during_the_recovery(
            self) -> None:
        """The operator does not know that a recovery runs."""
        self.stand((STARTING, 30), (STARTING, 31), (CRASHED, 29))
        self.galera.habits[THREE] = {'has_started': ONE}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')
        self.assertEqual(2, self.galera.events.count(f'halt {ONE}'))

    def test_members_that_can_recover_by_themselves_do(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (STARTING, 31))
        for name in test_actions.NAMES:
            self.galera.habits[name] = {'meets': True}
        self.recover()
        self.recovered()
        self.assertEqual([], [event for event in self.galera.events
                              if event.startswith('halt')])

    def test_members_that_should_recover_by_themselves_but_do_not(
            self) -> None:
        """One has another last view, so it is not part of their component."""
        self.stand((STARTING, 30), (STARTING, 31), (STOPPED, 31))
        for name in test_actions.NAMES:
            self.galera.habits[name] = {'meets': True}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {THREE}', f'start {ONE}')

    def test_survivor_is_promoted(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 30))
        self.recover()
        self.assertNotIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_survivor_whose_component_is_changing_is_promoted_later(
            self) -> None:
        self.stand((STARTING, 30), (STARTING, 29), (RUNNING, 30))
        self.galera.habits[THREE] = {'counting': 4}
        self.recover()
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_survivor_whose_component_never_settles_bootstraps(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 30))
        self.galera.habits[THREE] = {'counting': 10 ** 6}
        self.recover()
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {ONE}', f'start {THREE}', f'start {TWO}')

    def test_another_survivor_is_promoted_if_the_first_refuses(self) -> None:
        self.stand((STOPPED, 29), (RUNNING, 30), (RUNNING, 30))
        self.galera.habits[TWO] = {'counting': 10 ** 6}
        self.recover()
        self.assertIn(f'halt {TWO}', self.galera.events)
        self.recovered(f'promote {THREE}', f'start {TWO}', f'start {ONE}')

    def test_survivor_that_is_behind_is_stopped_first(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 31), (RUNNING, 29))
        self.recover()
        self.assertIn(f'halt {THREE}', self.galera.events)
        self.recovered(f'continue {TWO}', f'start {ONE}', f'start {THREE}')

    def test_recovery_waits_for_a_server_that_is_stopping(self) -> None:
        self.stand((STOPPED, 29), (UNRESPONSIVE, 31), (STOPPED, 30))
        self.galera.habits[TWO] = {'deaf_for': 5, 'turns_out': STOPPED}
        self.recover()
        self.recovered(f'continue {TWO}', f'start {THREE}', f'start {ONE}')

    def test_recovery_waits_for_a_busy_member(self) -> None:
        self.stand((STARTING, 30), (UNRESPONSIVE, 31), (STOPPED, 29))
        self.galera.habits[TWO] = {'deaf_for': 5, 'turns_out': RUNNING}
        self.recover()
        self.assertNotIn(f'halt {TWO}', self.galera.events)
        self.recovered(f'promote {TWO}', f'start {ONE}', f'start {THREE}')

    def test_survivor_may_be_busy_while_its_component_changes(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 29), (RUNNING, 31))
        self.galera.habits[ONE] = {'makes_deaf': THREE}
        self.galera.habits[THREE] = {'deaf_for': 5, 'turns_out': RUNNING}
        self.recover()
        self.recovered(f'promote {THREE}', f'start {ONE}', f'start {TWO}')

    def test_stopped_members_join_an_existing_primary_component(self) -> None:
        for name in (ONE, TWO):
            self.galera.stand(name, STOPPED, 99)
        self.recover()
        self.recovered(f'start {ONE}', f'start {TWO}')
        self.assertEqual(0, self.galera.promotions)

    def test_healthy_cluster_is_not_changed(self) -> None:
        self.recover()
        self.recovered()
        self.assertEqual(['write products-3'], self.galera.events)

    def test_body_null_is_accepted(self) -> None:
        self.accept({'recover': None})
        self.recovered()

    def test_member_with_corrupt_or_lost_data_does_not_bootstrap(self) -> None:
        self.stand((STOPPED, 99), (STOPPED, 30), (STOPPED, 30),
                   products_1={'spoiled': True},
                   products_2={'grastate': False})
        self.recover()
        self.recovered(f'continue {THREE}', f'start {TWO}', f'start {ONE}')
        self.assertFalse(self.galera.named(ONE).spoiled)

    def test_member_that_lost_its_data_gets_a_copy(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, -1), (STOPPED, 30),
                   products_2={'history': ''})
        self.recover()
        self.recovered(f'continue {ONE}', f'start {THREE}', f'start {TWO}')


class RefusalTest(RecoverTestCase):

    def silence(self, name: str) -> None:
        self.override('member_call_timeout', 1, 'mariadb')
        self.galera.named(name).die()

    def test_unresponsive_member_refuses_the_recovery(self) -> None:
        self.stand((STARTING, 30), (STOPPED, 31), (STOPPED, 29))
        self.silence(TWO)
        self.recover()
        self.refused(TWO, 'did not answer', '--force MEMBER')
        self.assertEqual([], self.galera.events)
        self.assertIn('did not answer', self.fault(self.member(2)))
        self.assertEqual('', self.fault(self.member(1)))

    def test_unresponsive_member_is_skipped_with_force(self) -> None:
        self.test_unresponsive_member_refuses_the_recovery()
        self.recover(force=self.member(1))
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual({ONE, THREE}, {
            guest.name for guest in self.galera.component if guest.synced})
        self.assertEqual([f'continue {ONE}', f'start {THREE}'], [
            event for event in self.galera.events
            if event.split()[0] in ('continue', 'start')])

    def test_forced_member_that_does_not_answer_is_refused(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        self.silence(TWO)
        self.recover(force=self.member(2))
        self.refused(TWO, 'cannot be started')
        self.assertEqual([], self.galera.events)

    def test_members_of_another_history_are_refused(self) -> None:
        self.stand((STARTING, 30), (STARTING, 31), (STOPPED, 29),
                   products_2={'history': OTHER_UUID},
                   products_3={'held': True})
        self.recover()
        self.refused(TWO, OTHER_UUID, self.galera.history, '--force MEMBER')
        # Nothing has changed: two search for each other, one is stopped.
        self.assertEqual([f'start {ONE}', f'start {TWO}'],
                         self.galera.events[-2:])

    def test_unreadable_disk_refuses_the_recovery(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        self.galera.habits[ONE] = {'unreadable': True}
        self.recover()
        self.refused(ONE, 'does not report its position')

    def test_position_behind_an_observed_one_is_refused(self) -> None:
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

    def test_recovery_without_any_data_is_refused(self) -> None:
        self.stand((STOPPED, -1), (STOPPED, -1), (STOPPED, -1))
        for name in test_actions.NAMES:
            self.galera.named(name).history = ''
        self.recover()
        self.refused('No member holds usable data', 'Create a new cluster')
        for number in (1, 2, 3):
            self.assertIn('holds no data', self.fault(self.member(number)))

    def test_frozen_server_refuses_the_recovery(self) -> None:
        self.stand((STARTING, 30), (UNRESPONSIVE, 31), (STOPPED, 29))
        self.recover()
        self.refused(TWO, 'does not answer')
        self.assertEqual([], self.galera.events)

    def test_health_contains_the_command(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 31), (STOPPED, 29))
        health = self.request(
            'GET', f'/clusters/{self.cluster_id}/health').json['health']
        self.assertEqual('DOWN', health['state'])
        self.assertIn('openstack database cluster recover',
                      health['next_action'])

    def test_instance_that_is_no_member_cannot_be_forced(self) -> None:
        stranger = self.unknown_id()
        self.refuse(400, f'{stranger} is not a member',
                    {'recover': {'force': stranger}})
        self.refuse(400, 'Validation error',
                    {'recover': {'member': stranger}})

    def test_cluster_with_a_task_is_refused(self) -> None:
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.RESTARTING_CLUSTER)
        response = self.act({'recover': {}})
        self.assertEqual(422, response.status_int, response.text)

    def test_cluster_that_is_being_deleted_is_refused(self) -> None:
        self.cluster_row(self.cluster_id).update(
            task_status=ClusterTasks.DELETING)
        response = self.act({'recover': {}})
        self.assertEqual(422, response.status_int, response.text)


class TimeOutTest(RecoverTestCase):

    def test_retry_bootstraps_from_the_same_member(self) -> None:
        """It was told to bootstrap, and did not become primary in time."""
        self.override('bootstrap_timeout', 10, 'mariadb')
        self.stand((STARTING, 30), (STARTING, 30), (STARTING, 30),
                   products_3={'safe': True})
        self.galera.habits[THREE] = {'ignores_order': True}
        self.recover()
        self.failed('continue of products-3', 'bootstrap_timeout')
        self.assertEqual(0, self.galera.promotions)
        # No other member may bootstrap, because the first one may be slow.
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

    def test_member_that_crashes_does_not_stop_the_others(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 29), (CRASHED, 29))
        self.galera.habits[TWO] = {'crashes': True}
        self.recover()
        self.failed('join of products-2', 'disk is 100% full')
        self.assertIn(f'start {THREE}', self.galera.events)
        self.assertIn('100% full', self.fault(self.member(2)))
        self.assertEqual('', self.fault(self.member(1)))

    def test_delete_ends_the_recovery(self) -> None:
        self.stand((STOPPED, 30), (STOPPED, 29), (STOPPED, 29))
        self.galera.habits[TWO] = {'stalls': True}
        self.act({'recover': {}})
        self.wait_for_event(f'start {TWO}')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assert_nothing_left()
