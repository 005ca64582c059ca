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

PXC = ('--manager', 'pxc', '--version', '8.0')


class ManageTest(sites.SiteTest):

    def setUp(self) -> None:
        super().setUp()
        self.few = ('--rules', str(self.rules('pxc')))

    def assert_says(self, said: str, *words: str) -> None:
        self.assertEqual((0, said, ''), self.manage(*words, *self.few))

    def assert_refuses(self, why: str, *words: str) -> None:
        code, said, complained = self.manage(*words)
        self.assertEqual((1, ''), (code, said))
        self.assertIn(why, complained)

    def number_of_rules(self) -> int:
        model = configuration_models.DBDatastoreConfigurationParameters
        return int(model.find_all(
            datastore_version_id=self.row('pxc', '8.0').id).count())

    def test_program_registers_a_version(self) -> None:
        done = self.run_program('manage', 'datastore', 'add', *PXC,
                                *self.few, '--image', 'one')
        self.assertEqual(0, done.returncode, done.stderr)
        row = self.row('pxc', '8.0')
        self.assertEqual(
            ('pxc', 'one', 'trove_pxc.guestagent.manager.PxcManager',
             'trove.guestagent.strategies.replication.mysql_gtid.'
             'MysqlGTIDReplication', True),
            (row.manager, row.image_id, row.registry_ext, row.repl_strategy,
             bool(row.active)))
        self.assertEqual(4, self.number_of_rules())

    def test_same_registration_changes_nothing(self) -> None:
        self.manage(*PXC, *self.few, '--image', 'one', '--default')
        row = self.row('pxc', '8.0')
        self.assert_says(
            'datastore version pxc 8.0 is already registered with these '
            'values\n',
            *PXC, '--image', 'one', '--default')
        self.assertEqual(row.id, self.row('pxc', '8.0').id)
        self.assertEqual(4, self.number_of_rules())

    def test_another_image_is_set_and_the_default_stays(self) -> None:
        self.manage(*PXC, *self.few, '--image', 'one', '--default')
        self.assert_says('version pxc 8.0: image_id one -> two\n',
                         *PXC, '--image', 'two')
        self.assertEqual(self.row('pxc', '8.0').id,
                         self.datastore('pxc').default_version_id)

    def test_incomplete_registration_of_trove_manage_is_completed(
            self) -> None:
        datastore_models.update_datastore('pxc', None)
        datastore_models.update_datastore_version(
            'pxc', '8.0', 'pxc', 'one', None, 'some-package', 1,
            registry_ext='pxc:None')
        self.assert_says(
            'version pxc 8.0: registry_ext pxc:None -> '
            'trove_pxc.guestagent.manager.PxcManager\n'
            f'4 validation rules of {self.few[1]} loaded\n',
            *PXC, '--image', 'one')
        self.assertEqual('some-package', self.row('pxc', '8.0').packages)

    def test_unknown_series_is_refused(self) -> None:
        self.assert_refuses('use one of 5.6', '--manager', 'pxc',
                            '--version', '9.1', '--image', 'one')
        self.assertIsNone(self.datastore('pxc'))

    def test_invalid_rules_are_refused(self) -> None:
        rules = self.write('rules.json', '{"something": []}')
        self.assert_refuses('contains no validation rules', *PXC, '--image',
                            'one', '--rules', rules)
        self.assertIsNone(self.datastore('pxc'))

    def test_missing_rules_are_refused(self) -> None:
        self.assert_refuses('No such file', *PXC, '--image', 'one',
                            '--rules', f'{self.folder}/missing.json')
