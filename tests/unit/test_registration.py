# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What a registration writes into Trove's tables, and its output."""

import dataclasses
import json
import pathlib
from typing import Any

import fixtures
import testtools
from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models

from tests.unit import tables
from trove_pxc.galera import errors
from trove_pxc import registration

RULES: list[dict[str, Any]] = [
    {'name': 'max_connections', 'restart_required': False,
     'type': 'integer', 'min': 1, 'max': 100000},
    {'name': 'log_bin', 'restart_required': True, 'type': 'string'}]


class RegistrationTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        # Of another datastore, with the same name and number.
        tables.add_version('mysql', '8.0.43', name='stable')
        tables.CONF.set_override('replication_strategy', 'Another', 'pxc')
        self.addCleanup(tables.CONF.clear_override, 'replication_strategy',
                        'pxc')
        folder = self.useFixture(fixtures.TempDir()).path
        self.rules = pathlib.Path(folder) / 'rules.json'
        self.write(RULES)
        self.wanted = registration.Registration(
            manager='pxc', datastore='percona', name='stable',
            version='8.0.43', image_id='image-1', image_tags=None,
            rules=self.rules)

    def write(self, rules: Any) -> None:
        self.rules.write_text(json.dumps(
            {'configuration-parameters': rules}))

    def register(self, **changes: Any) -> list[str]:
        self.wanted = dataclasses.replace(self.wanted, **changes)
        return registration.register(self.wanted)

    def version(self) -> Any:
        return datastore_models.DBDatastoreVersion.get_by(
            name='stable', version='8.0.43',
            datastore_id=self.datastore().id)

    def datastore(self) -> Any:
        return datastore_models.DBDatastore.get_by(name='percona')

    def kept_rules(self) -> list[tuple[Any, ...]]:
        model = configuration_models.DBDatastoreConfigurationParameters
        return sorted(
            (rule.name, bool(rule.restart_required), rule.data_type,
             rule.min_size, rule.max_size)
            for rule in model.find_all(
                datastore_version_id=self.version().id).all())


class NewTest(RegistrationTestCase):

    def test_all_of_it(self) -> None:
        self.assertEqual(
            ['datastore percona created', 'version percona stable created',
             f'2 validation rules of {self.rules} loaded'],
            self.register())
        row = self.version()
        self.assertEqual(
            ('pxc', 'image-1', '', True, 'trove_pxc.guestagent.manager.'
             'PxcManager', 'trove.guestagent.strategies.replication.'
             'mysql_gtid.MysqlGTIDReplication'),
            (row.manager, row.image_id, row.packages, bool(row.active),
             row.registry_ext, row.repl_strategy))
        self.assertEqual(
            [('log_bin', True, 'string', None, None),
             ('max_connections', False, 'integer', '1', '100000')],
            self.kept_rules())
        self.assertIsNone(self.datastore().default_version_id)

    def test_a_manager_has_its_own_classes(self) -> None:
        self.register(manager='mariadb', version='10.11.19')
        row = datastore_models.DBDatastoreVersion.get_by(
            version='10.11.19')
        self.assertEqual(
            ('trove_pxc.guestagent.manager.MariaDBManager',
             'trove.guestagent.strategies.replication.mariadb_gtid.'
             'MariaDBGTIDReplication'),
            (row.registry_ext, row.repl_strategy))

    def test_inactive(self) -> None:
        self.register(active=False)
        self.assertFalse(self.version().active)

    def test_the_default(self) -> None:
        self.assertEqual('version stable is the default of percona',
                         self.register(is_default=True)[-1])
        self.assertEqual(self.version().id,
                         self.datastore().default_version_id)


class AgainTest(RegistrationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.register(is_default=True)
        self.version_id = self.version().id

    def test_nothing_is_changed(self) -> None:
        self.assertEqual([], self.register())

    def test_none_and_an_empty_text_are_the_same(self) -> None:
        self.assertEqual([], self.register(image_tags=''))

    def test_another_image(self) -> None:
        self.version().update(packages='a-package')
        self.assertEqual(
            ['version percona stable: image_id image-1 -> none',
             'version percona stable: image_tags none -> a,b'],
            self.register(image_id=None, image_tags='a,b'))
        row = self.version()
        self.assertEqual(
            (self.version_id, None, 'a,b', 'a-package'),
            (row.id, row.image_id, row.image_tags, row.packages))

    def test_what_trove_manage_made_gets_the_guest_manager(self) -> None:
        self.version().update(registry_ext='x.Y', repl_strategy='')
        manager = registration.GUEST_MANAGERS['pxc']
        strategy = registration.REPLICATION['pxc']
        self.assertEqual(
            [f'version percona stable: registry_ext x.Y -> {manager}',
             f'version percona stable: repl_strategy none -> {strategy}'],
            self.register())
        self.assertEqual((manager, strategy), (
            self.version().registry_ext, self.version().repl_strategy))

    def test_another_number_is_another_version(self) -> None:
        self.assertEqual(
            'version percona stable created', self.register(
                version='8.0.44')[0])
        self.assertEqual(2, datastore_models.DBDatastoreVersion.find_all(
            name='stable', datastore_id=self.datastore().id).count())

    def test_rules_that_differ_in_anything(self) -> None:
        for change in ({'restart_required': True}, {'type': 'string'},
                       {'min': 2}, {'max': 5}, {'name': 'other'}):
            self.write([{**RULES[0], **change}, RULES[1]])
            self.assertEqual(
                [f'1 validation rules of {self.rules} loaded'],
                self.register())
            self.assertEqual([], self.register())
            self.write(RULES)
            self.register()

    def test_a_rule_that_the_file_lacks_stays(self) -> None:
        self.write(RULES[:1])
        self.assertEqual([], self.register())
        self.assertEqual(2, len(self.kept_rules()))

    def test_another_default(self) -> None:
        self.register(version='8.0.44', is_default=False)
        self.assertEqual(self.version_id,
                         self.datastore().default_version_id)
        self.assertEqual(
            ['version stable is the default of percona'],
            self.register(is_default=True))


class RefusedTest(RegistrationTestCase):

    def nothing_is_written(self) -> None:
        self.assertIsNone(self.datastore())

    def test_a_server_that_is_not_known(self) -> None:
        self.assertRaises(errors.UnsupportedVersion, self.register,
                          version='5.5')
        self.nothing_is_written()

    def test_a_file_without_rules(self) -> None:
        for text in ('no JSON', '{}', '[]', 'null',
                     '{"configuration-parameters": 5}'):
            self.rules.write_text(text)
            error = self.assertRaises(registration.NoRules, self.register)
            self.assertTrue(str(error).startswith(
                f'{self.rules} contains no validation rules: '), str(error))
        self.nothing_is_written()

    def test_no_file(self) -> None:
        self.rules.unlink()
        self.assertRaises(FileNotFoundError, self.register)
        self.nothing_is_written()


class TrovesRulesTest(testtools.TestCase):

    def test_each_manager_has_some(self) -> None:
        for manager in registration.GUEST_MANAGERS:
            self.assertTrue(registration._parameters(
                registration.troves_rules(manager)), manager)
