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

"""Each next action is carried out in its situation, and helps.

The tables are complete: a role or a state without such a test is an error.
"""

from collections.abc import Callable
from typing import Any

from trove.instance.tasks import InstanceTasks

from tests.functional import advice
from tests.functional import base
from tests.functional import cloud as clouds
from tests.functional import galera
from tests.functional import test_actions
from tests.functional import test_recover
from trove_pxc.galera import diagnosis
from trove_pxc.galera import remedy
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role

ONE, TWO, THREE = test_actions.NAMES
FOUR = 'products-4'
State = diagnosis.ClusterState
ServerState = galera.ServerState

Situation = Callable[['AdviceTest'], None]


class AdviceTest(test_recover.RecoverTestCase):
    """A healthy cluster of three, and an operator who reads its health."""

    def setUp(self) -> None:
        super().setUp()
        self.override('verify_timeout', 5, 'mariadb')
        self.override('join_stall_timeout', 10, 'mariadb')
        self.reader = advice.Reader(self, self.cluster_id)

    def follow(self, state: State, **words: str) -> str:
        """Carry out the next actions until the cluster is healthy.

        :returns: the first next action.
        """
        first = self.reader.health()
        self.assertEqual(state, first['state'], first)
        health = first
        for _ in range(3):
            if health['state'] == State.HEALTHY:
                break
            self.reader.follow(health['next_action'], **words)
            health = self.reader.health()
        self.assertEqual((State.HEALTHY, ''), (
            health['state'], health['next_action']), (
                first, health, self.reader.done))
        return str(first['summary'])

    def guest(self, name: str = TWO) -> galera.Guest:
        return self.galera.named(name)

    def grow(self) -> None:
        self.accept({'grow': [{
            'flavorRef': '1', 'volume': {'size': 1},
            'nics': [{'network_id': clouds.NETWORK}]}]})
        self.settle()

    def grow_that_fails(self) -> None:
        self.galera.habits[FOUR] = {'crashes': True}
        self.grow()


def _with(**attributes: Any) -> Situation:
    """The second member has these attributes."""
    def put(test: AdviceTest) -> None:
        for name, value in attributes.items():
            setattr(test.guest(), name, value)
    return put


def _server(state: ServerState, **data: Any) -> Situation:
    """The second member's server has this state, outside the component."""
    def put(test: AdviceTest) -> None:
        test.galera.stand(TWO, state, 1, **data)
    return put


def _frozen(test: AdviceTest) -> None:
    test.galera.stand(TWO, ServerState.UNRESPONSIVE, 1)


def _failed(test: AdviceTest) -> None:
    test.grow_that_fails()


def _never_started(test: AdviceTest) -> None:
    """An operator has reset its status."""
    test.grow_that_fails()
    row = next(row for row in test.instance_rows(test.cluster_id)
               if row.name == FOUR)
    row.update(task_status=InstanceTasks.NONE)
    test.galera.stand(FOUR, ServerState.ABSENT, -1, started=False)


def _gone(test: AdviceTest) -> None:
    """Its server was deleted in Nova, without Trove."""
    row = test.instance_rows(test.cluster_id)[1]
    del test.cloud.servers[row.compute_instance_id]
    test.guest().die()


def _silent(test: AdviceTest) -> None:
    test.guest().fall_silent()


#: How each faulty role comes about, and a part of its remedy.
BY_ROLE: dict[Role, tuple[State, Situation, str]] = {
    Role.JOINING: (State.RECOVERING, _with(
        synced=False, reports_until_synced=9), ''),
    Role.STARTING: (State.RECOVERING, _server(ServerState.STARTING), ''),
    Role.FAILED: (State.DEGRADED, _failed, 'cluster shrink'),
    Role.NEW: (State.DEGRADED, _never_started, 'cluster shrink'),
    Role.GONE: (State.DEGRADED, _gone, 'cluster grow'),
    Role.LOCKED: (State.DEGRADED, _with(locked=True), 'cluster restart'),
    Role.DESYNCED: (State.DEGRADED, _with(
        variables={'wsrep_desync': 'ON'}), 'SET GLOBAL wsrep_desync'),
    Role.READ_ONLY: (State.DEGRADED, _with(
        variables={'read_only': 'ON'}), 'SET GLOBAL read_only'),
    Role.REJECTING: (State.DEGRADED, _with(
        variables={'wsrep_reject_queries': 'ALL'}),
        'SET GLOBAL wsrep_reject_queries'),
    Role.UNREPLICATED: (State.DEGRADED, _with(
        variables={'wsrep_on': 'OFF'}), 'cluster restart'),
    Role.NON_PRIMARY: (State.DEGRADED, _server(ServerState.RUNNING),
                       'cluster restart'),
    Role.FROZEN: (State.DEGRADED, _frozen, 'cluster restart'),
    Role.UNRESPONSIVE: (State.DEGRADED, _with(unresponsive=True),
                        'cluster restart'),
    Role.STOPPED: (State.DEGRADED, _server(ServerState.STOPPED),
                   'cluster restart'),
    Role.CRASHED: (State.DEGRADED, _server(ServerState.CRASHED),
                   'cluster restart'),
    Role.DENIED: (State.DEGRADED, _with(denied=True), 'instance reboot'),
    Role.SILENT: (State.DEGRADED, _silent, 'instance reboot'),
}


class RoleTest(AdviceTest):
    """One member is faulty, and the next action makes the cluster healthy."""


def _role_test(role: Role) -> Callable[[RoleTest], None]:
    def test(self: RoleTest) -> None:
        state, situation, command = BY_ROLE[role]
        situation(self)
        words = {'FLAVOR': '1', 'SIZE': '1'}
        sentence = self.follow(state, **words)
        self.assertIn(str(role), sentence)
        self.assertIn(command, ' '.join(self.reader.done))
    return test


for _role in BY_ROLE:
    setattr(RoleTest, f'test_{_role.name.lower()}', _role_test(_role))


class CompleteTest(base.testtools.TestCase):

    def test_each_faulty_role_has_its_test(self) -> None:
        """A donor without statements is waited for, like a joiner."""
        self.assertEqual(
            set(Role) - {*roles.SERVING, Role.BUSY}, set(BY_ROLE))


class SeveralTest(AdviceTest):
    """Several members are faulty at once."""

    def both(self, **attributes: Any) -> None:
        for name in (TWO, THREE):
            for key, value in attributes.items():
                setattr(self.guest(name), key, value)

    def test_two_stopped_members_are_advised(self) -> None:
        for name in (TWO, THREE):
            self.galera.stand(name, ServerState.STOPPED, 1)
        self.follow(State.DEGRADED)
        self.assertIn('cluster recover', self.reader.done[0])

    def test_two_locked_members_are_advised(self) -> None:
        self.both(locked=True)
        self.follow(State.DEGRADED)
        self.assertIn('cluster recover', self.reader.done[0])

    def test_all_locked_members_are_advised(self) -> None:
        self.guest(ONE).locked = True
        self.test_two_locked_members_are_advised()

    def test_two_members_that_do_not_replicate_are_advised(self) -> None:
        for name in (TWO, THREE):
            self.guest(name).variables['wsrep_on'] = 'OFF'
        self.follow(State.DEGRADED)
        self.assertIn('cluster recover', self.reader.done[0])

    def test_two_read_only_members_are_advised(self) -> None:
        for name in (TWO, THREE):
            self.guest(name).variables['read_only'] = 'ON'
        self.follow(State.DEGRADED)
        self.assertEqual(2, len(self.reader.done))

    def test_stopped_member_and_failed_new_member_are_advised(self) -> None:
        self.grow_that_fails()
        self.galera.stand(TWO, ServerState.STOPPED, 1)
        self.follow(State.DEGRADED)
        self.assertIn('cluster recover', self.reader.done[0])
        self.assertIn('cluster shrink', self.reader.done[1])

    def test_all_members_that_refuse_their_agents_are_advised(self) -> None:
        for name in test_actions.NAMES:
            self.guest(name).denied = True
        sentence = self.follow(State.UNCERTAIN)
        self.assertIn('refuses the login', sentence)
        self.assertEqual(1, len(self.reader.done))
        self.assertIn('instance reboot', self.reader.done[0])

    def test_two_members_of_one_name_are_told_apart_by_id(self) -> None:
        """Renamed in the table, as by a release before this one."""
        row = self.instance_rows(self.cluster_id)[2]
        row.update(name=TWO)
        self.assertEqual(State.HEALTHY, self.reader.health()['state'])
        guest = self.galera.guests[row.id]
        with self.galera.lock:
            guest.leave()
            guest.server = ServerState.STOPPED
        sentence = self.follow(State.DEGRADED)
        self.assertIn(f'{TWO} ({row.id}) is stopped', sentence)

    def test_two_members_of_one_name_do_not_prevent_a_grow(self) -> None:
        self.instance_rows(self.cluster_id)[2].update(name=TWO)
        self.grow()
        self.assertEqual('', ''.join(
            self.fault(row.id) for row in self.instance_rows(
                self.cluster_id)))
        self.assertEqual(4, len(self.galera.component))
        self.assertEqual(4, len({
            guest.settings['facts']['member_name']
            for guest in self.galera.guests.values() if guest.settings}))

    def test_two_clusters_of_one_name_are_told_apart_by_id(self) -> None:
        """The command contains the ID of the cluster."""
        other = self.cluster_row(self.cluster_id)
        type(other).create(
            name=other.name, tenant_id=other.tenant_id,
            datastore_version_id=other.datastore_version_id,
            task_status=other.task_status)
        self.galera.stand(TWO, ServerState.STOPPED, 1)
        self.follow(State.DEGRADED)
        self.assertIn(self.cluster_id, self.reader.done[0])


class StateTest(AdviceTest):
    """No member serves, or the cluster was never complete."""

    def all_stand(self, *servers: ServerState) -> None:
        for name, server in zip(test_actions.NAMES, servers):
            self.galera.stand(name, server, 1)
        self.galera.seqno = 1

    def test_down(self) -> None:
        self.all_stand(*[ServerState.STOPPED] * 3)
        self.follow(State.DOWN)

    def test_non_primary(self) -> None:
        self.all_stand(*[ServerState.RUNNING] * 3)
        self.follow(State.NON_PRIMARY)

    def test_recovering(self) -> None:
        """The servers start, but form no component by themselves."""
        self.all_stand(*[ServerState.STARTING] * 3)
        self.follow(State.RECOVERING)

    def test_uncertain(self) -> None:
        self.all_stand(*[ServerState.STOPPED] * 3)
        self.guest().fall_silent()
        self.follow(State.UNCERTAIN)
        self.assertIn('instance reboot', self.reader.done[0])

    def test_split(self) -> None:
        """Two histories, none of them primary: the operator chooses one."""
        self.all_stand(*[ServerState.RUNNING] * 3)
        self.guest().history = test_recover.OTHER_UUID
        health = self.reader.health()
        self.assertEqual(State.SPLIT, health['state'])
        others = [self.guest(name) for name in (TWO, THREE)]
        for other in others:
            self.galera.stand(other.name, ServerState.STOPPED, 1)
            other.die()
        self.reader.follow(health['next_action'], MEMBER=self.member(1))
        for other in others:
            other.wake_up()
            other.come_back()
        self.follow(State.HEALTHY)

    def test_split_into_two_components(self) -> None:
        self.galera.habits[TWO] = {'other_history': test_recover.OTHER_UUID}
        health = self.reader.health()
        self.assertEqual(State.SPLIT, health['state'])
        self.guest().die()
        self.reader.follow(health['next_action'], MEMBER=self.member(2),
                           FLAVOR='1', SIZE='1')
        self.assertEqual(State.HEALTHY, self.reader.health()['state'])

    def test_member_of_another_history_is_advised(self) -> None:
        self.galera.stand(TWO, ServerState.RUNNING, 1,
                          history=test_recover.OTHER_UUID)
        self.follow(State.SPLIT)
        self.assertIn('cluster restart', self.reader.done[0])

    def test_unmanaged_server_is_advised(self) -> None:
        """A server that Trove does not manage: an operator stops it."""
        row = self.instance_rows(self.cluster_id)[2]
        row.update(deleted=True)
        health = self.reader.health()
        self.assertEqual(State.UNCERTAIN, health['state'])
        self.assertIn('server stop SERVER', health['next_action'])
        self.reader.follow(health['next_action'])
        self.guest(THREE).die()
        self.assertEqual(State.HEALTHY, self.reader.health()['state'])

    def test_new(self) -> None:
        """The cluster is being built; the action is to wait."""
        cluster_id = self.create(name='more').json['cluster']['id']
        reader = advice.Reader(self, cluster_id)
        health = reader.health()
        wait = 'Wait until the operation is complete.'
        self.assertEqual((State.NEW, wait), (
            health['state'], health['next_action']))
        self.wait_for_task(cluster_id)

    def test_failed(self) -> None:
        """Deleted and created again, the cluster becomes healthy."""
        self.galera.forget()
        self.galera.habits['more-2'] = {'crashes': True}
        cluster_id = self.create(name='more').json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.settle()
        reader = advice.Reader(self, cluster_id)
        health = reader.health()
        self.assertEqual(State.FAILED, health['state'])
        self.assertIn('disk is 100% full', health['summary'])
        self.assertNotIn('Next:', health['summary'])
        reader.follow(health['next_action'])
        self.assertEqual(1, len(reader.done))
        self.galera.habits.clear()
        self.galera.history = ''
        again = self.create(name='more').json['cluster']['id']
        self.wait_for_task(again)
        self.assertEqual(
            State.HEALTHY, advice.Reader(self, again).health()['state'])

    def test_certificates(self) -> None:
        """They are rotated; here they always expire within a few days."""
        self.override('certificate_days', 20, 'mariadb')
        self.galera.forget()
        cluster_id = self.create(name='more').json['cluster']['id']
        self.wait_for_task(cluster_id)
        reader = advice.Reader(self, cluster_id)
        self.override('certificate_days', 3650, 'mariadb')
        health = reader.health()
        self.assertIn('expires on', health['summary'])
        reader.follow(health['next_action'])
        self.assertIn('certificate rotate', reader.done[0])
        self.assertEqual('', reader.health()['next_action'])

    def test_each_state_has_its_test(self) -> None:
        tested = {name.removeprefix('test_').upper()
                  for name in dir(self) if name.startswith('test_')}
        self.assertEqual(
            set(), set(State) - tested - {State.HEALTHY, State.DEGRADED})


#: Where each remedy is carried out.
REMEDIES: dict[str, tuple[type, str]] = {
    'of_members': (RoleTest, 'test_stopped'),
    'of_failed_create': (StateTest, 'test_failed'),
    'of_certificates': (StateTest, 'test_certificates'),
    'of_too_many': (StateTest, 'test_unmanaged_server_is_advised'),
    'of_unknown': (StateTest, 'test_uncertain'),
    'of_coming': (StateTest, 'test_recovering'),
    'of_down': (StateTest, 'test_down'),
    'of_cut_off': (StateTest, 'test_non_primary'),
    'of_two_histories': (StateTest, 'test_split'),
    'of_foreign': (StateTest, 'test_member_of_another_history_is_advised'),
    'of_two_primaries': (StateTest, 'test_split_into_two_components'),
}


class RemedyTest(base.testtools.TestCase):

    def test_each_remedy_has_its_test(self) -> None:
        self.assertEqual(
            {name for name in dir(remedy.Remedies)
             if name.startswith('of_')}, set(REMEDIES))
        for test, name in REMEDIES.values():
            self.assertTrue(callable(getattr(test, name)))


class FailedCreateTest(AdviceTest):
    """A cluster that was never complete."""

    def setUp(self) -> None:
        super().setUp()
        self.galera.forget()
        self.galera.habits['more-2'] = {'crashes': True}
        self.failed = self.create(name='more').json['cluster']['id']
        self.wait_for_task(self.failed)
        self.settle()
        self.second = self.instance_rows(self.failed)[1].id
        self.told = self.fault(self.second)
        self.assertIn('disk is 100% full', self.told)

    def test_every_action_is_refused_and_the_fault_is_kept(self) -> None:
        for body in ({'recover': {}}, {'restart': {}},
                     {'restart': {'instance': self.second}},
                     {'rotate_certificates': {}}, {'resize': {
                         'volume': {'size': 2}}}, {'grow': [{
                             'flavorRef': '1', 'volume': {'size': 1}}]}):
            response = self.request('POST', f'/clusters/{self.failed}', body)
            self.assertEqual(400, response.status_int, (body, response.text))
            said = response.json['badRequest']['message']
            self.assertIn('The create of the cluster failed: ', said)
            self.assertIn('disk is 100% full', said)
            self.assertIn('"openstack database cluster delete more"', said)
        self.assertEqual(self.told, self.fault(self.second))

    def test_members_show_their_state(self) -> None:
        response = self.request('GET', f'/clusters/{self.failed}/members')
        self.assertIn(response.json['members'][1]['role'],
                      ('crashed', 'starting'))


class AccountsTest(AdviceTest):
    """The account for state transfers was dropped."""

    def test_grow_restores_the_account_first(self) -> None:
        self.galera.lost_accounts = True
        self.grow()
        self.assertEqual(4, len(self.galera.component))
        self.assertEqual(1, self.galera.restorations)

    def test_guest_that_cannot_restore_it_is_skipped(self) -> None:
        self.galera.lost_accounts = True
        self.galera.habits[ONE] = {'cannot_restore': True}
        self.grow()
        self.assertEqual(4, len(self.galera.component))

    def test_agents_of_an_older_release_are_supported(self) -> None:
        for name in test_actions.NAMES:
            self.galera.habits[name] = {'cannot_restore': True}
        self.grow()
        self.assertEqual(4, len(self.galera.component))
