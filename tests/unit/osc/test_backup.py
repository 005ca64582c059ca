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

"""The commands for backups of clusters."""

import argparse
import types
from typing import Any

import fixtures
import mock
from osc_lib import exceptions
import testtools

from trove_pxc.osc import backup

FULL = {'id': 'b-1', 'name': 'nightly', 'status': 'COMPLETED',
        'locationRef': 'http://store/b-1',
        'created': '2026-12-01T10:00:00', 'size': 1.5, 'parent_id': None,
        'instance_id': 'i-3', 'description': '[complete: cluster products]'}


class BackupTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.database = mock.Mock()
        self.database.clusters.get.return_value = types.SimpleNamespace(
            id='c-1', name='products', to_dict=lambda: {
                'instances': [{'id': 'i-2', 'name': 'products-2'}]})
        self.database.client.get.side_effect = self.get
        self.database.client.post.side_effect = self.post
        self.backups = [FULL]
        self.states = [{**FULL, 'status': 'BUILDING',
                        'description': '[progress: copy the data]'}, FULL]
        self.useFixture(fixtures.MonkeyPatch(
            'trove_pxc.osc.progress.POLL_SECONDS', 0))
        self.errors = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.errors))

    def get(self, url: str) -> tuple[Any, Any]:
        answer: Any = ({'backups': self.backups} if 'clusters' in url else {
            'backup': self.states.pop(0)})
        return types.SimpleNamespace(status_code=200), answer

    def post(self, url: str, body: Any) -> tuple[Any, Any]:
        self.assertEqual('/clusters/c-1/backups', url)
        self.wanted = body['backup']
        return types.SimpleNamespace(status_code=202), {
            'backup': {**FULL, 'status': 'NEW'}}

    def run_command(self, kind: Any, *words: str) -> Any:
        app = mock.Mock()
        app.client_manager.database = self.database
        command = kind(app, None, cmd_name='x')
        parsed: argparse.Namespace = command.get_parser('x').parse_args(
            ['products', *words])
        return command.take_action(parsed)

    def create(self, *words: str) -> dict[str, Any]:
        return dict(zip(*self.run_command(backup.CreateClusterBackup,
                                          *words)))

    def test_by_default_it_is_full_and_has_a_name(self) -> None:
        shown = self.create()
        self.assertEqual(('b-1', 'NEW'), (shown['id'], shown['status']))
        self.assertEqual('http://store/b-1', shown['locationRef'])
        self.assertEqual(['name'], list(self.wanted))
        self.assertRegex(self.wanted['name'], r'products-\d{8}-\d{6}')

    def test_everything_can_be_chosen(self) -> None:
        self.create('--name', 'n', '--description', 'd', '--incremental',
                    '--parent', 'nightly', '--member', 'products-2',
                    '--swift-container', 'box')
        self.assertEqual(
            {'name': 'n', 'description': 'd', 'swift_container': 'box',
             'instance': 'i-2', 'parent_id': 'b-1', 'incremental': 1},
            self.wanted)

    def test_name_of_a_parent_must_be_unique(self) -> None:
        for self.backups in ([], [FULL, {**FULL, 'id': 'b-2'}]):
            error = self.assertRaises(
                exceptions.CommandError, self.create, '--parent', 'nightly')
            self.assertIn(f'{len(self.backups)} backups', str(error))

    def test_wait_prints_the_progress(self) -> None:
        self.assertEqual('COMPLETED', self.create('--wait')['status'])
        self.errors.seek(0)
        text = self.errors.read()
        self.assertIn('nightly: BUILDING [progress: copy the data]', text)
        self.assertIn('nightly: COMPLETED [complete: cluster prod', text)

    def test_wait_fails_with_the_reason(self) -> None:
        self.states = [{**FULL, 'status': 'FAILED',
                        'description': '[failed: no space]'}]
        error = self.assertRaises(exceptions.CommandError, self.create,
                                  '--wait')
        self.assertIn('is FAILED: [failed: no space]', str(error))

    def test_list(self) -> None:
        columns, rows = self.run_command(backup.ListClusterBackups)
        self.assertEqual(len(columns), len(rows[0]))
        self.assertEqual(('b-1', 'nightly', 'COMPLETED'), rows[0][:3])
