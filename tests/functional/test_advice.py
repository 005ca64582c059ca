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

"""Each next action is carried out where it is given, and helps.

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
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role

ONE, TWO, THREE = test_actions.NAMES
FOUR = 'products-4'
State = diagnosis.ClusterState
ServerState = galera.ServerState

Situation = Callable[['AdviceTest'], None]


class AdviceTest(test_recover.RecoverTestCase):
    """A cluster of three that served, and a person who reads its health."""

    def setUp(self) -> None:
        super().setUp()
        self.override('verify_timeout', 5, 'mariadb')
        self.override('join_stall_timeout', 10, 'mariadb')
        self.reader = advice.Reader(self, self.cluster_id)

    def follow(self, state: State, **words: str) -> str:
        """Do what the health says until nothing is left to do.

        :returns: what it said first.
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
        return str(first['sentence'])

    def guest(self, name: str = TWO) -> galera.Guest:
        return self.world.named(name)

    def grow_that_fails(self) -> None:
        self.world.habits[FOUR] = {'crashes': True}
        self.accept({'grow': [{
            'flavorRef': '1', 'volume': {'size': 1},
            'nics': [{'network_id': clouds.NETWORK}]}]})
        self.settle()


def _with(**attributes: Any) -> Situation:
    """The second member is so."""
    def put(test: AdviceTest) -> None:
        for name, value in attributes.items():
            setattr(test.guest(), name, value)
    return put


def _server(state: ServerState, **data: Any) -> Situation:
    """The second member's server stands so, outside the component."""
    def put(test: AdviceTest) -> None:
        test.world.stand(TWO, state, 1, **data)
    return put


def _frozen(test: AdviceTest) -> None:
    test.world.stand(TWO, ServerState.UNRESPONSIVE, 1)


def _failed(test: AdviceTest) -> None:
    test.grow_that_fails()


def _never_started(test: AdviceTest) -> None:
    """An operator has reset its status."""
    test.grow_that_fails()
    row = next(row for row in test.instance_rows(test.cluster_id)
               if row.name == FOUR)
    row.update(task_status=InstanceTasks.NONE)
    test.world.stand(FOUR, ServerState.ABSENT, -1, started=False)


def _gone(test: AdviceTest) -> None:
    """Its server was deleted in Nova, past Trove."""
    row = test.instance_rows(test.cluster_id)[1]
    del test.cloud.servers[row.compute_instance_id]
    test.guest().die()


def _silent(test: AdviceTest) -> None:
    test.guest().fall_silent()


#: how each role that is wrong comes about, and what its remedy is
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
    Role.MUTE: (State.DEGRADED, _with(mute=True), 'cluster restart'),
    Role.STOPPED: (State.DEGRADED, _server(ServerState.STOPPED),
                   'cluster restart'),
    Role.CRASHED: (State.DEGRADED, _server(ServerState.CRASHED),
                   'cluster restart'),
    Role.DENIED: (State.DEGRADED, _with(denied=True), 'instance reboot'),
    Role.SILENT: (State.DEGRADED, _silent, 'instance reboot'),
}


class RoleTest(AdviceTest):
    """One member is wrong, and what the health says makes all well."""


def _role_test(role: Role) -> Callable[[RoleTest], None]:
    def test(self: RoleTest) -> None:
        state, situation, remedy = BY_ROLE[role]
        situation(self)
        words = {'FLAVOR': '1', 'SIZE': '1'}
        sentence = self.follow(state, **words)
        self.assertIn(str(role), sentence)
        self.assertIn(remedy, ' '.join(self.reader.done))
    return test


for _role in BY_ROLE:
    setattr(RoleTest, f'test_{_role.name.lower()}', _role_test(_role))


class CompleteTest(base.testtools.TestCase):

    def test_each_role_that_is_wrong_has_its_test(self) -> None:
        """A donor that takes no statements is waited for as a joiner is."""
        self.assertEqual(
            set(Role) - {*roles.SERVING, Role.BUSY}, set(BY_ROLE))
