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

"""Errors in what the services load, and their correction."""

from importlib import metadata

import mock
import testtools
from trove.common.strategies.cluster import base

from tests.unit.checks import installation
from trove_pxc.checks import services
from trove_pxc.checks import site as sites


class PackagesTest(installation.InstallationTestCase):
    """The installed packages, independent of trove.conf."""

    def trove(self, version: str) -> list[str]:
        with mock.patch.object(metadata, 'version', autospec=True,
                               return_value=version) as asked:
            found = self.texts(services.trove_version(self.site()))
        asked.assert_called_once_with('trove')
        return found

    def test_a_trove_that_was_tried(self) -> None:
        for version in ('25.0.0', '26.1.2.dev3'):
            self.assertEqual([], self.trove(version))

    def test_one_that_is_too_old(self) -> None:
        self.assertEqual(
            ['fatal: Trove is 24.0.1; this package needs 25 or newer. '
             'Upgrade Trove first.'], self.trove('24.0.1'))

    def test_one_that_is_too_new(self) -> None:
        self.assertEqual(
            ['doubt: Trove is 27.0.0; this package was tested with releases '
             'up to 26. Look for a newer trove-pxc.'], self.trove('27.0.0'))

    def test_the_extension_of_the_api(self) -> None:
        self.assertEqual([], self.texts(
            services.api_extension(self.site())))

    def test_a_package_that_was_only_copied(self) -> None:
        with mock.patch.object(metadata, 'entry_points', autospec=True,
                               return_value=()) as asked:
            fault, = self.texts(services.api_extension(self.site()))
        asked.assert_called_once_with(group='trove.api.extensions')
        self.assertEqual(
            'fatal: The entry point trove_pxc.api.extension:GaleraExtension '
            'is not registered, because the package was copied and not '
            'installed. Install it with pip into the environment of '
            'trove-api.', fault)


class OfferedTest(installation.InstallationTestCase):

    def test_a_datastore_with_clusters(self) -> None:
        self.assertEqual([], self.texts(
            services.is_offered(self.site(installation.MARIADB))))

    def test_none(self) -> None:
        self.assertEqual(
            ['fatal: Neither [pxc] nor [mariadb] names this package. Write '
             'into the section of the datastore that you offer: '
             'api_strategy = trove_pxc.api.strategy.GaleraAPIStrategy, '
             'taskmanager_strategy = trove_pxc.taskmanager.strategy.'
             'GaleraTaskManagerStrategy, guestagent_strategy = trove_pxc.'
             'guestagent.strategy.GaleraGuestAgentStrategy.'],
            self.texts(services.is_offered(self.site())))


class StrategiesTest(installation.InstallationTestCase):

    def section(self, **changes: str) -> sites.Site:
        values = {**sites.STRATEGIES, **changes}
        return self.site('[pxc]\n' + ''.join(
            f'{name} = {value}\n' for name, value in values.items()))

    def test_all_three(self) -> None:
        found = self.section()
        self.assertEqual([], self.texts(services.strategies_set(found)))
        self.assertEqual([], self.texts(
            services.strategies_importable(found)))

    def test_one_of_somebody_else(self) -> None:
        found = self.section(api_strategy='x.Y')
        self.assertEqual(
            ['fatal: [pxc] api_strategy is x.Y, which is not a strategy of '
             'this package. Write: api_strategy = '
             'trove_pxc.api.strategy.GaleraAPIStrategy.'],
            self.texts(services.strategies_set(found)))
        # Only the check above reports it.
        self.assertEqual([], self.texts(
            services.strategies_importable(found)))

    def test_one_that_is_not_there(self) -> None:
        found = self.section(guestagent_strategy='trove_pxc.none.Such')
        self.assertEqual([], self.texts(services.strategies_set(found)))
        self.assertEqual(
            ["fatal: [pxc] guestagent_strategy = trove_pxc.none.Such: it "
             "cannot be imported (No module named 'trove_pxc.none'). "
             'Write: guestagent_strategy = trove_pxc.guestagent.strategy.'
             'GaleraGuestAgentStrategy.'],
            self.texts(services.strategies_importable(found)))

    def test_one_in_the_place_of_another(self) -> None:
        fault, = self.texts(services.strategies_importable(self.section(
            taskmanager_strategy=sites.STRATEGIES['api_strategy'])))
        self.assertIn('it is not a BaseTaskManagerStrategy. Write: '
                      'taskmanager_strategy = ', fault)

    def test_a_datastore_that_is_not_offered_may_have_any(self) -> None:
        found = self.site(installation.MARIADB + '[pxc]\napi_strategy = x\n')
        self.assertNotIn('[pxc]', ' '.join(
            self.texts(services.strategies_set(found))))


class SectionTest(installation.InstallationTestCase):
    """Options of a datastore with clusters."""

    def test_clusters_are_off(self) -> None:
        text = installation.MARIADB + 'cluster_support = {}\n'
        self.assertEqual([], self.texts(services.cluster_support(
            self.site(text.format(True)))))
        self.assertEqual(
            ['fatal: [mariadb] cluster_support is off, so every create is '
             'refused. Write: cluster_support = True.'],
            self.texts(services.cluster_support(
                self.site(text.format(False)))))

    def test_root(self) -> None:
        text = installation.MARIADB + 'root_controller = '
        self.assertEqual([], self.texts(services.root_controller(
            self.site(text + sites.ROOT_CONTROLLER))))
        self.assertEqual(
            ['doubt: [mariadb] root_controller is x.Y, which cannot enable '
             'root for a cluster. Write: root_controller = '
             'trove_pxc.api.root.GaleraRootController.'],
            self.texts(services.root_controller(self.site(text + 'x.Y'))))

    def test_ids_of_notifications(self) -> None:
        text = 'notification_service_id = {}\n' + installation.MARIADB
        self.assertEqual([], self.texts(services.notification_ids(
            self.site(text.format('mariadb:an-id')))))
        for known in ('pxc:an-id', 'mariadb:'):
            self.assertEqual(
                ['doubt: [DEFAULT] notification_service_id has no id for '
                 'mariadb, so its usage notifications have the id '
                 'unknown-service-id-error. Add: mariadb:UUID.'],
                self.texts(services.notification_ids(
                    self.site(text.format(known)))))


class TaskmanagerTest(installation.InstallationTestCase):

    def faults(self, manager: str) -> list[str]:
        return self.texts(services.taskmanager_manager(self.site(
            f'taskmanager_manager = {manager}\n')))

    def test_discovery(self) -> None:
        self.assertEqual([], self.faults(services.TASKMANAGER))

    def test_troves(self) -> None:
        self.assertEqual(
            ['doubt: [DEFAULT] taskmanager_manager is '
             'trove.taskmanager.manager.Manager, which does not resume the '
             'operations of a taskmanager that died. Write: '
             'taskmanager_manager = trove_pxc.taskmanager.manager.Manager.'],
            self.faults('trove.taskmanager.manager.Manager'))

    def test_one_that_is_not_there(self) -> None:
        self.assertEqual(
            ['fatal: [DEFAULT] taskmanager_manager = trove_pxc.conf.Manager: '
             'trove_pxc.conf has no Manager; trove-taskmanager cannot '
             'start. Write: taskmanager_manager = '
             'trove_pxc.taskmanager.manager.Manager.'],
            self.faults('trove_pxc.conf.Manager'))

    def test_one_that_is_no_manager(self) -> None:
        fault, = self.faults('trove_pxc.checks.site.Site')
        self.assertIn('it is not a Manager; trove-taskmanager', fault)


class NotLoadableTest(testtools.TestCase):

    def test_reasons(self) -> None:
        for name, kind, reason in (
                ('trove_pxc.checks.site.Site', None, None),
                ('trove_pxc.checks.site.Site', sites.Site, None),
                ('trove_pxc.checks.site.Site', base.BaseAPIStrategy,
                 'it is not a BaseAPIStrategy'),
                ('trove_pxc.checks.site.OURS', None, 'it is not a class'),
                ('trove_pxc.checks.site.None_', None,
                 'trove_pxc.checks.site has no None_'),
                ('trove_pxc.none.Such', None, 'it cannot be imported (No '
                 "module named 'trove_pxc.none')"),
                ('word', None,
                 'it cannot be imported (Empty module name)')):
            self.assertEqual(
                reason, services.not_loadable(name, kind), name)
