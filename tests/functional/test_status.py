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

"""An installation in order, and one for each thing that can be wrong."""

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
        """This check finds a fault that says this, and no other does."""
        wrong = [one for one in self.outcomes() if one.faults]
        self.assertEqual([name], [one.check.name for one in wrong],
                         [one.text for one in wrong])
        for text in texts:
            self.assertIn(text, wrong[0].text)
        self.assertEqual(fatal, wrong[0].is_fatal)
        self.assertEqual(1, len(wrong[0].faults), wrong[0].text)

    def test_in_order(self) -> None:
        outcomes = self.outcomes()
        self.assertEqual([], [one.text for one in outcomes if one.faults])
        self.assertEqual([], [one.text for one in outcomes
                              if not one.is_complete])
        self.assertEqual(upgradecheck.Code.SUCCESS, status.Checks().check())

    def test_one_datastore_alone(self) -> None:
        self.replace(f'[pxc]\ntcp_ports = 3306\n{sites.STRATEGIES}\n', '')
        self.pxc.delete()
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])

    def test_nothing_names_the_package(self) -> None:
        self.replace(sites.STRATEGIES, '', 2)
        self.mariadb.delete()
        self.pxc.delete()
        self.assert_names('Datastores with clusters',
                          'api_strategy = trove_pxc.api')
        # Nothing is said to be right that was not looked at.
        unasked = {one.check.name for one in self.outcomes()
                   if one.blocked_by}
        self.assertLessEqual(
            {'Strategies', 'Root', 'Database images', 'Datastore versions'},
            unasked)

    def test_a_trove_that_is_too_old(self) -> None:
        self.use_trove('24.1.0')
        self.assert_names('Version of Trove', 'Trove is 24.1.0',
                          'needs 25 or newer')

    def test_a_trove_that_nobody_tried(self) -> None:
        self.use_trove('27.0.0')
        self.assert_names('Version of Trove', 'tested with releases up to 26',
                          fatal=False)

    def use_trove(self, version: str) -> None:
        real = metadata.version
        self.useFixture(fixtures.MonkeyPatch(
            'importlib.metadata.version',
            lambda name: version if name == 'trove' else real(name)))

    def test_a_strategy_that_is_not_set(self) -> None:
        name = 'taskmanager_strategy'
        self.replace(f'{name} = {base._STRATEGIES[name]}\n', '')
        self.assert_names('Strategies', f'[mariadb] {name} is trove.common',
                          f'Write: {name} = {base._STRATEGIES[name]}')

    def test_a_strategy_that_is_misspelt(self) -> None:
        self.replace('trove_pxc.api.strategy', 'trove_pxc.api.strategies')
        self.assert_names('Strategies load', '[mariadb] api_strategy',
                          "No module named 'trove_pxc.api.strategies'")

    def test_a_strategy_in_the_place_of_another(self) -> None:
        self.replace(f'api_strategy = {base._STRATEGIES["api_strategy"]}',
                     'api_strategy = '
                     f'{base._STRATEGIES["guestagent_strategy"]}')
        self.assert_names('Strategies load', 'it is not a BaseAPIStrategy')

    def test_a_value_that_is_none(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nbootstrap_timeout = soon\n')
        self.assert_names('Values in trove.conf',
                          '[pxc] bootstrap_timeout is invalid', 'soon',
                          'remove it to use 300')

    def test_a_value_below_its_minimum(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nbootstrap_timeout = 1\n')
        self.assert_names('Values in trove.conf',
                          '[pxc] bootstrap_timeout is invalid')

    def test_a_name_that_is_misspelt(self) -> None:
        self.replace('[pxc]\n', '[pxc]\nboostrap_timeout = 500\n')
        self.assert_names('Names in trove.conf', '[pxc] boostrap_timeout',
                          'Write: bootstrap_timeout', fatal=False)

    def test_clusters_turned_off(self) -> None:
        self.replace('[pxc]\n', '[pxc]\ncluster_support = False\n')
        self.assert_names('Cluster support', '[pxc] cluster_support is off')

    def test_ports_between_members_open_to_all(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,4444,4567-4568')
        self.assert_names(
            'Ports between members',
            '[mariadb] tcp_ports opens 4444, 4567, 4568 to 0.0.0.0/0')

    def test_ports_between_members_open_to_some(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,4567')
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     'trove_security_group_rule_cidr = 10.0.0.0/8\n')
        self.assert_names('Ports between members', 'opens 4567 to 10.0.0.0/8',
                          fatal=False)

    def test_the_port_of_users_is_closed(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3307')
        self.assert_names('Port of users', '[mariadb] tcp_ports does not have '
                                           '3306')

    def test_users_without_a_network(self) -> None:
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     'trove_security_group_rule_cidr = all\n')
        self.assert_names('Network of the users', 'cidr = all is not a '
                                                  'network')

    def test_a_pipeline_without_the_filter(self) -> None:
        self.paste = self.paste.replace('galera extensions', 'extensions')
        self.assert_names(
            'Pipeline of the API',
            f'{self.folder}/api-paste.ini does not have the filter',
            'paste.filter_factory = trove_pxc.api.pipeline:factory',
            fatal=False)

    def test_a_pipeline_with_the_filter_in_vain(self) -> None:
        self.paste = self.paste.replace('galera extensions',
                                        'extensions galera')
        self.assert_names('Pipeline of the API', 'after extensions',
                          fatal=False)

    def test_a_pipeline_with_a_filter_of_the_same_name(self) -> None:
        self.paste = self.paste.replace('trove_pxc.api.pipeline:factory',
                                        'trove.common.wsgi:Debug')
        self.assert_names('Pipeline of the API', 'does not have the filter',
                          fatal=False)

    def test_a_pipeline_without_extensions(self) -> None:
        self.paste = self.paste.replace('galera extensions', 'galera')
        self.assert_names('Pipeline of the API', 'no pipeline with Trove')

    def test_a_pipeline_that_cannot_be_read(self) -> None:
        self.paste = 'pipeline = galera extensions troveapp\n'
        self.assert_names('Pipeline of the API', 'cannot be read')

    def test_no_pipeline(self) -> None:
        self.paste = ''
        outcomes = self.outcomes()
        self.assertEqual([], [one.text for one in outcomes if one.faults])
        text, = (one.text for one in outcomes if not one.is_complete)
        self.assertIn('Not checked: [DEFAULT] api_paste_config = '
                      'api-paste.ini is not found', text)

    def test_root_of_trove(self) -> None:
        name = 'root_controller'
        self.replace(f'{name} = {base._STRATEGIES[name]}', '')
        self.assert_names('Root', '[mariadb] root_controller', fatal=False)

    def test_taskmanager_of_trove(self) -> None:
        self.replace('taskmanager_manager = '
                     'trove_pxc.taskmanager.manager.Manager\n', '')
        self.assert_names(
            'Resumed operations', 'Write: taskmanager_manager = '
            'trove_pxc.taskmanager.manager.Manager', fatal=False)

    def test_taskmanager_that_is_misspelt(self) -> None:
        self.replace('taskmanager.manager.Manager',
                     'taskmanager.manager.Boss')
        self.assert_names('Resumed operations',
                          'trove-taskmanager cannot start')

    def test_an_id_for_one_datastore_only(self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nnotification_service_id = mariadb:1\n')
        self.assert_names('Notification ids', 'no id for pxc', fatal=False)

    def test_messages_that_anybody_can_read(self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nenable_secure_rpc_messaging = False\n')
        self.assert_names('Messages to guests', 'keys of all members',
                          fatal=False)

    def test_metrics_that_users_can_read(self) -> None:
        self.replace('tcp_ports = 3306', 'tcp_ports = 3306,9100-9200')
        self.guest = self.guest.replace(
            '[mariadb]\n', '[mariadb]\nmetrics_port = 9104\n')
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])
        self.guest = self.guest.replace(
            '[mariadb]\n', '[mariadb]\nmetrics_address = 0.0.0.0\n')
        self.assert_names('Metrics', '[mariadb] tcp_ports opens 9104',
                          fatal=False)

    def test_heartbeats_of_troves_default(self) -> None:
        self.replace('agent_heartbeat_expiry = 180\n', '')
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])

    def test_heartbeats_that_come_too_seldom(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nreport_interval = 90\n')
        self.assert_names('Heartbeats', 'agent_heartbeat_expiry is 180',
                          'Write: agent_heartbeat_expiry = 270', fatal=False)

    def test_a_guest_that_takes_longer_to_stop(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nstate_change_wait_time = 300\n')
        self.replace('[mariadb]\n', '[mariadb]\nmember_stop_timeout = 400\n')
        self.assert_names('Time to stop', '[pxc] member_stop_timeout is 240',
                          'Write: member_stop_timeout = 360')

    def test_volumes_too_large_for_the_time(self) -> None:
        self.replace('[DEFAULT]\n',
                     '[DEFAULT]\nmax_accepted_volume_size = 2000\n')
        self.replace('[mariadb]\n',
                     '[mariadb]\nvolume_resize_timeout = 500\n')
        self.assert_names('Time to grow', '[pxc] volume_resize_timeout is 300',
                          'volume_resize_timeout = 460', fatal=False)

    def test_a_template_that_is_broken(self) -> None:
        self.replace(f'template_path = {self.folder}/templates\n', '')
        self.replace('[DEFAULT]\n', '[DEFAULT]\n'
                     f'template_path = {self.folder}/broken\n')
        self.write('broken/mariadb/config.template', '[mysqld]\n{% if %}\n')
        wrong = [one for one in self.outcomes() if one.is_fatal]
        self.assertEqual(['Templates readable'],
                         [one.check.name for one in wrong])
        self.assertIn('an error in line 2', wrong[0].text)

    def test_a_template_that_one_service_finds(self) -> None:
        self.write('templates/mariadb/config.template', '[mysqld]\n')
        self.assert_names('Templates found', 'contains templates of mariadb',
                          fatal=False)

    def test_no_file_for_guests(self) -> None:
        self.guest = ''
        self.assert_names("Guests' file",
                          f'{self.folder}/trove-guestagent.conf: it does not '
                          'exist')

    def test_a_file_for_guests_that_is_none(self) -> None:
        self.guest = 'transport_url = rabbit://trove:very-secret@host/\n'
        self.assert_names("Guests' file", 'line 1')

    def test_a_value_for_guests_that_is_none(self) -> None:
        self.guest = self.guest.replace(
            '[DEFAULT]\n', '[DEFAULT]\nreport_interval = often\n')
        self.assert_names("Values in the guests' file",
                          '[DEFAULT] report_interval is invalid')

    def test_guests_without_a_broker(self) -> None:
        self.guest = self.guest.replace('transport_url', '#transport_url')
        self.assert_names("Guests' message broker", 'no [DEFAULT] transport')

    def test_guests_with_the_broker_of_the_controller(self) -> None:
        self.guest = self.guest.replace('192.0.2.10', 'localhost')
        self.assert_names("Guests' message broker", '"localhost"')

    def test_a_database_image_with_a_tag(self) -> None:
        self.guest = self.guest.replace('library/mariadb', 'mariadb:10.11')
        self.assert_names(
            'Database images', '[mariadb] docker_image',
            'Write: docker_image = registry.example.org:5000/mariadb.')

    def test_no_datastore_version(self) -> None:
        self.pxc.delete()
        self.mariadb.delete()
        self.assert_names('Datastore versions',
                          'trove-pxc-manage datastore add --manager')

    def test_no_guest_manager(self) -> None:
        self.pxc.update(registry_ext='None')
        self.assert_names(
            'Guest managers', 'pxc 8.0 has the registry_ext None',
            'Run: trove-pxc-manage datastore add --manager pxc --datastore '
            'pxc --version 8.0 --image')

    def test_troves_guest_manager(self) -> None:
        self.mariadb.update(registry_ext='trove.guestagent.datastore.mariadb.'
                                         'manager.Manager')
        self.assert_names('Guest managers', 'only supports single instances',
                          fatal=False)

    def test_our_guest_manager_elsewhere(self) -> None:
        self.pxc.update(manager='mysql')
        self.assert_names('Managers', 'has the manager mysql')

    def test_a_replication_strategy_that_is_not_there(self) -> None:
        self.pxc.update(repl_strategy='trove.guestagent.strategies.'
                                      'replication.mysql_gtid.Missing')
        self.assert_names('Replication strategies', 'Missing',
                          'has no Missing')

    def test_a_server_that_nobody_knows(self) -> None:
        self.pxc.update(name='9.1', version='9.1')
        self.assert_names('Server versions', 'pxc 9.1', 'use one of 5.6')

    def test_no_image(self) -> None:
        self.pxc.update(image_id=None, image_tags=None)
        self.assert_names('Guest images named', 'neither an image')

    def test_an_image_that_is_gone(self) -> None:
        self.pxc.update(image_id='6f1a')
        self.assert_names('Guest images in Glance', 'Glance has no image 6f1a')

    def test_a_version_that_is_not_active_is_left_alone(self) -> None:
        self.pxc.update(active=False, image_id='6f1a', registry_ext='None')
        self.assertEqual(
            [], [one.text for one in self.outcomes() if one.faults])

    def test_no_validation_rules(self) -> None:
        configuration_models.remove_datastore_configuration_parameters(
            'pxc', '8.0')
        self.assert_names('Validation rules', 'pxc 8.0', fatal=False)

    def test_the_program_and_a_database_that_is_not_there(self) -> None:
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
