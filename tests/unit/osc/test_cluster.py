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

"""The commands: their requests and their output."""

import argparse
import types
from typing import Any

import fixtures
import mock
from osc_lib import exceptions
import testtools
from troveclient.v1 import clusters

from trove_pxc.osc import cluster

MEMBERS = [
    {'id': f'id-{number}', 'name': f'c-{number}', 'status': 'ACTIVE',
     'operating_status': 'HEALTHY', 'role': 'member', 'state': 'Synced',
     'ip': [f'10.0.0.{number}'], 'flavor': {'id': '1'},
     'volume': {'size': 1}} for number in (1, 2)]
HEALTH = {'state': 'HEALTHY', 'summary': 'All serve.', 'next_action': '',
          'members': 2, 'reachable': 2}


class Database:
    """Trove's client, with the calls that the commands use."""

    def __init__(self) -> None:
        found = clusters.Cluster(
            None, {'id': 'an-id', 'name': 'c', 'instances': MEMBERS})
        self.clusters = mock.Mock()
        self.clusters.get.return_value = found
        self.clusters.resource_class = mock.Mock()
        self.flavors = mock.Mock()
        self.flavors.get.return_value = types.SimpleNamespace(id=2)
        self.tasks = ['UPDATING_CLUSTER', 'NONE']
        self.faults: dict[str, str] = {}
        self.old_faults: dict[str, str] = {}
        self.asked = False
        self.status = 'ACTIVE'
        self.client = mock.Mock()
        self.client.get.side_effect = self.get
        self.client.post.side_effect = self.post

    @staticmethod
    def answer() -> Any:
        return types.SimpleNamespace(status_code=202)

    def get(self, url: str) -> tuple[Any, Any]:
        if url == '/clusters/an-id/members':
            return self.answer(), {'members': [
                dict(member) for member in MEMBERS]}
        if url == '/clusters/an-id/health':
            return self.answer(), {'health': HEALTH}
        if url == '/clusters/an-id':
            task = self.tasks.pop(0) if self.asked else 'NONE'
            return self.answer(), {'cluster': {
                'name': 'c', 'task': {'name': task},
                'instances': [dict(member, status=self.status)
                              for member in MEMBERS]}}
        instance_id = url.removeprefix('/instances/')
        fault = (self.faults if self.asked else self.old_faults).get(
            instance_id)
        return self.answer(), {'instance': (
            {'fault': {'message': fault}} if fault else {})}

    def post(self, url: str, body: Any) -> tuple[Any, Any]:
        self.asked = True
        return self.answer(), {}

    def posted(self) -> Any:
        ((url,), body) = self.client.post.call_args
        return url, body['body']


class CommandTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.database = Database()
        self.app = mock.Mock()
        self.app.client_manager.database = self.database
        self.useFixture(fixtures.MonkeyPatch(
            'trove_pxc.osc.progress.POLL_SECONDS', 0))

    def run_command(self, command: Any, *words: str) -> Any:
        made = command(self.app, None, cmd_name='x')
        parser = made.get_parser('x')
        parsed: argparse.Namespace = parser.parse_args(words)
        return made.take_action(parsed)

    def test_members(self) -> None:
        columns, rows = self.run_command(cluster.ListClusterMembers, 'c')
        self.assertEqual(
            ('id-1', 'c-1', 'member', 'Synced', '10.0.0.1', 'ACTIVE',
             'HEALTHY', ''), rows[0])
        self.assertEqual(len(columns), len(rows[0]))

    def test_health(self) -> None:
        columns, values = self.run_command(cluster.ShowClusterHealth, 'c')
        self.assertEqual(HEALTH, dict(zip(columns, values)))

    def test_health_of_an_older_trove_api(self) -> None:
        summary = {'summary': 'All serve.'}
        with mock.patch.dict(HEALTH, {'sentence': summary['summary']}):
            del HEALTH['summary']
            columns, values = self.run_command(
                cluster.ShowClusterHealth, 'c')
        shown = dict(zip(columns, values))
        self.assertEqual(summary['summary'], shown['summary'])
        self.assertNotIn('sentence', shown)

    def test_health_of_members_with_certificates(self) -> None:
        with mock.patch.dict(HEALTH, {
                'certificates_expire': '2036-01-01T00:00:00'}):
            columns, values = self.run_command(
                cluster.ShowClusterHealth, 'c')
        self.assertEqual('2036-01-01T00:00:00', dict(zip(
            columns, values))['certificates_expire'])

    def test_rotation_of_certificates(self) -> None:
        self.run_command(cluster.RotateClusterCertificates, 'c')
        self.assertEqual(
            ('/clusters/an-id', {'rotate_certificates': {}}),
            self.database.posted())

    def test_resize_of_all(self) -> None:
        self.run_command(cluster.ResizeClusterFlavor, 'c', 'small')
        self.assertEqual(
            ('/clusters/an-id', {'resize': {'flavorRef': '2'}}),
            self.database.posted())

    def test_resize_of_one_by_name(self) -> None:
        self.run_command(cluster.ResizeClusterVolume, 'c', '3',
                         '--member', 'c-2')
        self.assertEqual(
            ('/clusters/an-id', {'resize': {
                'volume': {'size': 3}, 'instance': 'id-2'}}),
            self.database.posted())

    def test_restart_of_one_by_id(self) -> None:
        self.run_command(cluster.RestartCluster, 'c', '--member', 'id-1')
        self.assertEqual(
            ('/clusters/an-id', {'restart': {'instance': 'id-1'}}),
            self.database.posted())

    def test_recover(self) -> None:
        self.run_command(cluster.RecoverCluster, 'c')
        self.assertEqual(('/clusters/an-id', {'recover': {}}),
                         self.database.posted())

    def test_recover_from_one_by_name(self) -> None:
        self.run_command(cluster.RecoverCluster, 'c', '--force', 'c-2')
        self.assertEqual(
            ('/clusters/an-id', {'recover': {'force': 'id-2'}}),
            self.database.posted())

    def test_wait_for_what_another_command_began(self) -> None:
        self.database.asked = True
        self.run_command(cluster.WaitForCluster, 'c')
        self.assertEqual([], self.database.tasks)
        self.database.client.post.assert_not_called()

    def test_wait_for_what_fails(self) -> None:
        self.database.asked = True
        self.database.faults['id-1'] = 'create: it did not start'
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.WaitForCluster, 'c')
        self.assertEqual('c-1: create: it did not start', str(error))

    def test_wait_reports_the_failure_of_several_once(self) -> None:
        self.database.faults = dict.fromkeys(('id-1', 'id-2'), 'a\n reason')
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.RecoverCluster, 'c', '--wait')
        self.assertEqual('c-1, c-2: a reason', str(error))

    def test_wait_does_not_fail_with_an_old_fault(self) -> None:
        """Of a member that failed before and is not in this request."""
        self.database.status = 'ERROR'
        self.database.faults['id-2'] = 'grow: no room'
        self.database.old_faults['id-2'] = 'grow: no room'
        self.run_command(cluster.RestartCluster, 'c', '--member', 'c-1',
                         '--wait')
        self.database.tasks = ['NONE']
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.WaitForCluster, 'c')
        self.assertEqual('c-2: grow: no room', str(error))

    def test_member_that_there_is_not(self) -> None:
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.RestartCluster, 'c', '--member', 'c-9')
        self.assertIn('c-1, c-2', str(error))
        self.database.client.post.assert_not_called()

    def test_wait(self) -> None:
        self.run_command(cluster.RestartCluster, 'c', '--wait')
        self.assertEqual([], self.database.tasks)

    def test_wait_fails_with_a_member(self) -> None:
        self.database.faults['id-2'] = 'restart: it did not return'
        error = self.assertRaises(
            exceptions.CommandError, self.run_command,
            cluster.RestartCluster, 'c', '--wait')
        self.assertEqual('c-2: restart: it did not return', str(error))
