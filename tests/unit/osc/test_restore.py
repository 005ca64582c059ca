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

"""The command that creates a cluster from a backup."""

import argparse
import types
from typing import Any

import fixtures
import mock
from osc_lib import exceptions
import testtools
from troveclient import exceptions as trove_exceptions
from troveclient.v1 import backups
from troveclient.v1 import clusters

from trove_pxc.osc import restore

BACKUP = {'id': 'b-1', 'name': 'nightly', 'instance_id': 'i-1',
          'datastore': {'type': 'mariadb', 'version': '10.11',
                        'version_id': 'v-1'}}
SOURCE = {'id': 'old', 'instances': [
    {'id': f'i-{number}', 'flavor': {'id': '7'}, 'volume': {'size': 20}}
    for number in range(1, 6)]}


class RestoreTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.database = mock.Mock()
        self.database.backups = mock.create_autospec(
            backups.Backups, instance=True)
        self.database.backups.resource_class = backups.Backup
        self.database.backups.get.return_value = backups.Backup(None, BACKUP)
        self.database.clusters = mock.create_autospec(
            clusters.Clusters, instance=True)
        self.database.clusters.create.return_value = types.SimpleNamespace(
            id='new', name='products')
        self.database.flavors.get.return_value = types.SimpleNamespace(id=2)
        self.database.client.get.side_effect = self.get
        self.there = True
        self.tasks = ['BUILDING', 'BUILDING', 'NONE']
        self.fault: Any = None
        self.useFixture(fixtures.MonkeyPatch(
            'trove_pxc.osc.progress.POLL_SECONDS', 0))
        self.errors = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.errors))

    def get(self, url: str) -> tuple[Any, Any]:
        found: Any = {}
        if url == '/clusters/new':
            task = self.tasks.pop(0) if len(self.tasks) > 1 else (
                self.tasks[0])
            found = {'cluster': {
                'id': 'new', 'name': 'products', 'task': {
                    'name': task, 'description': f'restore: {task}',
                    **({'restored_backup': 'b-1'} if task != 'NONE'
                       else {})},
                'instances': [{'id': 'n-1', 'name': 'products-1',
                               'status': 'ERROR' if self.fault else 'ACTIVE',
                               'flavor': {'id': '7'}}]}}
        elif url == '/instances/n-1':
            found = {'instance': {'fault': self.fault} if self.fault else {}}
        elif not self.there:
            raise trove_exceptions.NotFound(404)
        elif url == '/instances/i-1':
            found = {'instance': {'cluster_id': 'old'}}
        elif url == '/clusters/old':
            found = {'cluster': SOURCE}
        return types.SimpleNamespace(status_code=200), found

    def run_command(self, *words: str) -> dict[str, Any]:
        app = mock.Mock()
        app.client_manager.database = self.database
        command = restore.RestoreCluster(app, None, cmd_name='x')
        parsed: argparse.Namespace = command.get_parser('x').parse_args(
            ['b-1', '--name', 'products', *words])
        return dict(zip(*command.take_action(parsed)))

    def requested(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = self.database.clusters.create.call_args
        return args, kwargs

    def test_like_the_cluster_of_the_backup(self) -> None:
        shown = self.run_command()
        args, kwargs = self.requested()
        self.assertEqual(('products', 'mariadb', '10.11'), args)
        self.assertEqual({'backup': 'b-1'}, kwargs['extended_properties'])
        self.assertEqual([{'flavorRef': '7', 'volume': {'size': 20}}] * 5,
                         kwargs['instances'])
        self.assertEqual(('new', 'b-1', 'BUILDING'), (
            shown['id'], shown['backup'], shown['task_name']))

    def test_everything_can_be_chosen(self) -> None:
        self.run_command(
            '--size', '3', '--flavor', 'large', '--volume', '50',
            '--volume-type', 'ssd', '--network', 'n', '--locality',
            'affinity', '--datastore-version', '10.11.9',
            '--configuration', 'g')
        args, kwargs = self.requested()
        self.assertEqual(('products', 'mariadb', '10.11.9'), args)
        self.assertEqual([{
            'flavorRef': '2', 'volume': {'size': 50, 'type': 'ssd'},
            'nics': [{'net-id': 'n'}]}] * 3, kwargs['instances'])
        self.assertEqual(('affinity', 'g'), (
            kwargs['locality'], kwargs['configuration']))

    def test_cluster_of_the_backup_was_deleted(self) -> None:
        self.there = False
        error = self.assertRaises(exceptions.CommandError, self.run_command)
        self.assertIn('--flavor and --volume', str(error))
        self.run_command('--flavor', 'large', '--volume', '50')
        self.assertEqual([{'flavorRef': '2', 'volume': {'size': 50}}] * 3,
                         self.requested()[1]['instances'])

    def test_wait_prints_the_progress(self) -> None:
        shown = self.run_command('--wait')
        self.assertEqual('NONE', shown['task_name'])
        self.errors.seek(0)
        self.assertIn('BUILDING: restore: BUILDING', self.errors.read())

    def test_wait_fails_with_the_fault(self) -> None:
        self.fault = {'message': 'create: "restore of products-1" failed'}
        error = self.assertRaises(exceptions.CommandError,
                                  self.run_command, '--wait')
        self.assertIn('restore of products-1', str(error))
