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

"""Reading an installation, and the reasons why it cannot be read."""

import mock
from oslo_config import cfg
from oslo_db import exception as db_exceptions
from sqlalchemy import exc as sql_exceptions
import testtools
from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models

from tests.unit.checks import installation
from tests.unit import tables
from trove_pxc.checks import site as sites

OURS = 'trove_pxc.guestagent.manager.PxcManager'


class VersionTest(testtools.TestCase):

    def test_its_number_is_told_where_its_name_is_another(self) -> None:
        self.assertEqual('mariadb 10.11', installation.version().label)
        self.assertEqual('mariadb stable (10.11)', installation.version(
            name='stable').label)

    def test_it_is_ours_by_its_guest_manager(self) -> None:
        for manager, ours in ((OURS, True), (None, False), ('', False),
                              ('trove.guestagent.x', False),
                              ('x.trove_pxc.y', False)):
            self.assertIs(ours, installation.version(
                registry_ext=manager).is_ours)


class OfferedTest(installation.InstallationTestCase):

    def test_nothing(self) -> None:
        self.assertEqual((), self.site(versions=[
            installation.version(registry_ext=None)]).offered)

    def test_by_any_option_of_its_section(self) -> None:
        for name in ('api_strategy', 'taskmanager_strategy',
                     'guestagent_strategy', 'root_controller'):
            self.assertEqual(('pxc',), self.site(
                f'[pxc]\n{name} = trove_pxc.x\n').offered)

    def test_by_a_version(self) -> None:
        self.assertEqual(('mariadb',), self.site(
            versions=[installation.version()]).offered)

    def test_both_in_one_order(self) -> None:
        self.assertEqual(('pxc', 'mariadb'),
                         self.site(installation.BOTH).offered)

    def test_without_the_database(self) -> None:
        """The values of trove.conf are known without the database."""
        class Without(sites.Site):
            @property
            def versions(self) -> list[sites.Version]:
                raise sites.Unreadable('no table')
        found = Without(self.options(installation.MARIADB))
        self.assertEqual([], found.versions_or_none)
        self.assertEqual(('mariadb',), found.offered)


class VersionsTest(installation.InstallationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.found = sites.Site(self.options(''))

    def test_the_active_ones_that_concern_this_package(self) -> None:
        tables.add_version('mariadb', '10.11')
        tables.add_version('mariadb', '10.6', active=False)
        tables.add_version('mysql', '8.0')
        tables.add_version('mysql', '8.4', registry_ext=OURS)
        self.assertEqual(
            {'mariadb 10.11', 'mysql 8.4'},
            {version.label for version in self.found.versions})
        self.assertEqual(self.found.versions, self.found.versions_or_none)

    def test_a_row(self) -> None:
        row = tables.add_version(
            'pxc', '8.0.43', name='stable', image_id=None,
            image_tags='trove,pxc', registry_ext=OURS, repl_strategy='r')
        self.assertEqual([sites.Version(
            id=row.id, datastore='pxc', name='stable', number='8.0.43',
            manager='pxc', active=True, image_id=None,
            image_tags='trove,pxc', registry_ext=OURS, repl_strategy='r')],
            self.found.versions)

    def test_a_row_of_an_older_trove_has_its_number_as_its_name(
            self) -> None:
        tables.add_version('pxc', '8.0', version='', datastore_id='gone')
        version, = self.found.versions
        self.assertEqual(('8.0', '?'), (version.number, version.datastore))

    def test_the_validation_rules_of_one_version(self) -> None:
        for version_id, name in (('an-id', 'a'), ('an-id', 'b'),
                                 ('other', 'a')):
            configuration_models.DBDatastoreConfigurationParameters.create(
                datastore_version_id=version_id, name=name,
                restart_required=False, data_type='integer')
        self.assertEqual(
            2, self.found.number_of_rules(installation.version()))


class UnreadableDatabaseTest(installation.InstallationTestCase):

    def reason(self, error: Exception) -> str:
        found = sites.Site(self.options(''))
        with (mock.patch.object(sites, 'get_db_api', autospec=True),
              mock.patch.object(datastore_models.DBDatastore, 'find_all',
                                autospec=True, side_effect=error)):
            return sites.why_unreadable(lambda: found.versions)

    def test_no_driver(self) -> None:
        self.assertEqual('the driver is missing: No module named x',
                         self.reason(ImportError('No module named x')))

    def test_no_tables(self) -> None:
        for error in (db_exceptions.DBNonExistentTable('datastores'),
                      sql_exceptions.NoSuchTableError('datastores')):
            self.assertEqual("it does not have Trove's tables",
                             self.reason(error))

    def test_the_driver_says_why(self) -> None:
        inner = sql_exceptions.OperationalError(
            'SELECT', {}, ConnectionError('no route'))
        for error in (inner, db_exceptions.DBConnectionError(inner)):
            self.assertEqual('ConnectionError: no route',
                             self.reason(error))

    def test_a_password_is_not_quoted(self) -> None:
        url = 'mysql+pymysql://trove:secret@db/trove'
        for error in (sql_exceptions.ArgumentError(url),
                      db_exceptions.DBError(ValueError(url)),
                      db_exceptions.CantStartEngineError(url)):
            self.assertEqual(type(error).__name__, self.reason(error))


class GuestFileTest(installation.InstallationTestCase):

    def reason(self, text: str | None) -> str:
        if text is not None:
            self.guest_file.write_text(text)
        found = sites.Site(self.options(''))
        self.assertEqual(str(self.guest_file), found.guest_file)
        return sites.why_unreadable(lambda: found.guest)

    def test_its_values_stand_beside_troves_and_our_defaults(self) -> None:
        guest = self.site(guest='report_interval = 7\n'
                                '[mariadb]\nmetrics_port = 9104\n').guest
        self.assertEqual(7, guest.report_interval)
        self.assertEqual(9104, guest.mariadb.metrics_port)
        self.assertEqual(['3306'], [
            str(ports[0]) for ports in guest.mariadb.tcp_ports][:1])
        self.assertEqual(2.0, guest.pxc.status_look_interval)

    def test_an_empty_file(self) -> None:
        self.assertEqual('', self.reason(''))

    def test_none(self) -> None:
        self.assertEqual('it does not exist', self.reason(None))

    def test_one_of_somebody_else(self) -> None:
        for error in (cfg.ConfigFilesPermissionDeniedError(['x']),
                      PermissionError('x')):
            found = sites.Site(self.options(''))
            with mock.patch.object(cfg.ConfigOpts, '__call__',
                                   autospec=True, side_effect=error):
                self.assertEqual(
                    'this user has no permission to read it',
                    sites.why_unreadable(lambda: found.guest))

    def test_no_configuration_file(self) -> None:
        self.assertEqual('it is not a configuration file (line 2)',
                         self.reason('[DEFAULT]\npassword secret\n'))


class NamesTest(installation.InstallationTestCase):

    def test_of_a_section_in_all_files(self) -> None:
        more = self.folder / 'conf.d'
        more.mkdir()
        (more / 'b.conf').write_text('[pxc]\nsst_method = x\n')
        (more / 'a.conf').write_text('[pxc]\nsst-metod = x\n[x]\ny = 1\n')
        (more / 'a.txt').write_text('[pxc]\nother = x\n')
        found = sites.Site(self.options(
            '[pxc]\ntcp_ports = 3306\n', folder=str(more)))
        self.assertEqual(
            [(str(self.folder / 'trove.conf'), 'tcp_ports'),
             (str(more / 'a.conf'), 'sst-metod'),
             (str(more / 'b.conf'), 'sst_method')],
            list(found.names_in('pxc')))
        self.assertEqual([], list(found.names_in('mariadb')))
