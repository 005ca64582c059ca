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

"""The options that are added to Trove's groups."""

import pathlib
import re

from oslo_config import cfg
import testtools
from trove.common import cfg as trove_cfg

from trove_pxc import conf


class ConfTest(testtools.TestCase):

    READ_HERE = ('ipv6_users_cidr',)

    def setUp(self) -> None:
        super().setUp()
        conf.register(trove_cfg.CONF)

    def test_both_groups_get_what_operations_need(self) -> None:
        for manager in conf.MANAGERS:
            options = trove_cfg.CONF[manager]
            self.assertEqual(300, options.bootstrap_timeout)
            self.assertIsNone(options.sst_method)
        self.assertEqual('percona/percona-xtradb-cluster',
                         trove_cfg.CONF.pxc.docker_image)

    def test_what_members_refuse_is_an_option_of_mariadb(self) -> None:
        self.assertEqual(['STRICT_REPLICATION', 'DISALLOW_LOCAL_GTID'],
                         trove_cfg.CONF.mariadb.wsrep_mode)
        self.assertNotIn('wsrep_mode', trove_cfg.CONF.pxc)
        self.addCleanup(trove_cfg.CONF.clear_override, 'wsrep_mode',
                        'mariadb')
        self.assertRaises(
            ValueError, trove_cfg.CONF.set_override, 'wsrep_mode',
            ['REPLICATE_MYISAM'], 'mariadb')

    def test_a_collation_is_a_plain_word(self) -> None:
        self.addCleanup(trove_cfg.CONF.clear_override, 'default_collation',
                        'pxc')
        trove_cfg.CONF.set_override('default_collation', '', 'pxc')
        self.assertRaises(
            ValueError, trove_cfg.CONF.set_override, 'default_collation',
            'utf8mb4_bin\nplugin_load=x', 'pxc')

    def test_each_option_is_read(self) -> None:
        """An option whose name is only in conf.py has no effect."""
        here = pathlib.Path(conf.__file__)
        code = '\n'.join(file.read_text() for file
                         in here.parent.rglob('*.py') if file != here)
        names = set(re.findall(r'\w+', code))
        self.assertEqual([], [
            option.dest for _, options in conf.list_opts()
            for option in options if option.dest not in names
            and option.dest not in self.READ_HERE])

    def test_twice_does_no_harm(self) -> None:
        conf.register(trove_cfg.CONF)

    def test_an_option_that_trove_has_stays_troves(self) -> None:
        options = cfg.ConfigOpts()
        for manager in conf.MANAGERS:
            options.register_group(cfg.OptGroup(manager))
        options.register_opt(
            cfg.StrOpt('docker_image', default='of-trove'), group='pxc')
        conf.register(options)
        self.assertEqual('of-trove', options.pxc.docker_image)

    def test_users_with_ipv6(self) -> None:
        for troves, ours, users in (
                ('0.0.0.0/0', None, '::/0'),
                ('10.0.0.0/8', None, None),
                ('fd00::/64', None, 'fd00::/64'),
                ('::/0', None, '::/0'),
                ('0.0.0.0/0', 'fd00::1/64', 'fd00::/64'),
                ('10.0.0.0/8', 'fd00::/64', 'fd00::/64')):
            config = cfg.ConfigOpts()
            config.register_opts([cfg.StrOpt(
                'trove_security_group_rule_cidr', default=troves)])
            config.register_group(cfg.OptGroup(conf.OWN_GROUP))
            config.register_opts(dict(conf.list_opts())[conf.OWN_GROUP],
                                 conf.OWN_GROUP)
            config.set_default('ipv6_users_cidr', ours, conf.OWN_GROUP)
            config([])
            found = conf.ipv6_users(config)
            self.assertEqual(users, found and str(found))

    def test_every_option_says_what_it_does(self) -> None:
        for group, options in conf.list_opts():
            for option in options:
                self.assertTrue(option.help, f'[{group}] {option.name}')
                number = isinstance(option, (cfg.IntOpt, cfg.FloatOpt))
                if number:
                    self.assertIsNotNone(option.type.min, option.name)
