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

"""Wrong values in trove.conf, and their correction."""

import pathlib

import jinja2
import mock
from oslo_config import cfg
import testtools
from trove.common import cfg as trove_cfg
from trove.common import utils

from tests.unit.checks import installation
from trove_pxc.checks import settings
from trove_pxc.checks import site as sites

MARIADB = installation.MARIADB


class FilesTest(installation.InstallationTestCase):

    def test_one(self) -> None:
        self.assertEqual([], self.texts(settings.files(self.site())))

    def test_none(self) -> None:
        options = self.options('')
        options([], project='trove', default_config_files=[],
                default_config_dirs=[])
        fault, = self.texts(settings.files(sites.Site(options)))
        self.assertTrue(fault.startswith(
            'fatal: No configuration file was found '), fault)


class ValuesTest(installation.InstallationTestCase):

    def test_every_value_can_be_read(self) -> None:
        self.assertEqual([], self.texts(settings.values(self.site(MARIADB))))

    def test_one_that_cannot(self) -> None:
        fault, = self.texts(settings.values(self.site(
            'report_interval = often\n')))
        self.assertTrue(fault.startswith(
            'fatal: [DEFAULT] report_interval is invalid: '), fault)
        self.assertTrue(fault.endswith(
            'Correct it, or remove it to use 30.'), fault)
        self.assertNotIn('\n', fault)

    def test_options_of_this_package_are_read_too(self) -> None:
        first, second = self.texts(settings.values(self.site(
            '[pxc]\nbootstrap_timeout = 9\n'
            '[mariadb]\nmetrics_port = 70000\n')))
        self.assertTrue(first.startswith(
            'fatal: [pxc] bootstrap_timeout is invalid: '), first)
        self.assertTrue(second.startswith(
            'fatal: [mariadb] metrics_port is invalid: '), second)

    def test_the_file_is_told_where_it_is_another(self) -> None:
        fault, = self.texts(settings.invalid_values(
            self.site('bind_port = x\n').options, 'a file: '))
        self.assertTrue(fault.startswith(
            'fatal: a file: [DEFAULT] bind_port is invalid: '), fault)

    def test_an_option_without_a_default(self) -> None:
        option, = (option for option in settings.all_options('pxc')
                   if option.name == 'sst_method')
        self.assertEqual('Correct it, or remove it.',
                         settings._meaning(option))


class NamesTest(installation.InstallationTestCase):

    def faults(self, *names: str) -> list[str]:
        return self.texts(settings.names(self.site('[pxc]\n' + ''.join(
            f'{name} = 1\n' for name in names))))

    def test_names_of_trove_and_of_this_package(self) -> None:
        self.assertEqual([], self.faults(
            'tcp_ports', 'sst_method', 'sst-method'))

    def test_a_name_that_an_option_had_before(self) -> None:
        found = self.site('[pxc]\nold-name = 1\nnew_name = 1\n')
        with mock.patch.object(sites, 'trove_options', autospec=True,
                               return_value=[cfg.StrOpt(
                                   'new-name', deprecated_name='old-name')]):
            self.assertEqual([], self.texts(settings.names(found)))

    def test_a_misspelt_one(self) -> None:
        self.assertEqual(
            [f'doubt: {self.folder}/trove.conf sets [pxc] bootstrap_timout, '
             'which is not an option. Write: bootstrap_timeout.'],
            self.faults('bootstrap_timout'))

    def test_one_that_resembles_nothing(self) -> None:
        fault, = self.faults('zzz')
        self.assertTrue(fault.endswith(
            '[pxc] zzz, which is not an option. Remove it.'), fault)

    def test_other_sections_are_not_looked_at(self) -> None:
        self.assertEqual([], self.texts(settings.names(self.site(
            '[postgresql]\nzzz = 1\n'))))


class PortsTest(installation.InstallationTestCase):

    def site_of(self, ports: str, **default: object) -> sites.Site:
        return self.site(''.join(
            f'{name} = {value}\n' for name, value in default.items())
            + MARIADB + f'tcp_ports = {ports}\n')

    def test_the_ports_of_users_alone(self) -> None:
        found = self.site_of('22, 3306')
        self.assertEqual([], self.texts(settings.ports(found)))
        self.assertEqual([], self.texts(settings.sql_port(found)))

    def test_the_ports_of_members_are_open_to_all(self) -> None:
        self.assertEqual(
            ['fatal: [mariadb] tcp_ports opens 4444, 4568 to 0.0.0.0/0. '
             'Through these ports, all data of a member can be copied. '
             'Between the members of a cluster they are always open. Write: '
             'tcp_ports = 3306.'], self.texts(settings.ports(
                 self.site_of('3306, 4444, 4568'))))

    def test_a_range_is_many_ports(self) -> None:
        found = self.site_of('3000-5000')
        fault, = self.texts(settings.ports(found))
        self.assertIn('opens 4444, 4567, 4568 to', fault)
        self.assertEqual([], self.texts(settings.sql_port(found)))

    def test_to_some_it_is_less_grave(self) -> None:
        fault, = self.texts(settings.ports(self.site_of(
            '4567', trove_security_group_rule_cidr='10.0.0.1/8')))
        self.assertTrue(fault.startswith(
            'doubt: [mariadb] tcp_ports opens 4567 to 10.0.0.0/8. '), fault)

    def test_users_do_not_reach_the_servers(self) -> None:
        self.assertEqual(
            ['fatal: [mariadb] tcp_ports does not have 3306, so users cannot '
             'reach the servers. Write: tcp_ports = 3306.'],
            self.texts(settings.sql_port(self.site_of('22, 3307-4000'))))

    def test_without_security_groups_no_port_is_opened(self) -> None:
        for ports in ('4444', '22'):
            found = self.site_of(ports, trove_security_groups_support=False)
            off = ('not checked: [DEFAULT] trove_security_groups_support is '
                   'off, so tcp_ports has no effect. In your firewall, open ')
            self.assertEqual(
                [f'{off}4444, 4567 and 4568 only to the members of a '
                 'cluster.'], self.texts(settings.ports(found)))
            self.assertEqual([f'{off}3306 to users.'],
                             self.texts(settings.sql_port(found)))

    def test_the_network_of_users(self) -> None:
        for network in ('10.0.0.0/8', '10.0.0.1/8', '::/0', '10.0.0.1'):
            self.assertEqual([], self.texts(settings.cidr(self.site(
                f'trove_security_group_rule_cidr = {network}\n'))))
        self.assertEqual(
            ['fatal: [DEFAULT] trove_security_group_rule_cidr = all is not a '
             'network. Write a network such as 10.0.0.0/8.'],
            self.texts(settings.cidr(self.site(
                'trove_security_group_rule_cidr = all\n'))))

    def test_the_network_of_users_with_ipv6(self) -> None:
        for network, faults in (
                ('fd00::/8', []), ('fd00::1/8', []), ('::/0', []),
                ('10.0.0.0/8', [
                    'fatal: [trove_pxc] ipv6_users_cidr = 10.0.0.0/8 is not '
                    'an IPv6 network. Write a network such as fd00::/8.'])):
            self.assertEqual(faults, self.texts(settings.cidr(self.site(
                f'[trove_pxc]\nipv6_users_cidr = {network}\n'))))


class MessagesTest(installation.InstallationTestCase):

    def test_encrypted_or_not(self) -> None:
        self.assertEqual([], self.texts(settings.messages(self.site())))
        self.assertEqual(
            ['doubt: [DEFAULT] enable_secure_rpc_messaging is off, so '
             'messages contain the passwords and keys of all members in plain '
             f'text. Remove it, here and in {self.guest_file}.'],
            self.texts(settings.messages(self.site(
                'enable_secure_rpc_messaging = False\n'))))


class TimesTest(installation.InstallationTestCase):

    def heartbeat(self, expiry: int, interval: int) -> list[str]:
        return self.texts(settings.heartbeat(self.site(
            f'agent_heartbeat_expiry = {expiry}\n',
            f'report_interval = {interval}\n')))

    def test_heartbeats(self) -> None:
        self.assertEqual([], self.heartbeat(121, 30))
        self.assertEqual([], self.heartbeat(181, 90))
        for expiry, interval, reports, right in (
                (90, 30, 60, 180), (120, 5, 60, 180), (180, 90, 90, 270)):
            self.assertEqual(
                [f'doubt: [DEFAULT] agent_heartbeat_expiry is {expiry}, but '
                 f'guests report every {reports} s (report_interval in '
                 f'{self.guest_file}), so a guest with a late report is '
                 'shown as failed. Write: agent_heartbeat_expiry = '
                 f'{right}.'], self.heartbeat(expiry, interval))

    def pool(self, *lines: str, threads: int = 64) -> list[str]:
        return self.texts(settings.connections(self.site(
            f'executor_thread_pool_size = {threads}\n[database]\n'
            + '\n'.join(lines))))

    def test_connections_to_the_database(self) -> None:
        self.assertEqual(
            ['doubt: [database] max_pool_size is 5, but trove-taskmanager has '
             '64 threads ([DEFAULT] executor_thread_pool_size), and opens a '
             'new connection for each statement that finds all connections '
             'in use. Write: max_pool_size = 64.'],
            self.pool('connection = mysql://x'))
        for enough in (64, 100, 0):
            self.assertEqual([], self.pool(f'max_pool_size = {enough}'))
        self.assertEqual([], self.pool('max_pool_size = 8', threads=8))
        self.assertEqual([], self.pool('connection = sqlite:///x'))

    def stopping(self, ours: int, of_guest: int) -> list[str]:
        return self.texts(settings.stop_timeouts(self.site(
            f'{MARIADB}member_stop_timeout = {ours}\n',
            f'state_change_wait_time = {of_guest}\n')))

    def test_time_to_stop(self) -> None:
        self.assertEqual([], self.stopping(181, 180))
        self.assertEqual(
            ['fatal: [mariadb] member_stop_timeout is 180, but a guest kills '
             'its server only after 180 s (state_change_wait_time in '
             f'{self.guest_file}). Write: member_stop_timeout = 240.'],
            self.stopping(180, 180))

    def growing(self, seconds: int, largest: int) -> list[str]:
        return self.texts(settings.volume_timeouts(self.site(
            f'max_accepted_volume_size = {largest}\n{MARIADB}'
            f'volume_resize_timeout = {seconds}\n')))

    def test_time_to_grow(self) -> None:
        self.assertEqual([], self.growing(260, 1000))
        self.assertEqual(
            ['doubt: [mariadb] volume_resize_timeout is 259, but the check '
             'and resize of a volume of max_accepted_volume_size = 1000 GB '
             'may take 260 s. Write: volume_resize_timeout = 260.'],
            self.growing(259, 1000))

    def test_what_is_not_offered_may_be_anything(self) -> None:
        found = self.site('[pxc]\nmember_stop_timeout = 5\n'
                          'volume_resize_timeout = 5\n')
        self.assertEqual([], self.texts(settings.stop_timeouts(found)))
        self.assertEqual([], self.texts(settings.volume_timeouts(found)))


class TemplatesTest(installation.InstallationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.templates = self.folder / 'templates'

    def template(self, manager: str, text: str) -> pathlib.Path:
        file = self.templates / manager / 'config.template'
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return file

    def own(self) -> sites.Site:
        """Return an installation with its own templates."""
        return self.site(f'template_path = {self.templates}\n{MARIADB}')

    def whole(self) -> list[str]:
        path = str(self.templates)
        trove_cfg.CONF.set_override('template_path', path)
        self.addCleanup(trove_cfg.CONF.clear_override, 'template_path')
        return self.texts(settings.templates_whole(self.own()))

    def test_troves_can_be_rendered(self) -> None:
        self.assertEqual([], self.whole())

    def test_a_broken_one(self) -> None:
        file = self.template('mariadb', '[mysqld]\n{% if %}\n')
        fault, = self.whole()
        self.assertTrue(fault.startswith(
            f'fatal: The template {file} has an error in line 2: '), fault)
        self.assertTrue(fault.endswith(
            ". Correct it, or remove it to use Trove's template."),
            fault)

    def test_one_of_a_datastore_that_is_not_offered(self) -> None:
        self.template('pxc', '{% if %}')
        self.assertEqual([], self.whole())

    def test_none(self) -> None:
        with mock.patch.object(
                utils, 'build_jinja_environment', autospec=True,
                return_value=jinja2.Environment(
                    loader=jinja2.DictLoader({}), autoescape=True)):
            self.assertEqual(
                ['fatal: The template mariadb/config.template exists neither '
                 f'in [DEFAULT] template_path = {self.templates} nor in '
                 'Trove. Reinstall Trove.'],
                self.whole())

    def test_where_all_services_look(self) -> None:
        for line in ('', 'template_path = /etc/trove/templates\n'):
            self.assertEqual([], self.texts(settings.templates_found(
                self.site(line + MARIADB))))

    def test_where_only_some_look(self) -> None:
        self.template('mariadb', '[mysqld]\n')
        self.assertEqual(
            [f'doubt: {self.templates} contains templates of mariadb, which '
             'only trove-taskmanager uses. trove-api, trove-conductor and the '
             'guests use /etc/trove/templates/, because they load templates '
             'before they read template_path. Move the templates there, and '
             'remove template_path.'],
            self.texts(settings.templates_found(self.own())))

    def test_those_of_others_do_no_harm(self) -> None:
        self.template('pxc', '[mysqld]\n')
        self.assertEqual([], self.texts(
            settings.templates_found(self.own())))


class OptionsTest(testtools.TestCase):

    def test_troves_and_ours(self) -> None:
        for manager in ('pxc', 'mariadb'):
            names = {option.name
                     for option in settings.all_options(manager)}
            self.assertLess({'tcp_ports', 'bootstrap_timeout'}, names)
