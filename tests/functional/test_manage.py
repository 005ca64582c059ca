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

"""Registering a datastore version with the program of this package."""

from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models

from tests.functional import site as sites

PXC = ('datastore', 'add', '--manager', 'pxc', '--version', '8.0')


class ManageTest(sites.SiteTest):

    def assert_runs(self, *arguments: str) -> str:
        done = self.run_program('manage', *arguments)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def test_once_twice_and_with_another_image(self) -> None:
        rules = ('--rules', str(self.rules('pxc')))
        self.assert_runs(*PXC, *rules, '--image', 'one', '--default')
        row = self.row('pxc', '8.0')
        self.assertEqual(
            ('pxc', 'one', 'trove_pxc.guestagent.manager.PxcManager',
             'trove.guestagent.strategies.replication.mysql_gtid.'
             'MysqlGTIDReplication', True),
            (row.manager, row.image_id, row.registry_ext, row.repl_strategy,
             bool(row.active)))
        model = configuration_models.DBDatastoreConfigurationParameters
        number = model.find_all(datastore_version_id=row.id).count()
        self.assertEqual(4, number)

        again = self.assert_runs(
            *PXC, *rules, '--image', 'one', '--default')
        self.assertEqual(
            'datastore version pxc 8.0 is registered so already\n', again)
        self.assertEqual(
            number, model.find_all(datastore_version_id=row.id).count())

        changed = self.assert_runs(*PXC, '--image', 'two',
                                   *rules)
        self.assertEqual('version pxc 8.0: image_id one -> two\n', changed)
        self.assertEqual(row.id, self.row('pxc', '8.0').id)
        datastore = datastore_models.DBDatastore.get_by(name='pxc')
        self.assertEqual(row.id, datastore.default_version_id)

    def test_a_server_that_nobody_knows(self) -> None:
        done = self.run_program(
            'manage', 'datastore', 'add', '--manager', 'pxc', '--version',
            '9.1', '--image', 'one')
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn('use one of 5.6', done.stderr)
        self.assertIsNone(datastore_models.DBDatastore.get_by(name='pxc'))

    def test_rules_that_are_none(self) -> None:
        rules = self.write('rules.json', '{"something": []}')
        done = self.run_program(
            'manage', *PXC, '--image', 'one', '--rules', rules)
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn('holds no validation rules', done.stderr)

    def test_the_help_teaches(self) -> None:
        self.assertIn('--image IMAGE_ID', self.assert_runs(
            'datastore', 'add', '--help'))
