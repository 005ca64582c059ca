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

"""Members whose server or port was deleted in the cloud, without Trove.

The operation fails at once and names a next action; each test carries it out
and checks that it helps.
"""

import re
import shlex
from typing import Any

from trove.cluster.tasks import ClusterTasks

from tests.functional import test_actions
from tests.functional import test_grow
from tests.functional import test_recover
from trove_pxc import waiting

ONE, TWO, THREE = test_actions.NAMES


class LostTestCase(test_grow.GrowthTest):

    def delete_server(self, name: str) -> None:
        """Delete it in Nova."""
        server = self.cloud.servers[self.named(name).compute_instance_id]
        server.delete()

    def delete_port(self, name: str) -> None:
        """Delete it in Neutron; the server of the fake keeps running."""
        wanted = f'trove-{self.named(name).id}'
        (port,) = (port['id'] for port in self.cloud.ports.values()
                   if port['name'] == wanted)
        del self.cloud.ports[port]

    def add_some(self, number: int) -> None:
        self.grow(*[test_grow.node() for _ in range(number)])
        self.settle()
        self.galera.events.clear()
        self.before = self.used()

    def do(self, sentence: str) -> None:
        """Carry out the commands that a next action names."""
        commands = re.findall('"(openstack database cluster [^"]*)"',
                              sentence)
        self.assertNotEqual([], commands, sentence)
        for command in commands:
            verb, *words = shlex.split(command)[3:]
            if verb == 'grow':
                self.grow()
            else:
                self.assertEqual('shrink', verb)
                self.assertEqual('products', words[0])
                self.accept({'shrink': [{'id': one} for one in words[1:]]})
            self.settle()

    def end(self, action: str) -> str:
        """Return the message and the duration of an operation that failed."""
        return str(self.wait_notified(f'dbaas.{action}.error')['message'])

    def fail(self, action: str, body: Any) -> str:
        watch = waiting.Stopwatch()
        self.accept(body)
        self.assertLess(watch.elapsed, 10)
        self.assertEqual([], [event for event in self.galera.events
                              if event.split()[0] in ('stop', 'configure')])
        return self.end(action)


class ServerGoneTest(LostTestCase):

    def replaced(self, message: str) -> None:
        self.assertIn('"check the servers" failed: products-2: its server '
                      f'{self.named(TWO).compute_instance_id} is gone',
                      message)
        shown = self.request(
            'GET', f'/instances/{self.named(TWO).id}').json['instance']
        self.assertEqual(message, shown['fault']['message'])
        self.do(shown['fault']['message'])
        self.assert_serving(ONE, THREE, 'products-4')

    def test_restart_fails_and_names_the_member(self) -> None:
        self.delete_server(TWO)
        self.replaced(self.fail('cluster_restart', {'restart': {}}))

    def test_restart_of_that_member_fails(self) -> None:
        self.delete_server(TWO)
        self.replaced(self.fail('cluster_restart', {
            'restart': {'instance': self.named(TWO).id}}))

    def test_resize_fails_and_names_the_member(self) -> None:
        self.delete_server(TWO)
        self.replaced(self.fail('cluster_resize_flavor', {
            'resize': {'flavorRef': '2'}}))

    def test_rotation_fails_and_names_the_member(self) -> None:
        self.delete_server(TWO)
        self.replaced(self.fail('cluster_rotate_certificates', {
            'rotate_certificates': {}}))

    def test_recovery_names_the_member(self) -> None:
        self.delete_server(TWO)
        self.replaced(self.fail('cluster_recover', {'recover': {}}))

    def test_shrink_is_advised_if_enough_members_remain(self) -> None:
        self.add_some(1)
        self.delete_server(TWO)
        message = self.fail('cluster_restart', {'restart': {}})
        self.assertNotIn('grow', message)
        self.do(message)
        self.assert_serving(ONE, THREE, 'products-4')

    def test_recovery_starts_the_other_members(self) -> None:
        self.add_some(2)
        self.delete_server(TWO)
        self.galera.named('products-4').stop_db(None)
        self.accept({'recover': {}})
        self.assert_serving(ONE, THREE, 'products-4', 'products-5')
        self.do(self.end('cluster_recover'))
        self.assertEqual(
            [ONE, THREE, 'products-4', 'products-5'],
            self.names(self.show(self.cluster_id)))

    def test_health_and_list_of_members_show_it(self) -> None:
        self.delete_server(TWO)
        watch = waiting.Stopwatch()
        listed = self.request(
            'GET', f'/clusters/{self.cluster_id}/members').json['members']
        self.assertLess(watch.elapsed, 1)
        self.assertEqual('gone', listed[1]['role'])
        self.assertIn('is gone: it was deleted in Nova',
                      listed[1]['detail'])
        self.do(listed[1]['detail'])
        self.assert_serving(ONE, THREE, 'products-4')


class RecoverTest(test_recover.RecoverTestCase, LostTestCase):

    def test_recovery_needs_force_if_no_member_serves(self) -> None:
        """The deleted server could have had the last writes."""
        self.delete_server(TWO)
        for number in (1, 3):
            self.galera.stand(f'products-{number}', test_recover.STOPPED,
                              number)
        watch = waiting.Stopwatch()
        self.recover()
        self.assertLess(watch.elapsed, 30)
        self.refused('products-2 is gone', '--force MEMBER')
        self.recover(force=self.named(THREE).id)
        self.assert_serving(ONE, THREE)
        self.do(str(self.notified('dbaas.cluster_recover.error')[-1][
            'message']))
        self.assert_serving(ONE, THREE, 'products-4')

    def test_recovery_is_refused_if_all_servers_are_gone(self) -> None:
        for name in test_actions.NAMES:
            self.delete_server(name)
        self.recover()
        self.refused('the servers of all members are gone',
                     'Delete the cluster')
        self.assertEqual(202, self.request(
            'DELETE', f'/clusters/{self.cluster_id}').status_int)
        self.wait_deleted(self.cluster_id)


class PortGoneTest(LostTestCase):

    def refusal(self, body: Any) -> str:
        self.refuse(422, 'its Neutron port is gone', body)
        (error,) = self.act(body).json.values()
        return str(error['message'])

    def test_grow_is_refused_until_an_operator_adds_a_port(self) -> None:
        self.delete_port(TWO)
        servers = len(self.cloud.servers)
        message = self.refusal({'grow': [test_grow.node()]})
        self.assertEqual(servers, len(self.cloud.servers))
        self.assertIn('products-2 serves', message)
        found = re.search('"openstack server stop ([^"]*)"', message)
        assert found is not None
        self.assertEqual(self.named(TWO).compute_instance_id, found[1])
        self.galera.named(TWO).die()
        self.do(message)
        self.assert_serving(ONE, THREE, 'products-4')

    def test_shrink_is_advised_if_enough_members_remain(self) -> None:
        self.add_some(1)
        self.delete_port(TWO)
        for body in ({'grow': [test_grow.node()]},
                     {'shrink': [{'id': self.named(ONE).id}]}):
            message = self.refusal(body)
        self.do(message)
        self.assert_serving(ONE, THREE, 'products-4')

    def test_member_that_does_not_fully_serve_needs_a_port_too(self) -> None:
        """The other members get its address all the same."""
        self.delete_port(TWO)
        self.galera.named(TWO).variables = {'read_only': 'ON'}
        self.refusal({'grow': [test_grow.node()]})
        self.galera.named(TWO).variables = {}
        self.galera.named(TWO).locked = True
        self.refusal({'grow': [test_grow.node()]})

    def test_member_that_leaves_needs_no_port(self) -> None:
        self.add_some(1)
        self.delete_port(TWO)
        self.shrink(TWO)
        self.assert_serving(ONE, THREE, 'products-4')

    def test_lost_member_needs_no_port(self) -> None:
        self.delete_port(TWO)
        self.galera.named(TWO).die()
        self.grow()
        self.assert_serving(ONE, THREE, 'products-4')

    def test_port_deleted_after_the_request_is_reported(self) -> None:
        """The first step checks it, before any member knows the new one."""
        self.stop_taskmanager()
        for body in ({'grow': [test_grow.node()]},):
            self.assertEqual(202, self.act(body).status_int)
        self.delete_port(TWO)
        self.start_taskmanager()
        self.wait_for_task(self.cluster_id)
        message = self.end('cluster_grow')
        self.assertIn('"check the cluster of products-4" failed: '
                      'products-2 serves, but its Neutron port', message)
        self.assertEqual([], [event for event in self.galera.events
                              if event.split()[0] in ('join', 'configure')])
        self.assertEqual(ClusterTasks.NONE, self.cluster_row(
            self.cluster_id).task_status)
