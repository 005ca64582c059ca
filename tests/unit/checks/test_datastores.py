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

"""Errors in the datastore versions in Trove's tables."""

import types
from typing import Any

import fixtures
from glanceclient import exc as glance_exceptions
from keystoneauth1 import exceptions as keystone_exceptions
import mock
from trove.common import clients

from tests.unit.checks import installation
from trove_pxc.checks import datastores
from trove_pxc.checks import site as sites

version = installation.version
AGAIN = ('Run: trove-pxc-manage datastore add --manager mariadb --datastore '
         'mariadb --version 10.11 --image image-1.')
NONE = ('not checked: there is no active datastore version to check. Register '
        'one with: trove-pxc-manage datastore add.')


class DatastoresTestCase(installation.InstallationTestCase):

    def with_versions(self, *versions: sites.Version) -> sites.Site:
        return self.site(installation.MARIADB, versions=versions)


class DatabaseTest(DatastoresTestCase):

    def test_it_can_be_read(self) -> None:
        self.assertEqual([], self.texts(
            datastores.database(self.with_versions())))

    def test_it_cannot(self) -> None:
        class Without(sites.Site):
            @property
            def versions(self) -> list[sites.Version]:
                raise sites.Unreadable('no route')
        self.assertEqual(
            ['fatal: [database] connection: the database cannot be read: no '
             'route. Write the connection of trove-api. For a new database, '
             'run: trove-manage db_sync.'],
            self.texts(datastores.database(Without(self.options('')))))


class RegisteredTest(DatastoresTestCase):

    def test_there_is_a_version(self) -> None:
        self.assertEqual([], self.texts(
            datastores.registered(self.with_versions(version()))))

    def test_there_is_none(self) -> None:
        for versions in ((), (version(manager='pxc', registry_ext=''),)):
            self.assertEqual(
                ['fatal: No active datastore version has the manager '
                 'mariadb. Run: trove-pxc-manage datastore add --manager '
                 'mariadb --version VERSION --image IMAGE_ID.'],
                self.texts(datastores.registered(
                    self.with_versions(*versions))))

    def test_two_datastores_are_offered(self) -> None:
        fault, = self.texts(datastores.registered(
            self.site(installation.BOTH)))
        self.assertIn('manager pxc or mariadb. Run: trove-pxc-manage '
                      'datastore add --manager pxc ', fault)

    def test_nothing_is_offered(self) -> None:
        self.assertEqual([], self.texts(
            datastores.registered(self.site())))


class GuestManagersTest(DatastoresTestCase):

    def faults(self, **changes: Any) -> list[str]:
        return self.texts(datastores.guest_managers(
            self.with_versions(version(**changes))))

    def test_discovery(self) -> None:
        self.assertEqual([], self.faults())

    def test_troves_is_for_single_instances(self) -> None:
        name = 'trove.guestagent.datastore.mariadb.manager.Manager'
        self.assertEqual(
            ['doubt: The datastore version mariadb 10.11 has the registry_ext '
             f"{name}: Trove's guest manager, which only supports single "
             f'instances. {AGAIN}'],
            self.faults(registry_ext=name))

    def test_another_is_none(self) -> None:
        for name in ('x.Y', None):
            self.assertEqual(
                ['fatal: The datastore version mariadb 10.11 has the '
                 f'registry_ext {name}: this is not a guest manager for it. '
                 f'{AGAIN}'],
                self.faults(registry_ext=name))

    def test_trove_has_none_for_pxc(self) -> None:
        fault, = self.texts(datastores.guest_managers(self.site(
            installation.BOTH, versions=[version(
                manager='pxc', registry_ext=None)])))
        self.assertIn('registry_ext None: this is not a guest manager for '
                      'it.', fault)

    def test_what_is_not_offered_may_have_any(self) -> None:
        for manager in ('pxc', 'mysql'):
            self.assertEqual([NONE], self.faults(
                manager=manager, registry_ext='x.Y'))


class NoVersionTest(DatastoresTestCase):

    def test_it_is_not_right_if_there_is_none(self) -> None:
        for looks in (datastores.guest_managers, datastores.managers,
                      datastores.replication_strategies,
                      datastores.supported, datastores.images_named,
                      datastores.images_there, datastores.validation_rules):
            self.assertEqual([NONE], self.texts(looks(self.site(
                installation.BOTH))))

    def test_none_of_ours(self) -> None:
        self.assertEqual([NONE], self.texts(datastores.managers(
            self.with_versions(version(registry_ext='x.Y')))))


class ManagersTest(DatastoresTestCase):

    def test_each_belongs_to_its_guest_manager(self) -> None:
        self.assertEqual([], self.texts(datastores.managers(
            self.with_versions(version(), version(
                manager='mysql', registry_ext='x.Y')))))

    def test_one_of_another_manager(self) -> None:
        self.assertEqual(
            ['fatal: The datastore version mariadb 10.11 has the manager '
             'mysql and the registry_ext trove_pxc.guestagent.manager.'
             'MariaDBManager, which belongs to mariadb or pxc. Register it '
             'under a new name with: trove-pxc-manage datastore add.'],
            self.texts(datastores.managers(
                self.with_versions(version(manager='mysql')))))


class ReplicationTest(DatastoresTestCase):

    def faults(self, strategy: str | None) -> list[str]:
        return self.texts(datastores.replication_strategies(
            self.with_versions(version(repl_strategy=strategy))))

    def test_it_can_be_loaded(self) -> None:
        self.assertEqual([], self.faults(version().repl_strategy))

    def test_it_cannot(self) -> None:
        for strategy, told, reason in (
                (None, None, 'none is set'), ('', None, 'none is set'),
                ('trove_pxc.conf.X', 'trove_pxc.conf.X',
                 'trove_pxc.conf has no X'),
                ('trove_pxc.checks.site.Site', 'trove_pxc.checks.site.Site',
                 'it is not a Replication')):
            self.assertEqual(
                ['fatal: The datastore version mariadb 10.11 has the '
                 f'repl_strategy {told}: {reason}. {AGAIN}'],
                self.faults(strategy))


class SupportedTest(DatastoresTestCase):

    def test_a_server_that_is_known(self) -> None:
        self.assertEqual([], self.texts(datastores.supported(
            self.with_versions(version(), version(
                manager='pxc', number='1.0', registry_ext='')))))

    def test_one_that_is_not(self) -> None:
        fault, = self.texts(datastores.supported(
            self.with_versions(version(number='10.4', name='old'))))
        self.assertTrue(fault.startswith(
            'fatal: The datastore version mariadb old (10.4): Version '
            "'10.4' of the datastore manager 'mariadb' is not supported"),
            fault)


class ImagesNamedTest(DatastoresTestCase):

    def test_an_image_or_tags(self) -> None:
        self.assertEqual([], self.texts(datastores.images_named(
            self.with_versions(version(), version(
                image_id=None, image_tags='a,b')))))

    def test_neither(self) -> None:
        self.assertEqual(
            ['fatal: The datastore version mariadb stable (10.11) has '
             'neither an image nor image tags. Run: trove-pxc-manage '
             'datastore add --manager mariadb --datastore mariadb --version '
             '10.11 --name stable --image IMAGE_ID.'],
            self.texts(datastores.images_named(self.with_versions(version(
                image_id='', image_tags='', name='stable')))))


class ImagesThereTest(DatastoresTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.images = mock.Mock(spec=['get', 'list'])
        self.create = self.useFixture(fixtures.MockPatchObject(
            clients, 'create_glance_client', autospec=True,
            return_value=types.SimpleNamespace(images=self.images))).mock

    def faults(self, *versions: sites.Version) -> list[str]:
        return self.texts(datastores.images_there(
            self.with_versions(*versions)))

    def test_there(self) -> None:
        self.images.list.return_value = [{'id': 'image-2'}]
        self.assertEqual([], self.faults(
            version(), version(image_id=None, image_tags='a,b')))
        self.images.get.assert_called_once_with('image-1')

    def test_it_is_asked_as_troves_own_user(self) -> None:
        found = self.with_versions(version())
        for name, value in (('username', 'trove'), ('project_id', 'service'),
                            ('user_domain_name', 'Default')):
            found.options.set_override(name, value, 'service_credentials')
        self.texts(datastores.images_there(found))
        (context,), _ = self.create.call_args
        self.assertEqual(
            ('trove', 'service', 'Default', True),
            (context.user_id, context.project_id, context.user_domain_name,
             context.is_admin))

    def test_not_there(self) -> None:
        self.images.get.side_effect = glance_exceptions.HTTPNotFound
        self.images.list.return_value = []
        self.assertEqual(
            ['fatal: Glance has no image image-1 of the datastore version '
             f'mariadb 10.11. Upload an image and use its ID. {AGAIN}',
             'fatal: Glance has no image tags a,b of the datastore version '
             'mariadb 10.11. Upload an image and use its ID. '
             + AGAIN.replace('image-1', 'IMAGE_ID')],
            self.faults(version(),
                        version(image_id=None, image_tags='a,b')))

    def test_what_names_none_is_not_asked_for(self) -> None:
        self.assertEqual([NONE], self.faults(version(image_id=None)))
        self.images.get.assert_not_called()

    def test_no_answer_is_told_once(self) -> None:
        for error in (glance_exceptions.HTTPServiceUnavailable(),
                      glance_exceptions.CommunicationError(),
                      keystone_exceptions.ConnectFailure()):
            self.images.get.side_effect = error
            self.assertEqual(
                ['not checked: The guest images could not be looked up in '
                 f'Glance: {type(error).__name__}. Check '
                 '[service_credentials], and whether this host can reach '
                 'Glance.'],
                self.faults(version(), version()))


class RulesTest(DatastoresTestCase):

    def test_rules(self) -> None:
        known = version(name='known')
        found = self.with_versions(known, version())
        with mock.patch.object(
                found, 'number_of_rules', autospec=True,
                side_effect=lambda one: 3 if one == known else 0):
            self.assertEqual(
                ['doubt: The datastore version mariadb 10.11 has no '
                 'validation rules, so every configuration group for it is '
                 f'refused. {AGAIN}'],
                self.texts(datastores.validation_rules(found)))
