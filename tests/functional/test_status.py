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

"""A correct installation, and one for each fault that a check finds."""

from importlib import metadata
import json

import fixtures
from oslo_upgradecheck import upgradecheck
from trove.configuration import models as configuration_models

from tests.functional import base
from tests.functional import site as sites
from trove_pxc.checks import check
from trove_pxc.checks import site
from trove_pxc.checks import table
from trove_pxc.cmd import status


class StatusTest(sites.SiteTest):

    def setUp(self) -> None:
        super().setUp()
        self.mariadb = self.register('mariadb', '10.11')
        self.pxc = self.register('pxc', '8.0')

    def outcomes(self) -> list[check.Outcome]:
        base.CONF(['--config-file', self.write_files()], project='trove',
                  default_config_dirs=[])
        return check.ask(table.CHECKS, site.Site(base.CONF))

    def assert_names(self, name: str, *texts: str,
                     fatal: bool = True) -> None:
        """Only this check finds a fault, and its text contains these texts."""
        wrong = [one for one in self.outcomes() if one.faults]
        self.assertEqual([name], [one.check.name for one in wrong],
                         [one.text for one in wrong])
        for text in texts:
            self.assertIn(text, wrong[0].text)
        self.assertEqual(fatal, wrong[0].is_fatal)
        self.assertEqual(1, len(wrong[0].faults), wrong[0].text)

    def test_correct_installation_has_no_faults(self) -> None:
        outcomes = self.outcomes()
        self.assertEqual([], [one.text for one in outcomes if one.faults])
        self.assertEqual([], [one.text for one in outcomes
                              if not one.is_complete])
        self.assertEqual(upgradecheck.Code.SUCCESS, status.Checks().check())

    def test_one_datastore_alone_is_correct(self) -> None:
        self.replace(f'[pxc]\ntcp_ports = 3306\n{sites.STRATEGIES}\n', '')
        self.pxc.delete()
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])

    def test_installation_without_the_package_is_reported(self) -> None:
        self.replace(sites.STRATEGIES, '', 2)
        self.mariadb.delete()
        self.pxc.delete()
        self.assert_names('Datastores with clusters',
                          'api_strategy = trove_pxc.api')
        # Checks that did not run are not reported as passed.
        unasked = {one.check.name for one in self.outcomes()
                   if one.blocked_by}
        self.assertLessEqual(
            {'Strategies', 'Root', 'Database images', 'Datastore versions'},
            unasked)

    def test_trove_that_is_too_old_is_reported(self) -> None:
        self.use_trove('24.1.0')
        self.assert_names('Version of Trove', 'Trove is 24.1.0',
                          'needs 25 or newer')

    def test_trove_that_is_not_tested_is_reported(self) -> None:
        self.use_trove('27.0.0')
        self.assert_names('Version of Trove', 'tested with releases up to 26',
                          fatal=False)

    def use_trove(self, version: str) -> None:
        real = metadata.version
        self.useFixture(fixtures.MonkeyPatch(
            'importlib.metadata.version',
            lambda name: version if name == 'trove' else real(name)))

    def test_missing_strategy_is_reported(self) -> None:
        name = 'taskmanager_strategy'
        self.replace(f'{name} = {base._STRATEGIES[name]}\n', '')
        self.assert_names('Strategies', f'[mariadb] {name} is trove.common',
                          f'Write: {name} = {base._STRATEGIES[name]}')

    def test_misspelt_strategy_is_reported(self) -> None:
        self.replace('trove_pxc.api.strategy', 'trove_pxc.api.strategies')
        self.assert_names('Strategies load', '[mariadb] api_strategy',
                          "No module named 'trove_pxc.api.strategies'")

    def test_strategy_of_another_kind_is_reported(self) -> None:
        self.replace(f'api_strategy = {base._STRATEGIES["api_strategy"]}',
                     'api_strategy = '
                     f'{base._STRATEGIES["guestagent_strategy"]}')
        self.assert_names('Strategies load', 'it is not a BaseAPIStrategy')

    def test_invalid_value_is_reported(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nbootstrap_timeout = soon\n')
        self.assert_names('Values in trove.conf',
                          '[pxc] bootstrap_timeout is invalid', 'soon',
                          'remove it to use 300')

    def test_value_below_its_minimum_is_reported(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nbootstrap_timeout = 1\n')
        self.assert_names('Values in trove.conf',
                          '[pxc] bootstrap_timeout is invalid')

    def test_misspelt_option_is_reported(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nboostrap_timeout = 500\n')
        self.assert_names('Names in trove.conf', '[pxc] boostrap_timeout',
                          'Write: bootstrap_timeout', fatal=False)

    def test_clusters_turned_off_are_reported(self) -> None:
        self.replace('[pxc]\n', '[pxc]\ncluster_support = False\n')
        self.assert_names('Cluster support', '[pxc] cluster_support is off')

    def test_ports_between_members_open_to_all_are_reported(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,4444,4567-4568')
        self.assert_names(
            'Ports between members',
            '[mariadb] tcp_ports opens 4444, 4567, 4568 to 0.0.0.0/0')

    def test_ports_between_members_open_to_some_are_reported(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,4567')
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     'trove_security_group_rule_cidr = 10.0.0.0/8\n')
        self.assert_names('Ports between members', 'opens 4567 to 10.0.0.0/8',
                          fatal=False)

    def test_closed_port_for_users_is_reported(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3307')
        self.assert_names('Port of users', '[mariadb] tcp_ports does not have '
                                           '3306')

    def test_invalid_network_of_users_is_reported(self) -> None:
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     'trove_security_group_rule_cidr = all\n')
        self.assert_names('Network of the users', 'cidr = all is not a '
                                                  'network')

    def test_pipeline_without_the_filter_is_reported(self) -> None:
        self.paste = self.paste.replace('galera extensions', 'extensions')
        self.assert_names(
            'Pipeline of the API',
            f'{self.folder}/api-paste.ini does not have the filter',
            'paste.filter_factory = trove_pxc.api.pipeline:factory',
            fatal=False)

    def test_filter_in_the_wrong_place_is_reported(self) -> None:
        self.paste = self.paste.replace('galera extensions',
                                        'extensions galera')
        self.assert_names('Pipeline of the API', 'after extensions',
                          fatal=False)

    def test_filter_of_the_same_name_is_reported(self) -> None:
        self.paste = self.paste.replace('trove_pxc.api.pipeline:factory',
                                        'trove.common.wsgi:Debug')
        self.assert_names('Pipeline of the API', 'does not have the filter',
                          fatal=False)

    def test_pipeline_without_extensions_is_reported(self) -> None:
        self.paste = self.paste.replace('galera extensions', 'galera')
        self.assert_names('Pipeline of the API', 'no pipeline with Trove')

    def test_unreadable_pipeline_is_reported(self) -> None:
        self.paste = 'pipeline = galera extensions troveapp\n'
        self.assert_names('Pipeline of the API', 'cannot be read')

    def test_missing_pipeline_is_reported_as_not_checked(self) -> None:
        self.paste = ''
        outcomes = self.outcomes()
        self.assertEqual([], [one.text for one in outcomes if one.faults])
        text, = (one.text for one in outcomes if not one.is_complete)
        self.assertIn('Not checked: [DEFAULT] api_paste_config = '
                      'api-paste.ini is not found', text)

    def test_root_controller_of_trove_is_reported(self) -> None:
        name = 'root_controller'
        self.replace(f'{name} = {base._STRATEGIES[name]}', '')
        self.assert_names('Root', '[mariadb] root_controller', fatal=False)

    def test_taskmanager_of_trove_is_reported(self) -> None:
        self.replace('taskmanager_manager = '
                     'trove_pxc.taskmanager.manager.Manager\n', '')
        self.assert_names(
            'Resumed operations', 'Write: taskmanager_manager = '
            'trove_pxc.taskmanager.manager.Manager', fatal=False)

    def test_misspelt_taskmanager_is_reported(self) -> None:
        self.replace('taskmanager.manager.Manager',
                     'taskmanager.manager.Boss')
        self.assert_names('Resumed operations',
                          'trove-taskmanager cannot start')

    def test_missing_notification_id_of_one_datastore_is_reported(
            self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nnotification_service_id = mariadb:1\n')
        self.assert_names('Notification ids', 'no id for pxc', fatal=False)

    def test_unencrypted_messages_are_reported(self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nenable_secure_rpc_messaging = False\n')
        self.assert_names('Messages to guests', 'keys of all members',
                          fatal=False)

    def test_metrics_that_users_can_read_are_reported(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,9100-9200')
        self.guest = self.guest.replace(
            '[mariadb]\n', '[mariadb]\nmetrics_port = 9104\n')
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])
        self.guest = self.guest.replace(
            '[mariadb]\n', '[mariadb]\nmetrics_address = 0.0.0.0\n')
        self.assert_names('Metrics', '[mariadb] tcp_ports opens 9104',
                          fatal=False)

    def test_heartbeat_expiry_of_troves_default_is_reported(self) -> None:
        self.replace('agent_heartbeat_expiry = 180\n', '')
        self.assert_names('Heartbeats', 'agent_heartbeat_expiry is 90',
                          'Write: agent_heartbeat_expiry = 180', fatal=False)

    def test_heartbeat_interval_that_is_too_long_is_reported(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nreport_interval = 90\n')
        self.assert_names('Heartbeats', 'agent_heartbeat_expiry is 180',
                          'Write: agent_heartbeat_expiry = 270', fatal=False)

    def test_stop_timeout_shorter_than_the_guests_is_reported(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nstate_change_wait_time = 300\n')
        self.replace('[mariadb]\n', '[mariadb]\nmember_stop_timeout = 400\n')
        self.assert_names('Time to stop', '[pxc] member_stop_timeout is 240',
                          'Write: member_stop_timeout = 360')

    def test_volumes_too_large_for_the_timeout_are_reported(self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nmax_accepted_volume_size = 2000\n')
        self.replace('[mariadb]\n',
                     '[mariadb]\nvolume_resize_timeout = 500\n')
        self.assert_names('Time to grow', '[pxc] volume_resize_timeout is 300',
                          'volume_resize_timeout = 460', fatal=False)

    def test_broken_template_is_reported(self) -> None:
        self.replace(f'template_path = {self.folder}/templates\n', '')
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     f'template_path = {self.folder}/broken\n')
        self.write('broken/mariadb/config.template', '[mysqld]\n{% if %}\n')
        wrong = [one for one in self.outcomes() if one.is_fatal]
        self.assertEqual(['Templates readable'],
                         [one.check.name for one in wrong])
        self.assertIn('an error in line 2', wrong[0].text)

    def test_template_that_one_service_finds_is_reported(self) -> None:
        self.write('templates/mariadb/config.template', '[mysqld]\n')
        self.assert_names('Templates found', 'contains templates of mariadb',
                          fatal=False)

    def test_missing_file_for_guests_is_reported(self) -> None:
        self.guest = ''
        self.assert_names("Guests' file",
                          f'{self.folder}/trove-guestagent.conf: it does not '
                          'exist')

    def test_invalid_file_for_guests_is_reported(self) -> None:
        self.guest = 'transport_url = rabbit://trove:very-secret@host/\n'
        self.assert_names("Guests' file", 'line 1')

    def test_invalid_value_for_guests_is_reported(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nreport_interval = often\n')
        self.assert_names("Values in the guests' file",
                          '[DEFAULT] report_interval is invalid')

    def test_guests_without_a_broker_are_reported(self) -> None:
        self.guest = self.guest.replace('transport_url', '#transport_url')
        self.assert_names("Guests' message broker", 'no [DEFAULT] transport')

    def test_guests_with_the_broker_of_the_controller_are_reported(
            self) -> None:
        self.guest = self.guest.replace('192.0.2.10', 'localhost')
        self.assert_names("Guests' message broker", '"localhost"')

    def test_database_image_with_a_tag_is_reported(self) -> None:
        self.guest = self.guest.replace('library/mariadb', 'mariadb:10.11')
        self.assert_names(
            'Database images', '[mariadb] docker_image',
            'Write: docker_image = registry.example.org:5000/mariadb.')

    def test_missing_datastore_version_is_reported(self) -> None:
        self.pxc.delete()
        self.mariadb.delete()
        self.assert_names('Datastore versions',
                          'trove-pxc-manage datastore add --manager')

    def test_missing_guest_manager_is_reported(self) -> None:
        self.pxc.update(registry_ext='None')
        self.assert_names(
            'Guest managers', 'pxc 8.0 has the registry_ext None',
            'Run: trove-pxc-manage datastore add --manager pxc --datastore '
            'pxc --version 8.0 --image')

    def test_guest_manager_of_trove_is_reported(self) -> None:
        self.mariadb.update(registry_ext='trove.guestagent.datastore.mariadb.'
                                         'manager.Manager')
        self.assert_names('Guest managers', 'only supports single instances',
                          fatal=False)

    def test_guest_manager_for_another_datastore_is_reported(self) -> None:
        self.pxc.update(manager='mysql')
        self.assert_names('Managers', 'has the manager mysql')

    def test_missing_replication_strategy_is_reported(self) -> None:
        self.pxc.update(repl_strategy='trove.guestagent.strategies.'
                                      'replication.mysql_gtid.Missing')
        self.assert_names('Replication strategies', 'Missing',
                          'has no Missing')

    def test_unknown_series_is_reported(self) -> None:
        self.pxc.update(name='9.1', version='9.1')
        self.assert_names('Server versions', 'pxc 9.1', 'use one of 5.6')

    def test_version_without_an_image_is_reported(self) -> None:
        self.pxc.update(image_id=None, image_tags=None)
        self.assert_names('Guest images named', 'neither an image')

    def test_deleted_image_is_reported(self) -> None:
        self.pxc.update(image_id='6f1a')
        self.assert_names('Guest images in Glance', 'Glance has no image 6f1a')

    def test_inactive_version_is_not_checked(self) -> None:
        self.pxc.update(active=False, image_id='6f1a', registry_ext='None')
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])

    def test_missing_validation_rules_are_reported(self) -> None:
        configuration_models.remove_datastore_configuration_parameters(
            'pxc', '8.0')
        self.assert_names('Validation rules', 'pxc 8.0', fatal=False)

    def test_program_reports_an_unreachable_database(self) -> None:
        self.replace(self.connection,
                     'mysql+pymysql://trove:very-secret@127.0.0.1:1/trove')
        self.replace('[database]\n', '[database]\nmax_retries = 0\n')
        done = self.run_program('status', 'upgrade', 'check', '--json')
        self.assertEqual(2, done.returncode, done.stdout + done.stderr)
        self.assertNotIn('very-secret', done.stdout + done.stderr)
        wrong = [(one['check'], one['details'])
                 for one in json.loads(done.stdout.splitlines()[-1])['checks']
                 if one['result'] == upgradecheck.Code.FAILURE]
        self.assertEqual(['Database'], [name for name, _ in wrong], wrong)
        self.assertIn('127.0.0.1', wrong[0][1])
        told = {one['check']: one for one in
                json.loads(done.stdout.splitlines()[-1])['checks']}
        for name in ('Datastore versions', 'Server versions',
                     'Checks made'):
            self.assertEqual(upgradecheck.Code.WARNING, told[name]['result'])
        self.assertIn(f'were made with {self.folder}/',
                      told['Checks made']['details'])
        self.assertIn('Server versions', told['Checks made']['details'])
